package feed

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// dozer is one stream, the log and the index in small: what the stream's loop does, one step at a time.
type dozer struct {
	x       *index
	w       waiter
	woken   int    // how often, since it waits
	roused  bool   // while it waits
	stirred bool   // roused since it waited
	astray  bool   // it was let wait though there was something to do, or the other way round
	log     []bool // whether the record is for the stream; the sequence is the place plus one
	looked  int    // records that the index was asked about
	pos     uint64
	waits   bool
	got     []uint64
	history []string
}

func newDozer() *dozer {
	s := &dozer{x: newIndex()}
	s.w.sleeper = s
	s.w.setTenants([]eventlog.Tenant{{Source: "acme", Context: "Cust1"}, {Source: "acme", Context: "Cust2"}})
	return s
}

func (s *dozer) wants(f *eventlog.Frame) bool { return f.Keys.Entity == "relation" }
func (s *dozer) wake()                        { s.woken++ }

func (s *dozer) frame(i int) eventlog.Frame {
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
func (s *dozer) step(what string) bool {
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
		s.waits = s.x.wait(&s.w, s.pos)
		s.astray = s.waits == (s.stirred || s.pos < uint64(s.looked))
		s.stirred = false
	case "rouse": // for a heartbeat
		if s.waits && s.woken == 0 {
			s.roused = true
		} else {
			s.stirred = true
		}
		s.x.rouse(&s.w)
	case "go on":
		if s.woken == 0 {
			return false
		}
		s.woken--
		s.waits, s.roused, s.pos = false, false, s.w.passed
	}
	return true
}

// wrong says what is wrong, empty when nothing is.
func (s *dozer) wrong() string {
	var want []uint64
	for i, own := range s.log {
		if own && uint64(i+1) <= s.pos {
			want = append(want, uint64(i+1))
		}
	}
	if !slices.Equal(s.got, want) {
		return fmt.Sprintf("at %d it has %v and should have %v", s.pos, s.got, want)
	}
	pending := s.waits && (s.roused || s.looked > int(s.pos) && slices.Contains(s.log[s.pos:s.looked], true))
	if woken := s.woken == 1; s.woken > 1 || pending != woken {
		return fmt.Sprintf("at %d: there is a reason to wake it: %v, it is woken %d times", s.pos, pending, s.woken)
	}
	if at := s.x.position(&s.w, s.pos); at < s.pos || s.waits && slices.Contains(s.log[s.pos:at], true) {
		return fmt.Sprintf("at %d it is said to be at %d", s.pos, at)
	}
	if s.astray {
		return fmt.Sprintf("at %d of %d: let wait: %v", s.pos, s.looked, s.waits)
	}
	return ""
}

// TestIndexInEveryOrder: whatever the order of records, look-ups, reading, waiting and rousing, a stream passes no record that is for it, and is woken once
// when there is one or it was roused, and not otherwise.
func TestIndexInEveryOrder(t *testing.T) {
	steps := []string{"own", "other", "look up", "read", "wait", "rouse", "go on"}
	const depth = 7
	tried := 0
	var try func(path []string)
	try = func(path []string) {
		s := newDozer()
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

// counter is a stream that counts how often it is woken.
type counter struct {
	waiter
	picky bool // it wants nothing
	woken int
}

func newCounter(tenants ...eventlog.Tenant) *counter {
	c := new(counter)
	c.sleeper = c
	c.setTenants(tenants)
	return c
}

func (c *counter) wants(*eventlog.Frame) bool { return !c.picky }
func (c *counter) wake()                      { c.woken++ }

// TestIndexOfMany: of streams that come and go, for tenants that they share, a record wakes those that wait for its tenant, and nothing is kept of those
// that do not wait.
func TestIndexOfMany(t *testing.T) {
	tenants := []eventlog.Tenant{{Source: "acme", Context: "Cust1"}, {Source: "acme"}, {Context: "Cust1"}, {}, {Source: "acme", Context: "Cust2"}}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		x, all := newIndex(), make([]*counter, 8)
		for i := range all {
			from := random.IntN(len(tenants))
			all[i] = newCounter(tenants[from : from+1+random.IntN(len(tenants)-from)]...)
			all[i].picky = i == 0
		}
		for range 60 {
			c := all[random.IntN(len(all))]
			switch random.IntN(4) {
			case 0, 1:
				if !c.waits {
					x.wait(&c.waiter, x.head)
				}
			case 2:
				if c.waits {
					x.rouse(&c.waiter)
				}
			case 3:
				var want []int
				for i, c := range all {
					c.woken = 0
					if c.waits && !c.picky && slices.ContainsFunc(c.entries, func(e entry) bool { return e.tenant.Context != "Cust2" }) {
						want = append(want, i)
					}
				}
				x.lookUp([]eventlog.Frame{{Seq: x.head + 1, Keys: eventlog.Keys{Source: "acme", Context: "Cust1"}}})
				for i, c := range all {
					if c.woken > 1 || (c.woken == 1) != slices.Contains(want, i) {
						t.Fatalf("seed %d: stream %d is woken %d times; those that should be once are %v", seed, i, c.woken, want)
					}
				}
			}
		}
		for _, c := range all {
			x.rouse(&c.waiter)
		}
		if len(x.waiting) != 0 {
			t.Errorf("seed %d: %d tenants are left", seed, len(x.waiting))
		}
	}
}

// TestIndexConcernsAll: a record without a tenant finds everybody, one of all contexts of a source finds those too that wait for one context.
func TestIndexConcernsAll(t *testing.T) {
	for _, keys := range []eventlog.Keys{{}, {Source: "acme"}} {
		x, c := newIndex(), newCounter(eventlog.Tenant{Source: "acme", Context: "Cust1"}, eventlog.Tenant{Source: "acme", Context: "Cust2"})
		x.wait(&c.waiter, 0)
		x.lookUp([]eventlog.Frame{{Seq: 1, Kind: eventlog.KindGap, Keys: keys}})
		if c.woken != 1 {
			t.Errorf("%+v wakes it %d times", keys, c.woken)
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
		x, c := newIndex(), newCounter(tenant)
		x.wait(&c.waiter, 0)
		x.lookUp(record)
		if c.woken != want {
			t.Errorf("%+v is woken %d times, want %d", tenant, c.woken, want)
		}
		// Whoever slept through it has passed it.
		x.rouse(&c.waiter)
		if c.passed != uint64(1-want) {
			t.Errorf("%+v goes on at %d", tenant, c.passed)
		}
	}
}

// BenchmarkWakeUp: a record that concerns one of many waiting streams. It should cost the same whatever their number.
func BenchmarkWakeUp(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprint("streams=", n), func(b *testing.B) {
			x := newIndex()
			all := make([]*counter, n)
			for i := range all {
				all[i] = newCounter(eventlog.Tenant{Source: "acme", Context: fmt.Sprint("Cust", i)})
				x.wait(&all[i].waiter, 0)
			}
			frames := make([]eventlog.Frame, 1)
			b.ResetTimer()
			for i := range b.N {
				c := all[i%n]
				frames[0] = eventlog.Frame{Seq: uint64(i + 1), Keys: eventlog.Keys{Source: "acme", Context: c.entries[0].tenant.Context, Entity: "relation"}}
				x.lookUp(frames)
				x.wait(&c.waiter, uint64(i+1))
			}
		})
	}
}
