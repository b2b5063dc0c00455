package access

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// watchLine is how often the audit has a line of one watch.
	watchLine = time.Minute
	// maxWatches is how many are known at a time. Those beyond have a line of each call.
	maxWatches = 1000
)

// watch is somebody who asks for the same again and again.
type watch struct {
	reader, credential, method string
	from                       netip.Addr
}

// watches say which of their calls the audit has a line of. The zero value is ready.
type watches struct {
	mu sync.Mutex
	// last is guarded by mu, with what is in it.
	last map[watch]*watched
}

type watched struct {
	at       time.Time // of the last line
	repeated int       // calls since then
}

// allow counts a call and says whether it gets a line: the first, and then one a minute. more is what the line must say besides: how many had none since the last.
func (w *watches) allow(who watch, at time.Time) (more []any, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.last[who]
	if one == nil {
		if one = w.addLocked(who, at); one == nil {
			return nil, true
		}
	} else if at.Sub(one.at) < watchLine {
		one.repeated++
		return nil, false
	}
	if one.repeated > 0 {
		more = []any{"repeated", one.repeated}
	}
	one.at, one.repeated = at, 0
	return more, true
}

// addLocked returns nil when there are too many already.
func (w *watches) addLocked(who watch, at time.Time) *watched {
	if len(w.last) >= maxWatches {
		for old, one := range w.last {
			if at.Sub(one.at) >= watchLine {
				delete(w.last, old)
			}
		}
		if len(w.last) >= maxWatches {
			return nil
		}
	}
	if w.last == nil {
		w.last = make(map[watch]*watched)
	}
	one := &watched{}
	w.last[who] = one
	return one
}
