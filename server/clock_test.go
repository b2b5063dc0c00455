package server

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestClockJumps: that the clock is set is counted once, in its direction; that it goes on, however late one looks, or is kept right, is not.
func TestClockJumps(t *testing.T) {
	c := newClockWatch(prometheus.NewRegistry())
	wall, up := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), time.Duration(0)
	c.wall = wall
	for _, step := range []struct {
		wall, up      time.Duration
		forward, back float64
	}{
		{time.Second, time.Second, 0, 0},
		{time.Hour, time.Hour, 0, 0},
		{time.Second + 500*time.Millisecond, time.Second, 0, 0},
		{time.Hour, time.Second, 1, 0},
		{time.Second, time.Second, 1, 0},
		{-time.Minute, time.Second, 1, 1},
		{0, time.Second, 1, 2},
	} {
		wall, up = wall.Add(step.wall), up+step.up
		c.look(wall, up)
		if f, b := testutil.ToFloat64(c.jumps.WithLabelValues("forward")), testutil.ToFloat64(c.jumps.WithLabelValues("back")); f != step.forward || b != step.back {
			t.Errorf("after %+v: %v forward, %v back", step, f, b)
		}
	}
}
