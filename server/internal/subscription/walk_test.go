package subscription

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

var (
	walks     = flag.Int("subscription.walks", 60, "random walks of TestAgainstTheModel")
	walkSteps = flag.Int("subscription.steps", 300, "steps of each of them")
)

// world is a gateway's subscription with members that do what clients do. The log is a number: each shard's events are the sequences up to head.
type world struct {
	t       *testing.T
	rng     *rand.Rand
	store   *Bolt
	subs    *Subscriptions
	shards  int
	head    uint64
	members []*member
	born    int

	seen    []map[string]bool // leases, by shard
	newest  []string          // the last lease assigned, by shard
	handled []map[uint64]int  // how often each event was handled, by shard
	cuts    []int             // by shard
	skipped []map[uint64]bool
}

// member is a replica. It has as many streams as there are shards.
type member struct {
	name    string
	streams []*memberStream
}

type memberStream struct {
	seat     *Seat
	a        *Assignment
	sent     uint64 // by the gateway
	done     uint64 // handled
	told     bool   // that the stream has ended
	position uint64 // saved
}

var walked = Name{"billing", "invoices"}

func cursorOf(seq uint64) string { return strconv.FormatUint(seq, 10) }

func locate(cursor string) (uint64, error) { return strconv.ParseUint(cursor, 10, 64) }

func place(seq uint64) Place { return Place{Seq: seq, Cursor: cursorOf(seq)} }

