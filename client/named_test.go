package client_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

var billing = client.Subscription{Name: "billing", Start: client.Earliest()}

// assigned is what a stream begins with that is served the one shard, saved at the nth place.
func assigned(n int, lease string) []*headgatev1.SubscribeResponse {
	return []*headgatev1.SubscribeResponse{scripted.StartedWithout(heartbeat), scripted.Assigned(n, 0, 1, lease)}
}

// saved tells the saves in short: place, lease, and whether the shard was released.
func saved(gateway *scripted.Gateway) (all []string) {
	for _, s := range gateway.Saves() {
		all = append(all, brief(s))
	}
	return all
}

func brief(s scripted.Saved) string {
	text := strings.TrimLeft(s.GetCursor(), "c0") + "@" + s.GetLease()
	if s.GetRelease() {
		text += " release"
	}
	return text
}

func last[T any](all []T) (none T) {
	if len(all) == 0 {
		return none
	}
	return all[len(all)-1]
}

func TestMembershipIsAskedFor(t *testing.T) {
	c, gateway := dial(t, scripted.Send(scripted.CaughtUp(0)))
	from := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	shard := &headgatev1.Shard{Index: 1, Count: 4}
	for _, s := range []client.Subscription{
		{Name: "billing"},
		{Name: "billing", Start: client.Earliest(), Shards: 4},
		{Name: "billing", Start: client.After(scripted.Cursor(3)), Shard: shard},
		{Name: "billing", Start: client.FromTime(from), Member: "pod-1"},
	} {
		if _, err := read(t.Context(), c, s); err != nil {
			t.Fatal(err)
		}
	}
	own := gateway.Requests()[0].GetMember()
	want := []*headgatev1.SubscribeRequest{
		{SubscriptionShards: 1, Member: own, Start: savedStart(&headgatev1.Saved{})},
		{SubscriptionShards: 4, Member: own, Start: savedStart(&headgatev1.Saved{Otherwise: &headgatev1.Saved_At{At: headgatev1.Start_EDGE_EARLIEST}})},
		{Shard: shard, Member: own, Start: savedStart(&headgatev1.Saved{Otherwise: &headgatev1.Saved_AfterCursor{AfterCursor: scripted.Cursor(3)}})},
		{SubscriptionShards: 1, Member: "pod-1", Start: savedStart(&headgatev1.Saved{Otherwise: &headgatev1.Saved_FromTime{FromTime: client.FromTime(from).GetFromTime()}})},
	}
	for _, req := range want {
		req.Subscription = "billing"
	}
	if diff := cmp.Diff(want, gateway.Requests(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	other, gateway := dial(t, scripted.Send(scripted.CaughtUp(0)))
	if _, err := read(t.Context(), other, billing); err != nil || own == "" || gateway.Requests()[0].GetMember() == own {
		t.Errorf("two clients are the same member %q, %v", own, err)
	}
}

func savedStart(s *headgatev1.Saved) *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_Saved{Saved: s}}
}

func TestWhatCannotBeMeantIsRefused(t *testing.T) {
	c, gateway := dial(t)
	for _, s := range []client.Subscription{
		{Name: "billing", Store: &memory{}}, {Start: client.Earliest(), Shards: 2}, {Start: client.Earliest(), Member: "pod-1"},
	} {
		if _, err := read(t.Context(), c, s); err == nil || len(gateway.Requests()) != 0 {
			t.Errorf("%v is taken", s)
		}
	}
	if err := c.Consume(t.Context(), client.Subscription{Start: client.Earliest()}, nil); err == nil || !strings.Contains(err.Error(), "Name") {
		t.Errorf("without a name: %v", err)
	}
}

func TestMessagesOfANamedSubscription(t *testing.T) {
	c, gateway := dial(t, scripted.Send(scripted.StartedWithout(heartbeat), scripted.Standby(), scripted.Assigned(4, 0, 1, "a"), scripted.Gap(5, &headgatev1.Gap{}),
		scripted.Batch(6, 7), scripted.Checkpoint(8), scripted.CaughtUp(8)))
	var got []string
	for msg, err := range c.Subscribe(t.Context(), billing) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, name(msg)+strings.TrimLeft(msg.Cursor(), "c0"))
	}
	if want := []string{"started", "standby", "assigned4", "gap5", "#66", "#77", "checkpoint8"}; !slices.Equal(got, want) {
		t.Errorf("yielded %v, want %v", got, want)
	}
	for _, s := range gateway.Saves() {
		if s.Name != "billing" || s.GetLease() != "a" || s.GetCursor() == "" || s.GetCursor() == scripted.Cursor(4) {
			t.Errorf("saved %v: what was not handled under the lease is not to be saved", s)
		}
	}
	if got := last(saved(gateway)); got != "8@a release" {
		t.Errorf("the last save is %s", got)
	}
}

