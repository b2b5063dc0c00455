//go:build linux || darwin

package bench

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

const (
	liveReaders     = 100
	liveConnections = 4
)

// BenchmarkLatency: how long after a post was begun to be written its event arrives, at 500 posts a second.
func BenchmarkLatency(b *testing.B) {
	n := eventsIn(theSizes().latency)
	variants := []string{sendLog, headgate}
	r := newResults(fmt.Sprintf("latency: from post to receipt, %d events at %d/s, %d readers on %d connections", n, rate, liveReaders, liveConnections),
		sendLog, variants, percentileNames()...)
	r.compared = percentileName(99)
	inTurns(theSizes().rounds, variants, func(round int, variant string) {
		p := startPeer(b, variant)
		all := render(1, n, 1)
		live := connect(p, liveConnections, tuning{sent: all})
		live.mustOpen(repeat(liveReaders, request(usual())))
		taken := p.measure("latency", variant, round, func() error {
			return live.during(n*liveReaders, func() error { return p.post(all, rate) })
		})
		live.finish(p, orderOf(p, n), nil)
		r.addLatencies(variant, live.took())
		r.addSample(variant, taken, n*liveReaders, cpuPerDelivery)
	})
	targets.latency.measured = r.ratios(percentileName(99), headgate, sendLog)
	r.done(b)
}

// percentile of sorted values, in whatever they are.
func percentile(sorted []int64, p float64) float64 {
	i := int(math.Ceil(p/100*float64(len(sorted)))) - 1
	return float64(sorted[max(i, 0)])
}

// percentiles are those that are shown.
var percentiles = []float64{50, 99, 99.9}

func percentileName(p float64) string { return fmt.Sprintf("p%v (ms)", p) }

func percentileNames() (names []string) {
	for _, p := range percentiles {
		names = append(names, percentileName(p))
	}
	return names
}

// addLatencies notes the percentiles of nanoseconds.
func (r *results) addLatencies(variant string, took []int64) {
	slices.Sort(took)
	for _, p := range percentiles {
		r.add(variant, percentileName(p), percentile(took, p)/1e6)
	}
}