func (w *world) open() {
	var err error
	if w.subs, err = Open(context.Background(), w.store, Options{Locate: locate}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) join(m *member) *memberStream {
	seat, err := w.subs.Join(walked, Joining{Member: m.name, Pinned: -1})
	if err != nil {
		w.t.Fatal(err)
	}
	return &memberStream{seat: seat}
}

func (w *world) addMember() {
	w.born++
	m := &member{name: fmt.Sprint("m", w.born)}
	for range w.shards {
		m.streams = append(m.streams, w.join(m))
	}
	w.members = append(w.members, m)
}

// look takes note of what the gateway has told a stream.
func (w *world) look(s *memberStream) {
	select {
	case a := <-s.seat.Assigned():
		s.a, s.sent, s.done, s.position = &a, a.Place.Seq, a.Place.Seq, a.Place.Seq
		if w.seen[a.Shard][a.Lease] {
			w.t.Fatalf("shard %d is served under lease %s twice", a.Shard, a.Lease)
		}
		w.seen[a.Shard][a.Lease] = true
		// Streams are looked at in any order.
		if len(a.Lease) > len(w.newest[a.Shard]) || len(a.Lease) == len(w.newest[a.Shard]) && a.Lease > w.newest[a.Shard] {
			w.newest[a.Shard] = a.Lease
		}
	default:
	}
	select {
	case <-s.seat.Taken():
		if !s.told {
			s.told = true
			s.seat.Leave(s.sent)
		}
	default:
	}
}

func (w *world) handle(s *memberStream) {
	if s.a == nil || s.done >= s.sent {
		return
	}
	s.done++
	if w.skipped[s.a.Shard][s.done] {
		return
	}
	n := &w.handled[s.a.Shard]
	if (*n)[s.done]++; (*n)[s.done] > 1+w.cuts[s.a.Shard] {
		w.t.Fatalf("event %d of shard %d was handled %d times after %d cuts", s.done, s.a.Shard, (*n)[s.done], w.cuts[s.a.Shard])
	}
}

// save saves what was handled. It reports whether the lease still holds.
func (w *world) save(s *memberStream, release bool) bool {
	if s.a == nil {
		return false
	}
	at := place(s.done)
	err := w.subs.Save(context.Background(), walked, Saving{Shard: s.a.Shard, Lease: s.a.Lease, Place: &at, Release: release})
	switch {
	case err == nil && w.newest[s.a.Shard] != s.a.Lease:
		w.t.Fatalf("lease %s saves on shard %d, and %s is the newest", s.a.Lease, s.a.Shard, w.newest[s.a.Shard])
	case err != nil && !errors.Is(err, ErrLeaseLost):
		w.t.Fatal(err)
	case err == nil:
		s.position = s.done
	}
	return err == nil
}

// end is how a stream of a living client ends: what was handled is saved, what was not is forgotten.
func (w *world) end(m *member, i int) {
	s := m.streams[i]
	if !s.told {
		s.told = true
		s.seat.Leave(s.sent)
	}
	w.save(s, true)
	m.streams[i] = w.join(m)
}

func (w *world) step() {
	synctest.Wait()
	for _, m := range w.members {
		for i, s := range m.streams {
			w.look(s)
			// Told to end, a client handles what it received, saves that and comes again.
			if s.told && (s.done == s.sent || s.a == nil) {
				w.save(s, false)
				m.streams[i] = w.join(m)
			}
		}
	}
	if len(w.members) == 0 {
		w.addMember()
		return
	}
	m := w.members[w.rng.IntN(len(w.members))]
	i := w.rng.IntN(len(m.streams))
	s := m.streams[i]
	switch n := w.rng.IntN(100); {
	case n < 25:
		if s.a != nil && !s.told && s.sent < w.head {
			s.sent += 1 + w.rng.Uint64N(w.head-s.sent)
		}
	case n < 60:
		w.handle(s)
	case n < 75:
		if s.a != nil && !w.save(s, false) { // it learns that the lease is lost
			if !s.told {
				s.told = true
				s.seat.Leave(s.sent)
			}
			m.streams[i] = w.join(m)
		}
	case n < 80:
		w.end(m, i)
	case n < 83 && len(w.members) < 4:
		w.addMember()
	case n < 86:
		w.kill(w.rng.IntN(len(w.members)))
	case n < 88:
		w.leave(w.rng.IntN(len(w.members)))
	case n < 92:
		w.head += w.rng.Uint64N(5)
	case n < 95:
		w.wait(time.Duration(w.rng.Int64N(int64(2 * Grace))))
	case n < 96:
		w.restart()
	case n < 98:
		w.skip()
	default:
		time.Sleep(time.Millisecond)
	}
}

// wait lets time go by in which nobody does anything: leases whose streams have ended may be lost to it.
func (w *world) wait(d time.Duration) {
	for _, m := range w.members {
		for _, s := range m.streams {
			if s.told && s.a != nil && s.position < s.sent {
				w.cuts[s.a.Shard]++
			}
		}
	}
	time.Sleep(d)
}

// kill ends a member without a word: its connections break.
func (w *world) kill(i int) {
	for _, s := range w.members[i].streams {
		w.look(s)
		if s.a != nil && w.newest[s.a.Shard] == s.a.Lease {
			w.cuts[s.a.Shard]++
		}
		s.seat.Leave(s.sent)
	}
	w.members = append(w.members[:i:i], w.members[i+1:]...)
}

// leave ends a member properly.
func (w *world) leave(i int) {
	for _, s := range w.members[i].streams {
		w.look(s)
		if !s.told {
			s.seat.Leave(s.sent)
		}
		w.save(s, true)
	}
	w.members = append(w.members[:i:i], w.members[i+1:]...)
}

// restart ends the gateway and starts it again. Clients go on with what they received, and may save it under the lease that they have.
func (w *world) restart() {
	synctest.Wait()
	for _, m := range w.members {
		for _, s := range m.streams {
			w.look(s)
		}
	}
	w.subs.Close()
	w.open()
	for _, m := range w.members {
		for i, s := range m.streams {
			s.told = true
			if s.a == nil || !w.save(s, true) {
				m.streams[i] = w.join(m)
				continue
			}
			m.streams[i] = w.join(m)
		}
	}
}

func (w *world) skip() {
	if w.head == 0 {
		return
	}
	shard, seq := w.rng.IntN(w.shards), 1+w.rng.Uint64N(w.head)
	for _, m := range w.members { // whoever has handled it without saving that will not handle it again
		for _, s := range m.streams {
			if s.a != nil && s.a.Shard == shard {
				w.cuts[shard]++
			}
		}
	}
	_, err := w.subs.Skip(context.Background(), walked, shard, place(seq), "poison", "tester")
	switch {
	case err == nil:
		w.skipped[shard][seq] = true
	case !errors.Is(err, ErrBehind) && !errors.Is(err, ErrSkips):
		w.t.Fatal(err)
	}
}

// settle lets the living do their work until all is done, and checks that it can be.
func (w *world) settle() {
	if len(w.members) == 0 {
		w.addMember()
	}
	for round := 0; ; round++ {
		if round > 1000 {
			w.t.Fatalf("it does not come to rest: %+v", w.state())
		}
		synctest.Wait()
		busy := false
		for _, m := range w.members {
			for i, s := range m.streams {
				w.look(s)
				if s.a != nil && !s.told && s.sent < w.head {
					s.sent = w.head
				}
				for s.a != nil && s.done < s.sent {
					w.handle(s)
				}
				lost := s.a != nil && s.position < s.done && !w.save(s, false)
				if s.told || lost {
					busy = true
					if !s.told {
						s.seat.Leave(s.sent)
					}
					m.streams[i] = w.join(m)
				}
			}
		}
		st := w.state()
		for _, sh := range st.Shards {
			busy = busy || sh.Seq < w.head || sh.Member == ""
		}
		if !busy {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.checkShares()
	for shard, handled := range w.handled {
		for seq := uint64(1); seq <= w.head; seq++ {
			if handled[seq] == 0 && !w.skipped[shard][seq] {
				w.t.Fatalf("event %d of shard %d was never handled", seq, shard)
			}
		}
	}
}

func (w *world) state() Status {
	st, err := w.subs.Get(walked)
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

func (w *world) checkShares() {
	have := map[string]int{}
	for _, sh := range w.state().Shards {
		have[sh.Member]++
	}
	least, most := w.shards, 0
	for _, m := range w.members {
		least, most = min(least, have[m.name]), max(most, have[m.name])
	}
	if most > least+1 {
		w.t.Fatalf("the shares are uneven: %v", have)
	}
}

// TestAgainstTheModel drives subscriptions with random joins, leaves, kills, pauses, saves, skips and restarts, and holds them to what TestModel says.
func TestAgainstTheModel(t *testing.T) {
	for seed := range *walks {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			store := openBolt(t, filepath.Join(t.TempDir(), "positions.db"))
			store.db.NoSync = true // here is nothing that loses power
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, rng: rand.New(rand.NewPCG(uint64(seed), 1)), store: store, shards: 1 + seed%5}
				w.open()
				defer func() { w.subs.Close() }()
				if err := w.subs.Create(t.Context(), walked, w.shards, place(0)); err != nil {
					t.Fatal(err)
				}
				for range w.shards {
					w.seen, w.newest = append(w.seen, map[string]bool{}), append(w.newest, "")
					w.handled = append(w.handled, map[uint64]int{})
					w.skipped = append(w.skipped, map[uint64]bool{})
					w.cuts = append(w.cuts, 0)
				}
				for range *walkSteps {
					w.step()
				}
				w.settle()
			})
		})
	}
}
