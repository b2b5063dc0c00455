package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	// clockEvery is how often the clock is looked at.
	clockEvery = time.Second
	// jumpFrom is how far it must have been set to be told. Time services that keep it right move it by less.
	jumpFrom = time.Second
)

// clockWatch notices when the machine's clock is set, or was late in going on because the machine slept: retention, secrets and certificates go by it.
type clockWatch struct {
	jumps *prometheus.CounterVec
	wall  time.Time     // at the last look
	up    time.Duration // how long the process ran then, by the clock that nobody sets
}

func newClockWatch(r prometheus.Registerer) *clockWatch {
	c := &clockWatch{jumps: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "headgate_clock_jumps_total", Help: "Times that the machine's clock was set by a second or more, or stood still because the machine slept, by direction.",
	}, []string{"direction"})}
	c.jumps.WithLabelValues("forward")
	c.jumps.WithLabelValues("back")
	r.MustRegister(c.jumps)
	return c
}

// run looks until ctx ends.
func (c *clockWatch) run(ctx context.Context) {
	begin := time.Now()
	c.wall, c.up = begin.Round(0), 0
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := time.Now()
			c.look(now.Round(0), now.Sub(begin))
		}
	}
}

// look compares the two clocks.
func (c *clockWatch) look(wall time.Time, up time.Duration) {
	jump := wall.Sub(c.wall) - (up - c.up)
	c.wall, c.up = wall, up
	direction := "forward"
	if jump < 0 {
		direction = "back"
	}
	if jump.Abs() < jumpFrom {
		return
	}
	c.jumps.WithLabelValues(direction).Inc()
	slog.Warn("the machine's clock was set, or the machine slept: retention and the dates of secrets go by it", "by", jump.Round(time.Millisecond))
}
