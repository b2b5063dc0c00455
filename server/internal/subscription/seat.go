package subscription

import (
	"slices"
	"strconv"
)

// Seat is a stream's place in a subscription: in line, then served one shard, then over. It is safe for concurrent use.
type Seat struct {
	group *group
	Joining
	assigned chan Assignment
	taken    chan struct{}

	// Guarded by the group's mu.
	cause error
	over  bool // taken is closed
	left  bool
	shard *shardState
}

// Assignment is what a stream is served.
type Assignment struct {
	Shard, Shards int
	Lease         string
	// Place is the saved position: the stream begins after it.
	Place Place
	// Skipped are the cursors of those events of the shard that are left out.
	Skipped []string
}

func (g *group) join(j Joining) (*Seat, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over != nil {
		return nil, g.over
	}
	seat := &Seat{group: g, Joining: j, assigned: make(chan Assignment, 1), taken: make(chan struct{})}
	if g.differs(j.FilterText) {
		g.owner.opt.Logger.Warn("members of a subscription have different filters: an event that the filter of its shard's member leaves out is handled by nobody",
			"reader", g.name.Reader, "subscription", g.name.Name, "member", j.Member)
	}
	g.filter = j.Filter
	g.waiting = append(g.waiting, seat)
	g.step()
	return seat, nil
}

// differs says whether a stream reads by another filter. mu is held.
func (g *group) differs(filter string) bool {
	other := func(s *Seat) bool { return s != nil && s.FilterText != filter }
	return slices.ContainsFunc(g.waiting, other) || slices.ContainsFunc(g.shards, func(sh *shardState) bool { return other(sh.seat) || other(sh.giving) })
}

// Assigned gets what the stream is served, once.
func (s *Seat) Assigned() <-chan Assignment { return s.assigned }

// Taken is closed when the stream must end: what it was served goes to another, or the subscription is gone. Cause then says which.
func (s *Seat) Taken() <-chan struct{} { return s.taken }

// Cause is why Taken is closed: nil when the shard goes to another, else an error.
func (s *Seat) Cause() error {
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	return s.cause
}

// take tells the stream to end. mu is held.
func (s *Seat) take(cause error) {
	if !s.over {
		s.over, s.cause = true, cause
		close(s.taken)
	}
}

// Leave says that the stream has ended and was sent nothing beyond last.
func (s *Seat) Leave(last uint64) {
	g := s.group
	g.mu.Lock()
	defer g.mu.Unlock()
	s.left = true
	g.waiting = slices.DeleteFunc(g.waiting, func(other *Seat) bool { return other == s })
	if sh := s.shard; sh != nil {
		s.shard, sh.seat = nil, nil
		sh.end(last)
	}
	g.step()
}

// lease is how a shard's lease is written for its holder. It names the subscription's id and the shard: one of the same name that was deleted counted from
// one as well, and so do other shards, whose leases a client may mix up.
func (g *group) lease(sh *shardState) string {
	return g.id[:8] + "-" + strconv.Itoa(sh.index) + "-" + strconv.FormatUint(sh.saved.Lease, 36)
}
