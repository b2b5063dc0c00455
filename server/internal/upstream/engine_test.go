package upstream

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is an engine without a disk: months pass in seconds over it.
type memory struct {
	eventlog.Engine // what is not here is not asked for
	id              eventlog.Identity

	mu      sync.Mutex
	list    []eventlog.Stored
	dups    map[[16]byte]bool
	problem error
	changed chan struct{}
}

func newMemory() *memory {
	return &memory{id: eventlog.NewIdentity(time.Now()), dups: make(map[[16]byte]bool), changed: make(chan struct{})}
}

func (m *memory) Identity() eventlog.Identity { return m.id }

func (m *memory) QuarantineSizes() map[string]uint64 { return nil }

func (m *memory) Append(_ context.Context, r *eventlog.Record) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.problem != nil {
		return false, m.problem
	}
	if r.Duplicate != [16]byte{} && m.dups[r.Duplicate] {
		return true, nil
	}
	m.dups[r.Duplicate] = true
	// As it comes back from a disk.
	st, err := eventlog.DecodeRecord(uint64(len(m.list)+1), eventlog.EncodeRecord(nil, r, time.Now()))
	if err != nil {
		return false, err
	}
	m.list = append(m.list, st)
	close(m.changed)
	m.changed = make(chan struct{})
	return false, nil
}

func (m *memory) after(seq uint64) ([]eventlog.Stored, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.list[min(seq, uint64(len(m.list))):], m.changed
}

func (m *memory) Follow(ctx context.Context, after uint64, fn func([]eventlog.Stored) error) error {
	for {
		group, changed := m.after(after)
		if len(group) > 0 {
			if err := fn(group); err != nil {
				return err
			}
			after += uint64(len(group))
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

func (m *memory) Read(_ context.Context, after uint64, _ func(source, context string) bool, fn func(eventlog.Stored) bool) (uint64, error) {
	list, _ := m.after(after)
	for _, st := range list {
		after = st.Seq
		if !fn(st) {
			break
		}
	}
	return after, nil
}

func (m *memory) SeekTime(_ context.Context, t time.Time) (uint64, error) {
	list, _ := m.after(0)
	i, _ := slices.BinarySearchFunc(list, t, func(st eventlog.Stored, t time.Time) int { return st.ReceivedAt.Compare(t) })
	return uint64(i), nil
}

func (m *memory) State() eventlog.State {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := eventlog.State{Earliest: 1, Head: uint64(len(m.list)), Err: m.problem}
	if n := len(m.list); n > 0 {
		st.EarliestAt, st.HeadAt = m.list[0].ReceivedAt, m.list[n-1].ReceivedAt
	}
	return st
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.problem = err
}

// rig is a gateway's upstream watch, in the clock of a bubble.
type rig struct {
	*testing.T
	engine *memory
	log    *eventlog.Log
	dir    string
	zones  map[string]*time.Location
	watch  *Watch
	first  func() // happens as soon as webhooks are taken; nil for nothing
	stop   func()
}

func newRig(t *testing.T, sources ...string) *rig {
	r := &rig{T: t, engine: newMemory(), dir: t.TempDir(), zones: make(map[string]*time.Location)}
	for _, s := range sources {
		r.zones[s] = oslo(t)
	}
	return r
}

func oslo(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// start starts it, as a gateway does; only follow leaves out what is written every second.
func (r *rig) start(onlyFollow bool) {
	r.Helper()
	var err error
	if r.log, err = eventlog.Open(r.engine, eventlog.Options{TailBytes: 1 << 20}); err != nil {
		r.Fatal(err)
	}
	if r.watch, err = Open(r.log, r.zones, Options{Dir: r.dir, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		r.Fatal(err)
	}
	if onlyFollow { // for weeks
		r.watch.saveEvery = day
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	if !onlyFollow {
		r.watch.Begin(ctx)
		if r.first != nil {
			r.first()
		}
		wg.Go(func() { _ = r.watch.Run(ctx) })
	} else {
		wg.Go(func() { r.watch.follow(ctx) })
	}
	wg.Go(func() { _ = r.log.Run(ctx) })
	r.stop = func() {
		cancel()
		wg.Wait()
		if err := r.watch.Close(); err != nil {
			r.Error(err)
		}
	}
}

// end ends it as a gateway that is told to: webhooks are taken no more. crash ends it as one that is not.
func (r *rig) end() {
	r.watch.Stop()
	r.stop()
}

// crash ends it with what was written until now.
func (r *rig) crash() {
	r.watch.mu.Lock()
	r.watch.path = r.watch.path + ".lost"
	r.watch.mu.Unlock()
	r.watch.ready.mu.Lock()
	r.watch.ready.stopped = true
	r.watch.ready.mu.Unlock()
	r.stop()
}

// post appends an event of the source, as the door does.
func (r *rig) post(source, eventType string, retries uint8) {
	r.Helper()
	entity, action := "relation", "created"
	if eventType != "" {
		entity, action = "webhook", eventType
	}
	_, err := r.log.Append(r.Context(), &eventlog.Record{Kind: eventlog.KindEvent, Keys: eventlog.Keys{Source: source, Entity: entity, Action: action}, Retries: retries})
	r.watch.Stored(err == nil)
}

// gaps are all that were appended, in order.
func (r *rig) gaps() (list []*headgatev1.Gap) {
	r.Helper()
	stored, _ := r.engine.after(0)
	for _, st := range stored {
		if st.Kind != eventlog.KindGap {
			continue
		}
		gap := new(headgatev1.Gap)
		if err := proto.Unmarshal(st.Body, gap); err != nil || gap.GetSource() != st.Keys.Source || st.Keys.Context != "" {
			r.Fatal(gap, err)
		}
		if gap.GetReason() == headgatev1.Gap_REASON_UPSTREAM_SUSPECTED {
			list = append(list, gap)
		}
	}
	return list
}

// want checks which gaps there are, and that the windows are these.
func (r *rig) want(what string, want ...suspicion) {
	r.Helper()
	got := r.gaps()
	same := len(got) == len(want)
	for i := 0; same && i < len(want); i++ {
		same = proto.Equal(got[i], want[i].gap())
	}
	if !same {
		r.Errorf("%s: the gaps are\n%v\nwant\n%v", what, got, want)
	}
}

// pass lets time pass, and what is to be done then be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
