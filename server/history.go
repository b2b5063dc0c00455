package server

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

// history knows how the last hour was, for the plots of operators. As with rates, nothing is counted for it where things happen. It takes 200 KB at most: 360 points of
// some 600 bytes if every outcome that there is happens in each.
type history struct {
	look func() figures

	mu     sync.Mutex
	points []*adminv1.HistoryPoint // oldest first, never changed; guarded by mu
}

// historyEvery is how long a point is. A variable for the tests.
var historyEvery = 10 * time.Second

// historyPoints are an hour.
const historyPoints = 360

// figures are what a point is made of: what was counted since the start, and what is so now.
type figures struct {
	posts      map[string]uint64 // by outcome
	sent       uint64
	deliveries *dto.Histogram
	lag        time.Duration
	size       uint64
}

// figures looks at the gateway. It reads one record, for the lag.
func (s *Server) figures() figures {
	return figures{s.webhook.Posts(), s.feed.Sent(), s.feed.Deliveries(), s.feed.Lag(context.Background()), s.log.State().SizeBytes}
}

// run looks until ctx ends.
func (h *history) run(ctx context.Context) {
	tick := time.NewTicker(historyEvery)
	defer tick.Stop()
	before, at := h.look(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		so, now := h.look(), time.Now()
		p := pointOf(before, so)
		p.At, p.Over = timestamppb.New(now), durationpb.New(now.Sub(at))
		before, at = so, now
		h.mu.Lock()
		if len(h.points) == historyPoints {
			copy(h.points, h.points[1:])
			h.points = h.points[:historyPoints-1]
		}
		h.points = append(h.points, p)
		h.mu.Unlock()
	}
}

// lastHour returns its points, oldest first.
func (h *history) lastHour() []*adminv1.HistoryPoint {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.points)
}

func pointOf(before, so figures) *adminv1.HistoryPoint {
	p := &adminv1.HistoryPoint{EventsSent: so.sent - before.sent, LogSizeBytes: so.size, Posts: make(map[string]uint64)}
	for outcome, n := range so.posts {
		if n > before.posts[outcome] {
			p.Posts[outcome] = n - before.posts[outcome]
		}
	}
	if so.lag > 0 {
		p.Lag = durationpb.New(so.lag)
	}
	if within, ok := quantile(before.deliveries, so.deliveries, .99); ok {
		p.Delivery = durationpb.New(within)
	}
	return p
}

// quantile estimates within which time the share of what was counted between the two was, as Prometheus does: as if what is in a bucket lay evenly in it. What is beyond
// the last bound is told as that. It is unknown of nothing.
func quantile(before, so *dto.Histogram, share float64) (within time.Duration, known bool) {
	total := so.GetSampleCount() - before.GetSampleCount()
	if total == 0 {
		return 0, false
	}
	wanted := share * float64(total)
	var low, below float64 // the bucket's lower bound, and how many are under it
	for i, bucket := range so.GetBucket() {
		n := bucket.GetCumulativeCount()
		if i < len(before.GetBucket()) {
			n -= before.GetBucket()[i].GetCumulativeCount()
		}
		if upTo := float64(n); upTo >= wanted {
			return inSeconds(low + (bucket.GetUpperBound()-low)*(wanted-below)/(upTo-below)), true
		}
		low, below = bucket.GetUpperBound(), float64(n)
	}
	return inSeconds(low), true
}

func inSeconds(s float64) time.Duration { return time.Duration(math.Round(s * float64(time.Second))) }
