package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
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

// fakeSaves takes the saves where the clock must be a fake one. answer says what becomes of each.
type fakeSaves struct {
	headgatev1.SubscriptionServiceClient
	answer func(*headgatev1.ShardSave) error

	mu  sync.Mutex
	got []string
	at  []time.Time
}

func (f *fakeSaves) SaveCursors(ctx context.Context, all *headgatev1.SaveCursorsRequest, _ ...grpc.CallOption) (*headgatev1.SaveCursorsResponse, error) {
	req := all.GetSaves()[0]
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	text := strings.TrimLeft(req.GetCursor(), "c0")
	if req.GetRelease() {
		text += " release"
	}
	f.got, f.at = append(f.got, text), append(f.at, time.Now())
	if f.answer == nil {
		return &headgatev1.SaveCursorsResponse{}, nil
	}
	return &headgatev1.SaveCursorsResponse{}, f.answer(req)
}

// served is a stream that is assigned the one shard and gets the events, then holds.
func served(lease string, after int, responses ...*headgatev1.SubscribeResponse) script {
	return script{hold: true, responses: append([]*headgatev1.SubscribeResponse{
		scripted.StartedWithout(15 * time.Second), scripted.Assigned(after, 0, 1, lease),
	}, responses...)}
}

func consume(ctx context.Context, saves *fakeSaves, handle func(context.Context, Message) error, scripts ...script) error {
	c := &Client{conn: &connection{dial: noDial}, events: &fakeEvents{scripts: scripts}, subscriptions: saves}
	return c.Consume(ctx, Subscription{Name: "billing"}, handle)
}

func TestHandlerGetsEventsGapsAndErasedOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		erased := &headgatev1.SubscribeResponse{Cursor: scripted.Cursor(4), Signal: &headgatev1.SubscribeResponse_Erased{Erased: &headgatev1.Erased{}}}
		var got []string
		saves := &fakeSaves{}
		err := consume(t.Context(), saves, func(_ context.Context, m Message) error {
			got = append(got, strings.TrimLeft(m.Cursor(), "c0"))
			return nil
		}, served("a", 0, scripted.Batch(1, 2), scripted.Gap(3, &headgatev1.Gap{}), erased, scripted.Checkpoint(5), scripted.CaughtUp(6)))
		if want := []string{"1", "2", "3", "4"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("handled %v, %v; want %v", got, err, want)
		}
		if n := len(saves.got); n == 0 || saves.got[n-1] != "6 release" {
			t.Errorf("saved %v", saves.got)
		}
	})
}

func TestFailedHandlingIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		poison := errors.New("not today")
		var tries []int32
		var told []time.Duration
		saves := &fakeSaves{}
		c := &Client{conn: &connection{dial: noDial}, subscriptions: saves, events: &fakeEvents{scripts: []script{served("a", 0, scripted.Batch(1, 3), scripted.CaughtUp(3))}}}
		began := time.Now()
		err := c.Consume(t.Context(), Subscription{Name: "billing", OnFailure: func(m Message, err error, wait time.Duration) {
			if err != poison || m.Event.GetPrimaryKey() != 2 || wait > min(longestPause, firstPause<<len(told)) {
				t.Errorf("told of %v, %v, %v", m, err, wait)
			}
			told = append(told, wait)
		}}, func(_ context.Context, m Message) error {
			if tries = append(tries, m.Event.GetPrimaryKey()); m.Event.GetPrimaryKey() == 2 && len(tries) < 12 {
				return poison
			}
			return nil
		})
		if want := []int32{1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3}; err != nil || !slices.Equal(tries, want) {
			t.Errorf("handled %v, %v", tries, err)
		}
		var sum time.Duration
		for _, wait := range told {
			sum += wait
		}
		if took := time.Since(began); took < sum || len(told) != 10 || slices.Max(told) < longestPause/10 {
			t.Errorf("waited %v of %v: the pauses do not grow", took, told)
		}
		if slices.Contains(saves.got[:slices.Index(saves.got, "1")], "2") {
			t.Errorf("saved %v: what failed was saved", saves.got)
		}
	})
}