// Saving waits for nobody and nobody for it: while one save is under way the loop goes on, and the next save is of the newest cursor.
func TestSavingIsBesideTheLoop(t *testing.T) {
	first, answer := make(chan struct{}), make(chan struct{})
	gateway := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
		scripted.SendAndHold(append(assigned(0, "a"), scripted.Batch(1, 20), scripted.Batch(21, 40), scripted.Checkpoint(41))...),
	}}
	again := make(chan struct{}, 100)
	gateway.Save = func(ctx context.Context, req scripted.Saved) error {
		if req.GetCursor() == scripted.Cursor(1) {
			close(first)
			<-answer
		}
		again <- struct{}{}
		return nil
	}
	c := connect(t, gateway)
	for msg, err := range c.Subscribe(t.Context(), billing) {
		if err != nil {
			t.Fatal(err)
		}
		if n := msg.Event.GetPrimaryKey(); n == 2 {
			<-first
		} else if n == 40 {
			if got := saved(gateway); !slices.Equal(got, []string{"1@a"}) {
				t.Errorf("saved %v while the first is under way", got)
			}
			close(answer)
			<-again // the first
			<-again
		}
		if msg.Checkpoint != nil {
			break
		}
	}
	if got, want := saved(gateway), []string{"1@a", "39@a", "40@a", "40@a release"}; !slices.Equal(got, want) && !slices.Equal(got, slices.Delete(want, 2, 3)) {
		t.Errorf("saved %v, want %v", got, want)
	}
}

func TestQuietStreamMovesThePosition(t *testing.T) {
	second := make(chan struct{})
	gateway := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
		func(req *headgatev1.SubscribeRequest, stream scripted.Stream) error {
			if err := scripted.Send(append(assigned(0, "a"), scripted.Checkpoint(1))...)(req, stream); err != nil {
				return err
			}
			<-second
			return stream.Send(scripted.CaughtUp(1))
		},
	}}
	gateway.Save = func(_ context.Context, req scripted.Saved) error {
		if brief(req) == "1@a" {
			close(second)
		}
		return nil
	}
	if _, err := read(t.Context(), connect(t, gateway), billing); err != nil {
		t.Error(err)
	}
}

func TestLeavingReleasesTheShard(t *testing.T) {
	for name, c := range map[string]struct {
		leaveAt int32
		want    string
	}{
		"after some":     {8, "7@a release"},
		"before the 1st": {6, "@a release"},
	} {
		t.Run(name, func(t *testing.T) {
			client, gateway := dial(t, scripted.SendAndHold(append(assigned(5, "a"), scripted.Batch(6, 10))...))
			for msg, err := range client.Subscribe(t.Context(), billing) {
				if err != nil {
					t.Fatal(err)
				}
				if msg.Event.GetPrimaryKey() == c.leaveAt {
					break
				}
			}
			if got := last(saved(gateway)); got != c.want {
				t.Errorf("left with %s, want %s", got, c.want)
			}
		})
	}
}

func TestStandingByReleasesNothing(t *testing.T) {
	c, gateway := dial(t, scripted.SendAndHold(scripted.StartedWithout(heartbeat), scripted.Standby()))
	for msg, err := range c.Subscribe(t.Context(), billing) {
		if err != nil {
			t.Fatal(err)
		}
		if msg.Standby != nil {
			break
		}
	}
	if n := len(gateway.Saves()); n != 0 {
		t.Errorf("saved %d times without a lease", n)
	}
}

func TestEndOfTheContextReleasesWhatWasHandled(t *testing.T) {
	c, gateway := dial(t, scripted.SendAndHold(append(assigned(0, "a"), scripted.Batch(1, 5))...))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got error
	for msg, err := range c.Subscribe(ctx, billing) {
		if got = err; msg.Event.GetPrimaryKey() == 2 {
			cancel()
		}
	}
	if got != context.Canceled || last(saved(gateway)) != "2@a release" {
		t.Errorf("ended with %v, saved %v", got, saved(gateway))
	}
}

// The order of calls tells that nothing is doubled: the closing one's cursor is saved and the shard released, then the next stream begins.
func TestClosingIsSavedBeforeTheNextStream(t *testing.T) {
	for _, reason := range []headgatev1.Closing_Reason{
		headgatev1.Closing_REASON_HANDED_OVER, headgatev1.Closing_REASON_MAX_AGE, headgatev1.Closing_REASON_DRAINING,
	} {
		gateway := &scripted.Gateway{}
		gateway.Subscribe = []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
			scripted.Send(append(assigned(0, "a"), scripted.Batch(1, 3), scripted.Closing(7, reason, time.Millisecond))...),
			func(req *headgatev1.SubscribeRequest, stream scripted.Stream) error {
				if got := last(saved(gateway)); got != "7@a release" {
					t.Errorf("%v: the next stream begins after %v", reason, saved(gateway))
				}
				return scripted.Send(append(assigned(7, "b"), scripted.Batch(8, 8), scripted.CaughtUp(8))...)(req, stream)
			},
		}
		names, err := read(t.Context(), connect(t, gateway), billing)
		if want := []string{"started", "assigned", "#1", "#2", "#3", "started", "assigned", "#8"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("%v: read %v, %v", reason, names, err)
		}
	}
}

