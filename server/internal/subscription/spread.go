package subscription

import (
	"cmp"
	"slices"
)

// pair is a free shard and the waiting stream that it is due to.
type pair struct {
	shard *shardState
	seat  *Seat
}

// shares counts what each member has, or is about to get.
func (g *group) shares() map[string]int {
	n := make(map[string]int)
	for _, sh := range g.shards {
		switch {
		case sh.giving != nil:
			n[sh.giving.Member]++
		case sh.seat != nil && !sh.ending:
			n[sh.seat.Member]++
		}
	}
	return n
}

// due says who gets which free shard: whoever wants just that one, else a stream of the member that has least, and of those the one that waits longest.
func (g *group) due() (pairs []pair) {
	have := g.shares()
	waiting := append([]*Seat(nil), g.waiting...)
	for _, sh := range g.shards {
		if !sh.free() {
			continue
		}
		best := -1
		for i, seat := range waiting {
			switch {
			case seat == nil || seat.Pinned >= 0 && seat.Pinned != sh.index:
			case best < 0, seat.Pinned >= 0 && waiting[best].Pinned < 0,
				(seat.Pinned >= 0) == (waiting[best].Pinned >= 0) && have[seat.Member] < have[waiting[best].Member]:
				best = i
			}
		}
		if best < 0 {
			continue
		}
		pairs = append(pairs, pair{sh, waiting[best]})
		have[waiting[best].Member]++
		waiting[best] = nil
	}
	return pairs
}

// surplus says which served shards go back, so that no member has two more than one that waits. Shards that are about to become free count for whoever waits.
// Pinned streams neither give nor ask: they want one shard and no share.
func (g *group) surplus() (back []*shardState) {
	have := g.shares()
	poor := g.poor(have)
	for _, sh := range g.shards {
		if sh.ending && len(poor.line) > 0 {
			poor.gets()
		}
	}
	for len(poor.line) > 0 {
		rich := g.richest(have)
		if rich == nil || have[rich.seat.Member] < have[poor.line[0].member]+2 {
			return back
		}
		poor.gives(rich.seat.Member)
		poor.gets()
		rich.ending = true // counted once; step does the rest
		back = append(back, rich)
	}
	return back
}

// richest returns a shard that a member with most is served, nil when nobody can give one.
func (g *group) richest(have map[string]int) (most *shardState) {
	for _, sh := range g.shards {
		if sh.seat == nil || sh.ending || sh.seat.Pinned >= 0 {
			continue
		}
		if most == nil || have[sh.seat.Member] > have[most.seat.Member] {
			most = sh
		}
	}
	return most
}

// poor are the members that wait, whoever has least in front, and of several that have the same the first by name. They are put in order once: a shard that
// becomes free must not cost a look at everybody who waits.
type poor struct {
	have map[string]int
	line []waiter
}

// waiter is a member with streams that wait.
type waiter struct {
	member string
	wanted int
}

func (g *group) poor(have map[string]int) *poor {
	wanted := make(map[string]int)
	for _, seat := range g.waiting {
		if seat.Pinned < 0 {
			wanted[seat.Member]++
		}
	}
	p := &poor{have: have, line: make([]waiter, 0, len(wanted))}
	for member, n := range wanted {
		p.line = append(p.line, waiter{member, n})
	}
	slices.SortFunc(p.line, p.compare)
	return p
}

func (p *poor) compare(a, b waiter) int {
	return cmp.Or(cmp.Compare(p.have[a.member], p.have[b.member]), cmp.Compare(a.member, b.member))
}

// gets gives a shard to the one in front. Whoever has as many as it wants waits no more.
func (p *poor) gets() {
	first := p.leaves(0)
	p.have[first.member]++
	if first.wanted--; first.wanted > 0 {
		p.enters(first)
	}
}

// gives takes a shard from a member, which may stand in line itself.
func (p *poor) gives(member string) {
	at := slices.IndexFunc(p.line, func(w waiter) bool { return w.member == member })
	if at < 0 {
		p.have[member]--
		return
	}
	w := p.leaves(at)
	p.have[member]--
	p.enters(w)
}

func (p *poor) leaves(at int) waiter {
	w := p.line[at]
	p.line = slices.Delete(p.line, at, at+1)
	return w
}

func (p *poor) enters(w waiter) {
	at, _ := slices.BinarySearchFunc(p.line, w, p.compare)
	p.line = slices.Insert(p.line, at, w)
}
