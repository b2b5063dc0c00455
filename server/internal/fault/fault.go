// Package fault makes the errors that leave the gateway: a gRPC status with the google.rpc.ErrorInfo that the contract promises.
package fault

import (
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Domain is that of every ErrorInfo.
const Domain = "headgate"

// Reasons of ErrorInfo. EventService's comment in the proto is their documentation; a test holds the two against each other.
const (
	StartRequired        = "START_REQUIRED"
	FilterInvalid        = "FILTER_INVALID"
	CursorMalformed      = "CURSOR_MALFORMED"
	CursorExpired        = "CURSOR_EXPIRED"
	CursorForeign        = "CURSOR_FOREIGN"
	EventNotFound        = "EVENT_NOT_FOUND"
	SubscriptionNotFound = "SUBSCRIPTION_NOT_FOUND"
	SubscriptionExists   = "SUBSCRIPTION_EXISTS"
	SubscriptionMismatch = "SUBSCRIPTION_MISMATCH"
	LeaseLost            = "LEASE_LOST"
	CursorBehind         = "CURSOR_BEHIND"
	Unauthenticated      = "UNAUTHENTICATED"
	ContextForbidden     = "CONTEXT_FORBIDDEN"
	RawBodyForbidden     = "RAW_BODY_FORBIDDEN"
	OperatorOnly         = "OPERATOR_ONLY"
	Draining             = "DRAINING"
	Unavailable          = "UNAVAILABLE"
	Limit                = "LIMIT"
	DataLoss             = "DATA_LOSS"
)

// OperatorRetry is after how long a stream that an operator ended may come back.
const OperatorRetry = 30 * time.Second

// New makes an error for a caller. metadata comes in pairs of key and value.
func New(code codes.Code, reason, message string, metadata ...string) error {
	return Retry(code, reason, message, 0, metadata...)
}

// Retry is New for what may succeed later: RetryInfo says when, if after is not zero.
func Retry(code codes.Code, reason, message string, after time.Duration, metadata ...string) error {
	info := &errdetails.ErrorInfo{Reason: reason, Domain: Domain}
	for i := 0; i+1 < len(metadata); i += 2 {
		if info.Metadata == nil {
			info.Metadata = make(map[string]string)
		}
		info.Metadata[metadata[i]] = metadata[i+1]
	}
	details := []protoadapt.MessageV1{info}
	if after > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(after)})
	}
	st, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		return status.Error(code, message)
	}
	return st.Err()
}

// ReasonOf is why a call failed, in a word for metrics: the ErrorInfo's reason, else the status code, in small letters.
func ReasonOf(err error) string {
	st := status.Convert(err)
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return strings.ToLower(info.GetReason())
		}
	}
	return strings.ToLower(code.Code(st.Code()).String())
}
