package pebblestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// quarantineNote is the stored form of a quarantine's description.
type quarantineNote struct {
	eventlog.Quarantine
	BodySize int    `json:"body_size"`
	Source   string `json:"source,omitempty"`
}

// readNote reads one. What cannot be read still is a note: an empty one, so that damage to it does not keep a log from being opened or trimmed.
func readNote(value []byte) (note quarantineNote, err error) {
	if err = json.Unmarshal(value, &note); err != nil {
		note = quarantineNote{}
	}
	return note, err
}

func setNote(b *pebble.Batch, seq uint64, note *quarantineNote) error {
	value, err := json.Marshal(note)
	return errors.Join(err, b.Set(seqKey(roomQuarantine, seq), value, nil))
}

// holdings is how much lies in quarantine, by source.
type holdings map[string]holding

type holding struct{ count, bytes uint64 }

func (h holdings) add(note *quarantineNote) {
	h.merge(holdings{note.Source: {1, uint64(note.BodySize) + eventlog.QuarantineOverhead}})
}

func (h holdings) merge(more holdings) {
	for source, m := range more {
		h[source] = holding{h[source].count + m.count, h[source].bytes + m.bytes}
	}
}

func (h holdings) remove(gone holdings) {
	for source, g := range gone {
		left := holding{h[source].count - g.count, h[source].bytes - g.bytes}
		if left.count == 0 {
			delete(h, source)
			continue
		}
		h[source] = left
	}
}

func (h holdings) total() (count, bytes uint64) {
	for _, part := range h {
		count, bytes = count+part.count, bytes+part.bytes
	}
	return count, bytes
}

// loadQuarantine counts what lies in quarantine.
func (s *Store) loadQuarantine() (err error) {
	s.quarantine, err = s.held(s.state.Earliest, s.state.Head)
	return err
}

// held counts the quarantined records from the sequence to the other. To take them off the count, the caller holds writing since before.
func (s *Store) held(from, through uint64) (holdings, error) {
	it, err := s.span(roomQuarantine, from-1, through)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	h := make(holdings)
	for it.First(); it.Valid(); it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return nil, damaged(err)
		}
		note, _ := readNote(value)
		h.add(&note)
	}
	return h, damaged(it.Error())
}

// heldAt counts those of the records that lie in quarantine. As held.
func (s *Store) heldAt(seqs []uint64, earliest uint64) (holdings, error) {
	h := make(holdings)
	for _, seq := range slices.Compact(slices.Sorted(slices.Values(seqs))) {
		note, err := s.note(seq, earliest)
		if err != nil {
			return nil, err
		}
		if note != nil {
			h.add(note)
		}
	}
	return h, nil
}

// note returns that of a record, nil when it is not in quarantine.
func (s *Store) note(seq, earliest uint64) (*quarantineNote, error) {
	if seq < earliest {
		return nil, nil
	}
	value, closer, err := s.db.Get(seqKey(roomQuarantine, seq))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, damaged(err)
	}
	note, _ := readNote(value)
	return &note, closer.Close()
}

// settle puts the end of a quarantine into the group's batch.
func (g *groupWrite) settle(b *pebble.Batch, seq uint64) error {
	if seq == 0 || slices.Contains(g.settledSeqs, seq) {
		return nil
	}
	note, err := g.s.note(seq, g.earliest)
	if err != nil || note == nil {
		return err
	}
	g.settledSeqs = append(g.settledSeqs, seq)
	g.settled.add(note)
	return release(b, seq)
}

// release puts the deletion of what is kept beside a record into the batch.
func release(b *pebble.Batch, seq uint64) error {
	return errors.Join(b.Delete(seqKey(roomQuarantine, seq), nil), b.Delete(seqKey(roomRaw, seq), nil), b.Set(erasedKey(seq), nil, nil))
}

// Quarantined implements eventlog.Engine.
func (s *Store) Quarantined(_ context.Context, q eventlog.QuarantineQuery, n int) ([]eventlog.QuarantinedRecord, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	st := s.State()
	after, head := max(st.Earliest-1, q.After), st.Head
	if q.Before > 0 {
		head = min(head, q.Before-1)
	}
	notes, err := s.span(roomQuarantine, after, head)
	if err != nil {
		return nil, err
	}
	defer notes.Close()
	records, err := s.span(roomRecord, after, head)
	if err != nil {
		return nil, err
	}
	defer records.Close()
	first, next := notes.Last, notes.Prev
	if q.OldestFirst {
		first, next = notes.First, notes.Next
	}
	var list []eventlog.QuarantinedRecord
	for ok := first(); ok && len(list) < n; ok = next() {
		rec, err := quarantinedAt(notes, records)
		if err != nil {
			return nil, err
		}
		if q.Source == "" || q.Source == rec.Keys.Source {
			list = append(list, rec)
		}
	}
	return list, damaged(notes.Error())
}

