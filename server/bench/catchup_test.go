//go:build linux || darwin

package bench

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
)

// BenchmarkCatchUp: live readers as in Latency, while another one replays a large log again and again as fast as it can, and without it.
func BenchmarkCatchUp(b *testing.B) {
	const during, without = "during a replay", "without"
	n := eventsIn(theSizes().latency)
	theLog.need(b)
	r := newResults(fmt.Sprintf("catch-up: from post to receipt, %d events at %d/s, %d readers on %d connections, over %d events",
		n, rate, liveReaders, liveConnections, theLog.events), without, []string{without, during}, percentileNames()...)
	r.compared = percentileName(99)
	inTurns(theSizes().rounds, r.variants, func(round int, variant string) {
		p := theLog.open(b)
		all := render(theLog.events+1, n, 1)
		live := connect(p, liveConnections, tuning{sent: all, keep: true})
		live.mustOpen(repeat(liveReaders, fromLatest(usual())))
		replayed := 0
		var replay *replayer
		if variant == during {
			replay = startReplay(p)
		}
		taken := p.measure("catch-up", variant, round, func() error {
			return live.during(n*liveReaders, func() error { return p.post(all, rate) })
		})
		if replay != nil {
			replayed = replay.stop()
		}
		r.addLatencies(variant, live.took())
		r.add(variant, "replayed messages/s", float64(replayed)/taken.took.Seconds())
		live.finish(p, live.orderFrom(theLog.events+1, n), nil)
		theLog.events += n
	})
	targets.catchUp.measured = r.ratios(percentileName(99), during, without)
	r.done(b)
}

// replayer is a reader of a whole log, and then again.
type replayer struct {
	peer     *peer
	now      atomic.Pointer[sinks]
	stopping atomic.Bool
	messages int // of replays that are over
	done     chan error
}

var errStopped = errors.New("the replay is not wanted any more")

// startReplay returns when the first replay is under way.
func startReplay(p *peer) *replayer {
	p.b.Helper()
	r := &replayer{peer: p, done: make(chan error, 1)}
	s := connect(p, 1, tuning{blind: true})
	s.mustOpen(repeat(1, request(nil)))
	r.now.Store(s)
	go func() { r.done <- r.run(s) }()
	return r
}

func (r *replayer) run(s *sinks) error {
	for {
		err := s.await(&s.caughtUp, 1)
		s.close()
		r.messages += int(s.messages.value.Load())
		if r.stopping.Load() {
			return nil
		}
		if err != nil {
			return err
		}
		if s, err = dial(r.peer, 1, tuning{blind: true}); err == nil {
			r.now.Store(s)
			err = s.open(repeat(1, request(nil)))
		}
		if err != nil {
			s.close()
			return err
		}
		if r.stopping.Load() { // stop may have seen the one before
			s.fail(errStopped)
		}
	}
}

// stop ends the replay and returns how many messages there were.
func (r *replayer) stop() int {
	r.peer.b.Helper()
	r.stopping.Store(true)
	r.now.Load().fail(errStopped)
	if err := <-r.done; err != nil {
		r.peer.b.Fatal(err)
	}
	return r.messages
}
