package eventlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

// memory is a file system in memory without room for a ballast: to make it would be most of what a small test does.
func memory() *vfs.MemFS {
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
	return mem
}

// start returns a running log over a new store.
func start(t testing.TB, fs vfs.FS, opt eventlog.Options, change ...func(*pebblestore.Options)) (*eventlog.Log, *pebblestore.Store) {
	t.Helper()
	o := pebblestore.Options{FS: fs, MinFree: 1, Now: opt.Now, Fatal: func(reason string) { panic(reason) }}
	for _, f := range change {
		f(&o)
	}
	s, err := pebblestore.Open("log", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	l, err := eventlog.Open(s, opt)
	if err != nil {
		t.Fatal(err)
	}
	running, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := l.Run(running); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return l, s
}

func event(tenant, id string, size int) *eventlog.Record {
	body, err := proto.Marshal(&headgatev1.Event{EventId: id, Context: tenant, Source: "s", WebhookName: proto.String(strings.Repeat("x", size))})
	if err != nil {
		panic(err)
	}
	return &eventlog.Record{
		Kind: eventlog.KindEvent, Keys: eventlog.Keys{Source: "s", Context: tenant, EventID: id}, Body: body, Raw: []byte("raw"),
		Duplicate: eventlog.DuplicateKey("s", tenant, id),
	}
}

func addN(t testing.TB, l *eventlog.Log, n, size int) {
	t.Helper()
	var wg sync.WaitGroup
	first := l.Head()
	for w := range 8 {
		wg.Go(func() {
			for i := w; i < n; i += 8 {
				if dup, err := l.Append(ctx, event(fmt.Sprint("c", i%3), fmt.Sprint(first, "-", i), size)); dup || err != nil {
					t.Errorf("append: dup %v, %v", dup, err)
				}
			}
		})
	}
	wg.Wait()
	waitFor(t, l, first+uint64(n))
}

// waitFor waits until the head is there.
func waitFor(t testing.TB, l *eventlog.Log, head uint64) {
	t.Helper()
	for {
		changed := l.Changed()
		if l.Head() >= head {
			return
		}
		select {
		case <-changed:
		case <-time.After(30 * time.Second):
			t.Fatalf("the head stands at %d, want %d", l.Head(), head)
		}
	}
}

type fataler interface{ Fatalf(string, ...any) }

// readTo reads from after to the head, and checks the contract of each chunk.
func readTo(t fataler, l *eventlog.Log, after, head uint64, wants func(_, c string) bool) (frames []eventlog.Frame) {
	for after < head {
		c, err := l.Read(ctx, after, wants)
		if err != nil {
			t.Fatalf("after %d: %v", after, err)
		}
		last := after
		for _, f := range c.Frames {
			if f.Seq <= last || wants == nil && f.Seq != last+1 {
				t.Fatalf("record %d follows %d", f.Seq, last)
			}
			last = f.Seq
		}
		if c.Through < last || c.Through <= after {
			t.Fatalf("after %d: %d frames up to %d, through %d", after, len(c.Frames), last, c.Through)
		}
		if c.AtHead && c.Through < head || !c.AtHead && c.Through == l.Head() {
			t.Fatalf("after %d: through %d, at the head: %v", after, c.Through, c.AtHead)
		}
		frames, after = append(frames, c.Frames...), c.Through
	}
	return frames
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

func TestTailAndDiskAgree(t *testing.T) {
	l, s := start(t, memory(), eventlog.Options{})
	addN(t, l, 500, 300)
	addN(t, l, 3, 200_000)                            // each larger than a slab
	disk, err := eventlog.Open(s, eventlog.Options{}) // nothing in its tail
	if err != nil {
		t.Fatal(err)
	}
	head := l.Head()
	a, b := readTo(t, l, 0, head, nil), readTo(t, disk, 0, head, nil)
	if len(a) != 503 || len(b) != 503 {
		t.Fatalf("%d and %d frames", len(a), len(b))
	}
	for i := range a {
		if !bytes.Equal(a[i].Bytes(), b[i].Bytes()) || a[i].Keys != b[i].Keys || !a[i].ReceivedAt.Equal(b[i].ReceivedAt) {
			t.Fatalf("record %d differs", i+1)
		}
		seq, err := disk.Locate(string(a[i].Cursor()))
		if err != nil || seq != a[i].Seq || l.Cursor(seq) != string(a[i].Cursor()) {
			t.Fatalf("the cursor of record %d leads to %d, %v", a[i].Seq, seq, err)
		}
		for _, log := range []*eventlog.Log{l, disk} {
			if f, err := log.Get(ctx, seq); err != nil || !bytes.Equal(f.Bytes(), a[i].Bytes()) {
				t.Fatalf("Get %d: %v", seq, err)
			}
		}
		if a[i].Keys.Shard == 0 {
			t.Fatal("no shard hash")
		}
	}
	for _, seq := range []uint64{0, head + 1} {
		if _, err := l.Get(ctx, seq); !errors.Is(err, eventlog.ErrNotFound) {
			t.Errorf("Get %d: %v", seq, err)
		}
	}
	if _, err := l.Locate(l.Cursor(head + 1)); !errors.Is(err, eventlog.ErrCursorForeign) {
		t.Errorf("a cursor beyond the head: %v", err)
	}
}

// From any position the tail and the disk behind it are one log.
func TestNoSeamBetweenDiskAndTail(t *testing.T) {
	l, _ := start(t, memory(), eventlog.Options{TailBytes: 600 << 10})
	addN(t, l, 2500, 200)
	head := l.Head()
	if _, err := l.Read(ctx, 0, nil); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		after := rapid.Uint64Range(0, head).Draw(rt, "after")
		if frames := readTo(rt, l, after, head, nil); uint64(len(frames)) != head-after {
			rt.Fatalf("%d frames after %d of %d", len(frames), after, head)
		}
		wants := func(_, c string) bool { return c == "c1" }
		got := 0
		for _, f := range readTo(rt, l, after, head, wants) {
			if f.Keys.Context == "c1" {
				got++
			}
		}
		want := 0
		for _, f := range readTo(rt, l, after, head, nil) {
			if f.Keys.Context == "c1" {
				want++
			}
		}
		if got != want {
			rt.Fatalf("%d of %d records of a tenant after %d", got, want, after)
		}
	})
}

