package client

import (
	"errors"
	"fmt"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

var errEnded = errors.New("the gateway ended the stream")

// What a gateway says when it ends a stream that can be continued.
var closings = map[headgatev1.Closing_Reason]error{
	headgatev1.Closing_REASON_UNSPECIFIED:        errEnded,
	headgatev1.Closing_REASON_DRAINING:           errors.New("the gateway is stopping"),
	headgatev1.Closing_REASON_GRANT_CHANGED:      errors.New("what this reader may read has changed"),
	headgatev1.Closing_REASON_CREDENTIAL_EXPIRED: errors.New("the credential has expired"),
	headgatev1.Closing_REASON_MAX_AGE:            errors.New("the stream was as old as one may get"),
	headgatev1.Closing_REASON_HANDED_OVER:        errors.New("the shard goes to another member, or its position was moved"),
	headgatev1.Closing_REASON_OPERATOR:           errors.New("an operator ended the stream"),
}

// closedBecause is why the gateway ended a stream.
func closedBecause(reason headgatev1.Closing_Reason) error {
	if err := closings[reason]; err != nil {
		return err
	}
	return fmt.Errorf("%w for reason %d", errEnded, reason) // of a newer gateway
}
