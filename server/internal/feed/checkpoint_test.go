package feed

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

func sales() *headgatev1.Filter { return &headgatev1.Filter{Entities: []string{"sale"}} }

// TestResumableWhileNothingMatches: the checkpoints of a quiet stream move over what it does not want, and resuming after them loses nothing and
// repeats nothing.
func TestResumableWhileNothingMatches(t *testing.T) {
	g := newGateway(t)
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: latest(), Filter: sales(), HeartbeatInterval: durationpb.New(time.Second)})
	if m := r.started(); g.seq(m.GetCursor()) != 0 {
		t.Error("Started has the cursor of record", g.seq(m.GetCursor()))
	}
	first := r.recv()
	if c := first.GetCheckpoint(); !c.GetCaughtUp() || c.GetThrough() != nil {
		t.Fatalf("at the head of an empty log: %v", first)
	}
	begin := g.clock.now()
	g.append(event(1), event(2))
	g.clock.advance(90*time.Second + time.Nanosecond)
	g.append(event(3))
	heard := time.Now()
	second := r.recv()
	if c := second.GetCheckpoint(); !c.GetCaughtUp() || g.seq(second.GetCursor()) != 3 || !c.GetThrough().AsTime().Equal(begin.Add(90*time.Second)) {
		t.Fatalf("after three that do not match: %v", second)
	}
	third := r.recv()
	if third.GetCheckpoint() == nil || g.seq(third.GetCursor()) != 3 {
		t.Fatalf("without appends: %v", third)
	}
	if quiet := time.Since(heard); quiet < time.Second || quiet > 10*time.Second {
		t.Errorf("a heartbeat of 1 s took %v", quiet)
	}
	g.append(event(4), event(5, of("sale", "sold")), event(6))
	if got := keys([]*headgatev1.SubscribeResponse{r.recv()}); !cmp.Equal(got, numbers(5, 5)) {
		t.Errorf("live: %v", got)
	}
	for _, m := range []*headgatev1.SubscribeResponse{first, second, third} {
		if got := keys(g.all(&headgatev1.SubscribeRequest{Start: after(m.GetCursor()), Filter: sales()})); !cmp.Equal(got, numbers(5, 5)) {
			t.Errorf("after the checkpoint at %d: %v", g.seq(m.GetCursor()), got)
		}
		rest := 6 - g.seq(m.GetCursor())
		if got := keys(g.all(&headgatev1.SubscribeRequest{Start: after(m.GetCursor())})); uint64(len(got)) != rest {
			t.Errorf("after the checkpoint at %d, unfiltered: %v", g.seq(m.GetCursor()), got)
		}
	}
}

// TestCheckpointOnceAtTheHead: whoever reaches the head is told at once and once; what follows is silent until a heartbeat.
func TestCheckpointOnceAtTheHead(t *testing.T) {
	for name, tail := range map[string]func(*setup){"tail": func(*setup) {}, "disk": smallTail} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, tail)
			g.appendMany(1000, func(i int) *eventlog.Record { return event(i) })
			r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest(), HeartbeatInterval: durationpb.New(5 * time.Minute)})
			r.started()
			before, checkpoint := r.caughtUp()
			if n := len(keys(before)); n != 1000 || g.seq(checkpoint.GetCursor()) != 1000 {
				t.Errorf("the checkpoint stands behind %d events, with the cursor of record %d", n, g.seq(checkpoint.GetCursor()))
			}
			for n := 1001; n <= 1010; n++ {
				g.append(event(n))
				if m := r.recv(); len(m.GetEvents()) != 1 {
					t.Errorf("got %v instead of event %d", m, n)
				}
			}
		})
	}
}

// meanwhile is the log; what is read at its head comes back only after something was done.
type meanwhile struct {
	Log
	do func()
}

func (l *meanwhile) Read(ctx context.Context, after uint64, wants func(source, context string) bool) (eventlog.Chunk, error) {
	chunk, err := l.Log.Read(ctx, after, wants)
	if chunk.AtHead {
		l.do()
	}
	return chunk, err
}

// TestCheckpointIsNotAheadOfEvents: what is appended between a read and its checkpoint, or before the wait, is neither covered by that checkpoint nor
// slept through.
func TestCheckpointIsNotAheadOfEvents(t *testing.T) {
	var g *gateway
	next := 0
	ready := make(chan struct{})
	g = newGateway(t, func(s *setup) {
		s.wrap = func(l Log) Log {
			return &meanwhile{l, func() {
				<-ready
				if next++; next <= 3 {
					g.append(event(next))
				}
			}}
		}
	})
	close(ready)
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: latest(), HeartbeatInterval: durationpb.New(5 * time.Minute)})
	r.started()
	if m := r.recv(); m.GetCheckpoint() == nil || g.seq(m.GetCursor()) != 0 {
		t.Fatalf("got %v with the cursor of record %d", m, g.seq(m.GetCursor()))
	}
	for n := 1; n <= 3; n++ {
		if got := keys([]*headgatev1.SubscribeResponse{r.recv()}); !cmp.Equal(got, numbers(n, n)) {
			t.Fatalf("got %v instead of event %d", got, n)
		}
	}
}

// TestStopLeavesOutWhatCameLater: what is appended after the stream started is not sent, although the log hands it out with the rest.
func TestStopLeavesOutWhatCameLater(t *testing.T) {
	var later sync.Once
	var g *gateway
	g = newGateway(t, withStep(func(call string, _ uint64) error {
		if call == "Read" {
			later.Do(func() { g.append(event(4), event(5)) })
		}
		return nil
	}))
	g.append(event(1), event(2), event(3))
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest(), StopWhenCaughtUp: true})
	r.started()
	all, _ := r.rest()
	if want := append(numbers(1, 3), "REASON_CAUGHT_UP"); !cmp.Equal(keys(all), want) || g.seq(all[len(all)-1].GetCursor()) != 3 {
		t.Errorf("got %v, ending at %d", keys(all), g.seq(all[len(all)-1].GetCursor()))
	}
}

// TestHeartbeatWhileOthersAppend: a stream whose filter refuses everything in a busy log is not silent either.
func TestHeartbeatWhileOthersAppend(t *testing.T) {
	g := newGateway(t)
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: latest(), Filter: sales(), HeartbeatInterval: durationpb.New(time.Second)})
	r.caughtUp()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
				g.append(event(n))
			}
		}
	}()
	began := time.Now()
	a, b := r.recv(), r.recv()
	took := time.Since(began)
	close(stop)
	<-done
	if a.GetCheckpoint() == nil || b.GetCheckpoint() == nil || g.seq(a.GetCursor()) >= g.seq(b.GetCursor()) {
		t.Errorf("got %v and %v", a, b)
	}
	if took > 10*time.Second {
		t.Errorf("two heartbeats of 1 s took %v", took)
	}
}
