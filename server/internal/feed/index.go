package feed

import (
	"sync"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// index holds the streams that wait at the head, by what they wait for. Whoever appends looks up who wants the records and wakes those, so that a
// record costs nothing to streams that it does not concern. A stream that is woken is told where its first record is, so that it never reads through what
// it slept through.
//
// One lock makes each of its steps whole: to wait, to look records up, to be woken. A stream that waits has passed everything up to where it waits, and the
// index is asked about every record behind that. So when it is roused without having been found, nothing up to head was for it.
type index struct {
	mu      sync.Mutex
	head    uint64                     // records up to here were looked up; guarded by mu
	waiting map[eventlog.Tenant]*entry // the first of each tenant's; guarded by mu
	wakes   uint64                     // guarded by mu
}

// waiter is one stream's side.
type waiter struct {
	sleeper sleeper
	// What it waits for. Not to be changed while it waits.
	entries []entry

	// Guarded by the index's mu. One that is woken may look at passed until it waits again.
	waits  bool
	roused bool   // it was roused while it did not wait
	passed uint64 // it has passed everything up to here
}

// sleeper is the stream itself.
type sleeper interface {
	// wants says whether the stream gets the record.
	wants(f *eventlog.Frame) bool
	// wake is called once for each wait, which is then over. It must be quick and must not call the index.
	wake()
}

// entry is a waiter in the list of those that wait for one tenant.
type entry struct {
	tenant     eventlog.Tenant // an empty source or context stands for any
	waiter     *waiter
	prev, next *entry // guarded by the index's mu
}

func newIndex() *index {
	return &index{waiting: make(map[eventlog.Tenant]*entry)}
}

// follow has the index asked about all records from now on.
func (x *index) follow(log Log) {
	x.mu.Lock() // held until head is known: lookUp may be called before Watch returns
	defer x.mu.Unlock()
	x.head = log.Watch(x.lookUp)
}

// setTenants says what the waiter waits for: each tenant once.
func (w *waiter) setTenants(tenants []eventlog.Tenant) {
	w.entries = make([]entry, len(tenants))
	for i, t := range tenants {
		w.entries[i] = entry{tenant: t, waiter: w}
	}
}

// wait enters a stream that has passed everything up to pos. It refuses one that is behind what was looked up already: there may be something for it. And
// once, one that was roused since it waited.
func (x *index) wait(w *waiter, pos uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if pos < x.head || w.roused {
		w.roused = false
		return false
	}
	w.waits, w.passed = true, pos
	for i := range w.entries {
		x.enter(&w.entries[i])
	}
	return true
}

// rouse wakes a stream for another reason than a record. One that does not wait now will not before it has looked what there is.
func (x *index) rouse(w *waiter) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !w.waits {
		w.roused = true
		return
	}
	x.wake(w, max(w.passed, x.head))
}

// wake takes a stream out that has passed everything up to pos, and wakes it. mu is held.
func (x *index) wake(w *waiter, pos uint64) {
	for i := range w.entries {
		x.remove(&w.entries[i])
	}
	w.waits, w.passed = false, pos
	x.wakes++
	w.sleeper.wake()
}

// position is up to where a stream has passed everything, which says pos of itself.
func (x *index) position(w *waiter, pos uint64) uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !w.waits {
		return max(pos, w.passed)
	}
	return max(w.passed, x.head)
}

// anybody says whether a stream waits.
func (x *index) anybody() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.waiting) > 0
}

// woken counts the wakes.
func (x *index) woken() uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.wakes
}

// enter puts the entry first in its tenant's list. mu is held.
func (x *index) enter(e *entry) {
	if e.next = x.waiting[e.tenant]; e.next != nil {
		e.next.prev = e
	}
	x.waiting[e.tenant] = e
}

// remove takes the entry out of its tenant's list. mu is held.
func (x *index) remove(e *entry) {
	switch {
	case e.prev != nil:
		e.prev.next = e.next
	case e.next != nil:
		x.waiting[e.tenant] = e.next
	default:
		delete(x.waiting, e.tenant)
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	e.prev, e.next = nil, nil
}

// lookUp finds who waits for the records, which follow those of the call before, and wakes them.
func (x *index) lookUp(frames []eventlog.Frame) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range frames {
		f := &frames[i]
		if f.Keys.Source == "" || f.Keys.Context == "" { // it may concern many tenants
			for _, first := range x.waiting {
				x.find(first, f)
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

// find wakes those of a tenant's streams that want the record. They are not asked about later ones: the first tells them enough. mu is held.
func (x *index) find(first *entry, f *eventlog.Frame) {
	for e, next := first, (*entry)(nil); e != nil; e = next {
		next = e.next // a waiter is in each list once, so this one stays
		if w := e.waiter; f.Seq > w.passed && w.sleeper.wants(f) {
			x.wake(w, f.Seq-1)
		}
	}
}
