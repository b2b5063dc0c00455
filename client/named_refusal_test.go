package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

func TestRefusedSaveEndsTheIteration(t *testing.T) {
	for _, refusal := range []error{
		scripted.Refusal(codes.NotFound, client.ReasonSubscriptionNotFound, "gone"), status.Error(codes.PermissionDenied, "no"), status.Error(codes.Unimplemented, "no"),
	} {
		gateway := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
			scripted.SendAndHold(append(assigned(0, "a"), scripted.Batch(1, 1))...),
		}}
		gateway.Save = func(context.Context, scripted.Saved) error { return refusal }
		_, err := read(t.Context(), connect(t, gateway), billing)
		answer, ok := errors.AsType[*client.Error](err)
		if !ok || answer.Code != status.Code(refusal) || !strings.HasPrefix(err.Error(), "save the cursor: ") {
			t.Errorf("%v: ended with %v", refusal, err)
		}
	}
}

func TestEventsWithoutALeaseAreAnError(t *testing.T) {
	c, _ := dial(t, scripted.SendAndHold(scripted.StartedWithout(heartbeat), scripted.Batch(1, 1)))
	if names, err := read(t.Context(), c, billing); err == nil || len(names) != 1 {
		t.Errorf("read %v, %v", names, err)
	}
}

func TestDeletedSubscriptionEndsTheIteration(t *testing.T) {
	c, _ := dial(t, scripted.SendAndFail(scripted.Refusal(codes.NotFound, client.ReasonSubscriptionNotFound, "gone"), append(assigned(0, "a"), scripted.Batch(1, 1))...))
	_, err := read(t.Context(), c, billing)
	if answer, ok := errors.AsType[*client.Error](err); !ok || answer.Reason != client.ReasonSubscriptionNotFound {
		t.Errorf("ended with %v", err)
	}
}
