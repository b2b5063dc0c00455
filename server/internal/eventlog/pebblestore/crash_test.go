package pebblestore

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

var ctx = context.Background()

func event(tenant, id string) *eventlog.Record {
	return &eventlog.Record{
		Kind:      eventlog.KindEvent,
		Keys:      eventlog.Keys{Source: "s", Context: tenant, Entity: "relation", EventType: "relation.created", EventID: id},
		Body:      []byte("body of " + id),
		Raw:       []byte("raw of " + id),
		Duplicate: eventlog.DuplicateKey("s", tenant, id),
	}
}

func add(t testing.TB, s *Store, tenant string, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if dup, err := s.Append(ctx, event(tenant, id)); err != nil || dup {
			t.Fatalf("%s: dup %v, %v", id, dup, err)
		}
	}
}

func addN(t testing.TB, s *Store, n int, prefix string) {
	t.Helper()
	for i := range n {
		add(t, s, fmt.Sprint("c", i%3), fmt.Sprint(prefix, i))
	}
}

// readAll returns the records after a sequence up to the first error.
func readAll(s *Store, after uint64, wants func(source, context string) bool) (list []eventlog.Stored, err error) {
	for head := s.State().Head; after < head; {
		after, err = s.Read(ctx, after, wants, func(st eventlog.Stored) bool {
			st.Body = bytes.Clone(st.Body)
			list = append(list, st)
			return true
		})
		if err != nil {
			return list, err
		}
	}
	return list, nil
}

// ledger is what was acknowledged.
type ledger struct {
	mu    sync.Mutex
	acked map[string]bool
}

func (l *ledger) copy() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.acked)
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// write appends from several writers until stop is closed, and notes each acknowledged event.
func (l *ledger) write(s *Store, writers int, stop <-chan struct{}) *sync.WaitGroup {
	l.acked = make(map[string]bool)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				rec := event(fmt.Sprint("c", w), fmt.Sprintf("%d-%d", w, i))
				rec.Raw = bytes.Repeat(rec.Raw, i%50)
				if _, err := s.Append(ctx, rec); err != nil {
					return
				}
				l.mu.Lock()
				l.acked[rec.Keys.EventID] = true
				l.mu.Unlock()
			}
		})
	}
	return &wg
}

// missing opens the store that a crash left and returns what is wrong with it.
func missing(t *testing.T, fs vfs.FS, dir string, acked map[string]bool) error {
	if mem, ok := fs.(*vfs.MemFS); ok {
		mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20}) // no room for a ballast, which would be most of each clone
	}
	s, err := Open(dir, Options{FS: fs, MinFree: 1, AppendTimeout: time.Minute, memTableSize: 64 << 10, Fatal: func(reason string) { panic(reason) }})
	if err != nil {
		return err
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	list, err := readAll(s, 0, nil)
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	for i, st := range list {
		id := st.Keys.EventID
		if st.Kind == eventlog.KindGap { // of a restoration
			continue
		}
		if seen[id] {
			return fmt.Errorf("%s is there twice", id)
		}
		seen[id] = true
		if st.Seq != uint64(i+1) || string(st.Body) != "body of "+id {
			return fmt.Errorf("record %d stands at %d and holds %q", st.Seq, i+1, st.Body)
		}
		if seqs, err := s.Find(ctx, id, nil); err != nil || len(seqs) != 1 || seqs[0] != st.Seq {
			return fmt.Errorf("%s is found at %v, %w", id, seqs, err)
		}
	}
	for id := range acked {
		if !seen[id] {
			return fmt.Errorf("%s was acknowledged and is lost", id)
		}
	}
	return nil
}