func TestReadersBesideWriters(t *testing.T) {
	l, _ := start(t, memory(), eventlog.Options{TailBytes: 300 << 10})
	const n = 4000
	var wg sync.WaitGroup
	for r := range 6 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(r), 1))
			var sum int
			for after := uint64(0); after < n; {
				waitFor(t, l, after+1)
				c, err := l.Read(ctx, after, nil)
				if err != nil {
					t.Error(err)
					return
				}
				for i, f := range c.Frames {
					if f.Seq != after+1+uint64(i) {
						t.Errorf("record %d follows %d", f.Seq, after+uint64(i))
						return
					}
					sum += len(f.Bytes())
				}
				take := len(c.Frames)
				if r%2 == 1 && take > 0 { // a slow reader takes a part and comes back
					take = 1 + rng.IntN(take)
				}
				after += uint64(take)
			}
		})
	}
	addN(t, l, n, 100)
	wg.Wait()
}

// stuck is a disk whose WAL syncs hang while it is shut.
type stuck struct {
	vfs.FS
	shut    atomic.Pointer[chan struct{}]
	arrived chan struct{}
}

func newStuck() *stuck {
	s := &stuck{arrived: make(chan struct{}, 1)}
	s.FS = errorfs.Wrap(memory(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		shut := s.shut.Load()
		sync := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
		if shut != nil && sync && strings.HasSuffix(op.Path, ".log") {
			select {
			case s.arrived <- struct{}{}:
			default:
			}
			<-*shut
		}
		return nil
	}))
	return s
}

func (s *stuck) close() { c := make(chan struct{}); s.shut.Store(&c) }
func (s *stuck) open()  { close(*s.shut.Swap(nil)) }

