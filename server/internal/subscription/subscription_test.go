package subscription

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// gateway is the subscriptions of one file, in a bubble of time.
type gateway struct {
	*testing.T
	store *Bolt
	*Subscriptions
}

// inBubble runs the test with a subscription "walked" of so many shards that begins at 0.
func inBubble(t *testing.T, shards int, test func(g *gateway)) {
	t.Helper()
	store := openBolt(t, filepath.Join(t.TempDir(), "positions.db"))
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{T: t, store: store}
		g.open()
		defer func() { g.Close() }()
		if err := g.Create(t.Context(), walked, shards, place(0)); err != nil {
			t.Fatal(err)
		}
		test(g)
	})
}

func (g *gateway) open() {
	g.Helper()
	var err error
	if g.Subscriptions, err = Open(g.Context(), g.store, Options{Locate: locate}); err != nil {
		g.Fatal(err)
	}
}

func (g *gateway) join(member string, pinned int) *Seat {
	g.Helper()
	seat, err := g.Join(walked, Joining{Member: member, Pinned: pinned})
	if err != nil {
		g.Fatal(err)
	}
	return seat
}

// assigned returns what the seat was served by now, nil when nothing.
func (g *gateway) assigned(seat *Seat) *Assignment {
	time.Sleep(100 * time.Millisecond)
	select {
	case a := <-seat.Assigned():
		return &a
	default:
		return nil
	}
}

func (g *gateway) isTaken(seat *Seat) bool {
	select {
	case <-seat.Taken():
		return true
	default:
		return false
	}
}

func (g *gateway) save(shard int, lease string, seq uint64, want error) {
	g.Helper()
	at := place(seq)
	if err := g.Save(g.Context(), walked, Saving{Shard: shard, Lease: lease, Place: &at}); !errors.Is(err, want) {
		g.Fatalf("saving %d under %q: %v, want %v", seq, lease, err, want)
	}
}

// TestOneIsServed: others stand by, and who comes next begins after what was saved, under another lease.
func TestOneIsServed(t *testing.T) {
	inBubble(t, 1, func(g *gateway) {
		first, second := g.join("a", -1), g.join("b", -1)
		one := g.assigned(first)
		if one == nil || g.assigned(second) != nil || g.isTaken(first) {
			g.Fatal("not just the first is served")
		}
		g.save(0, one.Lease, 7, nil)
		g.save(0, one.Lease, 6, ErrBehind)
		g.save(0, "", 8, ErrLeaseLost)
		g.save(0, "zz", 8, ErrLeaseLost)
		first.Leave(7)
		two := g.assigned(second)
		if two == nil || two.Lease == one.Lease || two.Place != place(7) {
			g.Fatalf("the second is served %+v", two)
		}
		g.save(0, one.Lease, 9, ErrLeaseLost)
		second.Leave(7)
	})
}

// TestGrace: a holder whose stream has ended keeps its lease as long as it goes on saving, and for five seconds after that.
func TestGrace(t *testing.T) {
	inBubble(t, 1, func(g *gateway) {
		first, second := g.join("a", -1), g.join("b", -1)
		one := g.assigned(first)
		first.Leave(100)
		for seq := uint64(1); seq < 10; seq++ {
			time.Sleep(Grace - time.Second)
			g.save(0, one.Lease, seq, nil)
		}
		if g.assigned(second) != nil {
			g.Fatal("another is served although the holder saves")
		}
		time.Sleep(Grace)
		if two := g.assigned(second); two == nil || two.Place != place(9) {
			g.Fatalf("after the grace the second is served %+v", two)
		}
		g.save(0, one.Lease, 10, ErrLeaseLost)
		second.Leave(9)
	})
}

// TestHeldUpStream: a stream that was told to end and does not, because its client reads nothing, does not hold up the shard.
func TestHeldUpStream(t *testing.T) {
	inBubble(t, 2, func(g *gateway) {
		stuck := []*Seat{g.join("a", -1), g.join("a", -1)}
		for _, s := range stuck {
			g.assigned(s)
		}
		newcomer := g.join("b", -1)
		if g.assigned(newcomer) != nil || g.isTaken(stuck[0]) == g.isTaken(stuck[1]) {
			g.Fatal("not just one of two is asked to end")
		}
		time.Sleep(Grace)
		if g.assigned(newcomer) == nil {
			g.Error("the newcomer is not served")
		}
		for _, s := range append(stuck, newcomer) {
			s.Leave(0)
		}
	})
}

