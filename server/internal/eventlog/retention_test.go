package eventlog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// aged is a log of which the clock can be set.
type aged struct {
	*eventlog.Log
	*testing.T
	engine eventlog.Engine
	fs     *vfs.MemFS
	now    atomic.Int64
}

func newAged(t *testing.T, r eventlog.Retention) *aged {
	a := &aged{T: t, fs: vfs.NewMem()}
	a.now.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	a.fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 40})
	l, s := start(t, a.fs, eventlog.Options{Retention: r, Now: func() time.Time { return time.Unix(0, a.now.Load()) }})
	a.Log, a.engine = l, s
	return a
}

func (a *aged) pass(d time.Duration) { a.now.Add(int64(d)) }

// add appends n events of about 10 KB that do not compress.
func (a *aged) add(n int) {
	a.Helper()
	first := a.Head()
	for i := range n {
		rec := event("c", fmt.Sprint(first, "-", i), 0)
		rec.Raw = make([]byte, 10_000)
		rng := rand.New(rand.NewPCG(first, uint64(i)))
		for j := range rec.Raw {
			rec.Raw[j] = byte(rng.Uint32())
		}
		if _, err := a.Append(ctx, rec); err != nil {
			a.Fatal(err)
		}
	}
	waitFor(a.T, a.Log, first+uint64(n))
}

// measured waits until the engine knows how large it is. It counts tables, not what waits in memory.
func (a *aged) measured() {
	a.Helper()
	if _, err := a.engine.SeekSize(ctx, 0); err != nil {
		a.Fatal(err)
	}
	eventually(a.T, "the size is measured", func() bool { return a.engine.State().SizeBytes > 5<<20 })
}

// earliest applies the retention and returns the oldest record that is kept.
func (a *aged) earliest() uint64 {
	a.Helper()
	if err := a.Retain(ctx); err != nil {
		a.Fatal(err)
	}
	return a.State().Earliest
}

func (a *aged) wantEarliest(what string, lowest, highest uint64) {
	a.Helper()
	if got := a.earliest(); got < lowest || got > highest {
		a.Errorf("%s: the oldest record kept is %d, want %d to %d", what, got, lowest, highest)
	}
}

func TestRetentionByAge(t *testing.T) {
	a := newAged(t, eventlog.Retention{MaxAge: 90 * time.Hour, AtLeast: 100 * time.Hour})
	for range 10 {
		a.add(3)
		a.pass(10 * time.Hour)
	}
	a.wantEarliest("after 100 hours", 4, 4)
	if _, err := a.Read(ctx, 2, nil); !errors.Is(err, eventlog.ErrTrimmed) {
		t.Errorf("what is over its age can be read, in the tail or on the disk: %v", err)
	}
	if _, err := a.Get(ctx, 3); !errors.Is(err, eventlog.ErrTrimmed) {
		t.Errorf("Get: %v", err)
	}
	if frames := readTo(t, a.Log, 3, 30, nil); len(frames) != 27 {
		t.Errorf("%d frames are left", len(frames))
	}
	a.wantEarliest("again", 4, 4)
	a.pass(1000 * time.Hour)
	a.wantEarliest("everything", 31, 31)
	if c, err := a.Read(ctx, 30, nil); err != nil || len(c.Frames) != 0 {
		t.Errorf("at the head of an empty log: %d frames, %v", len(c.Frames), err)
	}
	a.add(1)
	a.wantEarliest("what came afterwards is kept", 31, 31)
}

func TestRetentionBySize(t *testing.T) {
	const each = 300 // 3 MB
	a := newAged(t, eventlog.Retention{MaxSize: 4 << 20, AtLeast: 24 * time.Hour})
	a.add(each)
	a.pass(12 * time.Hour)
	a.add(each)
	a.measured()
	a.wantEarliest("everything is younger than at_least", 1, 1)
	a.pass(13 * time.Hour)
	a.wantEarliest("only what is older than at_least may go", each/3, each+1)
	a.pass(100 * time.Hour)
	a.wantEarliest("no more than too much goes", each/3, 3*each/2)
}

