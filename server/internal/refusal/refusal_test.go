package refusal

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	loud  = netip.MustParseAddr("192.0.2.1")
	quiet = netip.MustParseAddr("192.0.2.2")
)

// TestAFloodHidesNobody: one that floods gets few lines, all others get theirs, and what had none is counted.
func TestAFloodHidesNobody(t *testing.T) {
	l := &Lines{}
	lines := 0
	for range 10_000 {
		if _, ok := l.Allow(loud, start); ok {
			lines++
		}
	}
	if lines != burst {
		t.Errorf("a flood got %d lines, want %d", lines, burst)
	}
	if more, ok := l.Allow(quiet, start); !ok || more != nil {
		t.Errorf("another address beside a flood: %v, %v", more, ok)
	}
	more, ok := l.Allow(loud, start.Add(time.Second))
	if want := []any{"suppressed", 10_000 - burst}; !ok || !slices.Equal(more, want) {
		t.Errorf("a second later: %v, %v, want %v", more, ok, want)
	}
	if more, ok := l.Allow(loud, start.Add(2*time.Second)); !ok || more != nil {
		t.Errorf("what was told is told again: %v, %v", more, ok)
	}
}

// TestManyAddresses: they are bounded in memory and lines, and none of what had no line is lost.
func TestManyAddresses(t *testing.T) {
	l := &Lines{}
	const refusals = 20 * kept
	lines, told := 0, 0
	count := func(more []any, ok bool) {
		if !ok {
			return
		}
		lines++
		for i := 1; i < len(more); i += 2 {
			told += more[i].(int)
		}
	}
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	for i := range refusals {
		count(l.Allow(at(i), start))
	}
	if lines != perGateway {
		t.Errorf("%d addresses got %d lines, want %d", refusals, lines, perGateway)
	}
	if n := len(l.now) + len(l.old); n > 2*kept {
		t.Errorf("%d addresses are kept", n)
	}
	for i := range 3 * kept { // until all of before are forgotten
		count(l.Allow(netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}), start.Add(time.Duration(i+1)*time.Second)))
	}
	if lines+told != refusals+3*kept {
		t.Errorf("of %d refusals %d had a line and %d were told of", refusals+3*kept, lines, told)
	}
}

// TestOneCaller: whoever has a network of IPv6 is one caller, and so is an address however it is written.
func TestOneCaller(t *testing.T) {
	for name, addresses := range map[string]func(i int) netip.Addr{
		"a network": func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i)) },
		"mapped":    func(i int) netip.Addr { return netip.MustParseAddr([]string{"192.0.2.1", "::ffff:192.0.2.1"}[i%2]) },
		"zones":     func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("fe80::1%%eth%d", i)) },
		"unknown":   func(int) netip.Addr { return netip.Addr{} },
	} {
		l := &Lines{}
		lines := 0
		for i := range 2 * burst {
			if _, ok := l.Allow(addresses(i), start); ok {
				lines++
			}
		}
		if lines != burst {
			t.Errorf("%s: %d lines, want %d", name, lines, burst)
		}
	}
}

func TestConcurrently(t *testing.T) {
	l := &Lines{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 5000 {
				l.Allow(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), start)
			}
		})
	}
	wg.Wait()
}