// TestPinned: a stream that wants one shard gets that one or none, before others, and is not moved.
func TestPinned(t *testing.T) {
	inBubble(t, 3, func(g *gateway) {
		two, again := g.join("a", 2), g.join("b", 2)
		if a := g.assigned(two); a == nil || a.Shard != 2 {
			g.Fatalf("pinned to 2 and served %+v", a)
		}
		if a := g.assigned(again); a != nil {
			g.Fatalf("pinned to 2, which is taken, and served %+v", a)
		}
		var others []*Seat
		for range 3 {
			others = append(others, g.join("c", -1))
		}
		for i, want := range []bool{true, true, false} {
			if got := g.assigned(others[i]) != nil; got != want {
				g.Errorf("stream %d: served %v", i, got)
			}
		}
		if g.isTaken(two) {
			g.Error("the pinned stream is asked to end")
		}
		two.Leave(0)
		if a := g.assigned(again); a == nil {
			g.Error("the one that waited for 2 is not served it before another")
		}
		for _, s := range append(others, again) {
			s.Leave(0)
		}
		if _, err := g.Join(walked, Joining{Pinned: 3}); !errors.Is(err, ErrNoShard) {
			g.Error(err)
		}
		var mismatch *MismatchError
		if _, err := g.Join(walked, Joining{Pinned: -1, Shards: 4}); !errors.As(err, &mismatch) || mismatch.Shards != 3 {
			g.Error(err)
		}
	})
}

// TestShares: who joins gets an even share, from those that have most, one hand-over at a time for each shard.
func TestShares(t *testing.T) {
	inBubble(t, 12, func(g *gateway) {
		var seats []*Seat
		count := func() []int {
			for range 50 { // those that are asked to end do so, and come again
				time.Sleep(20 * time.Millisecond)
				for i, s := range seats {
					if g.isTaken(s) {
						s.Leave(0)
						seats[i] = g.join(s.Member, -1)
					}
				}
			}
			have := map[string]int{}
			st, err := g.Get(walked)
			if err != nil {
				g.Fatal(err)
			}
			for _, sh := range st.Shards {
				have[sh.Member]++
			}
			return []int{have["a"], have["b"], have["c"], have["d"], have["e"]}
		}
		for i, want := range [][]int{{12, 0, 0, 0, 0}, {6, 6, 0, 0, 0}, {4, 4, 4, 0, 0}, {3, 3, 3, 3, 0}} {
			for range 12 {
				seats = append(seats, g.join(string(rune('a'+i)), -1))
			}
			if got := count(); !slices.Equal(got, want) {
				g.Errorf("with %d members: %v, want %v", i+1, got, want)
			}
		}
		seats = slices.DeleteFunc(seats, func(s *Seat) bool {
			if s.Member == "a" {
				s.Leave(0)
			}
			return s.Member == "a"
		})
		if got := count(); !slices.Equal(got, []int{0, 4, 4, 4, 0}) {
			g.Errorf("after a has left: %v", got)
		}
		for _, s := range seats {
			s.Leave(0)
		}
	})
}

// TestLeasesAreNotMixedUp: that of one shard saves nothing on another, nor that of a deleted subscription on its namesake; and who waits while a
// subscription is deleted hears of it.
func TestLeasesAreNotMixedUp(t *testing.T) {
	inBubble(t, 2, func(g *gateway) {
		seats := []*Seat{g.join("a", 0), g.join("b", 1)}
		old := []string{g.assigned(seats[0]).Lease, g.assigned(seats[1]).Lease}
		g.save(0, old[1], 5, ErrLeaseLost)
		g.save(1, old[0], 5, ErrLeaseLost)
		seats[0].Leave(0)
		seats[0] = g.join("a", 0) // its lease is being written now
		synctest.Wait()
		deleted := make(chan error, 1)
		go func() { deleted <- g.Delete(context.Background(), walked) }()
		<-seats[0].Taken()
		if err := <-deleted; err != nil || !errors.Is(seats[0].Cause(), ErrNotFound) {
			g.Fatal(err, seats[0].Cause())
		}
		for _, s := range seats {
			s.Leave(0)
		}
		if err := g.Create(g.Context(), walked, 2, place(0)); err != nil {
			g.Fatal(err)
		}
		again := g.join("c", 0)
		if a := g.assigned(again); a == nil || a.Lease == old[0] {
			g.Fatalf("served %+v after %s", a, old[0])
		}
		g.save(0, old[0], 5, ErrLeaseLost)
		again.Leave(0)
	})
}