// A handler that fails stops its shard: that is told even where nobody asked for it, without the event's contents.
func TestFailureIsLoggedByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
		defer slog.SetDefault(before)
		tries := 0
		err := consume(t.Context(), &fakeSaves{}, func(context.Context, Message) error {
			if tries++; tries < 3 {
				return errors.New("not today")
			}
			return nil
		}, served("a", 0, scripted.Batch(7, 7), scripted.CaughtUp(7)))
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if err != nil || len(lines) != 2 {
			t.Fatalf("logged %q, %v", lines, err)
		}
		var line map[string]any
		if err := json.Unmarshal([]byte(lines[1]), &line); err != nil {
			t.Fatal(err)
		}
		wait, _ := line["wait"].(float64)
		if wait <= 0 || line["time"] == nil || line["msg"] == "" {
			t.Errorf("logged %v", line)
		}
		delete(line, "time")
		delete(line, "msg")
		delete(line, "wait")
		want := map[string]any{"level": "WARN", "subscription": "billing", "shard": 0.0, "cursor": scripted.Cursor(7), "attempt": 2.0, "error": "not today"}
		if !maps.Equal(line, want) {
			t.Errorf("logged %v, want %v", line, want)
		}
	})
}

func TestWhatCannotBeConsumedIsRefused(t *testing.T) {
	c := &Client{conn: &connection{dial: noDial}, events: &fakeEvents{}, subscriptions: &fakeSaves{}}
	handle := func(context.Context, Message) error { return nil }
	for want, err := range map[string]error{
		"needs a Name":     c.Consume(t.Context(), Subscription{}, handle),
		"needs a function": c.Consume(t.Context(), Subscription{Name: "billing"}, nil),
		"Shards is -1":     c.Consume(t.Context(), Subscription{Name: "billing", Shards: -1}, handle),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// Whoever takes long keeps the lease by presenting it, and learns that it is lost while the handling runs.
func TestLostShardEndsTheHandling(t *testing.T) {
	for name, failing := range map[string]bool{"while it runs": false, "between tries": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				saves := &fakeSaves{answer: func(req *headgatev1.ShardSave) error {
					if req.GetLease() == "a" && time.Since(began) > time.Minute {
						return scripted.Refusal(codes.Aborted, ReasonLeaseLost, "lost")
					}
					return nil
				}}
				var got []int32
				err := consume(t.Context(), saves, func(ctx context.Context, m Message) error {
					n := m.Event.GetPrimaryKey()
					if got = append(got, n); n != 2 {
						return nil
					}
					if failing {
						return errors.New("not today")
					}
					<-ctx.Done()
					return ctx.Err()
				}, served("a", 0, scripted.Batch(1, 5)), served("b", 2, scripted.Batch(3, 3), scripted.CaughtUp(3)))
				if got = slices.Compact(got); err != nil || !slices.Equal(got, []int32{1, 2, 3}) {
					t.Errorf("handled %v, %v", got, err)
				}
				if took := time.Since(began); took < time.Minute || took > time.Minute+2*askEvery {
					t.Errorf("found out after %v", took)
				}
				// The lease was presented all the time, with the position that holds.
				if n := slices.IndexFunc(saves.got, func(s string) bool { return s != "1" }); n < 25 || !strings.HasPrefix(saves.got[n], "3") {
					t.Errorf("saved %v", saves.got)
				}
			})
		})
	}
}

func TestQuietStreamAsksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		saves := &fakeSaves{}
		if err := consume(ctx, saves, func(context.Context, Message) error { return nil }, served("a", 0, scripted.Batch(1, 1))); err != nil {
			t.Error(err)
		}
		if !slices.Equal(saves.got, []string{"1", "1 release"}) {
			t.Errorf("saved %v", saves.got)
		}
	})
}

// All shards' saves together stay below what a gateway lets a reader ask.
func TestSavesAreSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		saves := &fakeSaves{}
		of128 := served("a", 0, scripted.Batch(1, 2000), scripted.CaughtUp(2000))
		of128.responses[1] = scripted.Assigned(0, 5, 128, "a")
		err := consume(t.Context(), saves, func(context.Context, Message) error {
			time.Sleep(10 * time.Millisecond)
			return nil
		}, of128)
		if n := len(saves.got); err != nil || n < 5 || n > 15 {
			t.Fatalf("saved %d times in 20 s, %v", n, err)
		}
		for i := 1; i < len(saves.at)-1; i++ { // the last one releases
			if gap := saves.at[i].Sub(saves.at[i-1]); gap < 128*shardSpacing {
				t.Errorf("two saves within %v", gap)
			}
		}
	})
}

func TestEndOfTheContextLetsTheHandlingFinish(t *testing.T) {
	for name, c := range map[string]struct {
		needs time.Duration
		took  time.Duration
		saved string
	}{
		"in time": {5 * time.Second, 5 * time.Second, "2 release"},
		"never":   {time.Hour, finishWithin, "1 release"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				saves := &fakeSaves{}
				began := time.Now()
				err := consume(ctx, saves, func(ctx context.Context, m Message) error {
					if m.Event.GetPrimaryKey() == 1 {
						return nil
					}
					cancel()
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(c.needs):
						return nil
					}
				}, served("a", 0, scripted.Batch(1, 3)))
				if took := time.Since(began); err != nil || took != c.took {
					t.Errorf("ended after %v with %v, want %v", took, err, c.took)
				}
				if got := saves.got[len(saves.got)-1]; got != c.saved {
					t.Errorf("saved %v", saves.got)
				}
			})
		})
	}
}

