package pebblestore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

const (
	// maxGroup and maxGroupBytes bound a batch, so that one group's fsync stays short.
	maxGroup      = 1024
	maxGroupBytes = 4 << 20
	// maxWaiting and maxWaitingBytes bound what waits while the disk is slow.
	maxWaiting      = 16384
	maxWaitingBytes = 64 << 20
	// maxRecent and maxRecentBytes bound what is kept for a follower that is behind; further back it reads the store.
	maxRecent      = 8192
	maxRecentBytes = 16 << 20
)

// pending is one append that waits for its group.
type pending struct {
	rec   *eventlog.Record
	size  int
	done  chan outcome // buffered: the committer never waits for an appender that has given up
	limit *time.Timer  // of the wait; stopped while there is none
}

func newPending() any {
	p := &pending{done: make(chan outcome, 1), limit: time.NewTimer(time.Hour)}
	p.limit.Stop()
	return p
}

type outcome struct {
	dup bool
	err error
}

// committer is the queue of appends. One loop empties it.
type committer struct {
	mu     sync.Mutex
	queue  []*pending
	bytes  int
	closed bool
	last   int // how many the last group had
	wake   chan struct{}
}

func (c *committer) init() { c.wake = make(chan struct{}, 1) }

func (c *committer) add(p *pending) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("%w: it is closed", eventlog.ErrFailed)
	}
	if len(c.queue) >= maxWaiting || c.bytes+p.size > maxWaitingBytes {
		return fmt.Errorf("%w: %d records wait for the disk", eventlog.ErrBusy, len(c.queue))
	}
	c.queue = append(c.queue, p)
	c.bytes += p.size
	c.signal()
	return nil
}

func (c *committer) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// take returns the next group, and whether the loop is to end after it.
func (c *committer) take() (group []*pending, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, size := 0, 0
	for n < min(len(c.queue), maxGroup) && (n == 0 || size+c.queue[n].size <= maxGroupBytes) {
		size += c.queue[n].size
		n++
	}
	group = c.queue[:n:n]
	c.queue = c.queue[n:]
	c.bytes -= size
	c.last = n
	if len(c.queue) > 0 {
		c.signal()
	} else {
		c.queue = nil
	}
	return group, c.closed && len(c.queue) == 0
}

// gather lets those run that are about to append. Senders that were answered together come back together: the first of them committed alone would have the
// others wait for two syncs. As many as came together the last time are enough: whoever comes then is on the way with the others that were answered just now. It
// does not sleep, so that one who sends alone waits for nobody.
func (c *committer) gather() {
	for before := 0; ; {
		c.mu.Lock()
		n := len(c.queue)
		c.mu.Unlock()
		if n == before || n >= min(c.last, maxGroup) && n > 0 {
			return
		}
		before = n
		runtime.Gosched()
	}
}

func (c *committer) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.signal()
}

// Append implements eventlog.Engine. r must not be changed afterwards, whatever is returned.
func (s *Store) Append(ctx context.Context, r *eventlog.Record) (bool, error) {
	if err := s.State().Err; err != nil {
		return false, err
	}
	p := s.pendings.Get().(*pending)
	p.rec, p.size = r, len(r.Body)+len(r.Raw)+512
	if err := s.commits.add(p); err != nil {
		return false, err
	}
	p.limit.Reset(s.opt.AppendTimeout)
	select {
	case o := <-p.done:
		p.limit.Stop()
		p.rec = nil
		s.pendings.Put(p)
		return o.dup, o.err
	case <-p.limit.C:
		return false, fmt.Errorf("%w: not durable after %s", eventlog.ErrBusy, s.opt.AppendTimeout)
	case <-ctx.Done():
		p.limit.Stop()
		return false, ctx.Err()
	}
}

func (s *Store) commitLoop() {
	for range s.commits.wake {
		s.commits.gather()
		group, last := s.commits.take()
		if len(group) > 0 {
			s.commitGroup(group)
		}
		if last {
			return
		}
	}
}

// commitGroup makes one group durable and answers it. Nobody is answered before the fsync: not the appender, not its duplicates.
func (s *Store) commitGroup(group []*pending) {
	s.use.RLock()
	defer s.use.RUnlock()
	g := groupWrite{s: s}
	err := g.commit(group)
	for i, p := range group {
		p.done <- outcome{dup: err == nil && g.dups[i], err: err}
	}
}

// groupWrite is one group on its way to the disk.
type groupWrite struct {
	s           *Store
	identity    []byte // a new one, durable together with the group, or nil
	earliest    uint64
	first       uint64
	now         time.Time
	stored      []eventlog.Stored
	dups        []bool          // by place in the group
	seen        map[unique]bool // of this group
	value       []byte          // the last record's; its memory is used again
	quarantined holdings
	settled     holdings
	settledSeqs []uint64
}

// unique is what two records have in common if one is a duplicate of the other.
type unique struct {
	eventID   string
	duplicate [16]byte
}

// commit makes the group durable and shows it.
func (g *groupWrite) commit(group []*pending) error {
	s := g.s
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.checkRoom(); err != nil {
		return err
	}
	s.mu.Lock()
	g.earliest, g.first, g.now = s.state.Earliest, s.state.Head+1, s.opt.Now().UTC()
	if g.now.Before(s.state.HeadAt) {
		g.now = s.state.HeadAt // the clock may step back; the log's times do not
	}
	s.mu.Unlock()
	g.dups, g.seen, g.stored = make([]bool, len(group)), make(map[unique]bool, len(group)), make([]eventlog.Stored, 0, len(group))
	g.quarantined, g.settled = make(holdings), make(holdings)
	if err := g.write(group); err != nil {
		return s.fail(err)
	}
	s.publish(g)
	return nil
}