// TestDeletionIsWhole: one that is given up does not leave half a subscription behind.
func TestDeletionIsWhole(t *testing.T) {
	inBubble(t, 8, func(g *gateway) {
		ctx, cancel := context.WithCancel(g.Context())
		time.AfterFunc(gather/2, cancel)
		if err := g.Delete(ctx, walked); err != nil {
			g.Fatal(err)
		}
		if err := g.Create(g.Context(), walked, 1, place(0)); err != nil {
			g.Error(err)
		}
	})
}

// TestSeekAndSkip take the shard from whoever is served it; the next one begins elsewhere, or leaves the event out.
func TestSeekAndSkip(t *testing.T) {
	inBubble(t, 2, func(g *gateway) {
		seats := []*Seat{g.join("a", 0), g.join("a", 1)}
		leases := []string{g.assigned(seats[0]).Lease, g.assigned(seats[1]).Lease}
		g.save(0, leases[0], 10, nil)
		g.save(1, leases[1], 10, nil)
		if err := g.Seek(g.Context(), walked, 0, place(3)); err != nil {
			g.Fatal(err)
		}
		g.save(0, leases[0], 11, ErrLeaseLost)
		g.save(1, leases[1], 11, nil)
		if !g.isTaken(seats[0]) || g.isTaken(seats[1]) || seats[0].Cause() != nil {
			g.Fatal("not just the stream of the sought shard must end")
		}
		seats[0].Leave(10)
		seats[0] = g.join("a", 0)
		if a := g.assigned(seats[0]); a == nil || a.Place != place(3) {
			g.Fatalf("served %+v", a)
		}

		if _, err := g.Skip(g.Context(), walked, 1, place(11), "late", "me"); !errors.Is(err, ErrBehind) {
			g.Error(err)
		}
		for range 2 { // a second time changes nothing
			s, err := g.Skip(g.Context(), walked, 1, place(12), "poison", "me")
			if err != nil || s.Cursor != "12" || s.Shard != 1 || s.Reason != "poison" || s.By != "me" || s.At.IsZero() {
				g.Fatalf("%+v, %v", s, err)
			}
		}
		g.save(1, leases[1], 12, ErrLeaseLost)
		seats[1].Leave(12)
		g.Close()
		seats[0].Leave(3)
		g.open() // it is kept
		again := g.join("a", 1)
		if a := g.assigned(again); a == nil || a.Place != place(11) || !slices.Equal(a.Skipped, []string{"12"}) {
			g.Fatalf("served %+v", a)
		}
		again.Leave(11)
		if err := g.Seek(g.Context(), walked, -1, place(0)); err != nil {
			g.Fatal(err)
		}
		st, err := g.Get(walked)
		if err != nil || st.Shards[0].Place != place(0) || st.Shards[1].Place != place(0) || len(st.Skips) != 1 {
			g.Errorf("%+v, %v", st, err)
		}
	})
}

// TestSkipsAreFew: the list is bounded, and a skip that is still to be passed is never forgotten.
func TestSkipsAreFew(t *testing.T) {
	inBubble(t, 1, func(g *gateway) {
		for seq := range uint64(maxSkips) {
			if _, err := g.Skip(g.Context(), walked, 0, place(seq+1), "x", "me"); err != nil {
				g.Fatal(err)
			}
		}
		next := place(maxSkips + 1)
		if _, err := g.Skip(g.Context(), walked, 0, next, "x", "me"); !errors.Is(err, ErrSkips) {
			g.Fatal(err)
		}
		g.save(0, "", 1, nil)
		if _, err := g.Skip(g.Context(), walked, 0, next, "x", "me"); err != nil {
			g.Fatal(err)
		}
		st, err := g.Get(walked)
		if err != nil || len(st.Skips) != maxSkips || st.Skips[0].Cursor != next.Cursor || st.Skips[maxSkips-1].Cursor != "2" {
			g.Error(len(st.Skips), err)
		}
	})
}

