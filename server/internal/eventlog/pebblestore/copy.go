package pebblestore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

const (
	// copyChunk is how much a copy reads at a time. It is all that it keeps in memory.
	copyChunk = 1 << 20
	// copyStall is how long whoever takes the copy may take nothing. What was trimmed since it began stays on the disk for as long as it is under way.
	copyStall = time.Minute
)

// copying is a copy under way: a view of the store, and where in it the copy stands.
type copying struct {
	head uint64

	mu    sync.Mutex
	snap  *pebble.Snapshot // nil: it has ended; guarded by mu
	cause error            // why; guarded by mu
	next  []byte           // the key to go on from, nil behind the last; guarded by mu
	seq   uint64           // of the last record; guarded by mu
	taken time.Time        // when the last chunk was handed out, zero while one is read; guarded by mu

	keys, values [][]byte // a chunk's, in buf
	buf          []byte
}

// Copy implements eventlog.Engine. It reads all there is, as everybody else does, so that a log that is damaged is noticed here, and nothing that was deleted
// is in the copy.
func (s *Store) Copy(ctx context.Context, start func(eventlog.Copied) error, pair func(key, value []byte) error) error {
	c, about, err := s.beginCopy()
	if err != nil {
		return err
	}
	defer s.endCopy(nil)
	if err := start(about); err != nil {
		return err
	}
	for {
		began := time.Now()
		more, err := c.read()
		if err != nil {
			return err
		}
		for i, key := range c.keys {
			if err := errors.Join(ctx.Err(), pair(key, c.values[i])); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		// Half of a processor at the most: who waits for what comes now goes first.
		rest := time.NewTimer(time.Since(began))
		select {
		case <-ctx.Done():
		case <-rest.C:
		}
		rest.Stop()
	}
}

// beginCopy takes a view of the store as it is between two groups: all that is in it is durable. After a failed write it is not, and copied is what
// lies before.
func (s *Store) beginCopy() (*copying, eventlog.Copied, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	s.writing.Lock()
	defer s.writing.Unlock()
	s.copyMu.Lock()
	defer s.copyMu.Unlock()
	if s.copying != nil {
		return nil, eventlog.Copied{}, fmt.Errorf("%w: another copy is being made; wait for its end", eventlog.ErrBusy)
	}
	st := s.State()
	about := eventlog.Copied{Format: s.format, At: s.opt.Now().UTC(), Epoch: s.currentEpoch(), Head: st.Head, Records: st.Head + 1 - st.Earliest}
	if st.HeadAt.After(about.At) {
		about.At = st.HeadAt
	}
	s.copying = &copying{head: st.Head, seq: st.Earliest - 1, snap: s.db.NewSnapshot(), next: []byte{0}}
	return s.copying, about, nil
}

// endCopy ends the copy under way, if there is one; its next step returns the cause.
func (s *Store) endCopy(cause error) {
	s.copyMu.Lock()
	c := s.copying
	if cause == nil {
		s.copying = nil // its maker's own call
	}
	s.copyMu.Unlock()
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snap != nil {
		_ = c.snap.Close()
		c.snap, c.cause = nil, cause
	}
}

// tendCopy ends a copy that keeps the disk full, or that nobody takes.
func (s *Store) tendCopy() {
	s.copyMu.Lock()
	c := s.copying
	s.copyMu.Unlock()
	if c == nil {
		return
	}
	c.mu.Lock()
	stalled := !c.taken.IsZero() && time.Since(c.taken) > copyStall
	c.mu.Unlock()
	switch free := s.State().FreeBytes; {
	case free < s.opt.MinFree+s.opt.MinFree/2:
		s.endCopy(fmt.Errorf("%w: %d bytes are free on its disk, and the copy kept what was trimmed meanwhile; make room and begin again", eventlog.ErrFull, free))
	case stalled:
		s.endCopy(fmt.Errorf("%w: nothing of the copy was taken for %s; begin again", eventlog.ErrBusy, copyStall))
	}
}

// read fills the next chunk and says whether there are more.
func (c *copying) read() (more bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snap == nil {
		return false, c.cause
	}
	c.taken = time.Time{}
	defer func() { c.taken = time.Now() }()
	c.keys, c.values, c.buf = c.keys[:0], c.values[:0], c.buf[:0]
	it, err := c.snap.NewIter(&pebble.IterOptions{LowerBound: c.next})
	if err != nil {
		return false, damaged(err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		key := it.Key()
		if len(c.buf) >= copyChunk {
			c.next = append(c.next[:0:0], key...)
			return true, nil
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return false, c.damage(err.Error())
		}
		if !within(key, value, c.head) {
			continue
		}
		if key[0] == roomRecord {
			if seq := seqOf(key); seq != c.seq+1 {
				return false, &eventlog.DamageError{From: c.seq + 1, To: seq - 1, Cause: "the records are missing"}
			}
			c.seq++
		}
		c.keys, c.values = append(c.keys, c.keep(key)), append(c.values, c.keep(value))
	}
	if err := it.Error(); err != nil {
		return false, c.damage(err.Error())
	}
	if c.seq != c.head {
		return false, &eventlog.DamageError{From: c.seq + 1, To: c.head, Cause: "the records are missing"}
	}
	return false, nil
}

func (c *copying) damage(cause string) error {
	return fmt.Errorf("%w: %s; headgated verify tells which records it concerns", eventlog.ErrDamaged, cause)
}

// keep copies bytes of an iterator's. A buffer that had to grow leaves what it had to those that have it.
func (c *copying) keep(b []byte) []byte {
	at := len(c.buf)
	c.buf = append(c.buf, b...)
	return c.buf[at:len(c.buf):len(c.buf)]
}

// within says whether a pair belongs to the log up to the head. Behind that there is something only after a failed write.
func within(key, value []byte, head uint64) bool {
	if len(key) < 9 {
		return true
	}
	switch key[0] {
	case roomRecord, roomRaw, roomQuarantine, roomIndex:
		return seqOf(key) <= head
	case roomDuplicate:
		return len(value) < 8 || binary.BigEndian.Uint64(value[len(value)-8:]) <= head
	}
	return true
}
