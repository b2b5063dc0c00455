package pebblestore

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// walRoom is what a WAL grows by with the usual memtables.
const walRoom = 16 << 20 / walRooms

// walSize is that of the first WAL in dir.
func walSize(t *testing.T, fs vfs.FS, dir string) int64 {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		if isLog(name) {
			info, err := fs.Stat(fs.PathJoin(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return info.Size()
		}
	}
	t.Fatal("there is no WAL")
	return 0
}

// A sync that makes the WAL longer costs more than one that does not, so few do; and what a WAL has ahead is no record when it is read.
func TestWALGrowsAhead(t *testing.T) {
	for name, fs := range map[string]vfs.FS{"disk": vfs.Default, "memory": vfs.NewCrashableMem()} {
		t.Run(name, func(t *testing.T) {
			dir := "log" // whose own name is durable in memory
			if fs == vfs.Default {
				dir = t.TempDir()
			}
			s := open(t, dir, Options{FS: fs})
			const n = 50
			for i := range n {
				appendMany(t, s, i, i)
				if size := walSize(t, fs, dir); size != walRoom {
					t.Fatalf("the WAL has %d bytes after %d records, not %d", size, i+1, walRoom)
				}
			}
			if mem, ok := fs.(*vfs.MemFS); ok { // not closed: the WAL is all there is
				c := open(t, dir, Options{FS: mem.CrashClone(vfs.CrashCloneCfg{})})
				if head := c.State().Head; head != n {
					t.Errorf("the log has %d records after a crash, not %d", head, n)
				}
				closeStore(t, c)
			}
			closeStore(t, s)
		})
	}
}

// Whatever pieces a WAL is written in, it holds what was written, and then zeros, or what was there when it was reused.
func TestWALHoldsWhatIsWritten(t *testing.T) {
	mem := vfs.NewMem()
	logs := &freshLogs{FS: mem, room: walRoom}
	f, err := logs.Create("1.log", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	old := fillWAL(t, mem, "1.log", f, make([]byte, 8*walRoom), 1, walRoom-1, 1, walRoom, 3, 7)
	if f, err = logs.ReuseForWrite("1.log", "2.log", vfs.WriteCategoryUnspecified); err != nil {
		t.Fatal(err)
	}
	fillWAL(t, mem, "2.log", f, append(old, make([]byte, 8*walRoom)...), 5, 2*walRoom+5, walRoom-15, 4096, walRoom+1)
}

// fillWAL writes pieces of so many bytes into the file, closes it, and returns what it holds then. below is what was there before, and zeros behind.
func fillWAL(t *testing.T, fs vfs.FS, name string, f vfs.File, below []byte, pieces ...int) []byte {
	t.Helper()
	random, at := rand.New(rand.NewPCG(1, 2)), 0
	for _, size := range pieces {
		p := below[at : at+size]
		for i := range p {
			p[i] = byte(1 + random.IntN(255))
		}
		if n, err := f.Write(bytes.Clone(p)); n != size || err != nil {
			t.Fatalf("Write of %d bytes = %d, %v", size, n, err)
		}
		at += size
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if len(got)%walRoom != 0 || !bytes.Equal(got, below[:len(got)]) {
		t.Errorf("%s has %d bytes, and not what was written, over what was there", name, len(got))
	}
	return got
}

// A disk without room for what a WAL grows by takes what there is room for.
func TestWALWithoutRoomAhead(t *testing.T) {
	writes := 0
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileWriteAt {
			if writes++; writes%2 == 0 { // each second one is of zeros
				return syscall.ENOSPC
			}
		}
		return nil
	}))
	f, err := (&freshLogs{FS: fs, room: walRoom}).Create("1.log", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 10 {
		if n, err := f.Write([]byte("record")); n != len("record") || err != nil {
			t.Fatalf("write %d = %d, %v", i, n, err)
		}
	}
	if info, err := f.Stat(); err != nil || info.Size() != 10*int64(len("record")) {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}