func quarantinedAt(notes, records *pebble.Iterator) (none eventlog.QuarantinedRecord, err error) {
	seq := seqOf(notes.Key())
	value, err := notes.ValueAndErr()
	if err != nil {
		return none, damaged(err)
	}
	note, err := readNote(value)
	if err != nil {
		return none, &eventlog.DamageError{From: seq, To: seq, Cause: err.Error()}
	}
	if !records.SeekGE(seqKey(roomRecord, seq)) || seqOf(records.Key()) != seq {
		return none, &eventlog.DamageError{From: seq, To: seq, Cause: "the record is missing"}
	}
	rec, err := decode(records, seq)
	rec.Body = nil
	return eventlog.QuarantinedRecord{Stored: rec, Quarantine: note.Quarantine, BodySize: note.BodySize}, err
}

// QuarantineSizes implements eventlog.Engine.
func (s *Store) QuarantineSizes() map[string]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	sizes := make(map[string]uint64, len(s.quarantine))
	for source, h := range s.quarantine {
		sizes[source] = h.bytes
	}
	return sizes
}

// Holds implements eventlog.Engine.
func (s *Store) Holds(_ context.Context, r *eventlog.Record) (bool, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	value, closer, err := s.db.Get(duplicateKey(r.Keys.EventID, r.Duplicate))
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, damaged(err)
	}
	st, seq := s.State(), seqOf(value)
	return seq >= st.Earliest && seq <= st.Head, closer.Close()
}

// SetQuarantine implements eventlog.Engine.
func (s *Store) SetQuarantine(_ context.Context, seq uint64, q eventlog.Quarantine) error {
	return s.change(func(b *pebble.Batch, earliest uint64) (holdings, error) {
		note, err := s.note(seq, earliest)
		if err == nil && note == nil {
			err = fmt.Errorf("quarantined record %d: %w", seq, eventlog.ErrNotFound)
		}
		if err != nil {
			return nil, err
		}
		note.Quarantine = q
		return nil, errors.Join(setNote(b, seq, note), b.Set(erasedKey(seq), nil, nil))
	})
}

// Settle implements eventlog.Engine.
func (s *Store) Settle(_ context.Context, seqs []uint64, again bool) (n int, err error) {
	err = s.change(func(b *pebble.Batch, earliest uint64) (holdings, error) {
		gone := make(holdings)
		for _, seq := range slices.Compact(slices.Sorted(slices.Values(seqs))) {
			note, err := s.note(seq, earliest)
			if err != nil {
				return nil, err
			}
			if note == nil {
				continue
			}
			n++
			gone.add(note)
			if err = release(b, seq); again {
				err = errors.Join(err, s.allowAgain(b, seq))
			}
			if err != nil {
				return nil, err
			}
		}
		return gone, nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// allowAgain makes the same body no duplicate any more. A record that is damaged keeps its key.
func (s *Store) allowAgain(b *pebble.Batch, seq uint64) error {
	value, closer, err := s.db.Get(seqKey(roomRecord, seq))
	if errors.Is(err, pebble.ErrNotFound) || errors.Is(damaged(err), eventlog.ErrDamaged) {
		return nil
	}
	if err != nil {
		return err
	}
	if rec, bad := eventlog.DecodeRecord(seq, value); bad == nil {
		err = b.Delete(duplicateKey(rec.Keys.EventID, rec.Duplicate), nil)
	}
	return errors.Join(err, closer.Close())
}

// change writes durably what fill puts into the batch, and takes off the count what fill says is gone. It is allowed while the disk is nearly full, as it
// makes room.
func (s *Store) change(fill func(b *pebble.Batch, earliest uint64) (gone holdings, err error)) error {
	s.use.RLock()
	defer s.use.RUnlock()
	s.writing.Lock()
	defer s.writing.Unlock()
	st := s.State()
	if errors.Is(st.Err, eventlog.ErrFailed) || s.diskFull.Load() {
		return st.Err
	}
	b := s.db.NewBatch()
	defer b.Close()
	gone, err := fill(b, st.Earliest)
	if err != nil || b.Empty() {
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
	return nil
}
