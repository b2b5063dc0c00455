package feed

import (
	"context"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// State is what a stream does.
type State int

const (
	// Live: it stands at the head, or reads from memory.
	Live State = iota + 1
	// Replaying: it reads from the disk.
	Replaying
	// Stalled: its client has taken nothing for stalledAfter.
	Stalled
	// Standby: it waits for a shard of its subscription.
	Standby
)

// stalledAfter is how long a message waits to be taken until its stream counts as stalled. A variable for the tests.
var stalledAfter = 5 * time.Second

// StreamStatus is how one stream does.
type StreamStatus struct {
	ID           string
	ClientName   string
	Subscription string
	Caller       Caller
	StartedAt    time.Time
	Filter       *headgatev1.Filter
	State        State
	Cursor       string // empty while it stands by
	EventsSent   uint64
	// Lag is how old the oldest record is that the stream has not passed; zero at the head.
	Lag      time.Duration
	CaughtUp bool
}

// Streams lists the streams being served, oldest first.
func (s *Service) Streams(ctx context.Context) []StreamStatus {
	var list []StreamStatus
	for _, st := range s.streams.all() {
		list = append(list, s.statusOfStream(ctx, st))
	}
	return list
}

// Sent is how many events were handed to the transport since the start, over all streams.
func (s *Service) Sent() uint64 { return s.sent.Load() }

// Lag is how old the oldest record is that the hindmost stream has not passed; zero when all are at the head.
func (s *Service) Lag(ctx context.Context) time.Duration {
	hindmost := s.log.Head()
	for _, st := range s.streams.all() {
		hindmost = min(hindmost, s.index.position(&st.waiter, st.pos.Load()))
	}
	return s.lagAt(ctx, hindmost)
}

// EndStream ends a stream on an operator's behalf and returns how it stood. It does not wait. It finds none of an id that is gone.
func (s *Service) EndStream(ctx context.Context, id string) (status StreamStatus, found bool) {
	st := s.streams.get(id)
	if st == nil {
		return status, false
	}
	status = s.statusOfStream(ctx, st)
	st.terms.view.grant.Dismiss()
	return status, true
}

func (s *Service) statusOfStream(ctx context.Context, st *stream) StreamStatus {
	head, pos := s.log.Head(), s.index.position(&st.waiter, st.pos.Load())
	status := StreamStatus{
		ID: st.id, ClientName: st.terms.clientName, Subscription: st.terms.subscription, Caller: st.caller, StartedAt: st.started,
		Filter: st.terms.asked(), EventsSent: st.sent.Load(), CaughtUp: pos >= head, State: s.stateOf(st, pos),
	}
	if pos != nowhere {
		status.Cursor = s.log.Position(pos)
	}
	status.Lag = s.lagAt(ctx, pos)
	return status
}

// lagAt is how old the first record behind the position is; zero at the head. That of a record that is gone or unreadable is unknown, which is zero too: the
// stream itself will say why.
func (s *Service) lagAt(ctx context.Context, pos uint64) time.Duration {
	if pos >= s.log.Head() {
		return 0
	}
	f, err := s.log.Get(ctx, pos+1)
	if err != nil {
		return 0
	}
	return max(0, s.opt.Now().Sub(f.ReceivedAt))
}

func (s *Service) stateOf(st *stream, pos uint64) State {
	since := st.sending.Load()
	switch {
	case since > 0 && time.Duration(uptime()-since) >= stalledAfter:
		return Stalled
	case pos == nowhere:
		return Standby
	case s.log.InMemory(pos):
		return Live
	}
	return Replaying
}

var began = time.Now()

// uptime is a clock that nobody sets, in nanoseconds, and never 0.
func uptime() int64 { return int64(time.Since(began)) + 1 }
