package client_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

func TestEverythingOfTheSubscriptionIsAskedFor(t *testing.T) {
	c, gateway := dial(t, replay(0))
	filter := &headgatev1.Filter{Entities: []string{client.EntityRelation}}
	_, err := read(t.Context(), c, client.Subscription{
		Filter: filter, Start: client.Latest(), OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST, Heartbeat: 5 * time.Second,
		Shard: &headgatev1.Shard{Index: 1, Count: 4}, ClientName: "billing", StopWhenCaughtUp: true, Store: &memory{cursor: scripted.Cursor(0)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &headgatev1.SubscribeRequest{
		Filter: filter, Start: client.After(scripted.Cursor(0)), OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST,
		HeartbeatInterval: durationpb.New(5 * time.Second), Shard: &headgatev1.Shard{Index: 1, Count: 4}, ClientName: "billing", StopWhenCaughtUp: true,
	}
	if diff := cmp.Diff(want, gateway.Requests()[0], protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func TestStartsAreAskedFor(t *testing.T) {
	from := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, start := range []*headgatev1.Start{client.Earliest(), client.Latest(), client.After(scripted.Cursor(1)), client.FromTime(from), nil} {
		c, gateway := dial(t, scripted.Send(scripted.CaughtUp(1)))
		if _, err := read(t.Context(), c, client.Subscription{Start: start, Store: &memory{}}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(start, gateway.Requests()[0].GetStart(), protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEventsAndSignalsComeOneByOneWithTheirCursors(t *testing.T) {
	unknown := &headgatev1.SubscribeResponse{Cursor: scripted.Cursor(7)}
	erased := &headgatev1.SubscribeResponse{Cursor: scripted.Cursor(5), Signal: &headgatev1.SubscribeResponse_Erased{Erased: &headgatev1.Erased{}}}
	c, _ := dial(t, scripted.Send(scripted.Started(0, heartbeat), scripted.Batch(1, 3), scripted.Gap(4, &headgatev1.Gap{}), erased,
		scripted.Checkpoint(6), unknown, scripted.CaughtUp(8)))
	store := &memory{}
	var names, got []string
	for msg, err := range c.Subscribe(t.Context(), client.Subscription{Start: client.Earliest(), Store: store}) {
		if err != nil {
			t.Fatal(err)
		}
		names, got = append(names, name(msg)), append(got, msg.Cursor())
		if n := msg.Event.GetRelation().GetSourceRecord(); (msg.Event != nil) != (n == 1) {
			t.Errorf("%s has source record %d", name(msg), n)
		}
	}
	if want := []string{"started", "#1", "#2", "#3", "gap", "erased", "checkpoint"}; !slices.Equal(names, want) {
		t.Errorf("yielded %v, want %v", names, want)
	}
	if diff := cmp.Diff(cursors(0, 6), got); diff != "" {
		t.Error(diff)
	}
	// The unknown message and the closing one are not yielded, but their cursors count.
	if diff := cmp.Diff(cursors(0, 8), store.saved); diff != "" {
		t.Error(diff)
	}
}

func TestBatchCursorCoversWhatTheFilterLeftOut(t *testing.T) {
	batch := scripted.Batch(1, 2)
	batch.Cursor = scripted.Cursor(9)
	c, gateway := dial(t, scripted.Send(scripted.Started(0, heartbeat), batch), scripted.Send(scripted.CaughtUp(9)))
	if _, err := read(t.Context(), c, client.Subscription{Start: client.Earliest()}); err != nil {
		t.Fatal(err)
	}
	if got := gateway.Requests()[1].GetStart().GetAfterCursor(); got != scripted.Cursor(9) {
		t.Errorf("resumed after %s", got)
	}
}

func TestStoreSavesOnlyAfterHandling(t *testing.T) {
	c, _ := dial(t, replay(7))
	store := &memory{}
	for msg, err := range c.Subscribe(t.Context(), client.Subscription{Start: client.Earliest(), Store: store}) {
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(store.saved, msg.Cursor()) {
			t.Fatalf("%s was saved before it was handled", name(msg))
		}
		if n := len(store.saved); msg.Event != nil && n != int(msg.Event.GetPrimaryKey()) {
			t.Fatalf("at %s %d cursors are saved: the ones before it must be", name(msg), n)
		}
	}
	if diff := cmp.Diff(cursors(0, 7), store.saved); diff != "" {
		t.Error(diff)
	}
}

func TestMessageInWhichTheLoopIsLeftComesAgain(t *testing.T) {
	c, _ := dial(t, replay(7))
	store := &memory{}
	s := client.Subscription{Start: client.Earliest(), Store: store}
	for msg, err := range c.Subscribe(t.Context(), s) {
		if err != nil {
			t.Fatal(err)
		}
		if msg.Event.GetPrimaryKey() == 3 {
			break
		}
	}
	names, err := read(t.Context(), c, s)
	if want := []string{"started", "#3", "#4", "#5", "#6", "#7"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("read %v, %v; want %v", names, err, want)
	}
}

func TestStoredCursorWinsOverStart(t *testing.T) {
	c, _ := dial(t, replay(7))
	names, err := read(t.Context(), c, client.Subscription{Start: client.Earliest(), Store: &memory{cursor: scripted.Cursor(6)}})
	if want := []string{"started", "#7"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("read %v, %v; want %v", names, err, want)
	}
}

func TestStoreErrorEndsTheIteration(t *testing.T) {
	broken := errors.New("disk on fire")
	c, gateway := dial(t, replay(7))
	_, err := read(t.Context(), c, client.Subscription{Start: client.Earliest(), Store: &memory{loadErr: broken}})
	if !errors.Is(err, broken) || len(gateway.Requests()) != 0 {
		t.Errorf("loading failed: %v after %d requests, want %v before any", err, len(gateway.Requests()), broken)
	}
	names, err := read(t.Context(), c, client.Subscription{Start: client.Earliest(), Store: &memory{saveErr: broken}})
	if !errors.Is(err, broken) || !slices.Equal(names, []string{"started"}) {
		t.Errorf("saving failed: %v after %v, want %v after the first message", err, names, broken)
	}
}

func TestHandledMessageIsSavedWhenTheContextEnds(t *testing.T) {
	c, _ := dial(t, replay(7))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	store := &memory{}
	var got error
	for msg, err := range c.Subscribe(ctx, client.Subscription{Start: client.Earliest(), Store: store}) {
		if got = err; msg.Event.GetPrimaryKey() == 2 {
			cancel()
		}
	}
	if !errors.Is(got, context.Canceled) || store.cursor != scripted.Cursor(2) {
		t.Errorf("ended with %v at %s", got, store.cursor)
	}
}

func TestRefusalsEndTheIteration(t *testing.T) {
	for _, refusal := range []struct {
		code   codes.Code
		reason string
	}{
		{codes.InvalidArgument, client.ReasonStartRequired},
		{codes.InvalidArgument, client.ReasonFilterInvalid},
		{codes.InvalidArgument, client.ReasonCursorMalformed},
		{codes.OutOfRange, client.ReasonCursorExpired},
		{codes.FailedPrecondition, client.ReasonCursorForeign},
		{codes.PermissionDenied, "CONTEXT_FORBIDDEN"},
		{codes.Unauthenticated, "TOKEN_INVALID"},
		{codes.DataLoss, client.ReasonDataLoss},
		{codes.ResourceExhausted, "OF_A_NEWER_GATEWAY"},
		{codes.Internal, "OF_A_NEWER_GATEWAY"},
	} {
		t.Run(refusal.reason, func(t *testing.T) {
			c, gateway := dial(t, scripted.SendAndFail(
				scripted.Refusal(refusal.code, refusal.reason, "in words", "earliest_cursor", scripted.Cursor(4)),
				scripted.Started(0, heartbeat), scripted.Batch(1, 1)))
			names, err := read(t.Context(), c, client.Subscription{Start: client.Earliest()})
			answer, ok := errors.AsType[*client.Error](err)
			if !ok || answer.Reason != refusal.reason || answer.Code != refusal.code || answer.Message != "in words" ||
				answer.Metadata["earliest_cursor"] != scripted.Cursor(4) || status.Code(err) != refusal.code {
				t.Errorf("ended with %#v", err)
			}
			if n := len(gateway.Requests()); n != 1 || !slices.Equal(names, []string{"started", "#1"}) {
				t.Errorf("%d requests, read %v", n, names)
			}
		})
	}
}

func TestStatusOfTheWayEndsTheIteration(t *testing.T) {
	for _, code := range []codes.Code{codes.Unimplemented, codes.Unauthenticated, codes.PermissionDenied, codes.ResourceExhausted, codes.Internal, codes.Unknown} {
		c, gateway := dial(t, scripted.SendAndFail(status.Error(code, "in words"), scripted.Started(0, heartbeat)))
		_, err := read(t.Context(), c, client.Subscription{Start: client.Earliest()})
		if answer, ok := errors.AsType[*client.Error](err); !ok || answer.Code != code || answer.Reason != "" || len(gateway.Requests()) != 1 {
			t.Errorf("%v: ended with %v after %d requests", code, err, len(gateway.Requests()))
		}
	}
}

func TestLeavingTheLoopLeavesNothingBehind(t *testing.T) {
	c, _ := dial(t, scripted.SendAndHold(scripted.Started(0, heartbeat), scripted.Batch(1, 5)))
	for range c.Subscribe(t.Context(), client.Subscription{Start: client.Earliest()}) {
		break
	}
	before := goleak.IgnoreCurrent()
	for range 10 {
		for msg, err := range c.Subscribe(t.Context(), client.Subscription{Start: client.Earliest()}) {
			if err != nil {
				t.Fatal(err)
			}
			if msg.Event.GetPrimaryKey() == 3 {
				break
			}
		}
	}
	goleak.VerifyNone(t, before)
}
