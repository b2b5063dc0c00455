// Package eventlog is the log: records in one order, durable, retained, read by any number of readers from any place.
//
// An engine below makes records durable. The Log above follows it, builds each record's frame once, keeps the newest ones in a shared tail, and
// wakes who waits. A reader is a position, not a queue: it reads after its position, and waits when there is nothing more.
package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Options say how a Log runs.
type Options struct {
	// TailBytes is how much memory the shared tail takes. Default 32 MiB.
	TailBytes int
	Retention Retention
	// Logger gets what an operator should know. Default: none.
	Logger *slog.Logger
	// Now is the clock of the retention. Default time.Now.
	Now func() time.Time
}

// Log is safe for concurrent use.
type Log struct {
	engine  Engine
	opt     Options
	cursors *cursors
	tail    tail
	excess  chan struct{} // something was quarantined: the bound may be passed
	dropped atomic.Uint64 // quarantined bodies

	erasures atomic.Uint64
	memory   atomic.Uint64 // reads from the tail
	disk     atomic.Uint64 // reads by the engine

	wasPressed bool          // retain's alone
	early      atomic.Uint64 // records trimmed before their time
	busySince  atomic.Int64  // when an append was last not durable in time, in Unix nanoseconds; 0: one has been since

	mu       sync.Mutex
	changed  chan struct{}   // closed and replaced when the head moves; guarded by mu
	watchers []func([]Frame) // guarded by mu
}