// TestDelete: the streams learn it, and one of the same name begins anew.
func TestDelete(t *testing.T) {
	inBubble(t, 1, func(g *gateway) {
		served, waiting := g.join("a", -1), g.join("b", -1)
		g.save(0, g.assigned(served).Lease, 5, nil)
		if err := g.Delete(g.Context(), walked); err != nil {
			g.Fatal(err)
		}
		for _, s := range []*Seat{served, waiting} {
			if !g.isTaken(s) || !errors.Is(s.Cause(), ErrNotFound) {
				g.Errorf("a stream of a deleted subscription goes on: %v", s.Cause())
			}
			s.Leave(5)
		}
		if _, err := g.Get(walked); !errors.Is(err, ErrNotFound) {
			g.Error(err)
		}
		items, err := g.store.List(g.Context())
		if err != nil || len(items) != 0 {
			g.Errorf("%d items are left, %v", len(items), err)
		}
		if err := g.Create(g.Context(), walked, 2, place(1)); err != nil {
			g.Fatal(err)
		}
		if err := g.Create(g.Context(), walked, 2, place(1)); !errors.Is(err, ErrExists) {
			g.Error(err)
		}
		if st, err := g.Get(walked); err != nil || len(st.Shards) != 2 || st.Shards[0].Place != place(1) {
			g.Errorf("%+v, %v", st, err)
		}
	})
}

// TestTooMany: a reader's subscriptions are bounded, and others' do not count.
func TestTooMany(t *testing.T) {
	inBubble(t, 1, func(g *gateway) {
		g.store.db.NoSync = true
		for i := range MaxPerReader - 1 {
			if err := g.Create(g.Context(), Name{walked.Reader, fmt.Sprint(i)}, 1, place(0)); err != nil {
				g.Fatal(err)
			}
		}
		if err := g.Create(g.Context(), Name{walked.Reader, "more"}, 1, place(0)); !errors.Is(err, ErrTooMany) {
			g.Error(err)
		}
		if err := g.Create(g.Context(), Name{"another", "more"}, 1, place(0)); err != nil {
			g.Error(err)
		}
	})
}

// failing is a store whose writes can be made to fail.
type failing struct {
	*Bolt
	err    atomic.Pointer[error]
	spares string // the one key whose writes do not fail
}

func (f *failing) fail(err error) { f.err.Store(&err) }

func (f *failing) Put(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	if err := f.err.Load(); err != nil && *err != nil && key != f.spares {
		return 0, *err
	}
	return f.Bolt.Put(ctx, key, value, version)
}

// TestFailingStore: what could not be kept is not answered as kept, nobody is served under a lease that is not, and it goes on by itself afterwards.
func TestFailingStore(t *testing.T) {
	bolt := openBolt(t, filepath.Join(t.TempDir(), "positions.db"))
	synctest.Test(t, func(t *testing.T) {
		store := &failing{Bolt: bolt}
		s, err := Open(t.Context(), store, Options{Locate: locate})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		g := &gateway{T: t, Subscriptions: s}
		if err := s.Create(t.Context(), walked, 1, place(0)); err != nil {
			t.Fatal(err)
		}
		full := errors.New("the disk is full")
		store.fail(full)
		seat := g.join("a", -1)
		if g.assigned(seat) != nil {
			t.Fatal("served under a lease that is not kept")
		}
		store.fail(nil)
		time.Sleep(2 * retryGiving)
		a := g.assigned(seat)
		if a == nil {
			t.Fatal("not served although the disk has room again")
		}
		store.fail(full)
		g.save(0, a.Lease, 5, full)
		store.fail(nil)
		if st, _ := s.Get(walked); st.Shards[0].Place != place(0) {
			t.Error("a position that was not kept counts")
		}
		g.save(0, a.Lease, 5, nil)
		seat.Leave(5)
	})
}

// TestSkipIsTriedAgain: when the skip is recorded and the shard cannot be taken, the same skip later takes it.
func TestSkipIsTriedAgain(t *testing.T) {
	bolt := openBolt(t, filepath.Join(t.TempDir(), "positions.db"))
	synctest.Test(t, func(t *testing.T) {
		store := &failing{Bolt: bolt, spares: metaKey(walked)}
		s, err := Open(t.Context(), store, Options{Locate: locate})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		g := &gateway{T: t, Subscriptions: s}
		if err := s.Create(t.Context(), walked, 1, place(0)); err != nil {
			t.Fatal(err)
		}
		seat := g.join("a", -1)
		g.assigned(seat)
		store.fail(errors.New("the disk is full"))
		if _, err := s.Skip(t.Context(), walked, 0, place(1), "poison", "me"); !errors.Is(err, ErrStore) || g.isTaken(seat) {
			t.Fatal(err)
		}
		store.fail(nil)
		if _, err := s.Skip(t.Context(), walked, 0, place(1), "poison", "me"); err != nil || !g.isTaken(seat) {
			t.Errorf("%v; the stuck stream is told: %v", err, g.isTaken(seat))
		}
		seat.Leave(1)
	})
}
