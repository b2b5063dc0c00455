package subscription

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// save moves a shard's position, for whoever holds the lease.
func (g *group) save(ctx context.Context, sh *shardState, sv Saving) error {
	if err := sh.writing.take(ctx); err != nil {
		return err
	}
	defer sh.writing.give()
	g.mu.Lock()
	err := g.maySave(sh, &sv)
	was, at := sh.saved, sh.place
	g.mu.Unlock()
	if err != nil {
		return err
	}
	if sv.goesBack(at) {
		return ErrBehind
	}
	next := was
	// By the text: whoever may not know of all records does not learn from it whether there are any between two places.
	if sv.Place != nil && sv.Place.Cursor != at.Cursor {
		at = *sv.Place
		next.Cursor, next.SavedAt = at.Cursor, time.Now().UTC()
	}
	if sv.Release {
		next.Held = false
	}
	if next != was {
		if err := g.write(ctx, sh, &next); err != nil {
			return err
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	// The lease may have been lost meanwhile to the grace. Nobody was served since, as that takes another write: the position is right.
	next.Held = next.Held && sh.saved.Held
	sh.saved, sh.place = next, at
	if sh.ending {
		sh.deadline = time.Now().Add(Grace) // the timer rings at the old one, and is set again then
	}
	if sv.Release {
		sh.loose()
	}
	// Nothing else of a save is anything to a step. Clients save often, and a step looks at everybody who waits.
	if sv.Release || sh.done() {
		g.step()
	}
	return nil
}

// goesBack says whether the position would go back from where it is, and must not.
func (sv *Saving) goesBack(from Place) bool {
	if sv.Place == nil || sv.AllowBack || sv.Place.Seq >= from.Seq {
		return false
	}
	return sv.Between == nil || sv.Between(sv.Place.Seq, from.Seq)
}

func (g *group) maySave(sh *shardState, sv *Saving) error {
	switch {
	case g.over != nil:
		return g.over
	case sv.Lease == "" && !sh.free(), sv.Lease != "" && (!sh.saved.Held || sv.Lease != g.lease(sh)):
		return ErrLeaseLost
	}
	return nil
}

// force makes a shard free whatever its state, and moves its position if to is not nil.
func (g *group) force(ctx context.Context, sh *shardState, to *Place) error {
	if err := sh.writing.take(ctx); err != nil {
		return err
	}
	defer sh.writing.give()
	g.mu.Lock()
	next, at, over := sh.saved, sh.place, g.over
	g.mu.Unlock()
	if over != nil {
		return over
	}
	next.Held = false
	if to != nil {
		at = *to
		next.Cursor, next.SavedAt = at.Cursor, time.Now().UTC()
	}
	if err := g.write(ctx, sh, &next); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	sh.saved, sh.place = next, at
	sh.loose()
	g.step()
	return nil
}

// skip records the event as left out, then takes the shard from whoever is stuck at it.
func (g *group) skip(ctx context.Context, sh *shardState, event Place, skip Skip) (Skip, error) {
	if err := g.changing.take(ctx); err != nil {
		return Skip{}, err
	}
	defer g.changing.give()
	g.mu.Lock()
	next, handled, over := g.meta, event.Seq <= sh.place.Seq, g.over
	g.mu.Unlock()
	if over != nil {
		return Skip{}, over
	}
	if handled {
		return Skip{}, ErrBehind
	}
	if i := slices.IndexFunc(next.Skips, func(s Skip) bool { return s.Cursor == skip.Cursor }); i >= 0 {
		return next.Skips[i], g.force(ctx, sh, nil) // the shard could not be taken when it was recorded, perhaps
	}
	next.Skips = append(slices.Clone(next.Skips), skip)
	if len(next.Skips) > maxSkips {
		passed := slices.IndexFunc(next.Skips, g.passed)
		if passed < 0 {
			return Skip{}, ErrSkips
		}
		next.Skips = slices.Delete(next.Skips, passed, passed+1)
	}
	version, err := put(ctx, g.owner.store, metaKey(g.name), &next, g.version)
	if err != nil {
		return Skip{}, g.owner.storeError(err)
	}
	g.version = version
	g.mu.Lock()
	g.meta = next
	g.mu.Unlock()
	return skip, g.force(ctx, sh, nil)
}

// passed says whether the saved position has passed the skipped event, or can never come to it.
func (g *group) passed(s Skip) bool {
	seq, err := g.owner.opt.Locate(s.Cursor)
	g.mu.Lock()
	defer g.mu.Unlock()
	return err != nil || g.shards[s.Shard].place.Seq >= seq
}

// skipped returns the cursors that a stream of the shard leaves out. mu is held.
func (g *group) skipped(sh *shardState) (cursors []string) {
	for _, s := range g.meta.Skips {
		if s.Shard == sh.index {
			cursors = append(cursors, s.Cursor)
		}
	}
	return cursors
}

// remove deletes what is stored. The shards go with their id: what a crash leaves of them is nobody's.
func (g *group) remove(ctx context.Context) error {
	if err := g.changing.take(ctx); err != nil {
		return err
	}
	defer g.changing.give()
	if err := g.owner.store.Delete(ctx, metaKey(g.name)); err != nil {
		return g.owner.storeError(err)
	}
	var eg errgroup.Group // side by side, so that they share a sync
	for _, sh := range g.shards {
		eg.Go(func() error {
			if err := sh.writing.take(ctx); err != nil {
				return err
			}
			defer sh.writing.give()
			return g.owner.store.Delete(ctx, shardKey(g.name, g.id, sh.index))
		})
	}
	if err := eg.Wait(); err != nil {
		return g.owner.storeError(err)
	}
	return nil
}

// Status is how a subscription is.
type Status struct {
	Name
	CreatedAt time.Time
	Shards    []ShardStatus
	// Waiting is how many streams stand by.
	Waiting int
	// Filter is that of the stream that joined last, nil while none has since the start.
	Filter any
	// Skips are those kept, newest first.
	Skips []Skip
}

// ShardStatus is how a shard is.
type ShardStatus struct {
	Place
	SavedAt time.Time
	// Member and ClientName are of the stream that is served it; empty when none is.
	Member, ClientName string
	// Lease is the one in force; empty when the shard is free.
	Lease string
}

func (g *group) status() Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	st := Status{Name: g.name, CreatedAt: g.meta.CreatedAt, Waiting: len(g.waiting), Filter: g.filter, Skips: slices.Clone(g.meta.Skips)}
	slices.Reverse(st.Skips)
	for _, sh := range g.shards {
		s := ShardStatus{Place: sh.place, SavedAt: sh.saved.SavedAt}
		if sh.saved.Held {
			s.Lease = g.lease(sh)
		}
		if sh.seat != nil {
			s.Member, s.ClientName = sh.seat.Member, sh.seat.ClientName
		}
		st.Shards = append(st.Shards, s)
	}
	return st
}
