package pebblestore

import (
	"context"
	"encoding/binary"
	"errors"
	"sort"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// trimChunk is how many records one batch of a trim forgets: their duplicates are deleted one by one.
const trimChunk = 4096

// flushTrimmedAfter is how long a trim may stay in memory: trims follow each other, and each flush makes a file.
const flushTrimmedAfter = 10 * time.Second

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
		if err := errors.Join(ctx.Err(), s.trimChunk(min(through, st.Earliest+trimChunk-1))); err != nil {
			return err
		}
	}
}

func (s *Store) trimChunk(through uint64) error {
	s.use.RLock()
	defer s.use.RUnlock()
	st := s.State()
	b := s.db.NewBatch()
	defer b.Close()
	marks, err := s.forget(b, st.Earliest, through)
	if err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.broken(); err != nil {
		return err
	}
	st = s.State()
	earliestAt, err := s.timeFrom(through+1, st.Head)
	if err != nil {
		return err
	}
	gone, err := s.held(st.Earliest, through)
	if err != nil {
		return err
	}
	// Readers are told before anything goes: whoever looks afterwards gets ErrTrimmed, whoever looked before has its view. Who sees the new earliest sees the
	// marks.
	s.tenants.mark(marks)
	s.mu.Lock()
	s.state.Earliest, s.state.EarliestAt = through+1, earliestAt
	s.quarantine.remove(gone)
	s.mu.Unlock()
	if err := s.db.Apply(b, pebble.NoSync); err != nil {
		return s.fail(err)
	}
	s.trimmedAt.CompareAndSwap(0, time.Now().UnixNano())
	return nil
}

// flushTrimmed brings trims to the disk some time after, or the space that they are to free would wait for 16 MiB of new records, which are
// not taken while the disk is full.
func (s *Store) flushTrimmed() {
	at := s.trimmedAt.Load()
	if at == 0 || (s.State().Err == nil && time.Since(time.Unix(0, at)) < flushTrimmedAfter) {
		return
	}
	s.use.RLock()
	defer s.use.RUnlock()
	if _, err := s.flush(); err != nil {
		s.log.Error("a trim could not be flushed", "error", err)
	}
}

// flush begins to write out what is in memory and returns a channel that is closed afterwards, nil after a failed write. The caller holds use.
func (s *Store) flush() (<-chan struct{}, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.broken() != nil {
		return nil, nil
	}
	s.trimmedAt.Store(0)
	return s.db.AsyncFlush()
}

// forget puts the deletion of the records from the sequence to the other, and of all that belongs to them, into the batch. It returns the marks of their
// tenants, which are in the batch too.
func (s *Store) forget(b *pebble.Batch, from, through uint64) (marks map[uint32]trimMark, err error) {
	tenants, whole, err := s.forgetDuplicates(b, from, through)
	if err != nil {
		return nil, err
	}
	st := s.State()
	marks = make(map[uint32]trimMark)
	if !whole {
		next, e := s.timeFrom(through+1, st.Head)
		if next.IsZero() {
			next = st.HeadAt
		}
		// The next record may be another's, whose time is nobody's business; a later time errs on the side of what may be lost.
		err, marks[anyTenant] = errors.Join(err, e), trimMark{through, next.Truncate(time.Minute).Add(time.Minute)}
	}
	// The ranges lie side by side: ranges that overlap cost every reader, the square of their number.
	for tenant, mark := range tenants {
		if id, ok := s.tenants.lookUp(tenant); ok {
			marks[id] = mark
			err = errors.Join(err, b.DeleteRange(indexKey(id, from), indexKey(id, through+1), nil))
		}
	}
	for id, mark := range marks {
		err = errors.Join(err, b.Set(trimmedKey(id), mark.value(), nil))
	}
	for _, room := range []byte{roomRecord, roomRaw, roomQuarantine} {
		err = errors.Join(err, b.DeleteRange(seqKey(room, from), seqKey(room, through+1), nil))
	}
	// The newest time goes along: an emptied log must not step back in time either.
	mark := binary.BigEndian.AppendUint64(nil, through)
	mark = binary.BigEndian.AppendUint64(mark, uint64(st.HeadAt.UnixNano()))
	return marks, errors.Join(err, b.Set(keyTrimmed, mark, nil))
}

// forgetDuplicates puts the deletion of the records' duplicate keys into the batch. It returns the newest record of each tenant, and whether all could be
// read.
func (s *Store) forgetDuplicates(b *pebble.Batch, from, through uint64) (tenants map[eventlog.Tenant]trimMark, whole bool, err error) {
	it, err := s.span(roomRecord, from-1, through)
	if err != nil {
		return nil, false, err
	}
	defer it.Close()
	tenants = make(map[eventlog.Tenant]trimMark)
	readable := uint64(0)
	for it.First(); it.Valid(); it.Next() {
		rec, err := decode(it, seqOf(it.Key()))
		if err != nil {
			// A damaged record goes with the others; what its duplicate key was is not known, and that key does no harm.
			s.log.Warn("a damaged record was trimmed", "record", seqOf(it.Key()))
			continue
		}
		readable++
		tenants[eventlog.Tenant{Source: rec.Keys.Source, Context: rec.Keys.Context}] = trimMark{rec.Seq, rec.ReceivedAt}
		if rec.Duplicate != ([16]byte{}) {
			if err := b.Delete(duplicateKey(rec.Keys.EventID, rec.Duplicate), nil); err != nil {
				return nil, false, err
			}
		}
	}
	if err := it.Error(); err != nil {
		if err = damaged(err); !errors.Is(err, eventlog.ErrDamaged) {
			return nil, false, err
		}
		s.log.Warn("damaged records were trimmed", "from", from, "to", through, "error", err)
	}
	return tenants, readable == through+1-from, nil
}

// timeFrom returns when the first record from the sequence on was received, zero when there is none.
func (s *Store) timeFrom(seq, head uint64) (time.Time, error) {
	it, err := s.span(roomRecord, seq-1, head)
	if err != nil {
		return time.Time{}, err
	}
	defer it.Close()
	if !it.First() {
		return time.Time{}, damaged(it.Error())
	}
	return receivedAt(it)
}

// SeekSize implements eventlog.Engine. It is an estimate: tables are counted by their blocks.
func (s *Store) SeekSize(ctx context.Context, bytes uint64) (uint64, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	st := s.State()
	n := int(st.Head + 1 - st.Earliest)
	if n == 0 {
		return st.Head, nil
	}
	// What waits in memory is not in the estimate.
	flushed, err := s.flush()
	if err != nil {
		return 0, err
	}
	if flushed != nil {
		select {
		case <-flushed:
		case <-ctx.Done():
			return 0, ctx.Err()
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
