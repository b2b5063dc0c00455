package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

func TestFailedSyncStopsTheLog(t *testing.T) {
	mem := vfs.NewMem()
	fs := newFaults(mem)
	s := open(t, "log", Options{FS: fs})
	addN(t, s, 100, "id")
	before := s.State()

	fs.on(func(op errorfs.Op) error {
		if isSync(op) && isWAL(op) {
			return syscall.EIO
		}
		return nil
	})
	var wg sync.WaitGroup
	for i := range 8 { // in one group or several, some of them duplicates of each other and of what is there
		wg.Go(func() {
			_, err := s.Append(ctx, event("c", fmt.Sprint("failed", i/2)))
			if !errors.Is(err, eventlog.ErrFailed) {
				t.Errorf("append: %v", err)
			}
		})
	}
	wg.Wait()
	fs.off()

	for _, id := range []string{"failed0", "new"} {
		if dup, err := s.Append(ctx, event("c", id)); dup || !errors.Is(err, eventlog.ErrFailed) {
			t.Fatalf("append after a failed fsync: dup %v, %v", dup, err)
		}
	}
	if dup, err := s.Append(ctx, event("c0", "id0")); dup || err == nil {
		t.Fatalf("a duplicate was answered after a failed fsync: %v, %v", dup, err)
	}
	if full, failed := s.Failures(); full != 0 || failed != 1 {
		t.Errorf("%d failures are counted, and %d for want of room", failed, full)
	}
	st := s.State()
	if st.Head != before.Head || !st.HeadAt.Equal(before.HeadAt) || !errors.Is(st.Err, eventlog.ErrFailed) {
		t.Fatalf("state %+v", st)
	}
	if list, err := readAll(s, 0, nil); err != nil || len(list) != 100 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	if list, err := readAll(s, 0, func(_, c string) bool { return c == "c" || c == "c1" }); err != nil || len(list) != 33 {
		t.Fatalf("%d records of c1, %v", len(list), err)
	}
	if seqs, err := s.Find(ctx, "failed0", nil); err != nil || len(seqs) != 0 {
		t.Fatalf("Find: %v, %v", seqs, err)
	}
	if _, err := s.Raw(ctx, 101); !errors.Is(err, eventlog.ErrNotFound) {
		t.Fatalf("Raw: %v", err)
	}
	if err := s.Trim(ctx, 10); !errors.Is(err, eventlog.ErrFailed) {
		t.Fatalf("Trim: %v", err)
	}
	if err := s.Erase(ctx, []uint64{10}); !errors.Is(err, eventlog.ErrFailed) {
		t.Fatalf("Erase: %v", err)
	}
	if _, err := s.SeekSize(ctx, 1); err != nil {
		t.Fatalf("SeekSize: %v", err)
	}
	followed := 0
	short, cancel := context.WithCancel(ctx)
	if err := s.Follow(short, 0, func(group []eventlog.Stored) error {
		if followed += len(group); followed >= 100 {
			cancel()
		}
		return nil
	}); !errors.Is(err, context.Canceled) || followed != 100 {
		t.Fatalf("followed %d, %v", followed, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, "log", Options{FS: fs})
	for i := range 4 { // there already, if the disk kept it after all, or new: but once
		if _, err := s.Append(ctx, event("c", fmt.Sprint("failed", i))); err != nil {
			t.Fatal(err)
		}
	}
	list, err := readAll(s, 0, nil)
	if err != nil || len(list) != 104 {
		t.Fatalf("%d records after reopening, %v", len(list), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A failed fsync stands, whatever the disk's room says before or after.
func TestFailedSyncOutlastsAFullDisk(t *testing.T) {
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30})
	fs := newFaults(mem)
	s := open(t, "log", Options{FS: fs, MinFree: 1 << 20})
	fs.on(func(op errorfs.Op) error {
		if isSync(op) && isWAL(op) {
			mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1})
			s.refreshDisk() // sees the full disk just before the fsync fails
			return syscall.EIO
		}
		return nil
	})
	if _, err := s.Append(ctx, event("c", "1")); !errors.Is(err, eventlog.ErrFailed) {
		t.Fatalf("append: %v", err)
	}
	fs.off()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30})
	s.refreshDisk()
	if _, err := s.Append(ctx, event("c", "1")); !errors.Is(err, eventlog.ErrFailed) {
		t.Fatalf("append after a failed fsync and a full disk: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsShownBeforeItsSync(t *testing.T) {
	var g gate
	fs := newFaults(vfs.NewMem())
	fs.on(g.inject)
	s := open(t, "log", Options{FS: fs})
	addN(t, s, 10, "id")
	g.close()
	var wg sync.WaitGroup
	wg.Go(func() { add(t, s, "new", "held") })
	<-g.arrived
	// A duplicate is not answered before the first.
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	if _, err := s.Append(short, event("new", "held")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the duplicate of what is not durable: %v", err)
	}
	cancel()
	if st := s.State(); st.Head != 10 || st.Err != nil {
		t.Errorf("state %+v", st)
	}
	if list, err := readAll(s, 0, nil); err != nil || len(list) != 10 {
		t.Errorf("%d records, %v", len(list), err)
	}
	if seqs, err := s.Find(ctx, "held", nil); err != nil || len(seqs) != 0 {
		t.Errorf("found at %v, %v", seqs, err)
	}
	g.open()
	wg.Wait()
	if list, err := readAll(s, 0, nil); err != nil || len(list) != 11 {
		t.Errorf("%d records afterwards, %v", len(list), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNearlyFullDisk(t *testing.T) {
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30})
	s := open(t, "log", Options{FS: mem, MinFree: 1 << 20})
	addN(t, s, 10, "id")
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1<<20 - 1})
	if _, err := s.Append(ctx, event("c", "full")); !errors.Is(err, eventlog.ErrFull) {
		t.Fatalf("append: %v", err)
	}
	if err := s.Trim(ctx, 5); err != nil { // this is what makes room
		t.Fatal(err)
	}
	eventually(t, "the trim is flushed while nothing is appended", func() bool { return s.trimmedAt.Load() == 0 })
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30})
	eventually(t, "appends are taken again", func() bool { return s.State().Err == nil })
	add(t, s, "c", "full")
	if list, err := readAll(s, 5, nil); err != nil || len(list) != 6 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// noSpace fails writes of files whose names end so, and counts.
