package pebblestore

import (
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

const (
	// maxLook is after how many records one Read returns, wanted or not.
	maxLook = 1 << 16
	// maxMerged is from how many tenants on a Read scans everything rather than merging their indexes.
	maxMerged = 64
)

// span opens an iterator over one room's keys from after+1 to the durable head. The caller holds use.
func (s *Store) span(room byte, after, head uint64) (*pebble.Iterator, error) {
	return s.db.NewIter(&pebble.IterOptions{LowerBound: seqKey(room, after+1), UpperBound: seqKey(room, head+1)})
}

// Read implements eventlog.Engine.
func (s *Store) Read(ctx context.Context, after uint64, wants func(source, context string) bool, fn func(eventlog.Stored) bool) (uint64, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	// Head first: every record up to it has its tenant in the table.
	head := s.State().Head
	var ids []uint32
	all := wants == nil
	if !all {
		ids, all = s.tenants.wanted(wants, maxMerged)
	}
	if all {
		wants = nil
	}
	if after >= head || (!all && len(ids) == 0) {
		_, err := s.untrimmed(after, wants)
		return max(after, head), err
	}
	it, err := s.span(roomRecord, after, head)
	if err != nil {
		return after, err
	}
	defer it.Close()
	h := &indexHeap{}
	defer h.close()
	few := !all && len(ids) <= maxMerged
	if few {
		if err := s.openIndexes(h, ids, after, head); err != nil {
			return after, err
		}
	}
	// After all iterators have their view: what a trim removed before is refused here, what it removes later is still seen.
	from, err := s.untrimmed(after, wants)
	if err != nil {
		return after, err
	}
	if few {
		return merge(ctx, it, h, after, head, fn)
	}
	return scan(ctx, it, from, head, wants, fn)
}

// untrimmed returns from where on, behind after, the log is whole. ErrTrimmed when something wanted lies before that.
func (s *Store) untrimmed(after uint64, wants func(source, context string) bool) (uint64, error) {
	earliest := s.State().Earliest
	if after+1 >= earliest {
		return after, nil
	}
	if last := s.tenants.trimmed(wants).seq; last > after {
		return after, fmt.Errorf("%w: up to record %d", eventlog.ErrTrimmed, last)
	}
	return earliest - 1, nil
}

// Trimmed implements eventlog.Engine.
func (s *Store) Trimmed(wants func(source, context string) bool) (uint64, time.Time) {
	mark := s.tenants.trimmed(wants)
	return mark.seq, mark.at
}

// scan reads record after record and finds every hole.
func scan(ctx context.Context, it *pebble.Iterator, after, head uint64, wants func(source, context string) bool, fn func(eventlog.Stored) bool) (uint64, error) {
	at := after
	for ok := it.SeekGE(seqKey(roomRecord, after+1)); ok; ok = it.Next() {
		if at-after >= maxLook || ctx.Err() != nil {
			return at, ctx.Err()
		}
		seq := seqOf(it.Key())
		if seq != at+1 {
			return at, &eventlog.DamageError{From: at + 1, To: seq - 1, Cause: "the records are missing"}
		}
		st, err := decode(it, seq)
		if err != nil {
			return at, err
		}
		at = seq
		if wants != nil && !wants(st.Keys.Source, st.Keys.Context) {
			continue
		}
		if !fn(st) {
			return at, nil
		}
	}
	if err := it.Error(); err != nil {
		return at, &eventlog.DamageError{From: at + 1, To: head, Cause: err.Error()}
	}
	if at != head {
		return at, &eventlog.DamageError{From: at + 1, To: head, Cause: "the records are missing"}
	}
	return at, nil
}

// hole describes the place around a record that is not there.
func hole(it *pebble.Iterator, seq, after, head uint64) error {
	damage := &eventlog.DamageError{From: after + 1, To: head, Cause: "the records are missing"}
	if it.SeekGE(seqKey(roomRecord, seq)) {
		damage.To = seqOf(it.Key()) - 1
	}
	if err := it.Error(); err == nil && it.SeekLT(seqKey(roomRecord, seq)) {
		damage.From = seqOf(it.Key()) + 1
	}
	if err := it.Error(); err != nil {
		damage.Cause = err.Error()
	}
	return damage
}

func decode(it *pebble.Iterator, seq uint64) (eventlog.Stored, error) {
	value, err := it.ValueAndErr()
	if err == nil {
		var st eventlog.Stored
		if st, err = eventlog.DecodeRecord(seq, value); err == nil {
			return st, nil
		}
	}
	return eventlog.Stored{}, &eventlog.DamageError{From: seq, To: seq, Cause: err.Error()}
}

// merge follows the indexes of a few tenants, in the order of the log.
func merge(ctx context.Context, it *pebble.Iterator, h *indexHeap, after, head uint64, fn func(eventlog.Stored) bool) (uint64, error) {
	at := after
	for looked := 0; h.Len() > 0; looked++ {
		if looked >= maxLook || ctx.Err() != nil {
			return at, ctx.Err()
		}
		top := h.its[0]
		seq := seqOf(top.Key())
		if !it.SeekGE(seqKey(roomRecord, seq)) || seqOf(it.Key()) != seq {
			return at, hole(it, seq, after, head)
		}
		st, err := decode(it, seq)
		if err != nil {
			return at, err
		}
		at = seq
		if !fn(st) {
			return at, nil
		}
		if err := h.advance(); err != nil {
			return at, &eventlog.DamageError{From: at + 1, To: head, Cause: err.Error()}
		}
	}
	return head, nil
}

// indexHeap holds one iterator a tenant, the one with the lowest sequence first. Those that are through are in spent.
type indexHeap struct{ its, spent []*pebble.Iterator }

func (s *Store) openIndexes(h *indexHeap, ids []uint32, after, head uint64) error {
	for _, id := range ids {
		it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: indexKey(id, after+1), UpperBound: indexKey(id, head+1)})
		if err != nil {
			return err
		}
		if it.First() {
			h.its = append(h.its, it)
			continue
		}
		h.spent = append(h.spent, it)
		if err := it.Error(); err != nil {
			return &eventlog.DamageError{From: after + 1, To: head, Cause: err.Error()}
		}
	}
	heap.Init(h)
	return nil
}

