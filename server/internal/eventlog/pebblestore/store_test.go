package pebblestore

import (
	"flag"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/eventlogtest"
)

var long = flag.Bool("long", false, "run the long counts")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time // zero: the real one
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return time.Now()
	}
	return c.at
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = t
}

func conform(t *testing.T, fs func(t *testing.T) (vfs.FS, string)) {
	eventlogtest.Run(t, eventlogtest.Harness{New: func(t *testing.T) eventlogtest.Place {
		c := &clock{}
		fs, dir := fs(t)
		return eventlogtest.Place{
			Open: func(t *testing.T) eventlog.Engine {
				return open(t, dir, Options{FS: fs, Now: c.now})
			},
			SetNow: c.set,
		}
	}})
}

func TestConformanceInMemory(t *testing.T) {
	conform(t, func(*testing.T) (vfs.FS, string) { return vfs.NewMem(), "log" })
}

func TestConformanceOnDisk(t *testing.T) {
	conform(t, func(t *testing.T) (vfs.FS, string) { return vfs.Default, t.TempDir() })
}

// open opens a store that the test closes, with a Fatal that fails the test rather than ends it.
func open(t testing.TB, dir string, opt Options) *Store {
	t.Helper()
	if opt.MinFree == 0 {
		opt.MinFree = 1
	}
	if opt.Fatal == nil {
		opt.Fatal = func(reason string) { panic("fatal: " + reason) }
	}
	s, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
