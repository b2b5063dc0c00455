package pebblestore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// trimChunk is how many records one batch of a trim forgets: their duplicates are deleted one by one.
const trimChunk = 4096

// Trim implements eventlog.Engine. Nothing is waited for on disk: a trim that a crash undoes is done again.
func (s *Store) Trim(ctx context.Context, through uint64) error {
	s.trimming.Lock()
	defer s.trimming.Unlock()
	for {
		st := s.State()
		through = min(through, st.Head)
		if through < st.Earliest {
			return nil
		}
		if err := errors.Join(ctx.Err(), s.trimChunk(ctx, min(through, st.Earliest+trimChunk-1))); err != nil {
			return err
		}
	}
}

func (s *Store) trimChunk(ctx context.Context, through uint64) error {
	s.use.RLock()
	defer s.use.RUnlock()
	st := s.State()
	if errors.Is(st.Err, eventlog.ErrFailed) || s.diskFull.Load() {
		return st.Err
	}
	b := s.db.NewBatch()
	defer b.Close()
	if err := s.forget(b, st.Earliest, through); err != nil {
		return err
	}
	// Readers are told before anything goes: whoever looks afterwards gets ErrTrimmed, whoever looked before has its view.
	earliestAt, err := s.timeOf(through+1, st.Head)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.state.Earliest, s.state.EarliestAt = through+1, earliestAt
	if through == s.state.Head {
		s.state.EarliestAt = time.Time{}
	}
	s.mu.Unlock()
	if err := s.db.Apply(b, pebble.NoSync); err != nil {
		return s.fail(err)
	}
	left, err := s.countQuarantined(through + 1)
	s.mu.Lock()
	s.state.Quarantined = left
	s.mu.Unlock()
	return err
}

// forget puts the deletion of the records from the sequence to the other, and of all that belongs to them, into the batch.
func (s *Store) forget(b *pebble.Batch, from, through uint64) error {
	it, err := s.span(roomRecord, from-1, through)
	if err != nil {
		return err
	}
	defer it.Close()
	tenants := make(map[eventlog.Tenant]bool)
	for ok := it.First(); ok; ok = it.Next() {
		rec, err := decode(it, seqOf(it.Key()))
		if err != nil {
			// A damaged record goes with the others; what its duplicate key was is not known, and that key does no harm.
			s.log.Warn("a damaged record was trimmed", "record", seqOf(it.Key()))
			continue
		}
		tenants[eventlog.Tenant{Source: rec.Keys.Source, Context: rec.Keys.Context}] = true
		if rec.Duplicate != ([16]byte{}) {
			if err := b.Delete(duplicateKey(rec.Keys.EventID, rec.Duplicate), nil); err != nil {
				return err
			}
		}
	}
	for tenant := range tenants {
		id, _ := s.tenants.wanted(func(source, context string) bool { return source == tenant.Source && context == tenant.Context })
		for _, id := range id {
			err = errors.Join(err, b.DeleteRange(indexKey(id, 0), indexKey(id, through+1), nil))
		}
	}
	for _, room := range []byte{roomRecord, roomRaw, roomQuarantine} {
		err = errors.Join(err, b.DeleteRange(seqKey(room, 0), seqKey(room, through+1), nil))
	}
	// The newest time goes along: an emptied log must not step back in time either.
	mark := binary.BigEndian.AppendUint64(nil, through)
	mark = binary.BigEndian.AppendUint64(mark, uint64(s.State().HeadAt.UnixNano()))
	return errors.Join(err, b.Set(keyTrimmed, mark, nil))
}

// timeOf returns when the record was received, zero beyond the head.
func (s *Store) timeOf(seq, head uint64) (time.Time, error) {
	if seq > head {
		return time.Time{}, nil
	}
	it, err := s.span(roomRecord, seq-1, seq)
	if err != nil {
		return time.Time{}, err
	}
	defer it.Close()
	if !it.First() {
		return time.Time{}, errors.Join(damaged(it.Error()), &eventlog.DamageError{From: seq, To: seq, Cause: "the record is missing"})
	}
	return receivedAt(it)
}

// Erase implements eventlog.Engine. The replacement is durable on return.
func (s *Store) Erase(_ context.Context, seqs []uint64) error {
	s.trimming.Lock()
	defer s.trimming.Unlock()
	s.use.RLock()
	defer s.use.RUnlock()
	st := s.State()
	if st.Err != nil {
		return st.Err
	}
	it, err := s.span(roomRecord, st.Earliest-1, st.Head)
	if err != nil {
		return err
	}
	defer it.Close()
	b := s.db.NewBatch()
	defer b.Close()
	for _, seq := range seqs {
		if seq < st.Earliest {
			continue
		}
		if seq > st.Head || !it.SeekGE(seqKey(roomRecord, seq)) || seqOf(it.Key()) != seq {
			return errors.Join(damaged(it.Error()), fmt.Errorf("record %d: %w", seq, eventlog.ErrNotFound))
		}
		rec, err := decode(it, seq)
		if err != nil {
			return err
		}
		erased := rec.Erased()
		err = errors.Join(b.Set(seqKey(roomRecord, seq), eventlog.EncodeRecord(nil, &erased, rec.ReceivedAt), nil),
			b.Delete(seqKey(roomRaw, seq), nil), b.Delete(seqKey(roomQuarantine, seq), nil))
		if err != nil {
			return err
		}
	}
	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return s.fail(err)
	}
	if err := b.SyncWait(); err != nil {
		return s.fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recent, s.recentBytes = nil, 0 // they hold what was erased
	return nil
}

// SeekSize implements eventlog.Engine. It is an estimate: tables are counted by their blocks.
func (s *Store) SeekSize(_ context.Context, bytes uint64) (uint64, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	st := s.State()
	n := int(st.Head + 1 - st.Earliest)
	if n == 0 {
		return st.Head, nil
	}
	if st.Err == nil {
		if err := s.db.Flush(); err != nil { // what waits in memory is not in the estimate
			return 0, err
		}
	}
	size := func(from uint64) (total uint64, err error) {
		for _, room := range []byte{roomRecord, roomRaw} {
			part, e := s.db.EstimateDiskUsage(seqKey(room, from), seqKey(room, st.Head+1))
			total, err = total+part, errors.Join(err, e)
		}
		return total, err
	}
	whole, err := size(st.Earliest)
	if err != nil {
		return 0, err
	}
	// Indexes and duplicates are not in the order of the log; they shrink with it.
	var rest uint64
	for _, room := range []byte{roomDuplicate, roomIndex} {
		part, e := s.db.EstimateDiskUsage([]byte{room}, []byte{room + 1})
		rest, err = rest+part, errors.Join(err, e)
	}
	keep := float64(bytes)
	if whole+rest > 0 {
		keep *= float64(whole) / float64(whole+rest)
	}
	i := sort.Search(n, func(i int) bool {
		part, e := size(st.Earliest + uint64(i))
		err = errors.Join(err, e)
		return float64(part) <= keep
	})
	return st.Earliest - 1 + uint64(i), err
}
