package upstream

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// lostAfter is how long the CRM tries: at once, after 1 s, and 4 s after that.
	lostAfter = 5 * time.Second
	// beatEvery is how often it is looked whether the gateway is ready, and written down that it was.
	beatEvery = time.Second
	// failedFor is for how long a webhook that could not be stored counts, if none is stored meanwhile: the CRM's last attempt comes within that.
	failedFor = 6 * time.Second
	// explainedFor is how long after the gateway was not ready retried webhooks are no wonder.
	explainedFor = 2 * lostAfter
)

// readiness knows when the gateway was last ready to store webhooks, over restarts too: a small file says so.
type readiness struct {
	file *os.File

	mu             sync.Mutex
	last           time.Time // when it was last ready; zero: not known
	stored, failed time.Time // the newest webhook that could be stored, and that could not
	stopped        bool
}

// beatSize is that of the file: Unix nanoseconds in digits, always as many, so that one write replaces them.
const beatSize = 20

// openReadiness reads the file, or makes it. What cannot be read is what a power cut left: then the newest record tells when the gateway was ready at least.
func openReadiness(path string, newest time.Time) (*readiness, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the file that says when the gateway was last ready: %w", err)
	}
	r := &readiness{file: f}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if len(text) == 0 {
		return r, nil // a new one
	}
	if nanos, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && nanos > 0 {
		r.last = time.Unix(0, nanos).UTC()
	}
	if newest.After(r.last) {
		r.last = newest
	}
	return r, nil
}

// tell takes note that a webhook was stored, or could not be.
func (r *readiness) tell(stored bool, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stored {
		r.stored = at
	} else {
		r.failed = at
	}
}

// look says whether the gateway is ready, and if it was not before, since when. problem is why the log takes nothing, if it does not.
func (r *readiness) look(problem error, now time.Time) (ready bool, away window) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped || problem != nil || r.failed.After(r.stored) && now.Sub(r.failed) < failedFor {
		return false, window{}
	}
	if !r.last.IsZero() && now.Sub(r.last) > 2*beatEvery {
		away = window{r.last, now}
	}
	return true, away
}

// explains says whether the CRM must have tried again what came at the time because the gateway could not store it just before.
func (r *readiness) explains(at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !at.Before(r.failed) && at.Sub(r.failed) < explainedFor || !r.last.IsZero() && at.Sub(r.last) > 2*beatEvery
}

// beat writes down that the gateway is ready.
func (r *readiness) beat(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.beatLocked(now)
}

func (r *readiness) beatLocked(now time.Time) error {
	r.last = now
	_, err := r.file.WriteAt(fmt.Appendf(nil, "%0*d\n", beatSize, now.UnixNano()), 0)
	return err
}

// stop writes down that the gateway is ready no longer than now, if it is.
func (r *readiness) stop(problem error, now time.Time) error {
	ready, away := r.look(problem, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return nil
	}
	r.stopped = true
	if !ready || away != (window{}) {
		return nil // it was not, and whoever starts next tells so
	}
	return r.beatLocked(now)
}

func (r *readiness) close() error { return r.file.Close() }
