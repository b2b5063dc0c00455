package pebblestore

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// faults is a file system that fails on demand.
type faults struct {
	vfs.FS
	fail atomic.Pointer[func(errorfs.Op) error]
}

func newFaults(inner vfs.FS) *faults {
	f := &faults{}
	f.FS = errorfs.Wrap(inner, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if fail := f.fail.Load(); fail != nil {
			return (*fail)(op)
		}
		return nil
	}))
	return f
}

func (f *faults) on(fail func(errorfs.Op) error) { f.fail.Store(&fail) }
func (f *faults) off()                           { f.fail.Store(nil) }

func isSync(op errorfs.Op) bool {
	return op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
}

func isWAL(op errorfs.Op) bool { return strings.HasSuffix(op.Path, ".log") }

// gate holds up syncs of the WAL while it is shut.
type gate struct {
	mu      sync.Mutex
	shut    chan struct{} // nil: open
	arrived chan struct{} // gets a value when a sync is held up
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut, g.arrived = make(chan struct{}), make(chan struct{}, 16)
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

func (g *gate) inject(op errorfs.Op) error {
	g.mu.Lock()
	shut, arrived := g.shut, g.arrived
	g.mu.Unlock()
	if shut != nil && isSync(op) && isWAL(op) {
		select {
		case arrived <- struct{}{}:
		default:
		}
		<-shut
	}
	return nil
}

// noSync is a file system whose syncs do nothing: the mutant that every test of durability must catch.
type noSync struct{ vfs.FS }

type noSyncFile struct{ vfs.File }

func (noSyncFile) Sync() error                { return nil }
func (noSyncFile) SyncData() error            { return nil }
func (noSyncFile) SyncTo(int64) (bool, error) { return true, nil }

func lazy(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return noSyncFile{f}, nil
}

func (n noSync) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return lazy(n.FS.Create(name, c))
}

func (n noSync) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return lazy(n.FS.ReuseForWrite(oldname, newname, c))
}

func (n noSync) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return lazy(n.FS.OpenReadWrite(name, c, o...))
}

// eventually polls: what it waits for happens behind the store's own clock.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}
