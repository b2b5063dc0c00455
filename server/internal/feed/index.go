package feed

import (
	"sync"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// index holds the streams that wait at the head, by what they wait for. Whoever appends looks up who wants the records and wakes those, so that a
// record costs nothing to streams that it does not concern. A stream that is woken is told where its first record is, so that it never reads through what
// it slept through.
//
// One lock makes each of its steps whole: to wait, to look records up, to go on. A stream that waits has passed everything up to where it waits, and the
// index is asked about every record behind that. So when it goes on without having been found, nothing up to head was for it.
type index struct {
	mu      sync.Mutex
	head    uint64 // records up to here were looked up; guarded by mu
	waiting map[eventlog.Tenant]map[*waiter]struct{}
}

// waiter is one stream's side.
type waiter struct {
	wake chan struct{} // gets one when the stream is found
	// What it waits for. An empty source or context stands for any. Not to be changed while it waits.
	tenants []eventlog.Tenant
	matches func(f *eventlog.Frame) bool

	// Guarded by the index's mu.
	waits bool
	after uint64 // it has passed everything up to here
	found uint64 // its first record, 0: none yet
}

func newIndex() *index {
	return &index{waiting: make(map[eventlog.Tenant]map[*waiter]struct{})}
}

// follow has the index asked about all records from now on.
func (x *index) follow(log Log) {
	x.mu.Lock() // held until head is known: lookUp may be called before Watch returns
	defer x.mu.Unlock()
	x.head = log.Watch(x.lookUp)
}

func newWaiter() *waiter { return &waiter{wake: make(chan struct{}, 1)} }

// wait enters a stream that has passed everything up to pos. It refuses one that is behind what was looked up already: there may be something for it.
func (x *index) wait(w *waiter, pos uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if pos < x.head {
		return false
	}
	w.waits, w.after, w.found = true, pos, 0
	for _, t := range w.tenants {
		if x.waiting[t] == nil {
			x.waiting[t] = make(map[*waiter]struct{})
		}
		x.waiting[t][w] = struct{}{}
	}
	return true
}

// goOn takes a stream out and returns up to where it has now passed everything.
func (x *index) goOn(w *waiter) (pos uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(w)
	select {
	case <-w.wake:
	default:
	}
	return x.passed(w)
}

// passed is up to where the stream has passed everything: to just before its first record, else to the head. mu is held.
func (x *index) passed(w *waiter) uint64 {
	if w.found > 0 {
		return w.found - 1
	}
	return max(w.after, x.head)
}

// position is passed for a stream that waits, and pos for one that does not.
func (x *index) position(w *waiter, pos uint64) uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !w.waits {
		return pos
	}
	return x.passed(w)
}

func (x *index) remove(w *waiter) {
	w.waits = false
	for _, t := range w.tenants {
		delete(x.waiting[t], w)
		if len(x.waiting[t]) == 0 {
			delete(x.waiting, t)
		}
	}
}

// lookUp finds who waits for the records, which follow those of the call before, and wakes them.
func (x *index) lookUp(frames []eventlog.Frame) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range frames {
		f := &frames[i]
		if f.Keys.Source == "" || f.Keys.Context == "" { // it may concern many tenants
			for _, waiters := range x.waiting {
				x.find(waiters, f)
			}
			continue
		}
		for _, t := range [...]eventlog.Tenant{
			{Source: f.Keys.Source, Context: f.Keys.Context}, {Source: f.Keys.Source}, {Context: f.Keys.Context}, {},
		} {
			x.find(x.waiting[t], f)
		}
	}
	if n := len(frames); n > 0 {
		x.head = frames[n-1].Seq
	}
}

// find wakes those of the streams that want the record. They are not asked about later ones: the first tells them enough.
func (x *index) find(waiters map[*waiter]struct{}, f *eventlog.Frame) {
	for w := range waiters {
		if f.Seq <= w.after || w.found > 0 || !w.matches(f) {
			continue
		}
		w.found = f.Seq
		for _, t := range w.tenants {
			delete(x.waiting[t], w)
		}
		w.wake <- struct{}{} // there is room: it gets one while it waits
	}
}
