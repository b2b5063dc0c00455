package webhook

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/headgate/headgate/server/internal/refusal"
)

// senderOf is the address that a post came from: of the connection, or behind trusted proxies the last one in X-Forwarded-For that is not theirs.
// What stands before it there, anybody can write.
func senderOf(r *http.Request, proxies []netip.Prefix) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	sender := at.Addr().Unmap()
	if !contains(proxies, sender) {
		return sender
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for len(hops) > 0 && contains(proxies, sender) {
		hop, err := parseHop(strings.TrimSpace(hops[len(hops)-1]))
		if err != nil {
			break
		}
		sender, hops = hop.Unmap(), hops[:len(hops)-1]
	}
	return sender
}

// parseHop reads an address as proxies write it: bare, in brackets, or with a port.
func parseHop(text string) (netip.Addr, error) {
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr(), nil
	}
	return netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
}

func contains(prefixes []netip.Prefix, at netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(at) })
}

// isFromPage says whether a page in a browser sent the request. Any page that a developer looks at can post to his machine, and Host tells nothing: behind
// a tunnel it is a public name. Browsers put Origin into every post, and Sec-Fetch-Site too where they trust the address; the CRM and tunnels send neither.
// The other Sec-Fetch headers are no sign, as programs send some.
func isFromPage(h http.Header) bool {
	return len(h.Values("Origin")) > 0 || len(h.Values("Sec-Fetch-Site")) > 0
}

func (s *Source) allows(sender netip.Addr) bool {
	return len(s.AllowAddresses) == 0 || contains(s.AllowAddresses, sender)
}

// strikes counts refusals by address (of IPv6 by network), in bounded memory: one is forgotten after a quiet while, and all are when there are too many.
type strikes struct {
	perSecond int

	mu       sync.Mutex
	now, old map[netip.Addr]*rate.Limiter // guarded by mu
	turned   time.Time                    // guarded by mu
}

const (
	strikesKept = 10 * time.Second
	strikesMost = 10_000
)

// allow counts one refusal, and says whether the address may be told its reason.
func (s *strikes) allow(sender netip.Addr, at time.Time) bool {
	sender = refusal.Network(sender)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || at.Sub(s.turned) > strikesKept || len(s.now) >= strikesMost {
		s.old, s.now, s.turned = s.now, make(map[netip.Addr]*rate.Limiter), at
	}
	l := s.now[sender]
	if l == nil {
		if l = s.old[sender]; l == nil {
			l = rate.NewLimiter(rate.Limit(s.perSecond), 2*s.perSecond)
		}
		s.now[sender] = l
	}
	return l.AllowN(at, 1)
}
