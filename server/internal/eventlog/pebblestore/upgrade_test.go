package pebblestore

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// firstFormat makes an empty store of the first format and opens it, as a binary of then did.
func firstFormat(t testing.TB, fs vfs.FS, dir string) *Store {
	t.Helper()
	db, err := pebble.Open(dir, &pebble.Options{FS: fs, FormatMajorVersion: pebbleVersions[1], Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, dir, Options{FS: fs})
}

// A store of an earlier format is used in it: whatever is done, the binary before can open it again.
func TestNoUpgradeByItself(t *testing.T) {
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
	s := firstFormat(t, mem, "log")
	for range 3 {
		addN(t, s, 20, string(rune('a'+s.State().Head/20)))
		if err := errors.Join(s.db.Flush(), s.db.Compact(ctx, []byte{0}, []byte{255}, false), s.Trim(ctx, s.State().Earliest), s.Erase(ctx, []uint64{s.State().Head})); err != nil {
			t.Fatal(err)
		}
		if st := s.State(); st.Format != 1 || st.NewestFormat != 2 {
			t.Fatalf("%+v", st)
		}
		closeStore(t, s)
		if about, err := pebble.Peek("log", mem); err != nil || about.FormatMajorVersion != pebble.FormatWALSyncChunks {
			t.Fatalf("%+v, %v", about, err)
		}
		s = open(t, "log", Options{FS: mem})
	}
	closeStore(t, s)
	if from, to, err := Upgrade("log", Options{FS: mem, MinFree: 1}); from != 1 || to != 2 || err != nil {
		t.Fatalf("%d, %d, %v", from, to, err)
	}
	s = open(t, "log", Options{FS: mem})
	if st := s.State(); st.Format != 2 || st.Head != 60 {
		t.Errorf("%+v", st)
	}
	closeStore(t, s)
	if about, err := pebble.Peek("log", mem); err != nil || about.FormatMajorVersion != pebble.FormatTableFormatV6 {
		t.Errorf("%+v, %v", about, err)
	}
	if from, to, err := Upgrade("log", Options{FS: mem, MinFree: 1}); from != 2 || to != 2 || err != nil {
		t.Errorf("again: %d, %d, %v", from, to, err)
	}
}

func TestNewLogsHaveTheNewestFormat(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer closeStore(t, s)
	if st := s.State(); st.Format != newestFormat || s.db.FormatMajorVersion() != pebbleVersions[newestFormat] {
		t.Errorf("%+v, %s", st, s.db.FormatMajorVersion())
	}
}

// A power cut at any place of an upgrade loses nothing, leaves a store that opens and can be upgraded, and none that an older binary would open without knowing
// all that is in it.
func TestPowerCutDuringUpgrade(t *testing.T) {
	mem := vfs.NewCrashableMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
	s := firstFormat(t, mem, "log")
	addN(t, s, 100, "id")
	closeStore(t, s)
	rng := rand.New(rand.NewPCG(3, 1))
	var mu sync.Mutex
	var cuts []*vfs.MemFS
	f := newFaults(mem)
	f.on(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			mu.Lock()
			defer mu.Unlock()
			cuts = append(cuts, mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: len(cuts) % 3 * 50, RNG: rng}))
		}
		return nil
	})
	if _, _, err := Upgrade("log", Options{FS: f, MinFree: 1}); err != nil {
		t.Fatal(err)
	}
	f.off()
	acked := make(map[string]bool)
	states := make(map[string]int)
	for _, cut := range cuts {
		cut.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
		c := open(t, "log", Options{FS: cut})
		format, files := c.State().Format, c.db.FormatMajorVersion()
		closeStore(t, c)
		if states[files.String()+"/"+string(rune('0'+format))]++; format < 2 && files > pebbleVersions[1] {
			t.Errorf("format %d with files of %s", format, files)
		}
		if err := missing(t, cut, "log", acked); err != nil {
			t.Error(err)
		}
		if _, _, err := Upgrade("log", Options{FS: cut, MinFree: 1}); err != nil {
			t.Error(err)
		}
		c = open(t, "log", Options{FS: cut})
		if st := c.State(); st.Format != 2 || st.Head != 100 || c.db.FormatMajorVersion() != pebbleVersions[2] {
			t.Errorf("upgraded again: %+v", st)
		}
		closeStore(t, c)
	}
	if len(states) != 3 {
		t.Errorf("the cuts left %v", states)
	}
}

func TestUpgradeOfNothing(t *testing.T) {
	dir := t.TempDir()
	for _, at := range []string{dir, dir + "/none"} {
		if _, _, err := Upgrade(at, Options{MinFree: 1}); err == nil || !strings.Contains(err.Error(), "there is no log in "+at) {
			t.Errorf("%s: %v", at, err)
		}
	}
}