func (g *groupWrite) write(group []*pending) error {
	s := g.s
	b := s.db.NewBatch()
	defer b.Close()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{roomDuplicate}, UpperBound: []byte{roomDuplicate + 1}, UseL6Filters: true})
	if err != nil {
		return err
	}
	for i, p := range group {
		g.dups[i], err = g.add(b, it, p.rec)
		if err = errors.Join(err, g.settle(b, p.rec.Settles)); err != nil {
			break
		}
	}
	if err := errors.Join(err, it.Close()); err != nil {
		return err
	}
	if b.Empty() {
		return nil
	}
	if g.identity != nil {
		if err := errors.Join(b.Set(keyFormat, formatValue(s.format), nil), b.Set(keyIdentity, g.identity, nil)); err != nil {
			return err
		}
	}
	begin := time.Now()
	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return err
	}
	if err := b.SyncWait(); err != nil {
		return err
	}
	s.opt.Committed(time.Since(begin))
	return nil
}

// add puts one record into the batch, unless it is a duplicate.
func (g *groupWrite) add(b *pebble.Batch, dups *pebble.Iterator, r *eventlog.Record) (dup bool, err error) {
	seq := g.first + uint64(len(g.stored))
	key, id, once := duplicateKey(r.Keys.EventID, r.Duplicate), unique{r.Keys.EventID, r.Duplicate}, r.Duplicate != [16]byte{}
	if once {
		if g.seen[id] {
			return true, nil
		}
		if dup, err := g.stands(dups, key); dup || err != nil {
			return dup, err
		}
		g.seen[id] = true
	}
	tenant, fresh := g.s.tenants.id(eventlog.Tenant{Source: r.Keys.Source, Context: r.Keys.Context})
	if fresh {
		err = b.Set(tenantKey(tenant), tenantValue(r.Keys.Source, r.Keys.Context), nil)
	}
	if once {
		value := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(make([]byte, 0, 12), tenant), seq)
		err = errors.Join(err, b.Set(key, value, nil))
	}
	g.value = eventlog.EncodeRecord(g.value[:0], r, g.now)
	err = errors.Join(err, b.Set(seqKey(roomRecord, seq), g.value, nil), b.Set(indexKey(tenant, seq), nil, nil))
	if len(r.Raw) > 0 {
		err = errors.Join(err, b.Set(seqKey(roomRaw, seq), r.Raw, nil))
	}
	if r.Quarantine != nil {
		note := quarantineNote{Quarantine: *r.Quarantine, BodySize: len(r.Raw), Source: r.Keys.Source}
		err = errors.Join(err, setNote(b, seq, &note))
		g.quarantined.add(&note)
	}
	g.stored = append(g.stored, eventlog.Stored{
		Seq: seq, ReceivedAt: g.now, Kind: r.Kind, Keys: r.Keys, Duplicate: r.Duplicate, Body: r.Body,
		Retries: min(r.Retries, eventlog.MaxRetries), Reprocessed: r.Settles != 0, Traced: r.Traced,
	})
	return false, err
}

// stands says whether the key is of a record that is still kept.
func (g *groupWrite) stands(dups *pebble.Iterator, key []byte) (bool, error) {
	// SeekPrefixGE consults the bloom filters of all levels, Get does not in the last.
	if !dups.SeekPrefixGE(key) || !bytes.Equal(dups.Key(), key) {
		return false, dups.Error()
	}
	value, err := dups.ValueAndErr()
	return err == nil && seqOf(value) >= g.earliest, err
}

// publish moves the durable head over the group and wakes the follower.
func (s *Store) publish(g *groupWrite) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quarantine.merge(g.quarantined)
	s.quarantine.remove(g.settled)
	if len(g.stored) == 0 {
		return
	}
	last := &g.stored[len(g.stored)-1]
	s.state.Head, s.state.HeadAt = last.Seq, last.ReceivedAt
	if s.state.EarliestAt.IsZero() {
		s.state.EarliestAt = g.stored[0].ReceivedAt
	}
	for i := range g.stored {
		s.recentBytes += len(g.stored[i].Body) + 128
	}
	if len(s.recent) == 0 {
		s.recent = g.stored
	} else {
		s.recent = append(s.recent, g.stored...)
	}
	if len(s.recent) > maxRecent || s.recentBytes > maxRecentBytes {
		s.recent, s.recentBytes = nil, 0 // the follower is far behind and reads the store
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// Failures counts the writes that failed since the store was opened: for want of room, and otherwise.
func (s *Store) Failures() (full, failed uint64) { return s.outOfRoom.Load(), s.failures.Load() }

// fail stops the store: what Pebble holds after a failed write is not known to be on disk. It returns the error for those who wait.
func (s *Store) fail(cause error) error {
	kind, advice := eventlog.ErrFailed, "look at the disk, then start the gateway again"
	if errors.Is(cause, syscall.ENOSPC) {
		kind, advice = eventlog.ErrFull, "make room, and it goes on by itself"
		s.diskFull.Store(true)
		s.outOfRoom.Add(1)
	} else {
		s.failures.Add(1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Not even room on the disk again makes a failure go away.
	if known := s.state.Err; !errors.Is(known, eventlog.ErrFailed) && !errors.Is(known, kind) {
		s.state.Err = fmt.Errorf("%w: %w; %s", kind, cause, advice)
		s.log.Error("the log takes no more events", "error", s.state.Err)
	}
	return s.state.Err
}
