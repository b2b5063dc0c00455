package client_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// startOwn starts the gateway at an address where it, or another one, can come back.
func startOwn(t *testing.T, gateway *scripted.Gateway) string {
	t.Helper()
	address, err := scripted.OwnAddress()
	if err == nil {
		_, err = gateway.Start(address)
	}
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func TestKilledGatewayIsResumedWithoutGapOrDouble(t *testing.T) {
	const last = 23
	// The first gateway holds back the end, so that it can only come from the second one.
	gateway := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
		scripted.SendAndHold(scripted.Started(0, heartbeat), scripted.Batch(1, 5), scripted.Batch(6, 10)),
	}}
	address := startOwn(t, gateway)
	second := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{replay(last)}}
	c, err := client.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()

	store := &memory{}
	var handled []int32
	for msg, err := range c.Subscribe(t.Context(), client.Subscription{Start: client.Earliest(), Store: store}) {
		if err != nil {
			t.Fatal(err)
		}
		if msg.Event == nil {
			continue
		}
		handled = append(handled, msg.Event.GetPrimaryKey())
		if msg.Event.GetPrimaryKey() == 3 {
			gateway.Stop()
			if _, err := second.Start(address); err != nil {
				t.Fatal(err)
			}
			defer second.Stop()
		}
	}
	for i, n := range handled {
		if int(n) != i+1 {
			t.Fatalf("handled %v", handled)
		}
	}
	if len(handled) != last || store.cursor != scripted.Cursor(last) {
		t.Errorf("handled %d events of %d, stored %s", len(handled), last, store.cursor)
	}
	if n, err := place(second.Requests()[0].GetStart()); err != nil || n < 5 {
		t.Errorf("the second gateway was asked for what comes after %d, %v", n, err)
	}
}

func TestConnectionIsMadeAgain(t *testing.T) {
	for name, end := range map[string]func(*headgatev1.SubscribeRequest, scripted.Stream) error{
		"end without a word": scripted.Send(scripted.Started(0, heartbeat), scripted.Batch(1, 2)),
		"draining": scripted.Send(scripted.Started(0, heartbeat), scripted.Batch(1, 2),
			scripted.Closing(2, headgatev1.Closing_REASON_DRAINING, time.Millisecond)),
		"closing of a newer kind": scripted.Send(scripted.Started(0, heartbeat), scripted.Batch(1, 2), scripted.Closing(2, 99, 0)),
		"silence":                 scripted.SendAndHold(scripted.Started(0, 50*time.Millisecond), scripted.Batch(1, 2)),
		"refused while draining": scripted.SendAndFail(scripted.RetryAfter(codes.Unavailable, client.ReasonDraining, time.Millisecond),
			scripted.Started(0, heartbeat), scripted.Batch(1, 2)),
		"too many streams": scripted.SendAndFail(scripted.RetryAfter(codes.ResourceExhausted, client.ReasonLimit, time.Millisecond),
			scripted.Started(0, heartbeat), scripted.Batch(1, 2)),
		"proxy gave up": scripted.SendAndFail(status.Error(codes.Internal, "RST_STREAM"), scripted.Started(0, heartbeat), scripted.Batch(1, 2)),
		"proxy is away": scripted.SendAndFail(status.Error(codes.Unavailable, "502"), scripted.Started(0, heartbeat), scripted.Batch(1, 2)),
	} {
		t.Run(name, func(t *testing.T) {
			c, gateway := dial(t, end, replay(4))
			var causes []error
			names, err := read(t.Context(), c, client.Subscription{
				Start: client.Earliest(), OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_LATEST,
				OnRetry: func(err error, _ time.Duration) { causes = append(causes, err) },
			})
			if want := []string{"started", "#1", "#2", "started", "#3", "#4"}; err != nil || !slices.Equal(names, want) {
				t.Errorf("read %v, %v; want %v", names, err, want)
			}
			if len(causes) != 1 || causes[0] == nil {
				t.Errorf("retried because of %v, want one cause", causes)
			}
			if again := gateway.Requests()[1]; again.GetOnLostCursor() != headgatev1.OnLostCursor_ON_LOST_CURSOR_LATEST {
				t.Errorf("asked again with %v", again)
			}
		})
	}
}

func TestRetryIsToldWhyTheGatewayEndedTheStream(t *testing.T) {
	for reason, want := range map[headgatev1.Closing_Reason]string{
		headgatev1.Closing_REASON_UNSPECIFIED:        "the gateway ended the stream",
		headgatev1.Closing_REASON_DRAINING:           "the gateway is stopping",
		headgatev1.Closing_REASON_GRANT_CHANGED:      "what this reader may read has changed",
		headgatev1.Closing_REASON_CREDENTIAL_EXPIRED: "the credential has expired",
		headgatev1.Closing_REASON_OPERATOR:           "an operator ended the stream",
		99:                                           "the gateway ended the stream for reason 99",
	} {
		c, _ := dial(t, scripted.Send(scripted.Started(0, heartbeat), scripted.Closing(0, reason, time.Millisecond)), replay(1))
		var causes []string
		_, err := read(t.Context(), c, client.Subscription{
			Start: client.Earliest(), OnRetry: func(err error, _ time.Duration) { causes = append(causes, err.Error()) },
		})
		if err != nil || !slices.Equal(causes, []string{want}) {
			t.Errorf("%v: retried because of %q, %v; want %q", reason, causes, err, want)
		}
	}
}

