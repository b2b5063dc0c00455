package feed

import (
	"fmt"
	"slices"
	"testing"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// sleeper is one stream, the log and the index in small: what the stream's loop does, one step at a time.
type sleeper struct {
	x       *index
	w       *waiter
	log     []bool // whether the record is for the stream; the sequence is the place plus one
	looked  int    // records that the index was asked about
	pos     uint64
	waits   bool
	got     []uint64
	history []string
}

func newSleeper() *sleeper {
	s := &sleeper{x: newIndex(), w: newWaiter()}
	s.w.tenants = []eventlog.Tenant{{Source: "acme", Context: "Cust1"}, {Source: "acme", Context: "Cust2"}}
	s.w.matches = func(f *eventlog.Frame) bool { return f.Keys.Entity == "relation" }
	return s
}

func (s *sleeper) frame(i int) eventlog.Frame {
	f := eventlog.Frame{Seq: uint64(i + 1), Keys: eventlog.Keys{Source: "acme", Context: "Cust1", Entity: "relation"}}
	if !s.log[i] {
		// In turn: of another tenant, and of the same one.
		if i%2 == 0 {
			f.Keys.Context = "Cust3"
		} else {
			f.Keys.Entity = "sale"
		}
	}
	return f
}

// step does one step. It reports false when the step is not possible now.
func (s *sleeper) step(what string) bool {
	s.history = append(s.history, what)
	switch what {
	case "own", "other": // a record can be read
		s.log = append(s.log, what == "own")
	case "look up": // all that can be read
		if s.looked == len(s.log) {
			return false
		}
		var frames []eventlog.Frame
		for ; s.looked < len(s.log); s.looked++ {
			frames = append(frames, s.frame(s.looked))
		}
		s.x.lookUp(frames)
	case "read": // to the end
		if s.waits || s.pos == uint64(len(s.log)) {
			return false
		}
		for ; s.pos < uint64(len(s.log)); s.pos++ {
			if s.log[s.pos] {
				s.got = append(s.got, s.pos+1)
			}
		}
	case "wait":
		if s.waits {
			return false
		}
		s.waits = s.x.wait(s.w, s.pos)
	case "go on": // woken, or for a heartbeat
		if !s.waits {
			return false
		}
		s.waits, s.pos = false, s.x.goOn(s.w)
	}
	return true
}

// wrong says what is wrong, empty when nothing is.
func (s *sleeper) wrong() string {
	var want []uint64
	for i, own := range s.log {
		if own && uint64(i+1) <= s.pos {
			want = append(want, uint64(i+1))
		}
	}
	if !slices.Equal(s.got, want) {
		return fmt.Sprintf("at %d it has %v and should have %v", s.pos, s.got, want)
	}
	if pending := s.waits && s.looked > int(s.pos) && slices.Contains(s.log[s.pos:s.looked], true); pending != (s.waits && len(s.w.wake) == 1) {
		return fmt.Sprintf("at %d: a record is waiting: %v, it is woken: %v", s.pos, pending, len(s.w.wake) == 1)
	}
	if at := s.x.position(s.w, s.pos); at < s.pos || s.waits && slices.Contains(s.log[s.pos:at], true) {
		return fmt.Sprintf("at %d it is said to be at %d", s.pos, at)
	}
	if !s.waits && len(s.w.wake) > 0 {
		return "it is awake and will be woken"
	}
	return ""
}

// TestIndexInEveryOrder: whatever the order of records, look-ups, reading and waiting, a stream passes no record that is for it, and is woken exactly when there is one.
func TestIndexInEveryOrder(t *testing.T) {
	steps := []string{"own", "other", "look up", "read", "wait", "go on"}
	const depth = 8
	tried := 0
	var try func(path []string)
	try = func(path []string) {
		s := newSleeper()
		for i, what := range path {
			possible := s.step(what)
			if i == len(path)-1 && !possible {
				return
			}
		}
		tried++
		if wrong := s.wrong(); wrong != "" {
			t.Fatalf("%v: %s", s.history, wrong)
		}
		if len(path) == depth {
			return
		}
		for _, what := range steps {
			try(append(path[:len(path):len(path)], what))
		}
	}
	try(nil)
	if tried < 10_000 {
		t.Errorf("only %d orders were tried", tried)
	}
}

// TestIndexForgets: nothing is kept of streams that have gone on.
func TestIndexForgets(t *testing.T) {
	x := newIndex()
	for i := range 100 {
		w := newWaiter()
		w.tenants = []eventlog.Tenant{{Source: "acme"}, {Context: fmt.Sprint(i)}, {}}
		w.matches = func(*eventlog.Frame) bool { return i%2 == 0 }
		x.wait(w, x.head)
		if i%3 == 0 {
			x.lookUp([]eventlog.Frame{{Seq: x.head + 1, Keys: eventlog.Keys{Source: "acme", Context: "y"}}})
		}
		x.goOn(w)
	}
	if len(x.waiting) != 0 {
		t.Errorf("%d tenants are left", len(x.waiting))
	}
}

// TestIndexConcernsAll: a record without a tenant finds everybody, one of all contexts of a source finds those too that wait for one context.
func TestIndexConcernsAll(t *testing.T) {
	for _, keys := range []eventlog.Keys{{}, {Source: "acme"}} {
		x, w := newIndex(), newWaiter()
		w.tenants, w.matches = []eventlog.Tenant{{Source: "acme", Context: "Cust1"}}, func(*eventlog.Frame) bool { return true }
		x.wait(w, 0)
		x.lookUp([]eventlog.Frame{{Seq: 1, Kind: eventlog.KindGap, Keys: keys}})
		if len(w.wake) != 1 {
			t.Errorf("%+v wakes nobody", keys)
		}
	}
}

// TestIndexShapes: a stream is found by whatever part of the tenant it names, and by no other.
func TestIndexShapes(t *testing.T) {
	record := []eventlog.Frame{{Seq: 1, Keys: eventlog.Keys{Source: "acme", Context: "Cust1", Entity: "relation"}}}
	for tenant, want := range map[eventlog.Tenant]int{
		{Source: "acme", Context: "Cust1"}: 1, {Source: "acme"}: 1, {Context: "Cust1"}: 1, {}: 1,
		{Source: "acme", Context: "Cust2"}: 0, {Source: "globex", Context: "Cust1"}: 0, {Source: "globex"}: 0, {Context: "Cust2"}: 0,
	} {
		x, w := newIndex(), newWaiter()
		w.tenants, w.matches = []eventlog.Tenant{tenant}, func(*eventlog.Frame) bool { return true }
		x.wait(w, 0)
		x.lookUp(record)
		if len(w.wake) != want {
			t.Errorf("%+v is woken %d times, want %d", tenant, len(w.wake), want)
		}
		// Whoever slept through it has passed it.
		if got := x.goOn(w); got != uint64(1-want) {
			t.Errorf("%+v goes on at %d", tenant, got)
		}
	}
}

// BenchmarkWakeUp: a record that concerns one of many waiting streams. It should cost the same whatever their number.
func BenchmarkWakeUp(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprint("streams=", n), func(b *testing.B) {
			x := newIndex()
			waiters := make([]*waiter, n)
			for i := range waiters {
				w := newWaiter()
				w.tenants, w.matches = []eventlog.Tenant{{Source: "acme", Context: fmt.Sprint("Cust", i)}}, func(*eventlog.Frame) bool { return true }
				x.wait(w, 0)
				waiters[i] = w
			}
			frames := make([]eventlog.Frame, 1)
			b.ResetTimer()
			for i := range b.N {
				w := waiters[i%n]
				frames[0] = eventlog.Frame{Seq: uint64(i + 1), Keys: eventlog.Keys{Source: "acme", Context: w.tenants[0].Context, Entity: "relation"}}
				x.lookUp(frames)
				<-w.wake
				x.goOn(w)
				x.wait(w, uint64(i+1))
			}
		})
	}
}
