package feed

import (
	"testing"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// TestStreamsTellTheirState: what reads on is live, what its client does not take from is stalled until it does again, what waits for a shard stands by and
// has no cursor.
func TestStreamsTellTheirState(t *testing.T) {
	was := stalledAfter
	stalledAfter = 50 * time.Millisecond
	g := newGateway(t, named, func(s *setup) { s.dialOpts = smallWindows })
	t.Cleanup(func() { stalledAfter = was }) // when all streams are over
	stateOf := func(client string) (StreamStatus, bool) {
		for _, st := range g.feed.Streams(t.Context()) {
			if st.ClientName == client {
				return st, true
			}
		}
		return StreamStatus{}, false
	}
	slow := g.subscribe(&headgatev1.SubscribeRequest{Start: latest(), ClientName: "slow"})
	slow.caughtUp()
	if st, _ := stateOf("slow"); st.State != Live || g.seq(st.Cursor) != 0 {
		t.Errorf("at the head: %+v", st)
	}
	for _, client := range []string{"served", "waits"} {
		g.subscribe(&headgatev1.SubscribeRequest{
			ClientName: client, Subscription: "ours", Filter: &headgatev1.Filter{Entities: []string{"sale"}},
			Start: &headgatev1.Start{Position: &headgatev1.Start_Saved{Saved: &headgatev1.Saved{Otherwise: &headgatev1.Saved_At{At: headgatev1.Start_EDGE_EARLIEST}}}},
		})
		until(t, "it is in line", func() bool { _, found := stateOf(client); return found })
	}
	until(t, "one is served", func() bool { st, _ := stateOf("served"); return st.State == Live })
	if st, _ := stateOf("waits"); st.State != Standby || st.Cursor != "" || st.Subscription != "ours" {
		t.Errorf("in line: %+v", st)
	}
	g.appendMany(100, func(i int) *eventlog.Record { return event(i+1, sized(32<<10)) })
	until(t, "the slow stream is stalled", func() bool { st, _ := stateOf("slow"); return st.State == Stalled })
	for n := 0; n < 100; n += len(slow.recv().GetEvents()) {
	}
	until(t, "it is live again", func() bool { st, _ := stateOf("slow"); return st.State == Live && g.seq(st.Cursor) == 100 })
}

// TestStreamsTellThatTheyReplay: a stream that reads from the disk says so, until it has come to what is in memory.
func TestStreamsTellThatTheyReplay(t *testing.T) {
	g := newGateway(t, smallTail, func(s *setup) { s.dialOpts = smallWindows })
	g.appendMany(200, func(i int) *eventlog.Record { return event(i+1, sized(32<<10)) })
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()})
	state := func() State {
		for _, st := range g.feed.Streams(t.Context()) {
			return st.State
		}
		return 0
	}
	until(t, "the stream replays", func() bool { return state() == Replaying })
	for n := 0; n < 200; n += len(r.recv().GetEvents()) {
	}
	until(t, "it is live", func() bool { return state() == Live })
}

// TestLagOfTheHindmost: of several streams it is that of the one that is farthest back, and nobody's when all are at the head.
func TestLagOfTheHindmost(t *testing.T) {
	g := newGateway(t, func(s *setup) { s.dialOpts = smallWindows })
	if lag := g.feed.Lag(t.Context()); lag != 0 {
		t.Errorf("without a stream it is %v", lag)
	}
	g.append(event(1))
	g.clock.advance(time.Hour)
	slow := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()})
	other := g.subscribe(&headgatev1.SubscribeRequest{Start: latest(), Filter: sales()})
	other.caughtUp()
	g.appendMany(100, func(i int) *eventlog.Record { return event(i+2, sized(32<<10)) })
	g.clock.advance(time.Minute)
	if lag := g.feed.Lag(t.Context()); lag < time.Minute {
		t.Errorf("of one that takes nothing it is %v", lag)
	}
	for n := 0; n < 101; n += len(slow.recv().GetEvents()) {
	}
	until(t, "nobody is behind", func() bool { return g.feed.Lag(t.Context()) == 0 })
}
