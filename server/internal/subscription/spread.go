package subscription

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
	have, wanted := g.shares(), make(map[string]int)
	for _, seat := range g.waiting {
		if seat.Pinned < 0 {
			wanted[seat.Member]++
		}
	}
	// least is the waiting member that has least; of several any.
	least := func() (member string, found bool) {
		for m, n := range wanted {
			if n > 0 && (!found || have[m] < have[member] || have[m] == have[member] && m < member) {
				member, found = m, true
			}
		}
		return member, found
	}
	for _, sh := range g.shards {
		if !sh.ending {
			continue
		}
		if m, found := least(); found {
			have[m]++
			wanted[m]--
		}
	}
	for {
		poor, found := least()
		if !found {
			return back
		}
		rich := g.richest(have)
		if rich == nil || have[rich.seat.Member] < have[poor]+2 {
			return back
		}
		have[rich.seat.Member]--
		have[poor]++
		wanted[poor]--
		rich.ending = true // counted once; step does the rest
		back = append(back, rich)
	}
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
