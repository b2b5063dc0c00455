// Package subscription keeps named positions: where the readers of a log stand, under a name, and which of their streams is served which part.
//
// # The model
//
// A subscription has a fixed number of shards. A shard has a saved position and a lease, which is a number that only grows. It is in one of these states:
//
//	free     nobody may save. The next stream that waits gets it, under the next lease.
//	served   a stream is served it; whoever presents the lease saves.
//	ending   its stream has ended or was told to; whoever presents the lease still saves.
//
//	free ──a stream waits──▶ served ──its stream ends, or another member needs it──▶ ending
//	served, ending ──released, sought or skipped by somebody──▶ free
//	ending ──saved up to the last that was sent, or nothing saved for the grace──▶ free
//
// What can be lost: nothing. A stream begins after the saved position, and a position is saved by whoever holds the lease, up to what it handled. What can be
// doubled: what was sent under one lease and not saved when the shard became free by the grace, a seek or a skip, or handled and not saved when its holder
// released or died. What can come out of order: nothing that is saved; a holder that handles on after it lost the lease can do so, and learns it from its next save.
//
// A lease is durable before a stream is served under it, and a position before its saving is answered. After a restart a shard whose lease was in force is ending.
package subscription

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// Errors. A *MismatchError is another.
var (
	ErrNotFound  = errors.New("there is no such subscription")
	ErrExists    = errors.New("there is such a subscription already")
	ErrTooMany   = errors.New("a reader may have 100 subscriptions")
	ErrLeaseLost = errors.New("the lease is not in force")
	ErrBehind    = errors.New("the position stands before the saved one")
	ErrSkips     = errors.New("100 skipped events are still to be passed")
	ErrNoShard   = errors.New("the subscription has no such shard")
	ErrStore     = errors.New("the position cannot be kept now")
	ErrClosed    = errors.New("the subscriptions are closed")
)

// MismatchError: the subscription has another number of shards than was said.
type MismatchError struct{ Shards int }

func (e *MismatchError) Error() string {
	return fmt.Sprintf("the subscription has %d shards", e.Shards)
}

const (
	// MaxShards is how many a subscription can have: a replica must be able to open as many streams on one connection.
	MaxShards = 128
	// MaxPerReader is how many subscriptions a reader can have.
	MaxPerReader = 100
	// maxSkips is how many skips are kept, the newest ones.
	maxSkips = 100
	// Grace is how long a shard's holder may save nothing, once its stream has ended, before the shard goes to another.
	Grace = 5 * time.Second
)

// Name names a subscription: names are a reader's own.
type Name struct{ Reader, Name string }

// Place is a position in the log: the sequence, for comparing, and a cursor that stands for it, for keeping. Nothing else is known of the log here.
type Place struct {
	Seq    uint64
	Cursor string
}

// Options say how the subscriptions run.
type Options struct {
	// Locate returns the sequence of a cursor. A saved one that it refuses stands before everything. Required.
	Locate func(cursor string) (uint64, error)
	// Logger gets what an operator should know. Default: none.
	Logger *slog.Logger
}

// Subscriptions are all of them. It is safe for concurrent use.
type Subscriptions struct {
	store Store
	opt   Options

	mu      sync.Mutex
	making  map[string]turn // one creation or deletion of a reader at a time; guarded by mu
	groups  map[Name]*group // guarded by mu
	closed  bool            // guarded by mu
	failing rate.Sometimes  // for the log
	writers sync.WaitGroup  // that write leases
}

// Open loads the subscriptions of the store, whose owner the caller stays. Close must be called.
func Open(ctx context.Context, store Store, opt Options) (*Subscriptions, error) {
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Subscriptions{store: store, opt: opt, groups: make(map[Name]*group), making: make(map[string]turn), failing: rate.Sometimes{Interval: 10 * time.Second}}
	kept, err := load(ctx, store)
	if err != nil {
		return nil, err
	}
	for _, k := range kept {
		g := newGroup(s, k)
		for _, sh := range g.shards {
			sh.place.Seq, _ = opt.Locate(sh.saved.Cursor) // a foreign one stands before everything; whoever is served it will be told
			if sh.saved.Held {
				sh.end(unknown)
			}
		}
		g.step()
		s.groups[g.name] = g
	}
	return s, nil
}

// Close ends all leases' timers and waits for writes under way. Streams must have ended.
func (s *Subscriptions) Close() {
	s.mu.Lock()
	s.closed = true
	groups := slices.Collect(maps.Values(s.groups))
	s.mu.Unlock()
	for _, g := range groups {
		g.close(ErrClosed)
	}
	s.writers.Wait()
}

// changing waits for the reader's turn to make or delete. give must be called.
func (s *Subscriptions) changing(ctx context.Context, reader string) (turn, error) {
	s.mu.Lock()
	t := s.making[reader]
	if t == nil {
		t = make(turn, 1)
		s.making[reader] = t
	}
	s.mu.Unlock()
	return t, t.take(ctx)
}

