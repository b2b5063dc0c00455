package client

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// fakeEvents is the gateway where the clock must be a fake one too: each call gets the next script, the last one for ever.
type fakeEvents struct {
	headgatev1.EventServiceClient
	mu      sync.Mutex
	scripts []script
}

type script struct {
	refused   error // the answer to the call itself
	responses []*headgatev1.SubscribeResponse
	hold      bool // stay silent after the responses
}

func (f *fakeEvents) Subscribe(ctx context.Context, _ *headgatev1.SubscribeRequest, _ ...grpc.CallOption) (
	grpc.ServerStreamingClient[headgatev1.SubscribeResponse], error,
) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.scripts[0]
	if len(f.scripts) > 1 {
		f.scripts = f.scripts[1:]
	}
	return &fakeStream{ctx: ctx, script: s}, s.refused
}

type fakeStream struct {
	grpc.ClientStream
	ctx context.Context
	script
}

func (s *fakeStream) Recv() (*headgatev1.SubscribeResponse, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	if len(s.responses) > 0 {
		next := s.responses[0]
		s.responses = s.responses[1:]
		return next, nil
	}
	if s.hold {
		<-s.ctx.Done()
		return nil, status.FromContextError(s.ctx.Err()).Err()
	}
	return nil, io.EOF
}

// noDial is for clients whose calls are fakes.
func noDial() (*grpc.ClientConn, error) { return nil, errors.New("there is nothing to dial") }

// retry is what OnRetry is told.
type retry struct {
	cause error
	wait  time.Duration
	at    time.Time
}

// readAll reads until the iteration ends or the given number of retries is reached.
func readAll(t *testing.T, retries int, sub Subscription, body func(Message), scripts ...script) (told []retry) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sub.Start = Earliest()
	sub.OnRetry = func(err error, wait time.Duration) {
		if told = append(told, retry{err, wait, time.Now()}); len(told) == retries {
			cancel()
		}
	}
	c := &Client{conn: &connection{dial: noDial}, events: &fakeEvents{scripts: scripts}}
	for msg, err := range c.Subscribe(ctx, sub) {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if body != nil {
			body(msg)
		}
	}
	return told
}

func TestStreamIsDeadAfterTwoSilentHeartbeats(t *testing.T) {
	for name, silent := range map[string]script{
		"before the first message": {hold: true},
		"after it": {hold: true, responses: []*headgatev1.SubscribeResponse{
			scripted.Started(0, 15*time.Second),
		}},
		"in the middle": {hold: true, responses: []*headgatev1.SubscribeResponse{
			scripted.Started(0, 15*time.Second), scripted.Batch(1, 3), scripted.Checkpoint(4),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				told := readAll(t, 1, Subscription{}, nil, silent)
				if len(told) != 1 || told[0].cause != errSilent || told[0].at.Sub(began) != 30*time.Second {
					t.Errorf("retried because of %v, want silence after 30 s", told)
				}
			})
		})
	}
}

func TestAnnouncedHeartbeatCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		told := readAll(t, 1, Subscription{Heartbeat: time.Minute}, nil,
			script{hold: true, responses: []*headgatev1.SubscribeResponse{scripted.Started(0, 2*time.Second)}})
		if got := told[0].at.Sub(began); got != 4*time.Second {
			t.Errorf("dead after %v, want two of the announced heartbeats", got)
		}
	})
}

func TestSlowHandlingIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handled := 0
		told := readAll(t, 1, Subscription{}, func(m Message) {
			time.Sleep(time.Hour)
			handled++
		}, script{responses: []*headgatev1.SubscribeResponse{scripted.Started(0, time.Second), scripted.Batch(1, 3), scripted.CaughtUp(3)}})
		if len(told) != 0 || handled != 4 {
			t.Errorf("handled %d, retried because of %v", handled, told)
		}
	})
}

func TestPausesGrowAndAreShortAgainAfterProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := script{refused: status.Error(codes.Unavailable, "away")}
		// Started alone is no progress: a gateway that fails or drains right after it must not be stormed.
		startedOnly := script{responses: []*headgatev1.SubscribeResponse{scripted.Started(0, time.Second)}}
		closed := script{responses: []*headgatev1.SubscribeResponse{
			scripted.Started(0, time.Second), scripted.Closing(0, headgatev1.Closing_REASON_DRAINING, 0),
		}}
		progress := script{responses: []*headgatev1.SubscribeResponse{scripted.Started(0, time.Second), scripted.Checkpoint(1)}}
		scripts := make([]script, 0, 62)
		for range 20 {
			scripts = append(scripts, away, startedOnly, closed)
		}
		told := readAll(t, 62, Subscription{}, nil, append(scripts, progress, away)...)

		var longest time.Duration
		for n, r := range told[:60] {
			if limit := min(longestPause, firstPause<<min(n, 20)); r.wait >= limit {
				t.Errorf("pause %d is %v, want less than %v", n, r.wait, limit)
			}
			longest = max(longest, r.wait)
		}
		if longest < longestPause/4 {
			t.Errorf("the longest of 60 pauses is %v: they do not grow", longest)
		}
		if after := told[60].wait; after >= firstPause {
			t.Errorf("the pause after progress is %v, want less than %v", after, firstPause)
		}
	})
}

func TestPauseIsWhatTheGatewayAsksFor(t *testing.T) {
	for name, s := range map[string]script{
		"LIMIT":    {refused: scripted.RetryAfter(codes.ResourceExhausted, ReasonLimit, time.Minute)},
		"DRAINING": {refused: scripted.RetryAfter(codes.Unavailable, ReasonDraining, time.Minute)},
		"Closing": {responses: []*headgatev1.SubscribeResponse{
			scripted.Started(0, time.Second), scripted.Closing(0, headgatev1.Closing_REASON_DRAINING, time.Minute),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				told := readAll(t, 2, Subscription{}, nil, s)
				for n, r := range told {
					if r.wait < time.Minute || r.wait > time.Minute+firstPause<<n {
						t.Errorf("pause %d is %v, want a minute and a little", n, r.wait)
					}
				}
				if got := told[1].at.Sub(told[0].at); got != told[0].wait {
					t.Errorf("waited %v, told %v", got, told[0].wait)
				}
			})
		})
	}
}

func TestContextEndsThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := &Client{conn: &connection{dial: noDial}, events: &fakeEvents{scripts: []script{{refused: scripted.RetryAfter(codes.Unavailable, ReasonDraining, time.Hour)}}}}
		began := time.Now()
		for _, err := range c.Subscribe(ctx, Subscription{Start: Earliest()}) {
			if err != context.DeadlineExceeded || time.Since(began) != time.Second {
				t.Errorf("ended with %v after %v", err, time.Since(began))
			}
		}
	})
}
