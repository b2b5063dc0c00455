package subscription

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// group is one subscription as it lives: its shards and the streams that wait for one.
type group struct {
	owner *Subscriptions
	name  Name
	id    string // meta's

	changing turn // held over a write of meta; before mu
	mu       sync.Mutex
	meta     meta   // guarded by mu
	version  uint64 // guarded by changing
	shards   []*shardState
	waiting  []*Seat // in order of arrival; guarded by mu
	filter   any     // of the stream that joined last, nil when none has; guarded by mu
	over     error   // why the group is closed, nil while it is not; guarded by mu
	timer    *time.Timer
}

// shardState is one shard. All of it but writing and version is guarded by the group's mu.
type shardState struct {
	index   int
	writing turn   // held over a write of the shard; before mu
	version uint64 // guarded by writing

	saved  saved
	place  Place // of saved.Cursor
	giving *Seat // who is about to be served it: its lease is being written
	seat   *Seat // who is served it
	// While the lease is in force and no stream stands behind it, or one that was told to end:
	ending   bool
	last     uint64 // the last that was sent
	deadline time.Time
}

// unknown is after everything.
const unknown = math.MaxUint64

// turn is a lock that can be waited for within a time: writes can take long.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }

func newGroup(owner *Subscriptions, k *kept) *group {
	g := &group{owner: owner, name: k.name, id: k.meta.ID, meta: k.meta, version: k.version, changing: make(turn, 1)}
	g.timer = time.AfterFunc(time.Hour, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.step()
	})
	for i := range k.shards {
		sh := &k.shards[i]
		g.shards = append(g.shards, &shardState{index: i, writing: make(turn, 1), version: sh.version, saved: sh.saved, place: Place{Cursor: sh.saved.Cursor}})
	}
	return g
}

func (g *group) shard(index int) (*shardState, error) {
	if index < 0 || index >= len(g.shards) {
		return nil, ErrNoShard
	}
	return g.shards[index], nil
}

// free: nobody may save, and nobody is about to be served.
func (sh *shardState) free() bool { return !sh.saved.Held && sh.giving == nil }

// end begins the state ending: the stream was told to end, or has, and last was the last that it was sent.
func (sh *shardState) end(last uint64) {
	sh.ending, sh.last, sh.deadline = true, last, time.Now().Add(Grace)
}

// done says whether all that was sent before the end is saved, so that the shard can become free.
func (sh *shardState) done() bool { return sh.ending && sh.place.Seq >= sh.last }

// loose makes the shard free. A stream that is still there is told to end.
func (sh *shardState) loose() {
	if sh.seat != nil {
		sh.seat.shard = nil
		sh.seat.take(nil)
		sh.seat = nil
	}
	sh.saved.Held, sh.ending = false, false
}

// close tells all streams why nobody is served any more.
func (g *group) close(why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = why
	g.timer.Stop()
	for _, seat := range g.waiting {
		seat.take(why)
	}
	for _, sh := range g.shards {
		if sh.seat != nil {
			sh.seat.take(why)
		}
		if sh.giving != nil {
			sh.giving.take(why)
		}
	}
}

// step does all that is due: it frees shards, gives free ones to whom they are due, and asks for some back. mu is held.
func (g *group) step() {
	if g.over != nil {
		return
	}
	now := time.Now()
	for _, sh := range g.shards {
		if sh.done() || sh.ending && !now.Before(sh.deadline) {
			sh.loose()
		}
	}
	for _, p := range g.due() {
		g.waiting = slices.DeleteFunc(g.waiting, func(s *Seat) bool { return s == p.seat })
		p.shard.giving = p.seat
		g.owner.writers.Go(func() { g.give(p.shard, p.seat) })
	}
	for _, sh := range g.surplus() {
		sh.end(unknown)
		sh.seat.take(nil)
	}
	next := now.Add(time.Hour)
	for _, sh := range g.shards {
		if sh.ending && sh.deadline.Before(next) {
			next = sh.deadline
		}
	}
	g.timer.Reset(next.Sub(now))
}

// give writes the next lease, then serves the shard to the seat.
func (g *group) give(sh *shardState, seat *Seat) {
	ctx := context.Background()
	_ = sh.writing.take(ctx) // the background does not end
	defer sh.writing.give()
	g.mu.Lock()
	next := sh.saved
	g.mu.Unlock()
	next.Lease++
	next.Held = true
	err := g.write(ctx, sh, &next)

	g.mu.Lock()
	defer g.mu.Unlock()
	sh.giving = nil
	if err != nil {
		if !seat.left {
			g.waiting = slices.Insert(g.waiting, 0, seat)
		}
		g.timer.Reset(retryGiving)
		return
	}
	sh.saved = next
	if seat.left || g.over != nil {
		sh.loose() // nobody has heard of the lease
	} else {
		sh.seat, seat.shard = seat, sh
		seat.assigned <- Assignment{Shard: sh.index, Shards: len(g.shards), Lease: g.lease(sh), Place: sh.place, Skipped: g.skipped(sh)}
	}
	g.step()
}

// retryGiving is after how long a lease that could not be written is tried again.
const retryGiving = time.Second

// write keeps the shard's state. writing is held.
func (g *group) write(ctx context.Context, sh *shardState, next *saved) error {
	version, err := put(ctx, g.owner.store, shardKey(g.name, g.id, sh.index), next, sh.version)
	if err == nil {
		sh.version = version
	}
	return g.owner.storeError(err)
}