// Create makes a subscription whose shards all begin at the place. It is durable on return. ErrExists, ErrTooMany.
func (s *Subscriptions) Create(ctx context.Context, name Name, shards int, at Place) error {
	making, err := s.changing(ctx, name.Reader)
	if err != nil {
		return err
	}
	defer making.give()
	s.mu.Lock()
	_, exists := s.groups[name]
	own := 0
	for n := range s.groups {
		if n.Reader == name.Reader {
			own++
		}
	}
	s.mu.Unlock()
	if exists {
		return ErrExists
	}
	if own >= MaxPerReader {
		return ErrTooMany
	}
	k, err := create(ctx, s.store, name, shards, at.Cursor)
	if err != nil {
		return s.storeError(err)
	}
	g := newGroup(s, k)
	for _, sh := range g.shards {
		sh.place = at
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.groups[name] = g
	return nil
}

// storeError tells the operator of what the store could not do, and returns what the caller is told.
func (s *Subscriptions) storeError(err error) error {
	if err == nil || errors.Is(err, ErrExists) {
		return err
	}
	s.failing.Do(func() { s.opt.Logger.Error("positions of subscriptions cannot be kept", "error", err) })
	return fmt.Errorf("%w: %w", ErrStore, err)
}

func (s *Subscriptions) group(name Name) (*group, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.groups[name]; g != nil {
		return g, nil
	}
	return nil, ErrNotFound
}

// Delete removes a subscription. Its streams are told ErrNotFound.
func (s *Subscriptions) Delete(ctx context.Context, name Name) error {
	making, err := s.changing(ctx, name.Reader)
	if err != nil {
		return err
	}
	defer making.give()
	g, err := s.group(name)
	if err != nil {
		return err
	}
	g.close(ErrNotFound)                                         // first, so that nothing is written behind the removal; when that fails it can be tried again
	if err := g.remove(context.WithoutCancel(ctx)); err != nil { // half of it would be no subscription and yet in the way of one
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.groups, name)
	return nil
}

// Joining is a stream that wants to be served.
type Joining struct {
	// Member is which replica it is of.
	Member string
	// ClientName is what it calls itself.
	ClientName string
	// Shards is how many the subscription must have; 0 leaves it open.
	Shards int
	// Pinned is the one shard that it wants; negative: any.
	Pinned int
	// Filter is what it reads by, and FilterText the same for two that are the same. Nothing else is known of filters here.
	Filter     any
	FilterText string
}

// Join puts a stream in line. ErrNotFound, ErrNoShard, *MismatchError. Leave must be called when the stream has ended.
func (s *Subscriptions) Join(name Name, j Joining) (*Seat, error) {
	g, err := s.group(name)
	if err != nil {
		return nil, err
	}
	if n := len(g.shards); j.Shards != 0 && j.Shards != n {
		return nil, &MismatchError{Shards: n}
	}
	if j.Pinned >= len(g.shards) {
		return nil, ErrNoShard
	}
	return g.join(j)
}

// Saving says how far a shard was handled, and under which lease.
type Saving struct {
	Shard int
	// Lease is empty for whoever keeps a position without being served.
	Lease string
	// Place is where; nil leaves the position, and shows only that the holder is there.
	Place *Place
	// Release makes the shard free.
	Release bool
	// AllowBack lets the position go back.
	AllowBack bool
	// Between says whether anything that counts lies behind the one sequence, up to the other. Without it the position may go back all the same. Nil: always.
	Between func(after, through uint64) bool
}

// Save moves a shard's position. It is durable on return. ErrNotFound, ErrNoShard, ErrLeaseLost, ErrBehind.
func (s *Subscriptions) Save(ctx context.Context, name Name, sv Saving) error {
	g, err := s.group(name)
	if err != nil {
		return err
	}
	sh, err := g.shard(sv.Shard)
	if err != nil {
		return err
	}
	return g.save(ctx, sh, sv)
}

// Seek moves the position of a shard, or of all when shard is negative. Their streams are told to end, their leases are lost. ErrNotFound, ErrNoShard.
func (s *Subscriptions) Seek(ctx context.Context, name Name, shard int, to Place) error {
	g, err := s.group(name)
	if err != nil {
		return err
	}
	shards := g.shards
	if shard >= 0 {
		sh, err := g.shard(shard)
		if err != nil {
			return err
		}
		shards = []*shardState{sh}
	}
	var eg errgroup.Group
	for _, sh := range shards {
		eg.Go(func() error { return g.force(ctx, sh, &to) })
	}
	return eg.Wait()
}

// Skip leaves out one event, of the shard, from now on. A stream that is served the shard is told to end. ErrNotFound, ErrBehind.
func (s *Subscriptions) Skip(ctx context.Context, name Name, shard int, event Place, reason, by string) (Skip, error) {
	g, err := s.group(name)
	if err != nil {
		return Skip{}, err
	}
	sh, err := g.shard(shard)
	if err != nil {
		return Skip{}, err
	}
	return g.skip(ctx, sh, event, Skip{Cursor: event.Cursor, Shard: shard, Reason: reason, By: by, At: time.Now().UTC()})
}

// Get returns how a subscription is. ErrNotFound.
func (s *Subscriptions) Get(name Name) (Status, error) {
	g, err := s.group(name)
	if err != nil {
		return Status{}, err
	}
	return g.status(), nil
}

// All returns how all are, ordered by reader and name.
func (s *Subscriptions) All() []Status { return s.list(func(Name) bool { return true }) }

// Of returns how a reader's are, ordered by name.
func (s *Subscriptions) Of(reader string) []Status {
	return s.list(func(n Name) bool { return n.Reader == reader })
}

func (s *Subscriptions) list(wanted func(Name) bool) []Status {
	var groups []*group
	s.mu.Lock()
	for name, g := range s.groups {
		if wanted(name) {
			groups = append(groups, g)
		}
	}
	s.mu.Unlock()
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.name.Reader, b.name.Reader), cmp.Compare(a.name.Name, b.name.Name))
	})
	list := make([]Status, 0, len(groups))
	for _, g := range groups {
		list = append(list, g.status())
	}
	return list
}
