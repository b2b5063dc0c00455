// Package refusal keeps floods of refusals out of the log lines, without hiding who else is refused meanwhile.
package refusal

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// perAddress is how many lines a second one address gets, after a burst.
	perAddress, burst = 1, 20
	// perGateway bounds the lines of all addresses together, for whoever has many. One address alone never comes near it.
	perGateway = 100
	// kept is how many addresses are known at least, and half of how many at most.
	kept = 1000
)

// Lines says which refusals get a log line. It is bounded in memory and safe for concurrent use. The zero value is ready.
type Lines struct {
	mu sync.Mutex
	// now and old are the addresses heard of last: when now is full, it takes old's place. Guarded by mu, as all else is.
	now, old map[netip.Addr]*address
	all      *rate.Limiter
	// forgotten is how many refusals were suppressed of addresses that are no longer known.
	forgotten int
}

type address struct {
	lines      *rate.Limiter
	suppressed int
}

// Allow counts a refusal of a caller at that address, and says whether it gets a line. If so, more is what the line must say besides: how many refusals
// of the address had none since its last, and how many of addresses that are forgotten.
func (l *Lines) Allow(from netip.Addr, at time.Time) (more []any, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = rate.NewLimiter(perGateway, perGateway)
	}
	a := l.addressLocked(from)
	if !a.lines.AllowN(at, 1) || !l.all.AllowN(at, 1) {
		a.suppressed++
		return nil, false
	}
	if a.suppressed > 0 {
		more = append(more, "suppressed", a.suppressed)
	}
	if l.forgotten > 0 {
		more = append(more, "suppressed_elsewhere", l.forgotten)
	}
	a.suppressed, l.forgotten = 0, 0
	return more, true
}

func (l *Lines) addressLocked(from netip.Addr) *address {
	from = Network(from)
	if a := l.now[from]; a != nil {
		return a
	}
	a := l.old[from]
	delete(l.old, from)
	if a == nil {
		a = &address{lines: rate.NewLimiter(perAddress, burst)}
	}
	if l.now == nil || len(l.now) >= kept {
		for _, lost := range l.old {
			l.forgotten += lost.suppressed
		}
		l.old, l.now = l.now, make(map[netip.Addr]*address)
	}
	l.now[from] = a
	return a
}

// Network is whom an address is counted for: itself, or of IPv6 the network that one customer has whole. One that is mapped into IPv6 is of IPv4.
func Network(at netip.Addr) netip.Addr {
	at = at.Unmap().WithZone("")
	if at.Is6() {
		at = netip.PrefixFrom(at, 64).Masked().Addr()
	}
	return at
}