func TestRefusalEndsAllOfConsume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		saves := &fakeSaves{}
		c := &Client{conn: &connection{dial: noDial}, subscriptions: saves, events: &fakeEvents{scripts: []script{
			served("a", 0, scripted.Batch(1, 1)), {refused: scripted.Refusal(codes.FailedPrecondition, ReasonSubscriptionMismatch, "it has 4", "shard_count", "4")},
		}}}
		err := c.Consume(t.Context(), Subscription{Name: "billing", Shards: 2}, func(context.Context, Message) error { return nil })
		answer, ok := errors.AsType[*Error](err)
		if !ok || answer.Reason != ReasonSubscriptionMismatch || answer.Metadata["shard_count"] != "4" {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestStandbyIsASignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 70*time.Second)
		defer cancel()
		waiting := waitingEvents{every: 15 * time.Second}
		c := &Client{conn: &connection{dial: noDial}, events: waiting, subscriptions: &fakeSaves{}}
		standby := 0
		for msg, err := range c.Subscribe(ctx, Subscription{Name: "billing", OnRetry: func(err error, _ time.Duration) { t.Errorf("retried: %v", err) }}) {
			if err != nil && err != context.DeadlineExceeded {
				t.Error(err)
			}
			if msg.Standby != nil {
				standby++
			}
		}
		if standby != 4 {
			t.Errorf("%d times on standby", standby)
		}
	})
}

// waitingEvents has each stream stand by.
type waitingEvents struct {
	headgatev1.EventServiceClient
	every time.Duration
}

func (w waitingEvents) Subscribe(ctx context.Context, _ *headgatev1.SubscribeRequest, _ ...grpc.CallOption) (
	grpc.ServerStreamingClient[headgatev1.SubscribeResponse], error,
) {
	return &waitingStream{ctx: ctx, every: w.every}, nil
}

type waitingStream struct {
	grpc.ClientStream
	ctx   context.Context
	every time.Duration
}

func (s *waitingStream) Recv() (*headgatev1.SubscribeResponse, error) {
	select {
	case <-s.ctx.Done():
		return nil, s.ctx.Err()
	case <-time.After(s.every):
		return scripted.Standby(), nil
	}
}

// A lost position's cursor cannot be presented. Whoever takes long over its Gap must not be sent back to it.
func TestLostPositionIsHandledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		saves := &fakeSaves{answer: func(req *headgatev1.ShardSave) error {
			if req.GetCursor() == scripted.Cursor(1) {
				return scripted.Refusal(codes.FailedPrecondition, ReasonCursorForeign, "foreign")
			}
			return nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		gaps := 0
		err := consume(ctx, saves, func(_ context.Context, m Message) error {
			gaps++
			time.Sleep(time.Minute)
			return nil
		}, served("a", 1, scripted.Gap(7, &headgatev1.Gap{}), scripted.CaughtUp(7)))
		if err != nil || gaps != 1 || saves.got[len(saves.got)-1] != "7 release" {
			t.Errorf("handled %d gaps, saved %v, %v", gaps, saves.got, err)
		}
	})
}

// The gateway gives the shard away some seconds after it is back: until what was handled is saved the pauses stay short.
func TestPausesStayShortWhileSomethingIsUnsaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := 0
		saves := &fakeSaves{answer: func(req *headgatev1.ShardSave) error {
			if req.GetRelease() && away < 50 {
				away++
				return status.Error(codes.Unavailable, "away")
			}
			return nil
		}}
		c := &Client{conn: &connection{dial: noDial}, subscriptions: saves, events: &fakeEvents{scripts: []script{
			{responses: served("a", 0, scripted.Batch(1, 1)).responses}, served("b", 1, scripted.CaughtUp(1)),
		}}}
		retries := 0
		err := c.Consume(t.Context(), Subscription{Name: "billing", OnRetry: func(_ error, wait time.Duration) {
			if retries++; wait >= firstPause {
				t.Errorf("pause %d is %v", retries, wait)
			}
		}}, func(context.Context, Message) error { return nil })
		if err != nil || away != 50 || retries < 49 {
			t.Errorf("%d saves failed, %d retries, %v", away, retries, err)
		}
	})
}
