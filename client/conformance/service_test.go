package conformance

import (
	"slices"
	"sync"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// The answers to a message that is being handled.
type verdict int

const (
	accept verdict = iota
	reject
	hold // no answer: the handling goes on
)

// shards is how many the kit's subscription has.
const shards = 4

// service is the replicas of one service with a named subscription, each an adapter, and what they did, all of them together.
type service struct {
	k     *kit
	g     *gateway
	pumps sync.WaitGroup

	mu      sync.Mutex
	judge   func(member string, l line) verdict // called with mu held; nil accepts
	handled []handling
	failed  int           // lines that told of a failure
	dead    []string      // members that were killed
	moved   chan struct{} // closed and made anew at each line
}

// handling is an event that a member handled, or still handles.
type handling struct {
	member, cursor string
	key            int
	verdict        verdict
}

func (k *kit) serve(g *gateway) *service {
	s := &service{k: k, g: g, moved: make(chan struct{})}
	k.Cleanup(s.pumps.Wait) // after the adapters have ended
	return s
}

// join starts a member. Its messages are answered as judge says.
func (s *service) join(member string) *adapter {
	s.k.Helper()
	a := s.k.run(s.g.front, request{
		Start: earliest, Acknowledge: true, Subscription: &membership{Name: "billing", Shards: shards, Member: member},
	})
	s.pumps.Go(func() {
		for l, found := a.take(nil); found; l, found = a.take(nil) {
			if !a.left.Load() {
				s.note(member, a, l)
			}
		}
	})
	return a
}

// note enters a line and answers it. Who sees what is entered finds it answered: a member that leaves then has handled it.
func (s *service) note(member string, a *adapter, l line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch l.Kind {
	case "event":
		v := accept
		if s.judge != nil {
			v = s.judge(member, l)
		}
		if v == accept && !a.ok(l.Cursor) || v == reject && !a.fail(l.Cursor) {
			v = hold // it has left, or was killed: nobody has heard the answer
		}
		s.handled = append(s.handled, handling{member, l.Cursor, l.Key, v})
	case "failure":
		s.failed++
	case "error", "end", "unreadable":
		s.k.Errorf("member %s ended with %v", member, l)
	}
	close(s.moved)
	s.moved = make(chan struct{})
}

// rule sets how messages are answered from here on.
func (s *service) rule(judge func(member string, l line) verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judge = judge
}

// stall has the member's handlings go on without end, and waits until it has some and the others have gone on for a while.
func (s *service) stall(member string) {
	s.k.Helper()
	holds := 0
	s.rule(func(who string, _ line) verdict {
		if who != member {
			return accept
		}
		holds++
		return hold
	})
	before := s.count()
	s.await(member+" handles new events while others go on", func() bool { return holds > 0 && len(s.handled) > before+60 })
}

// await waits until what was done is as wanted. It is called with mu held.
func (s *service) await(what string, wanted func() bool) {
	s.k.Helper()
	late := time.After(patience)
	for {
		s.mu.Lock()
		done, moved := wanted(), s.moved
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-moved:
		case <-late:
			s.k.Fatalf("waited in vain until %s", what)
		}
	}
}

// awaitAll waits until every event of the log was handled.
func (s *service) awaitAll(log []*headgatev1.Event) {
	s.k.Helper()
	s.await("every event is handled", func() bool {
		done := s.acceptedLocked()
		return !slices.ContainsFunc(log, func(e *headgatev1.Event) bool { return !done[e.GetCursor()] })
	})
}

func (s *service) acceptedLocked() map[string]bool {
	done := map[string]bool{}
	for _, h := range s.handled {
		if h.verdict == accept {
			done[h.cursor] = true
		}
	}
	return done
}

// by is how many events the member has handled. The caller holds mu.
func (s *service) by(member string) (n int) {
	for _, h := range s.handled {
		if h.member == member && h.verdict == accept {
			n++
		}
	}
	return n
}

// count is how many events were begun.
func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.handled)
}

// kill ends the member with kill -9. What it answered and had not saved may come again.
func (s *service) kill(member string, a *adapter) {
	a.kill()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = append(s.dead, member)
}

// check holds what was done to the promises: every event is handled, those of each record in the log's order, and none twice unless the member that handled it
// before was killed. exact says that not even then, as everything was saved.
func (s *service) check(log []*headgatev1.Event, exact bool) {
	s.k.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	last := map[int]string{} // who handled the event at a place of the log
	place := map[string]int{}
	for i, e := range log {
		place[e.GetCursor()] = i
	}
	furthest := map[int]int{} // by record
	doubled := 0
	for _, h := range s.handled {
		if h.verdict != accept {
			continue
		}
		at, known := place[h.cursor]
		if !known {
			s.k.Errorf("%s handled an event with a cursor that is not in the log", h.member)
			continue
		}
		if before, twice := last[at]; twice {
			doubled++
			if exact || !slices.Contains(s.dead, before) {
				s.k.Errorf("event %d was handled by %s and again by %s", at+1, before, h.member)
			}
		} else if at < furthest[h.key] {
			s.k.Errorf("record %d: event %d was handled after event %d", h.key, at+1, furthest[h.key]+1)
		}
		last[at], furthest[h.key] = h.member, max(furthest[h.key], at)
	}
	if missing := len(log) - len(last); missing > 0 {
		s.k.Errorf("%d of %d events were not handled", missing, len(log))
	}
	s.k.Logf("%d events, %d of them handled twice", len(log), doubled)
}