// What has changed or expired may have been renewed since: one new attempt tells.
func TestRefusalAfterAnExpiredCredentialEndsTheIteration(t *testing.T) {
	c, gateway := dial(t, scripted.Send(scripted.Started(0, heartbeat), scripted.Closing(0, headgatev1.Closing_REASON_CREDENTIAL_EXPIRED, 0)),
		scripted.SendAndFail(status.Error(codes.Unauthenticated, "expired")))
	_, err := read(t.Context(), c, client.Subscription{Start: client.Earliest()})
	if status.Code(err) != codes.Unauthenticated || len(gateway.Requests()) != 2 {
		t.Errorf("ended with %v after %d requests", err, len(gateway.Requests()))
	}
}

// A stream that began at the latest event must not begin there again: what came in between would be lost.
func TestBrokenStreamFromLatestGoesOnWhereItBegan(t *testing.T) {
	c, gateway := dial(t, scripted.Send(scripted.Started(3, heartbeat)), replay(5))
	store := &memory{}
	names, err := read(t.Context(), c, client.Subscription{Start: client.Latest(), Store: store})
	if want := []string{"started", "started", "#4", "#5"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("read %v, %v; want %v", names, err, want)
	}
	if got := gateway.Requests()[1].GetStart().GetAfterCursor(); got != scripted.Cursor(3) || store.saved[0] != got {
		t.Errorf("resumed after %q, saved %v", got, store.saved)
	}
}

// Started may stand at the place where the stream goes on after a lost cursor. As long as the Gap has not come, that is no position.
func TestGapAfterStartedComesAgain(t *testing.T) {
	c, gateway := dial(t, scripted.Send(scripted.Started(7, heartbeat)),
		scripted.Send(scripted.Started(7, heartbeat), scripted.Gap(7, &headgatev1.Gap{}), scripted.CaughtUp(7)))
	names, err := read(t.Context(), c, client.Subscription{Store: &memory{cursor: scripted.Cursor(2)}})
	if want := []string{"started", "started", "gap"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("read %v, %v; want %v", names, err, want)
	}
	if got := gateway.Requests()[1].GetStart().GetAfterCursor(); got != scripted.Cursor(2) {
		t.Errorf("resumed after %s", got)
	}
}

// An error at one and the same place returns for ever: it is told once the stream has not moved on.
func TestFailureThatReturnsIsTold(t *testing.T) {
	c, gateway := dial(t, scripted.SendAndFail(status.Error(codes.Internal, "broken"), scripted.Started(0, heartbeat), scripted.Batch(1, 1)),
		scripted.SendAndFail(status.Error(codes.Internal, "broken"), scripted.Started(1, heartbeat)))
	_, err := read(t.Context(), c, client.Subscription{Start: client.Earliest()})
	if status.Code(err) != codes.Internal || len(gateway.Requests()) != 2 {
		t.Errorf("ended with %v after %d requests", err, len(gateway.Requests()))
	}
}

func TestGatewayThatIsNotThereYetIsWaitedFor(t *testing.T) {
	gateway := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{replay(1)}}
	address := startOwn(t, gateway)
	gateway.Stop()
	c, err := client.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	tries := 0
	names, err := read(t.Context(), c, client.Subscription{Start: client.Earliest(), OnRetry: func(err error, _ time.Duration) {
		if answer, ok := errors.AsType[*client.Error](err); !ok || answer.Code != codes.Unavailable {
			t.Errorf("retried because of %v", err)
		}
		if tries++; tries == 2 {
			if _, err := gateway.Start(address); err != nil {
				t.Error(err)
			}
		}
	}})
	gateway.Stop()
	if want := []string{"started", "#1"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("read %v, %v; want %v", names, err, want)
	}
}

func TestContextEndsTheIteration(t *testing.T) {
	c, _ := dial(t, scripted.SendAndHold(scripted.Started(0, heartbeat)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var errs []error
	for _, err := range c.Subscribe(ctx, client.Subscription{Start: client.Earliest()}) {
		errs = append(errs, err)
		cancel()
	}
	if len(errs) != 2 || errs[0] != nil || errs[1] != context.Canceled {
		t.Errorf("yielded the errors %v", errs)
	}
}

// TestCloseEndsSubscriptions: the loop and the handling that go on when the client is closed end, and do not try for ever.
func TestCloseEndsSubscriptions(t *testing.T) {
	g := startGateway(t, t.TempDir())
	for _, name := range []string{"", "billing"} {
		c, err := client.Dial(g.addr.GRPC)
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for msg, err := range c.Subscribe(t.Context(), client.Subscription{Name: name, Start: client.Earliest()}) {
			if last = err; msg.Checkpoint != nil {
				if err := c.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if e, ok := errors.AsType[*client.Error](last); !ok || e.Code != codes.Canceled {
			t.Errorf("%q ended with %v", name, last)
		}
	}
}
