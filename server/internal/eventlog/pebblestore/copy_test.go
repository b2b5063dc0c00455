package pebblestore

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// taken is a copy in memory.
type taken struct {
	about eventlog.Copied
	pairs [][2][]byte
}

func take(t testing.TB, s *Store) (c taken) {
	t.Helper()
	err := s.Copy(ctx, func(about eventlog.Copied) error { c.about = about; return nil }, func(key, value []byte) error {
		c.pairs = append(c.pairs, [2][]byte{bytes.Clone(key), bytes.Clone(value)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *taken) restore(dir string, opt Options) error {
	r, err := BeginRestore(dir, opt)
	if err != nil {
		return err
	}
	for _, p := range c.pairs {
		if err := r.Add(p[0], p[1]); err != nil {
			return errors.Join(err, r.Abort())
		}
	}
	return r.Finish(c.about)
}

// variedStore has 300 records, of which 20 are trimmed and one is erased, and one more in quarantine.
func variedStore(t testing.TB, dir string) *Store {
	t.Helper()
	s := open(t, dir, Options{})
	addN(t, s, 300, "id")
	quarantined := &eventlog.Record{
		Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: "s"}, Raw: []byte("{"), Quarantine: &eventlog.Quarantine{Problem: "it ends early"},
	}
	if _, err := s.Append(ctx, quarantined); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Trim(ctx, 20), s.Erase(ctx, []uint64{100})); err != nil {
		t.Fatal(err)
	}
	return s
}

// A restored log is the log as it was copied, under a new epoch: what was behind the copy is not there, and readers are told so.
func TestRestoredLogIsTheCopiedOne(t *testing.T) {
	dir := t.TempDir()
	s := variedStore(t, filepath.Join(dir, "log"))
	old, err := eventlog.Open(s, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := readAll(s, 20, nil)
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	c := take(t, s)
	addN(t, s, 10, "later")
	atFork, behind := old.Cursor(301), old.Cursor(302)
	defer closeStore(t, s)

	to := filepath.Join(dir, "restored")
	if err := c.restore(to, Options{MinFree: 1}); err != nil {
		t.Fatal(err)
	}
	r := open(t, to, Options{})
	defer closeStore(t, r)
	got, err := readAll(r, 20, nil)
	if err != nil || len(got) != len(want)+1 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	for i := range want {
		if fmt.Sprint(got[i]) != fmt.Sprint(want[i]) {
			t.Fatalf("record %+v became %+v", want[i], got[i])
		}
	}
	var gap headgatev1.Gap
	last := got[len(want)]
	if err := proto.Unmarshal(last.Body, &gap); err != nil || last.Kind != eventlog.KindGap || gap.GetReason() != headgatev1.Gap_REASON_DATA_LOSS ||
		gap.GetFromTime().AsTime().Before(before) || gap.GetFromTime().AsTime().After(gap.GetToTime().AsTime()) {
		t.Errorf("behind the copy stands %+v with %v, %v", last, &gap, err)
	}
	if _, err := readAll(r, 5, nil); !errors.Is(err, eventlog.ErrTrimmed) {
		t.Errorf("what was trimmed: %v", err)
	}
	if raw, err := r.Raw(ctx, 50); err != nil || string(raw) != "raw of id49" {
		t.Errorf("raw body %q, %v", raw, err)
	}
	if list, err := r.Quarantined(ctx, eventlog.QuarantineQuery{}, 10); err != nil || len(list) != 1 || list[0].Problem != "it ends early" || r.State().Quarantined != 1 {
		t.Errorf("quarantine %+v, %v", list, err)
	}
	if seqs, err := r.Find(ctx, "id60", nil); err != nil || !slices.Equal(seqs, []uint64{61}) {
		t.Errorf("id60 at %d, %v", seqs, err)
	}
	if dup, err := r.Append(ctx, event("c0", "id60")); err != nil || !dup {
		t.Errorf("a duplicate: %v, %v", dup, err)
	}

	addN(t, r, 20, "another")
	l, err := eventlog.Open(r, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if seq, err := l.Locate(atFork); err != nil || seq != 301 {
		t.Errorf("the cursor at the fork: %d, %v", seq, err)
	}
	if _, err := l.Locate(behind); !errors.Is(err, eventlog.ErrCursorForeign) || !strings.Contains(err.Error(), "backup") {
		t.Errorf("a cursor from behind the copy: %v", err)
	}
	if seq, err := l.Locate(l.Cursor(305)); err != nil || seq != 305 {
		t.Errorf("a cursor of the restored log: %d, %v", seq, err)
	}
	id, was := r.Identity(), s.Identity()
	if n := len(id.Epochs); n != 2 || id.Epochs[0] != was.Epochs[0] || id.Epochs[1].Start != 301 || !id.Epochs[1].Restored || id.Epochs[1].ID == was.Epochs[0].ID {
		t.Errorf("lineage %+v", id.Epochs)
	}
}

// A copy that is taken while eight writers append and the log is trimmed holds all that was acknowledged before it began, and is whole.
func TestCopyBesideWriters(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "log"), Options{memTableSize: 256 << 10})
	defer closeStore(t, s)
	var l ledger
	stop := make(chan struct{})
	wg := l.write(s, 8, stop)
	for round := range 2 {
		until := l.count() + 100
		eventually(t, "traffic", func() bool { return l.count() >= until })
		acked := l.copy()
		c := take(t, s)
		to := filepath.Join(dir, fmt.Sprint(round))
		if err := c.restore(to, Options{MinFree: 1}); err != nil {
			t.Fatal(err)
		}
		if err := missing(t, vfs.Default, to, acked); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	}
	close(stop)
	wg.Wait()
}

// What the store shows of a group whose fsync failed is not copied: the CRM was told that it is not kept, and another event can get its place.
func TestCopyEndsAtTheDurableHead(t *testing.T) {
	f := newFaults(vfs.NewMem())
	s := open(t, "log", Options{FS: f})
	addN(t, s, 10, "id")
	f.on(func(op errorfs.Op) error {
		if isSync(op) && isWAL(op) {
			return errors.New("the disk does not answer")
		}
		return nil
	})
	if _, err := s.Append(ctx, event("c0", "not durable")); err == nil {
		t.Fatal("it was taken")
	}
	c := take(t, s)
	f.off()
	_ = s.Close()
	for _, p := range c.pairs {
		if strings.Contains(string(p[0])+string(p[1]), "not durable") {
			t.Errorf("copied: %q", p[0])
		}
	}
	if c.about.Head != 10 || c.about.Records != 10 {
		t.Errorf("%+v", c.about)
	}
}

// While a copy waits for whoever takes it, appends go on, and records are trimmed that are in it all the same.
func TestSlowCopyHoldsUpNobody(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer closeStore(t, s)
	addN(t, s, 200, "id")
	records, acted := 0, false
	err := s.Copy(ctx, func(eventlog.Copied) error { return nil }, func(key, _ []byte) error {
		if !acted {
			acted = true
			addN(t, s, 20, "meanwhile")
			if err := s.Trim(ctx, 150); err != nil {
				t.Error(err)
			}
			other := s.Copy(ctx, func(eventlog.Copied) error { return nil }, func(_, _ []byte) error { return nil })
			if !errors.Is(other, eventlog.ErrBusy) {
				t.Errorf("a second copy: %v", other)
			}
		}
		if key[0] == roomRecord {
			records++
		}
		return nil
	})
	if err != nil || records != 200 {
		t.Errorf("%d records, %v", records, err)
	}
	if c := take(t, s); c.about.Records != 70 {
		t.Errorf("the next copy: %+v", c.about)
	}
}

// A copy is given up when the disk is needed, and when nobody takes it: what is trimmed stays for as long as it is under way.
func TestCopyIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(s *Store, mem *vfs.MemFS)
		want error
	}{
		"disk": {func(s *Store, mem *vfs.MemFS) {
			mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 140 << 20})
			s.refreshDisk()
		}, eventlog.ErrFull},
		"stalled": {func(s *Store, _ *vfs.MemFS) {
			s.copyMu.Lock()
			defer s.copyMu.Unlock()
			s.copying.mu.Lock()
			defer s.copying.mu.Unlock()
			s.copying.taken = time.Now().Add(-copyStall - time.Second)
		}, eventlog.ErrBusy},
	} {
		mem := vfs.NewMem()
		mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30})
		s := open(t, "log", Options{FS: mem, MinFree: 100 << 20})
		for i := range 40 { // more than one chunk
			rec := event("c0", fmt.Sprint(i))
			rec.Raw = bytes.Repeat([]byte("x"), 64<<10)
			if _, err := s.Append(ctx, rec); err != nil {
				t.Fatal(err)
			}
		}
		acted := false
		err := s.Copy(ctx, func(eventlog.Copied) error { return nil }, func(_, _ []byte) error {
			if !acted {
				acted = true
				c.end(s, mem)
				s.tendCopy()
			}
			return nil
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 30})
		s.refreshDisk()
		if take(t, s); s.State().Err != nil {
			t.Errorf("%s: %v", name, s.State().Err)
		}
		closeStore(t, s)
	}
}