func noSpace(suffix string, n *atomic.Int64) func(errorfs.Op) error {
	return func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpCreate, errorfs.OpReuseForWrite, errorfs.OpFilePreallocate:
			if strings.HasSuffix(op.Path, suffix) {
				n.Add(1)
				return syscall.ENOSPC
			}
		}
		return nil
	}
}

func TestFullDisk(t *testing.T) {
	for _, suffix := range []string{".log", ""} { // the WAL alone, and everything: then even the probe fails
		t.Run("writes of *"+suffix, func(t *testing.T) {
			fs := newFaults(vfs.NewMem())
			s := open(t, "log", Options{FS: fs})
			addN(t, s, 50, "id")
			refused, retaken := time.Hour, time.Hour // the best of three: the machine has other work too
			for round := range 3 {
				var n atomic.Int64
				fs.on(noSpace(suffix, &n))
				start := time.Now()
				failed := event("c", fmt.Sprint("full", round))
				if _, err := s.Append(ctx, failed); !errors.Is(err, eventlog.ErrFull) {
					t.Fatalf("append: %v", err)
				}
				refused = min(refused, time.Since(start))
				if full, failed := s.Failures(); full != uint64(round+1) || failed != 0 {
					t.Errorf("%d writes are counted that found no room, and %d that failed otherwise", full, failed)
				}
				if suffix == "" {
					seen := n.Load()
					eventually(t, "the disk is probed", func() bool { return n.Load() > seen })
					if err := s.State().Err; !errors.Is(err, eventlog.ErrFull) {
						t.Fatalf("state while full: %v", err)
					}
				}
				if list, err := readAll(s, 0, nil); err != nil || len(list) < 50 {
					t.Fatalf("%d records while full, %v", len(list), err)
				}
				fs.off()
				start = time.Now()
				eventually(t, "appends are taken again", func() bool { return s.State().Err == nil })
				retaken = min(retaken, time.Since(start))
				if _, err := s.Append(ctx, failed); err != nil {
					t.Fatal(err)
				}
				add(t, s, "c", fmt.Sprint("new", round))
			}
			if refused > 100*time.Millisecond || retaken > 2*time.Second {
				t.Errorf("refused after %s, taken again after %s", refused, retaken)
			}
			list, err := readAll(s, 0, nil)
			if err != nil || len(list) != 56 {
				t.Fatalf("%d records, %v", len(list), err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestBallastSavesAWrite(t *testing.T) {
	mem := vfs.NewMem()
	fs := newFaults(mem)
	s := open(t, "log", Options{FS: fs})
	if info, err := mem.Stat("log/ballast"); err != nil || info.Size() != ballastSize {
		t.Fatalf("ballast: %v, %v", info, err)
	}
	fs.on(func(op errorfs.Op) error { // there is no space as long as the ballast takes it
		if op.Kind == errorfs.OpFileWriteAt && isWAL(op) {
			if _, err := mem.Stat("log/ballast"); err == nil {
				return syscall.ENOSPC
			}
		}
		return nil
	})
	add(t, s, "c", "1")
	if err := s.State().Err; err != nil {
		t.Fatal(err)
	}
	fs.off()
	eventually(t, "the ballast is made again", func() bool {
		info, err := mem.Stat("log/ballast")
		return err == nil && info.Size() == ballastSize
	})
	// While there is no room for it nothing is accepted: the next write of Pebble's own could end the process.
	s.onDiskFull()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
	if _, err := s.Append(ctx, event("c", "2")); !errors.Is(err, eventlog.ErrFull) {
		t.Errorf("append without ballast: %v", err)
	}
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30})
	eventually(t, "appends are taken again", func() bool { return s.State().Err == nil })
	add(t, s, "c", "2")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