// advance moves the lowest iterator on.
func (h *indexHeap) advance() error {
	if h.its[0].Next() {
		heap.Fix(h, 0)
		return nil
	}
	it := heap.Pop(h).(*pebble.Iterator)
	h.spent = append(h.spent, it)
	return it.Error()
}

func (h *indexHeap) close() {
	for _, it := range append(h.its, h.spent...) {
		_ = it.Close() // its error was looked at when it ended
	}
}

func (h *indexHeap) Len() int           { return len(h.its) }
func (h *indexHeap) Less(i, j int) bool { return seqOf(h.its[i].Key()) < seqOf(h.its[j].Key()) }
func (h *indexHeap) Swap(i, j int)      { h.its[i], h.its[j] = h.its[j], h.its[i] }
func (h *indexHeap) Push(x any)         { h.its = append(h.its, x.(*pebble.Iterator)) }
func (h *indexHeap) Pop() any {
	last := h.its[len(h.its)-1]
	h.its = h.its[:len(h.its)-1]
	return last
}

// Raw implements eventlog.Engine.
func (s *Store) Raw(_ context.Context, seq uint64) ([]byte, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	if st := s.State(); seq < st.Earliest || seq > st.Head {
		return nil, fmt.Errorf("raw body of record %d: %w", seq, eventlog.ErrNotFound)
	}
	value, closer, err := s.db.Get(seqKey(roomRaw, seq))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, fmt.Errorf("raw body of record %d: %w", seq, eventlog.ErrNotFound)
	}
	if err != nil {
		return nil, damaged(err)
	}
	return append([]byte(nil), value...), closer.Close()
}

// Find implements eventlog.Engine.
func (s *Store) Find(_ context.Context, eventID string, wants func(source, context string) bool) ([]uint64, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	st := s.State()
	var wanted []uint32
	all := wants == nil
	if !all {
		wanted, all = s.tenants.wanted(wants, math.MaxInt)
	}
	prefix := idPrefix(eventID) // a value of 8 bytes is from before the tenant was in it
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var seqs []uint64
	for it.First(); it.Valid(); it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return nil, damaged(err)
		}
		if !all && len(value) > 8 && !slices.Contains(wanted, binary.BigEndian.Uint32(value)) {
			continue
		}
		if seq := seqOf(value); seq >= st.Earliest && seq <= st.Head {
			seqs = append(seqs, seq)
		}
	}
	sort.Slice(seqs, func(i, j int) bool { return seqs[i] < seqs[j] })
	return seqs, damaged(it.Error())
}

// SeekTime implements eventlog.Engine.
func (s *Store) SeekTime(_ context.Context, t time.Time) (uint64, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	st := s.State()
	it, err := s.span(roomRecord, st.Earliest-1, st.Head)
	if err != nil {
		return 0, err
	}
	defer it.Close()
	n := int(st.Head + 1 - st.Earliest)
	i := sort.Search(n, func(i int) bool {
		if err != nil || !it.SeekGE(seqKey(roomRecord, st.Earliest+uint64(i))) {
			return true
		}
		at, e := receivedAt(it)
		err = errors.Join(err, e)
		return !at.Before(t)
	})
	return st.Earliest - 1 + uint64(i), errors.Join(err, damaged(it.Error()))
}
