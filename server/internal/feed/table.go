package feed

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// table is the streams being served.
type table struct {
	mu   sync.Mutex
	byID map[uint64]*stream // guarded by mu
	last uint64             // the last id given; guarded by mu
}

// add enters the stream, unless there are limit already.
func (t *table) add(st *stream, limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byID) >= limit {
		return false
	}
	t.last++
	st.id = t.last
	t.byID[st.id] = st
	return true
}

func (t *table) remove(st *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, st.id)
}

func (t *table) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}

func (t *table) all() []*stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*stream, 0, len(t.byID))
	for _, st := range t.byID {
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b *stream) int { return cmp.Compare(a.id, b.id) })
	return all
}

// StreamStatus is how one stream does.
type StreamStatus struct {
	ID         uint64
	ClientName string
	Reader     string
	Remote     string
	StartedAt  time.Time
	Filter     *headgatev1.Filter
	EventsSent uint64
	// Lag is how old the oldest record is that the stream has not passed; zero at the head.
	Lag      time.Duration
	CaughtUp bool
}

// Streams lists the streams being served, oldest first.
func (s *Service) Streams(ctx context.Context) []StreamStatus {
	var list []StreamStatus
	head := s.log.Head()
	for _, st := range s.streams.all() {
		pos := s.index.position(&st.waiter, st.pos.Load())
		status := StreamStatus{
			ID: st.id, ClientName: st.terms.clientName, Reader: st.caller.Reader, Remote: st.caller.Remote, StartedAt: st.started,
			Filter: st.terms.asked(), EventsSent: st.sent.Load(), CaughtUp: pos >= head,
		}
		if pos < head {
			// A record that is gone or unreadable leaves the lag unknown, which is zero; the stream itself will say why.
			if f, err := s.log.Get(ctx, pos+1); err == nil {
				status.Lag = max(0, s.opt.Now().Sub(f.ReceivedAt))
			}
		}
		list = append(list, status)
	}
	return list
}
