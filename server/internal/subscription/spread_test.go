package subscription

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// crowd is a group of shards, so many of them ending, for which so many members wait.
func crowd(shards, ending, waiting int) *group {
	g := &group{}
	for i := range shards {
		g.shards = append(g.shards, &shardState{index: i, saved: saved{Held: true}, ending: i < ending})
	}
	for i := range waiting {
		g.waiting = append(g.waiting, &Seat{group: g, Joining: Joining{Member: fmt.Sprintf("member %d", i), Pinned: -1}})
	}
	return g
}

// TestEndingShardsCostNoLookAtAllWhoWait: with 128 of them a step takes not much longer than with one.
func TestEndingShardsCostNoLookAtAllWhoWait(t *testing.T) {
	took := func(ending int) time.Duration {
		g, best := crowd(MaxShards, ending, 872), time.Hour
		for range 20 {
			begun := time.Now()
			g.surplus()
			best = min(best, time.Since(begun))
		}
		return best
	}
	if one, all := took(1), took(MaxShards); all > 10*one {
		t.Errorf("with one ending shard it takes %v, with %d %v", one, MaxShards, all)
	}
}

// TestSavingLooksAtNobodyWhoWaits: what a save costs does not grow with those that wait. The one that saves the last that was sent gives the shard to the next.
func TestSavingLooksAtNobodyWhoWaits(t *testing.T) {
	inBubble(t, 1, func(g *gateway) {
		seats := []*Seat{g.join("first", -1)}
		lease := g.assigned(seats[0]).Lease
		seats[0].Leave(9)
		allocations := func() float64 {
			return testing.AllocsPerRun(20, func() {
				if err := g.Save(g.Context(), walked, Saving{Lease: lease}); err != nil {
					g.Fatal(err)
				}
			})
		}
		alone := allocations()
		for i := range 200 {
			seats = append(seats, g.join(fmt.Sprintf("member %d", i), -1))
		}
		if crowded := allocations(); crowded > alone {
			g.Errorf("a save allocates %v times, and %v times while 200 wait", alone, crowded)
		}
		g.save(0, lease, 9, nil)
		if g.assigned(seats[1]) == nil {
			g.Error("everything is saved, and the next is not served")
		}
		for _, s := range seats[1:] {
			s.Leave(0)
		}
	})
}

// TestSurplus: it asks for the shards that the rule names when that is followed word by word.
func TestSurplus(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e"}
	asked := 0
	for seed := range uint64(10_000) {
		r := rand.New(rand.NewPCG(seed, 0))
		g := crowd(1+r.IntN(12), 0, 0)
		seat := func() *Seat {
			return &Seat{group: g, Joining: Joining{Member: names[r.IntN(1+int(seed%5))], Pinned: r.IntN(8) - 7}}
		}
		for _, sh := range g.shards {
			switch r.IntN(8) {
			case 0:
				sh.ending = true
			case 1:
				sh.giving = seat()
			default:
				sh.seat = seat()
				sh.ending = r.IntN(6) == 0
			}
		}
		for range r.IntN(8) {
			g.waiting = append(g.waiting, seat())
		}
		was := make([]bool, len(g.shards))
		for i, sh := range g.shards {
			was[i] = sh.ending
		}
		want := wordByWord(g)
		for i, sh := range g.shards {
			sh.ending = was[i]
		}
		var got []int
		for _, sh := range g.surplus() {
			got = append(got, sh.index)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: asks for %v, want %v", seed, got, want)
		}
		asked += len(got)
	}
	if asked < 1000 {
		t.Errorf("only %d shards were asked for: it shows little", asked)
	}
}

// wordByWord is the rule of surplus, looking at everybody each time.
func wordByWord(g *group) (back []int) {
	have, wanted := g.shares(), make(map[string]int)
	for _, seat := range g.waiting {
		if seat.Pinned < 0 {
			wanted[seat.Member]++
		}
	}
	least := func() (member string, found bool) {
		for m, n := range wanted {
			if n > 0 && (!found || have[m] < have[member] || have[m] == have[member] && m < member) {
				member, found = m, true
			}
		}
		return member, found
	}
	for _, sh := range g.shards {
		if m, found := least(); sh.ending && found {
			have[m]++
			wanted[m]--
		}
	}
	for {
		poor, found := least()
		rich := g.richest(have)
		if !found || rich == nil || have[rich.seat.Member] < have[poor]+2 {
			return back
		}
		have[rich.seat.Member]--
		have[poor]++
		wanted[poor]--
		rich.ending = true
		back = append(back, rich.index)
	}
}