func TestHangingDisk(t *testing.T) {
	fs := newStuck()
	l, _ := start(t, fs, eventlog.Options{TailBytes: 1}, func(o *pebblestore.Options) { o.AppendTimeout = time.Second })
	addN(t, l, 300, 10)
	fs.close()
	held := event("held", "held", 10)
	if _, err := l.Append(ctx, held); !errors.Is(err, eventlog.ErrBusy) {
		t.Fatalf("append to a hanging disk: %v", err)
	}
	<-fs.arrived
	// The retry of the same record is not answered as a duplicate of what is not durable.
	if dup, err := l.Append(ctx, held); dup || !errors.Is(err, eventlog.ErrBusy) {
		t.Fatalf("retry: dup %v, %v", dup, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := l.Append(cancelled, held); !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled: %v", err)
	}
	if l.Head() != 300 || l.State().Head != 300 || l.State().Err != nil || !errors.Is(l.Slow(), eventlog.ErrBusy) {
		t.Fatalf("state %+v", l.State())
	}
	if frames := readTo(t, l, 0, 300, nil); len(frames) != 300 {
		t.Fatalf("%d frames", len(frames))
	}
	if c, err := l.Read(ctx, 300, nil); err != nil || len(c.Frames) != 0 || c.Through != 300 || !c.AtHead {
		t.Fatalf("beyond the durable head: %d frames through %d, %v", len(c.Frames), c.Through, err)
	}
	if seqs, err := l.Find(ctx, "held", nil); err != nil || len(seqs) != 0 {
		t.Fatalf("Find: %v, %v", seqs, err)
	}
	if _, err := l.Locate(l.Cursor(301)); !errors.Is(err, eventlog.ErrCursorForeign) {
		t.Fatalf("Locate: %v", err)
	}
	if _, err := l.Get(ctx, 301); !errors.Is(err, eventlog.ErrNotFound) {
		t.Fatalf("Get: %v", err)
	}
	if after, err := l.SeekTime(ctx, time.Now().Add(time.Hour)); err != nil || after != 300 {
		t.Fatalf("SeekTime: %d, %v", after, err)
	}
	fs.open()
	waitFor(t, l, 301)
	eventually(t, "the retry is answered", func() bool {
		dup, err := l.Append(ctx, held)
		if err == nil && !dup {
			t.Fatal("the retry got the answer of an append that was given up")
		}
		return dup && err == nil
	})
	if err := l.Slow(); err != nil {
		t.Errorf("the disk is no longer slow: %v", err)
	}
	if seqs, err := l.Find(ctx, "held", nil); err != nil || fmt.Sprint(seqs) != "[301]" || l.Head() != 301 {
		t.Fatalf("afterwards: %v, %v, head %d", seqs, err, l.Head())
	}
}

func TestEraseReachesTheTail(t *testing.T) {
	l, _ := start(t, memory(), eventlog.Options{})
	addN(t, l, 20, 10)
	if err := l.Erase(ctx, []uint64{21}); !errors.Is(err, eventlog.ErrNotFound) {
		t.Fatalf("beyond the head: %v", err)
	}
	if err := l.Erase(ctx, []uint64{7}); err != nil {
		t.Fatal(err)
	}
	addN(t, l, 20, 10)
	frames := readTo(t, l, 0, 40, nil)
	if len(frames) != 40 || frames[6].Kind != eventlog.KindErased || len(frames[6].Bytes()) != 0 || frames[7].Kind != eventlog.KindEvent {
		t.Fatalf("%d frames, the erased one is %+v", len(frames), frames[6].Keys)
	}
	if f, err := l.Get(ctx, 7); err != nil || f.Kind != eventlog.KindErased {
		t.Fatalf("Get: kind %d, %v", f.Kind, err)
	}
}

// A log that cannot be followed any more ends its Run with the reason.
func TestRunEndsWithItsEngine(t *testing.T) {
	s, err := pebblestore.Open("log", pebblestore.Options{FS: vfs.NewMem(), MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	broken := errors.New("broken")
	l, err := eventlog.Open(brokenEngine{s, broken}, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(ctx); !errors.Is(err, broken) {
		t.Fatalf("Run: %v", err)
	}
}

type brokenEngine struct {
	eventlog.Engine
	err error
}

func (b brokenEngine) Follow(context.Context, uint64, func([]eventlog.Stored) error) error {
	return b.err
}

func TestCatchUp(t *testing.T) {
	l, _ := start(t, memory(), eventlog.Options{})
	for i := range 100 {
		if _, err := l.Append(ctx, event("c", fmt.Sprint(i), 1)); err != nil {
			t.Fatal(err)
		}
		if err := l.CatchUp(ctx); err != nil || l.Head() < uint64(i+1) {
			t.Fatalf("head %d after %d appends, %v", l.Head(), i+1, err)
		}
	}
}
