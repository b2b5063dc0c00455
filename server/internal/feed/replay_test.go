package feed

import (
	"runtime"
	"sync"
	"testing"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// TestReplaysTakeTurns: no more streams read from the disk at once than there are turns, whoever waits for his is told when the server stops, and who is at the
// head waits for nobody's.
func TestReplaysTakeTurns(t *testing.T) {
	const readers = 20
	var mu sync.Mutex
	reading, most := 0, 0
	held, release := make(chan struct{}, readers), make(chan struct{})
	g := newGateway(t, smallTail, withStep(func(call string, after uint64) error {
		if call != "Read" || after > 0 {
			return nil
		}
		mu.Lock()
		reading++
		most = max(most, reading)
		mu.Unlock()
		held <- struct{}{}
		<-release
		mu.Lock()
		reading--
		mu.Unlock()
		return nil
	}))
	g.appendMany(300, func(i int) *eventlog.Record { return event(1+i, sized(1<<10)) })
	live := g.subscribe(&headgatev1.SubscribeRequest{Start: latest()})
	live.caughtUp()
	var all []*reader
	for range readers {
		all = append(all, g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()}))
	}
	for _, r := range all {
		r.started()
	}
	turns := cap(g.feed.turns.disk)
	for range turns {
		<-held
	}
	g.append(event(1000))
	if m := live.recv(); len(m.GetEvents()) != 1 {
		t.Errorf("the live reader got %v", m)
	}
	g.feed.Drain()
	closed := make(chan int, readers)
	for i, r := range all {
		go func() {
			for {
				m, err := r.stream.Recv()
				if err != nil {
					return
				}
				if m.GetClosing().GetReason() == headgatev1.Closing_REASON_DRAINING {
					closed <- i
					return
				}
			}
		}()
	}
	for range readers - turns { // those that had no turn
		select {
		case <-closed:
		case <-time.After(time.Minute):
			t.Fatal("a stream that waits for its turn is not told that the server stops")
		}
	}
	close(release)
	for range turns {
		<-closed
	}
	if most > turns {
		t.Errorf("%d streams read from the disk at once, of %d", most, turns)
	}
}

// TestPagesTakeTurns: however many pages are asked for at once that must be read from the disk, no more are read at once than there are turns.
func TestPagesTakeTurns(t *testing.T) {
	const pages = 30
	var mu sync.Mutex
	reading, most, reads := 0, 0, 0
	g := newGateway(t, smallTail, withStep(func(call string, after uint64) error {
		if call != "Read" || after > 0 {
			return nil
		}
		mu.Lock()
		reading++
		most, reads = max(most, reading), reads+1
		mu.Unlock()
		for range 1000 { // whoever is let in as well comes meanwhile
			runtime.Gosched()
		}
		mu.Lock()
		reading--
		mu.Unlock()
		return nil
	}))
	g.appendMany(300, func(i int) *eventlog.Record { return event(1+i, sized(1<<10)) })
	var all sync.WaitGroup
	for range pages {
		all.Go(func() {
			if resp, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{PageSize: 1}); err != nil || len(resp.GetEvents()) != 1 {
				t.Errorf("%v, %v", resp, err)
			}
		})
	}
	all.Wait()
	if turns := cap(g.feed.turns.disk); most > turns || reads < pages {
		t.Errorf("%d of %d pages were read at once, of %d", most, reads, turns)
	}
}
