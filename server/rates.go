package server

import (
	"context"
	"sync"
	"time"
)

// rates know how often things happened in the last minute. Nothing is counted for it where they happen: what is counted there anyway is looked at now and then.
type rates struct {
	count func() map[string]uint64 // what there was so far, by name

	mu   sync.Mutex
	past []counted // oldest first
}

// counted is what there was at a time.
type counted struct {
	at time.Time
	n  map[string]uint64
}

const (
	ratesEvery = 5 * time.Second
	ratesOver  = time.Minute
)

// run looks until ctx ends.
func (r *rates) run(ctx context.Context) {
	tick := time.NewTicker(ratesEvery)
	defer tick.Stop()
	for {
		r.look(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look remembers what there is now, and forgets what was before the last minute, except for the newest of that.
func (r *rates) look(now time.Time) {
	n := r.count()
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.past) > 1 && now.Sub(r.past[1].at) >= ratesOver {
		r.past = r.past[1:]
	}
	r.past = append(r.past, counted{now, n})
}

// perSecond is how often each thing happens a second, over the last minute, or since the start if that is less.
func (r *rates) perSecond(now time.Time) map[string]float64 {
	n := r.count()
	r.mu.Lock()
	defer r.mu.Unlock()
	rate := make(map[string]float64, len(n))
	if len(r.past) == 0 {
		return rate
	}
	from := r.past[0]
	took := max(now.Sub(from.at), time.Second).Seconds()
	for name, so := range n {
		rate[name] = float64(so-min(so, from.n[name])) / took // a source that was away counts anew
	}
	return rate
}