// A damaged log is not copied as if it were whole.
func TestDamagedLogIsNotCopied(t *testing.T) {
	for name, gone := range map[string][2]uint64{"in the middle": {50, 60}, "at the end": {95, 101}} {
		dir := t.TempDir()
		filled(t, dir, 100, "id")
		s := open(t, dir, Options{})
		if err := s.db.DeleteRange(seqKey(roomRecord, gone[0]), seqKey(roomRecord, gone[1]), pebble.Sync); err != nil {
			t.Fatal(err)
		}
		err := s.Copy(ctx, func(eventlog.Copied) error { return nil }, func(_, _ []byte) error { return nil })
		var damage *eventlog.DamageError
		if !errors.As(err, &damage) || damage.From != gone[0] || damage.To != gone[1]-1 {
			t.Errorf("%s: %v", name, err)
		}
		closeStore(t, s)
	}
}

// A restoration that a power cut ends has left nothing that opens, or all of it; and it can be done again.
func TestPowerCutDuringRestoration(t *testing.T) {
	s := variedStore(t, t.TempDir())
	c := take(t, s)
	closeStore(t, s)
	acked := make(map[string]bool)
	for _, st := range c.pairs {
		if st[0][0] == roomRecord {
			rec, err := eventlog.DecodeRecord(0, st[1])
			if err != nil {
				t.Fatal(err)
			}
			acked[rec.Keys.EventID] = true
		}
	}
	mem := vfs.NewCrashableMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20}) // no room for a ballast, which would be most of each clone
	rng := rand.New(rand.NewPCG(1, 7))
	var mu sync.Mutex
	var cuts []*vfs.MemFS
	cut := func() {
		mu.Lock()
		defer mu.Unlock()
		cuts = append(cuts, mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: len(cuts) % 3 * 45, RNG: rng}))
	}
	f := newFaults(mem)
	f.on(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			cut()
		}
		return nil
	})
	if err := c.restore("log", Options{FS: f, MinFree: 1}); err != nil {
		t.Fatal(err)
	}
	f.off()
	cut()
	whole, refusals := 0, map[string]bool{}
	for i, clone := range cuts {
		clone.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
		if _, err := clone.Stat("log/" + unfinished); i < len(cuts)/2 && err != nil {
			continue // nothing was begun: the folder is as empty as before
		}
		r, err := Open("log", Options{FS: clone, MinFree: 1, Fatal: func(reason string) { panic(reason) }})
		if err == nil {
			whole++
		} else {
			refusals[err.Error()] = true
			if i%4 > 0 && i < len(cuts)-10 && !*long {
				continue
			}
			if err := c.restore("log", Options{FS: clone, MinFree: 1}); err != nil {
				t.Errorf("cut %d, again: %v", i, err)
				continue
			}
			r = open(t, "log", Options{FS: clone})
		}
		if n, err := count(r, acked); err != nil || n != len(acked) {
			t.Errorf("cut %d: %d of %d events, %v", i, n, len(acked), err)
		}
		closeStore(t, r)
	}
	if got := slices.Collect(maps.Keys(refusals)); len(got) != 1 || !strings.Contains(got[0], "headgated restore again") {
		t.Errorf("refused with %q", got)
	}
	if whole == 0 || whole == len(cuts) || len(cuts) < 30 {
		t.Errorf("%d of %d cuts left a whole log", whole, len(cuts))
	}
	t.Logf("%d cuts, %d of them whole", len(cuts), whole)
}

