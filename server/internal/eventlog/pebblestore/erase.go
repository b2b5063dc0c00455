package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// Erase implements eventlog.Engine. The replacement is durable on return; Purge is what makes the bytes go.
func (s *Store) Erase(_ context.Context, seqs []uint64) error {
	s.trimming.Lock()
	defer s.trimming.Unlock()
	s.use.RLock()
	defer s.use.RUnlock()
	st := s.State()
	b := s.db.NewBatch()
	defer b.Close()
	if err := s.replace(b, seqs, st.Earliest, st.Head); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.State().Err; err != nil {
		return err
	}
	gone, err := s.heldAt(seqs, s.State().Earliest)
	if err != nil {
		return err
	}
	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return s.fail(err)
	}
	if err := b.SyncWait(); err != nil {
		return s.fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quarantine.remove(gone)
	s.recent, s.recentBytes = nil, 0 // they hold what was erased
	return nil
}

// replace puts the erased forms into the batch.
func (s *Store) replace(b *pebble.Batch, seqs []uint64, earliest, head uint64) error {
	it, err := s.span(roomRecord, earliest-1, head)
	if err != nil {
		return err
	}
	defer it.Close()
	seqs = slices.Clone(seqs)
	slices.Sort(seqs)
	for _, seq := range slices.Compact(seqs) {
		if seq < earliest {
			continue
		}
		if seq > head {
			return fmt.Errorf("record %d: %w", seq, eventlog.ErrNotFound)
		}
		if !it.SeekGE(seqKey(roomRecord, seq)) || seqOf(it.Key()) != seq {
			return hole(it, seq, earliest-1, head)
		}
		rec, err := decode(it, seq)
		if err != nil {
			return err
		}
		erased := rec.Erased()
		err = errors.Join(err, b.Set(seqKey(roomRecord, seq), eventlog.EncodeRecord(nil, &erased, rec.ReceivedAt), nil), release(b, seq))
		if err != nil {
			return err
		}
	}
	return nil
}
