package server

import (
	"testing"
	"time"
)

// TestRates: they are of the last minute, of less when there was less, and never of what was before.
func TestRates(t *testing.T) {
	n := map[string]uint64{}
	r := rates{count: func() map[string]uint64 {
		now := map[string]uint64{}
		for name, so := range n {
			now[name] = so
		}
		return now
	}}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if got := r.perSecond(now)["a"]; got != 0 {
		t.Errorf("before the first look it is %v", got)
	}
	second := func(a uint64) {
		n["a"] += a
		if now = now.Add(time.Second); now.Second()%5 == 0 {
			r.look(now)
		}
	}
	r.look(now)
	for range 10 {
		second(7)
	}
	if got := r.perSecond(now)["a"]; got != 7 {
		t.Errorf("after 10 s it is %v", got)
	}
	for range 300 {
		second(2)
	}
	if got := r.perSecond(now)["a"]; got != 2 || len(r.past) > 14 {
		t.Errorf("after five minutes it is %v, of %d looks", got, len(r.past))
	}
	for range 30 {
		second(4)
	}
	if got := r.perSecond(now)["a"]; got < 2.8 || got > 3.2 {
		t.Errorf("after half a minute of twice as much it is %v", got)
	}
	n["a"] = 3 // it was taken away and came back
	if got := r.perSecond(now)["a"]; got != 0 {
		t.Errorf("of what begins anew it is %v", got)
	}
	n["b"] = 70
	if got := r.perSecond(now)["b"]; got < 1 || got > 1.2 {
		t.Errorf("of what is new it is %v", got)
	}
}