// Open returns a log over the engine, whose owner the caller stays. Run must be called for appended records to become visible.
func Open(engine Engine, opt Options) (*Log, error) {
	if opt.TailBytes == 0 {
		opt.TailBytes = 32 << 20
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	c, err := newCursors(engine.Identity())
	if err != nil {
		return nil, err
	}
	l := &Log{engine: engine, opt: opt, cursors: c, changed: make(chan struct{}), excess: make(chan struct{}, 1)}
	l.tail.limit = opt.TailBytes
	st := engine.State()
	l.tail.head, l.tail.headAt = st.Head, st.HeadAt
	return l, nil
}

// Run follows the engine and applies the retention until ctx ends.
func (l *Log) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	retaining, cancel := context.WithCancel(ctx)
	if l.opt.Retention != (Retention{}) { // without any limit there is nothing to look at, four times a second
		wg.Go(func() { l.retain(retaining) })
	}
	err := l.follow(ctx)
	cancel() // a log that can no longer be followed must say so
	wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (l *Log) follow(ctx context.Context) error {
	fr := framer{cursors: l.cursors, kept: true}
	return l.engine.Follow(ctx, l.Head(), func(group []Stored) error {
		frames := make([]Frame, len(group))
		for i := range group {
			frames[i] = fr.build(&group[i])
			if group[i].Kind == KindGap {
				l.checkQuarantine()
			}
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.tail.add(frames)
		for _, watch := range l.watchers {
			watch(frames)
		}
		close(l.changed)
		l.changed = make(chan struct{})
		return nil
	})
}

// Append makes the record durable and returns, or reports that it already was. ErrFull, ErrFailed, ErrBusy; after ErrBusy and after a context
// error the outcome is unknown and a retry is safe. r must not be changed afterwards.
func (l *Log) Append(ctx context.Context, r *Record) (dup bool, err error) {
	rec := *r // the caller's may still be on its way from an append that was given up
	rec.Keys.Shard = rec.Keys.shardHash()
	dup, err = l.engine.Append(ctx, &rec)
	l.note(err)
	return dup, err
}

// slowFor is how long a log whose disk was too slow is called so, unless an append shows otherwise: where nobody asks whoever is not ready, none comes.
const slowFor = 30 * time.Second

// note takes down how an append ended, and says when the disk becomes too slow and when it no longer is.
func (l *Log) note(err error) {
	switch {
	case err == nil && l.busySince.Load() != 0 && l.busySince.Swap(0) != 0:
		l.opt.Logger.Info("the log's disk is fast enough again")
	case errors.Is(err, ErrBusy):
		known := l.Slow() != nil
		if l.busySince.Swap(l.opt.Now().UnixNano()); !known {
			l.opt.Logger.Error("the log's disk is too slow: webhooks are answered with 503, and the CRM tries each twice more; look what else uses it", "error", err)
		}
	}
}

// Slow returns an ErrBusy while the disk is too slow.
func (l *Log) Slow() error {
	at := l.busySince.Load()
	if at == 0 || l.opt.Now().Sub(time.Unix(0, at)) > slowFor {
		return nil
	}
	return fmt.Errorf("%w: its disk takes longer than an event may wait; look what else uses it", ErrBusy)
}

// TrimmedEarly counts the records that were trimmed before their time since the log was opened: for its size, or for room on the disk.
func (l *Log) TrimmedEarly() uint64 { return l.early.Load() }

// Head returns the sequence of the newest record that readers may see.
func (l *Log) Head() uint64 {
	head, _ := l.tail.top()
	return head
}

// CatchUp waits until all that was durable when it was called is visible. Whoever was told that an event is stored finds it afterwards.
func (l *Log) CatchUp(ctx context.Context) error {
	durable := l.engine.State().Head
	for {
		changed := l.Changed()
		if l.Head() >= durable {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Watch has fn called with each group of records that becomes visible behind head, once, in order, when it can be read already. fn must be quick and must
// not call Changed or CatchUp.
func (l *Log) Watch(fn func([]Frame)) (head uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers = append(l.watchers, fn)
	return l.Head()
}

// Changed returns a channel that is closed when the head moves. Take it before looking at the head.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Chunk is what one Read found.
type Chunk struct {
	// Frames are in order. They may hold records that wants refuses. Shared: not to be changed.
	Frames []Frame
	// Through is how far the read looked: behind the last frame, up to Through, there is nothing wanted.
	Through uint64
	// AtHead: when it was read, there was nothing behind Through.
	AtHead bool
	// At is when a record at or before Through was received, as near to Through as is known; zero when none is.
	At time.Time
}

// A chunk is small: what is built of one keeps a processor from those who wait for what comes now.
const (
	chunkRecords = 64
	chunkBytes   = 256 << 10
)

// Read returns some of the records after the sequence, from the shared tail if it reaches back so far, else from the engine, which may leave out
// tenants that wants refuses. At the head it returns an empty chunk. It does not wait for new records. ErrTrimmed, ErrDamaged.
func (l *Log) Read(ctx context.Context, after uint64, wants func(source, context string) bool) (Chunk, error) {
	if c, ok := l.tail.read(after); ok {
		l.memory.Add(1)
		return c, nil
	}
	return l.ReadStored(ctx, after, wants)
}

// ReadStored is Read by the engine, whatever the tail holds: how far one call looks then depends on nothing but what wants takes, while there are few tenants of
// those.
func (l *Log) ReadStored(ctx context.Context, after uint64, wants func(source, context string) bool) (Chunk, error) {
	l.disk.Add(1)
	head, headAt := l.tail.top()
	fr := framer{cursors: l.cursors}
	var c Chunk
	size, beyond := 0, false
	through, err := l.engine.Read(ctx, after, wants, func(st Stored) bool {
		if st.Seq > head { // durable, but not yet shown to anybody
			beyond = true
			return false
		}
		c.Frames = append(c.Frames, fr.build(&st))
		size += len(st.Body)
		return len(c.Frames) < chunkRecords && size < chunkBytes
	})
	if beyond || through > head {
		through = head
	}
	c.Through, c.AtHead = through, through == head
	if n := len(c.Frames); n > 0 {
		c.At = c.Frames[n-1].ReceivedAt
	}
	if through == head {
		c.At = headAt
	}
	if err != nil && len(c.Frames) > 0 && errors.Is(err, ErrDamaged) {
		return c, nil // what stands before the damage is whole; the next read meets it again
	}
	return c, err
}

// Reads counts what Read took from the shared tail, and what it and ReadStored had the engine read.
func (l *Log) Reads() (memory, disk uint64) { return l.memory.Load(), l.disk.Load() }

// InMemory says whether Read after the sequence takes what it returns from the shared tail.
func (l *Log) InMemory(after uint64) bool {
	_, ok := l.tail.after(after)
	return ok
}

// Position returns a fresh cursor of the place just after the sequence. It is for all but events: no two are equal, so whoever may not know of the
// records there cannot see from it that there are any.
func (l *Log) Position(seq uint64) string { return l.cursors.position(seq) }

// Cursor returns the cursor of the record at the sequence, the same one always.
func (l *Log) Cursor(seq uint64) string {
	return string(l.cursors.append(make([]byte, 0, CursorSize), seq))
}

// Locate returns the sequence that a cursor of either kind stands for. ErrCursorMalformed, ErrCursorForeign. Whether the records after it are still kept, Read
// tells.
func (l *Log) Locate(cursor string) (uint64, error) {
	seq, err := l.cursors.parse(cursor)
	if err != nil {
		return 0, err
	}
	if seq > l.Head() {
		return 0, fmt.Errorf("%w: it stands beyond the newest record", ErrCursorForeign)
	}
	return seq, nil
}

// LocateRecord returns the sequence of the record that the cursor is of. The errors of Locate; ErrNotFound for a position's, as it would tell
// which record is the last before it.
func (l *Log) LocateRecord(cursor string) (uint64, error) {
	seq, err := l.Locate(cursor)
	if err == nil && len(cursor) != CursorSize {
		return 0, fmt.Errorf("record: %w", ErrNotFound)
	}
	return seq, err
}

// Get returns the record at the sequence. ErrNotFound, ErrTrimmed, ErrDamaged.
func (l *Log) Get(ctx context.Context, seq uint64) (Frame, error) {
	if seq == 0 || seq > l.Head() {
		return Frame{}, fmt.Errorf("record: %w", ErrNotFound)
	}
	if frames, ok := l.tail.after(seq - 1); ok {
		return frames[0], nil
	}
	fr := framer{cursors: l.cursors, single: true}
	var f Frame
	_, err := l.engine.Read(ctx, seq-1, nil, func(st Stored) bool {
		f = fr.build(&st)
		return false
	})
	if err == nil && f.Seq != seq {
		err = fmt.Errorf("record: %w", ErrTrimmed)
	}
	return f, err
}

// Epoch names the log's current epoch.
func (l *Log) Epoch() string { return l.cursors.epoch() }

// State returns where the log stands, with the head that readers see.
func (l *Log) State() State {
	head, headAt := l.tail.top()
	st := l.engine.State()
	st.Head, st.HeadAt = head, headAt
	if head < st.Earliest {
		st.HeadAt = time.Time{}
	}
	return st
}

// Trimmed returns the newest trimmed record of a tenant that wants takes (nil: of any), and when it was received; zero when none was trimmed.
// Whoever stands before it has lost something.
func (l *Log) Trimmed(wants func(source, context string) bool) (seq uint64, at time.Time) {
	return l.engine.Trimmed(wants)
}

// Tenants returns every (source, context) that records were appended for.
func (l *Log) Tenants() []Tenant { return l.engine.Tenants() }

// Raw returns the raw body that was appended with the record. ErrNotFound.
func (l *Log) Raw(ctx context.Context, seq uint64) ([]byte, error) { return l.engine.Raw(ctx, seq) }

// Find returns the sequences of the events with that id of the CRM's, ascending; those of tenants that wants refuses are left out (nil: none).
func (l *Log) Find(ctx context.Context, eventID string, wants func(source, context string) bool) ([]uint64, error) {
	seqs, err := l.engine.Find(ctx, eventID, wants)
	for head := l.Head(); len(seqs) > 0 && seqs[len(seqs)-1] > head; {
		seqs = seqs[:len(seqs)-1]
	}
	return seqs, err
}

// SeekTime returns the sequence after which all records were received at t or later.
func (l *Log) SeekTime(ctx context.Context, t time.Time) (uint64, error) {
	after, err := l.engine.SeekTime(ctx, t)
	return min(after, l.Head()), err
}

// Erase replaces the records by ones of kind erased, in the engine and in the tail. ErrNotFound beyond the head.
func (l *Log) Erase(ctx context.Context, seqs []uint64) error {
	// A record on its way from the engine to the tail would come to stand there after all.
	for head, i := l.Head(), 0; i < len(seqs); i++ {
		if seqs[i] > head {
			return fmt.Errorf("record %d: %w", seqs[i], ErrNotFound)
		}
	}
	err := l.engine.Erase(ctx, seqs)
	l.tail.reset()
	l.erasures.Add(1)
	return err
}

// Erasures counts the erasures that took place. Whoever keeps frames for later takes it before reading them, and reads them anew when it has changed.
func (l *Log) Erasures() uint64 { return l.erasures.Load() }

// Purge returns when no file of the log holds any more what was erased or trimmed before. It can take minutes, and goes on when ctx ends.
func (l *Log) Purge(ctx context.Context) error { return l.engine.Purge(ctx) }