// What was handled of a broken stream is saved under its lease, for as long as it takes, and only then is the next one asked for.
func TestBrokenStreamIsSettledFirst(t *testing.T) {
	for name, c := range map[string]struct {
		answers []error
		want    []string
	}{
		"saved at once": {nil, []string{"3@a release"}},
		"gateway away": {
			[]error{status.Error(codes.Unavailable, "away"), status.Error(codes.Unavailable, "away")},
			[]string{"3@a release", "3@a release", "3@a release"},
		},
		"lease lost": {[]error{scripted.Refusal(codes.Aborted, client.ReasonLeaseLost, "lost")}, []string{"3@a release"}},
		"log restored": {
			[]error{scripted.Refusal(codes.FailedPrecondition, client.ReasonCursorForeign, "foreign")}, []string{"3@a release"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			gateway := &scripted.Gateway{}
			gateway.Subscribe = []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
				scripted.SendAndFail(status.Error(codes.Unavailable, "cut off"), append(assigned(0, "a"), scripted.Batch(1, 3))...),
				func(req *headgatev1.SubscribeRequest, stream scripted.Stream) error {
					releases := slices.DeleteFunc(saved(gateway), func(s string) bool { return !strings.HasSuffix(s, "release") })
					if !slices.Equal(releases, c.want) {
						t.Errorf("the next stream begins after %v", saved(gateway))
					}
					return scripted.Send(append(assigned(3, "b"), scripted.CaughtUp(3))...)(req, stream)
				},
			}
			var mu sync.Mutex
			gateway.Save = func(_ context.Context, req scripted.Saved) error {
				mu.Lock()
				defer mu.Unlock()
				if !req.GetRelease() || len(c.answers) == 0 {
					return nil
				}
				defer func() { c.answers = c.answers[1:] }()
				return c.answers[0]
			}
			if _, err := read(t.Context(), connect(t, gateway), billing); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLostLeaseStopsTheDelivery(t *testing.T) {
	lost := make(chan struct{})
	gateway := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
		func(req *headgatev1.SubscribeRequest, stream scripted.Stream) error {
			err := scripted.SendAndHold(append(assigned(0, "a"), scripted.Batch(1, 20))...)(req, stream)
			close(lost) // the client has called it off
			return err
		},
		scripted.Send(append(assigned(9, "b"), scripted.Batch(10, 10), scripted.CaughtUp(10))...),
	}}
	gateway.Save = func(_ context.Context, req scripted.Saved) error {
		if req.GetLease() == "a" {
			return scripted.Refusal(codes.Aborted, client.ReasonLeaseLost, "lost")
		}
		return nil
	}
	var causes []error
	s := billing
	s.OnRetry = func(err error, _ time.Duration) { causes = append(causes, err) }
	var handled []string
	for msg, err := range connect(t, gateway).Subscribe(t.Context(), s) {
		if err != nil {
			t.Fatal(err)
		}
		if handled = append(handled, name(msg)); msg.Event.GetPrimaryKey() == 2 {
			<-lost
		}
	}
	// The refusal of the save comes before the second event or after it.
	handled = slices.DeleteFunc(handled, func(name string) bool { return name == "#2" })
	if want := []string{"started", "assigned", "#1", "started", "assigned", "#10"}; !slices.Equal(handled, want) {
		t.Errorf("handled %v, want %v", handled, want)
	}
	if got := saved(gateway); got[0] != "1@a" || strings.Contains(strings.Join(got[1:], " "), "@a") {
		t.Errorf("saved %v: nothing more may be saved under the lost lease", got)
	}
	if answer, ok := errors.AsType[*client.Error](last(causes)); !ok || answer.Reason != client.ReasonLeaseLost {
		t.Errorf("retried because of %v", causes)
	}
}

// A gateway that asks for patience is no reason to stop.
func TestLimitOnSavesIsWaitedFor(t *testing.T) {
	limited, done := make(chan struct{}), make(chan struct{})
	gateway := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
		func(req *headgatev1.SubscribeRequest, stream scripted.Stream) error {
			if err := scripted.Send(append(assigned(0, "a"), scripted.Batch(1, 1))...)(req, stream); err != nil {
				return err
			}
			<-limited
			if err := stream.Send(scripted.Batch(2, 2)); err != nil {
				return err
			}
			<-done
			return stream.Send(scripted.CaughtUp(2))
		},
	}}
	n := 0
	gateway.Save = func(_ context.Context, req scripted.Saved) error {
		switch n++; n {
		case 1:
			close(limited)
			return scripted.RetryAfter(codes.ResourceExhausted, client.ReasonLimit, time.Millisecond)
		case 2:
			close(done)
		}
		return nil
	}
	names, err := read(t.Context(), connect(t, gateway), billing)
	if want := []string{"started", "assigned", "#1", "#2"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("read %v, %v", names, err)
	}
}
