package access

import (
	"context"
	"net/netip"
	"sync"
)

// HostOf is whom a connection is counted for, given its address and port: the address, but of IPv6 the network that one customer has at least, a /64.
// All that cannot be read is one host.
func HostOf(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := at.Addr().Unmap(), 32
	if addr.Is6() {
		bits = 64
	}
	host, _ := addr.Prefix(bits) // it never fails for so many bits
	return host
}

// Tally bounds how many of something each host may have at once. It is safe for concurrent use.
type Tally struct {
	most int
	mu   sync.Mutex
	of   map[netip.Prefix]int // those that have some
}

// NewTally returns a tally that lets each host have that many.
func NewTally(most int) *Tally { return &Tally{most: most, of: make(map[netip.Prefix]int)} }

// Add counts one more, and says whether the host may have it. If so, Remove must be called when it is over.
func (t *Tally) Add(host netip.Prefix) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[host] >= t.most {
		return false
	}
	t.of[host]++
	return true
}

// Remove counts one less.
func (t *Tally) Remove(host netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[host]--; t.of[host] == 0 {
		delete(t.of, host)
	}
}

// maxStrangers are how many calls one host may have open without credentials. Load balancers have one or two.
const maxStrangers = 10

// maxStrangerAnswers are how many answers one host may have under way over HTTP to callers of whom nobody knows who they are.
const maxStrangerAnswers = 100

// Stranger is asked for REST whether somebody who was not let in may have an answer, given the address and port that he calls from. If so, leave must be
// called when the answer has been taken.
func (g *Guard) Stranger(remote string) (leave func(), ok bool) {
	host := HostOf(remote)
	if !g.answers.Add(host) {
		return nil, false
	}
	return func() { g.answers.Remove(host) }, true
}

// maxDeciding are how many calls one host may have of which it takes time to find out who makes them, because an issuer's keys must be fetched. Readers share
// it with strangers of the same address, so it is many: it bounds the memory, not the trouble.
const maxDeciding = 1_000

// decide is asked before it is found out who makes a call. decided must be called when it is.
func (g *Guard) decide(ctx context.Context, cred Credentials) (decided func(), err error) {
	if known, _ := g.control.atAGlance(cred); known { // or it is known, as soon, that he is nobody
		return func() {}, nil
	}
	host := HostOf(RemoteOf(ctx))
	if !g.deciding.Add(host) {
		return nil, &LimitError{Limit: "calls of unknown callers at once", Allowed: maxDeciding, RetryAfter: answerRetry}
	}
	return func() { g.deciding.Remove(host) }, nil
}

// admitStranger counts a call that needs no credentials. leave must be called when it is over.
func (g *Guard) admitStranger(ctx context.Context, method string) (leave func(), err error) {
	host := HostOf(RemoteOf(ctx))
	if !g.strangers.Add(host) {
		return nil, g.refuse(ctx, method, &LimitError{Limit: "calls without credentials at once", Allowed: maxStrangers, RetryAfter: limitRetry})
	}
	return func() { g.strangers.Remove(host) }, nil
}