// count says how many of the events can be found.
func count(s *Store, ids map[string]bool) (n int, err error) {
	for id := range ids {
		seqs, err := s.Find(ctx, id, nil)
		if err != nil {
			return n, err
		}
		if len(seqs) > 0 || id == "" {
			n++
		}
	}
	return n, nil
}

func TestRestorationNeedsAnEmptyFolder(t *testing.T) {
	s := variedStore(t, t.TempDir())
	c := take(t, s)
	if err := c.restore(s.dir, Options{MinFree: 1}); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("into a log that is open: %v", err)
	}
	closeStore(t, s)
	if err := c.restore(s.dir, Options{MinFree: 1}); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("into a log: %v", err)
	}
	closeStore(t, open(t, s.dir, Options{}))

	dir := t.TempDir()
	r, err := BeginRestore(dir, Options{MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.restore(dir, Options{MinFree: 1}); err == nil || !strings.Contains(err.Error(), "lock") {
		t.Errorf("a second restoration beside the first: %v", err)
	}
	if err := r.Abort(); err != nil {
		t.Fatal(err)
	}
	refused(t, dir, Options{})
	short := taken{about: c.about, pairs: slices.DeleteFunc(slices.Clone(c.pairs), func(p [2][]byte) bool { return bytes.Equal(p[0], seqKey(roomRecord, 301)) })}
	if err := short.restore(dir, Options{MinFree: 1}); !errors.Is(err, eventlog.ErrDamaged) {
		t.Errorf("a copy without its last record: %v", err)
	}
	refused(t, dir, Options{})
	if err := c.restore(dir, Options{MinFree: 1}); err != nil {
		t.Errorf("after one that failed: %v", err)
	}
	closeStore(t, open(t, dir, Options{}))
}
