package pebblestore

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// compactions begins Pebble's compactions, one at a time, until they are to rest. (Without the periodic look at the limit: it is for limits that change.)
type compactions struct {
	*pebble.ConcurrencyLimitScheduler
	resting *atomic.Bool
}

func newCompactions(resting *atomic.Bool) compactions {
	return compactions{pebble.NewConcurrencyLimitSchedulerWithNoPeriodicGrantingForTest(), resting}
}

// Register is part of pebble.CompactionScheduler.
func (c compactions) Register(goroutines int, db pebble.DBForCompaction) {
	c.ConcurrencyLimitScheduler.Register(goroutines, restingDB{db, c.resting})
}

// restingDB is the database as its scheduler sees it.
type restingDB struct {
	pebble.DBForCompaction
	resting *atomic.Bool
}

// GetAllowedWithoutPermission is part of pebble.DBForCompaction.
func (d restingDB) GetAllowedWithoutPermission() int {
	if d.resting.Load() {
		return 0
	}
	return d.DBForCompaction.GetAllowedWithoutPermission()
}

// Rest prepares for Close and for the next Open, while records are taken and read as ever: what waits in memory is written out, so that Open has little to
// replay, and no compaction begins any more, because Close waits for those under way, however long they take. It returns when there is none, or when ctx
// ends. Close should follow within minutes.
func (s *Store) Rest(ctx context.Context) {
	s.resting.Store(true)
	s.use.RLock()
	flushed, err := s.flush()
	s.use.RUnlock()
	if err != nil {
		s.log.Warn("what is in memory could not be written out; the next start takes longer", "error", err)
	}
	if flushed != nil {
		select {
		case <-flushed:
		case <-ctx.Done():
			return
		}
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for s.compacting() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Store) compacting() bool {
	s.use.RLock()
	defer s.use.RUnlock()
	return s.db.Metrics().Compact.NumInProgress > 0
}