// crashes takes clones of the disk, as a power cut would leave it, while 8 writers append, and returns what was wrong with each.
func crashes(t *testing.T, clones int, mutate func(vfs.FS) vfs.FS) (wrong []error) {
	for round := 0; round*10 < clones; round++ {
		mem := vfs.NewCrashableMem()
		mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
		s := open(t, "log", Options{FS: mutate(mem), memTableSize: 64 << 10})
		var l ledger
		stop := make(chan struct{})
		wg := l.write(s, 8, stop)
		rng := rand.New(rand.NewPCG(uint64(round), 1))
		var cuts [10]*vfs.MemFS
		var acked [len(cuts)]map[string]bool
		for i := range cuts {
			until := l.count() + 1 + rng.IntN(30)
			eventually(t, "traffic", func() bool { return l.count() >= until })
			acked[i] = l.copy() // before the cut: whatever is acknowledged by then must be there
			cuts[i] = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 50, 90}[i%3], RNG: rng})
		}
		close(stop)
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for i, cut := range cuts {
			err := missing(t, cut, "log", acked[i])
			if err == nil && i%4 == 0 { // and a second cut, after the recovery
				err = missing(t, cut.CrashClone(vfs.CrashCloneCfg{}), "log", acked[i])
			}
			if err != nil {
				wrong = append(wrong, fmt.Errorf("round %d, cut %d of %d events: %w", round, i, len(acked[i]), err))
			}
		}
	}
	return wrong
}

func TestPowerCutLosesNothingAcknowledged(t *testing.T) {
	clones := 80
	if *long {
		clones = 20_000
	}
	for _, err := range crashes(t, clones, func(fs vfs.FS) vfs.FS { return fs }) {
		t.Error(err)
	}
}

// The mutant: without fsync the same test finds records that were acknowledged and are gone, or a store that does not open any more.
func TestPowerCutWithoutSyncLoses(t *testing.T) {
	if wrong := crashes(t, 10, func(fs vfs.FS) vfs.FS { return noSync{fs} }); len(wrong) == 0 {
		t.Fatal("nothing was lost without fsync: the power cut cuts nothing")
	}
}

// What was trimmed and erased before a cut stays so, or is as before: never half.
func TestPowerCutDuringTrimAndErase(t *testing.T) {
	mem := vfs.NewCrashableMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
	s := open(t, "log", Options{FS: mem, memTableSize: 64 << 10})
	addN(t, s, 500, "id")
	for i := range uint64(20) {
		if err := s.Erase(ctx, []uint64{490 - i}); err != nil {
			t.Fatal(err)
		}
		if err := s.Trim(ctx, 20*(i+1)); err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(i, 2))
		cut := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(i%3) * 40, RNG: rng})
		cut.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
		c := open(t, "log", Options{FS: cut})
		st := c.State()
		if st.Head != 500 || st.Earliest > 20*(i+1)+1 {
			t.Fatalf("state %+v after trim %d", st, i)
		}
		list, err := readAll(c, st.Earliest-1, nil)
		if err != nil || uint64(len(list)) != 501-st.Earliest {
			t.Fatalf("%d records from %d on, %v", len(list), st.Earliest, err)
		}
		for seq := 490 - i; seq <= 490; seq++ {
			if list[seq-st.Earliest].Kind != eventlog.KindErased {
				t.Fatalf("record %d came back", seq)
			}
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPowerCutDuringReprocessing: an event and the end of the quarantine that it was made of are on the disk together, or neither is.
func TestPowerCutDuringReprocessing(t *testing.T) {
	mem := vfs.NewCrashableMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
	s := open(t, "log", Options{FS: mem, memTableSize: 64 << 10})
	const n = 60
	for i := range n {
		rec := event("c", "")
		rec.Kind, rec.Raw, rec.Duplicate, rec.Quarantine = eventlog.KindGap, fmt.Append(nil, "odd", i), [16]byte{}, &eventlog.Quarantine{Problem: "odd"}
		if _, err := s.Append(ctx, rec); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint64(n) {
		cuts := make(chan *vfs.MemFS, 1)
		go func() {
			cuts <- mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(i%3) * 40, RNG: rand.New(rand.NewPCG(i, 3))})
		}()
		rec := event("c", fmt.Sprint("made", i))
		rec.Settles = i + 1
		if dup, err := s.Append(ctx, rec); dup || err != nil {
			t.Fatal(dup, err)
		}
		cut := <-cuts
		cut.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
		c := open(t, "log", Options{FS: cut})
		list, err := readAll(c, n, nil)
		if err != nil {
			t.Fatal(err)
		}
		if held := c.State().Quarantined; held != n-uint64(len(list)) || uint64(len(list)) < i {
			t.Errorf("after %d: %d events and %d in quarantine, of %d", i, len(list), held, n)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
