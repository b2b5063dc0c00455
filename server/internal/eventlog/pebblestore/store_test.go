package pebblestore

import (
	"errors"
	"flag"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
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

func TestConformance(t *testing.T) {
	eventlogtest.Run(t, eventlogtest.Harness{New: func(t *testing.T) eventlogtest.Place {
		c, dir := &clock{}, t.TempDir()
		return eventlogtest.Place{
			Open:   func(t *testing.T) eventlog.Engine { return open(t, dir, Options{Now: c.now}) },
			SetNow: c.set,
		}
	}})
}

// open opens a store that the test closes, with a Fatal that fails the test rather than ends it.
func open(t testing.TB, dir string, opt Options) *Store {
	t.Helper()
	if opt.MinFree == 0 {
		opt.MinFree = 1
	}
	if opt.AppendTimeout == 0 {
		opt.AppendTimeout = time.Minute
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

// TestStoreThatKeptNoMarks: a store from before trims left marks says of all tenants that what is gone may have been theirs, now and after further trims.
func TestStoreThatKeptNoMarks(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 20, "id") // contexts c0, c1, c2 in turn
	s := open(t, dir, Options{})
	if err := s.Trim(ctx, 5); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	behind(t, dir, func(db *pebble.DB) error {
		return db.DeleteRange([]byte{roomTrimmed}, []byte{roomTrimmed + 1}, pebble.Sync)
	})
	none := func(_, _ string) bool { return false }
	for range 3 {
		s := open(t, dir, Options{})
		if seq, at := s.Trimmed(none); seq != 5 || at.IsZero() {
			t.Errorf("trimmed: %d at %s", seq, at)
		}
		if _, err := readAll(s, 4, none); !errors.Is(err, eventlog.ErrTrimmed) {
			t.Error(err)
		}
		if err := s.Trim(ctx, s.State().Earliest); err != nil {
			t.Error(err)
		}
		closeStore(t, s)
	}
}

// TestFilesAreTheOwnersOnly: what others could read of the log in a folder that is open to them, they cannot any more.
func TestFilesAreTheOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 3, "id")
	open := func() (names []string) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
				names = append(names, e.Name())
			}
		}
		return names
	}
	if runtime.GOOS == "windows" || len(open()) == 0 {
		t.Skip("the files are private already")
	}
	if err := closeToOthers(dir); err != nil {
		t.Fatal(err)
	}
	if names := open(); len(names) > 0 {
		t.Errorf("open to others: %v", names)
	}
}
