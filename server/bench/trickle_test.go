//go:build linux || darwin

package bench

import (
	"fmt"
	"testing"
)

// The variants of a trickle that have no role of their own.
const (
	intakeOf = " without readers"
	alone    = " delivery alone"
)

// BenchmarkTrickle: 500 events a second, each alone, to 100 readers that sleep in between. Of what is posted, the posts without readers are measured too:
// what they take is no delivery.
func BenchmarkTrickle(b *testing.B) {
	const readers = 100
	n := eventsIn(theSizes().trickle)
	variants := []string{send, headgate, headgate + intakeOf, headgate + alone, sendLog, sendLog + intakeOf, rawTCP, natsCore}
	r := newResults(fmt.Sprintf("trickle: %d events at %d/s to %d readers", n, rate, readers), send, variants, cpuPerDelivery)
	measured := []string{send, headgate, headgate + intakeOf, sendLog, sendLog + intakeOf, rawTCP, natsCore}
	inTurns(theSizes().rounds, measured, func(round int, variant string) {
		switch variant {
		case headgate + intakeOf:
			intakeAlone(b, r, round, variant, headgate, n, readers)
		case sendLog + intakeOf:
			intakeAlone(b, r, round, variant, sendLog, n, readers)
		default:
			trickle(b, r, round, variant, n, readers)
		}
	})
	for i, with := range r.values[headgate][cpuPerDelivery] {
		r.add(headgate+alone, cpuPerDelivery, with-r.values[headgate+intakeOf][cpuPerDelivery][i])
	}
	targets.trickle.measured = r.ratios(cpuPerDelivery, headgate+alone, send)
	targets.trickleTCP.measured = r.ratios(cpuPerDelivery, headgate+alone, rawTCP)
	r.done(b)
}

// trickle measures a variant with its readers.
func trickle(b *testing.B, r *results, round int, variant string, n, readers int) {
	p := startPeer(b, variant)
	var load func() error
	if p.holds() {
		p.give(n, 1)
		load = func() error { p.ask("publish %d %d", n, rate); return nil }
	} else {
		all := render(1, n, 1)
		load = func() error { return p.post(all, rate) }
	}
	s := connect(p, readers, tuning{})
	requests := (&burst{readers: readers}).requests(variant)
	if variant == rawTCP { // it says nothing when it starts
		if err := s.open(requests); err != nil {
			b.Fatal(err)
		}
	} else {
		s.mustOpen(requests)
	}
	taken := p.measure("trickle", variant, round, func() error { return s.during(n*readers, load) })
	r.addSample(variant, taken, n*readers, cpuPerDelivery)
	r.addBatch(variant, s)
	s.finish(p, orderOf(p, n), nil)
}

// intakeAlone measures the same posts without readers, per delivery that they would have led to.
func intakeAlone(b *testing.B, r *results, round int, variant, role string, n, readers int) {
	p := startPeer(b, role)
	defer p.stop()
	all := render(1, n, 1)
	r.addSample(variant, p.measure("trickle", variant, round, func() error { return p.post(all, rate) }), n*readers, cpuPerDelivery)
}