func TestRetentionByReserve(t *testing.T) {
	const each = 300
	a := newAged(t, eventlog.Retention{Reserve: 10 << 20, AtLeast: 24 * time.Hour})
	a.add(each)
	a.pass(100 * time.Hour)
	a.add(each)
	a.measured()
	a.wantEarliest("there is room", 1, 1)
	a.fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 8 << 20})
	eventually(t, "the free space is measured", func() bool { return a.engine.State().FreeBytes == 8<<20 })
	a.wantEarliest("2 MiB of 6 MB are missing", each/4, each+1)
	a.fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 10})
	eventually(t, "the free space is measured", func() bool { return a.engine.State().FreeBytes == 1<<10 })
	a.wantEarliest("what is younger than at_least stays", each+1, each+1)
}

// TestRoomIsMadeBeforeAnyIsRefused: when the reserve is touched the oldest records go at once, not when it is next their turn.
func TestRoomIsMadeBeforeAnyIsRefused(t *testing.T) {
	a := newAged(t, eventlog.Retention{Reserve: 1 << 30})
	a.add(700)
	a.pass(time.Hour)
	a.measured()
	begin := time.Now()
	a.fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1<<30 - 3<<20})
	eventually(t, "the oldest records go", func() bool { return a.State().Earliest > 1 })
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("the oldest records went after %s", took)
	}
	eventually(t, "they are counted", func() bool { return a.TrimmedEarly() == a.State().Earliest-1 })
	if early := a.TrimmedEarly(); early >= 700 {
		t.Errorf("%d records went early", early)
	}
}

// A disk that cannot be measured is not an empty one.
func TestRetentionOnAnUnmeasuredDisk(t *testing.T) {
	a := &aged{T: t}
	a.Log, a.engine = start(t, vfs.NewMem(), eventlog.Options{Retention: eventlog.Retention{Reserve: 1 << 40}})
	a.add(10)
	a.wantEarliest("nothing is known to be missing", 1, 1)
}

// quarantine appends n bodies of the source that gave no event.
func (a *aged) quarantine(n int, source, prefix string) {
	a.Helper()
	for i := range n {
		raw := fmt.Appendf(make([]byte, 0, 10_000), "%s%d", prefix, i)
		rec := &eventlog.Record{
			Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: source}, Raw: raw[:10_000-eventlog.QuarantineOverhead],
			Duplicate: eventlog.DuplicateKey("quarantine", source, string(raw)), Quarantine: &eventlog.Quarantine{Problem: "odd"},
		}
		if dup, err := a.Append(ctx, rec); dup || err != nil {
			a.Fatalf("%s%d: dup %v, %v", prefix, i, dup, err)
		}
	}
	waitFor(a.T, a.Log, a.engine.State().Head)
}

// TestQuarantineIsBounded: a flood of one source's odd bodies drops that source's oldest, and neither another's nor an event. What was dropped may come again.
func TestQuarantineIsBounded(t *testing.T) {
	a := newAged(t, eventlog.Retention{MaxQuarantine: 500_000})
	a.add(1)
	a.quarantine(10, "calm", "a")
	a.quarantine(400, "flood", "b")
	eventually(t, "the bound is kept", func() bool { return a.State().QuarantinedBytes <= 500_000 })
	sizes := a.engine.QuarantineSizes()
	if sizes["calm"] != 100_000 || sizes["flood"] != 400_000 {
		t.Errorf("left are %v", sizes)
	}
	list, err := a.Quarantined(ctx, eventlog.QuarantineQuery{Source: "flood", OldestFirst: true}, 100)
	if err != nil || len(list) != 40 || list[0].Seq != 372 {
		t.Errorf("%d are left, from record %d on, %v", len(list), list[0].Seq, err)
	}
	if n := a.QuarantineDropped(); n != 360 {
		t.Errorf("%d dropped", n)
	}
	if st := a.State(); st.Earliest != 1 || st.Head != 411 || st.Err != nil {
		t.Errorf("state %+v", st)
	}
	a.quarantine(1, "flood", "b") // the first of those dropped
	eventually(t, "one more goes", func() bool { return a.QuarantineDropped() == 361 })
	if list, err := a.Quarantined(ctx, eventlog.QuarantineQuery{}, 1); err != nil || len(list) != 1 || list[0].Seq != 412 {
		t.Errorf("the newest is %+v, %v", list, err)
	}
}
