//go:build linux || darwin

package bench

import (
	"fmt"
	"testing"
)

// BenchmarkIntake: signed posts over 64 connections, each answered after its fsync, beside a handler that reads, checks the signature and answers.
func BenchmarkIntake(b *testing.B) {
	warm, n := theSizes().events/4, theSizes().events
	r := newResults(fmt.Sprintf("intake: %d signed posts over %d connections", n, postConnections), noLog, []string{headgate, noLog}, perSecond)
	earlier, all := render(1, warm, 1), render(warm+1, n, 1)
	inTurns(theSizes().rounds, r.variants, func(round int, variant string) {
		p := startPeer(b, variant)
		defer p.stop()
		if err := p.post(earlier, 0); err != nil {
			b.Fatal(err)
		}
		r.addRate(variant, p.measure("intake", variant, round, func() error { return p.post(all, 0) }), n)
	})
	targets.intake.measured = r.ratios(perSecond, noLog, headgate)
	r.done(b)
}

// BenchmarkStalled: the same posts while streams are open that nobody reads, and without them.
func BenchmarkStalled(b *testing.B) {
	const (
		with, without = "stalled readers", "none"
		connections   = 100
		before        = 500 // events that the readers are stuck in: more than is kept for a stream on its way
	)
	readers, warm, n := theSizes().stalled, before+theSizes().events/4, theSizes().events
	r := newResults(fmt.Sprintf("stalled: %d signed posts, %d readers that never read", n, readers), without, []string{without, with}, perSecond)
	earlier, all := render(1, warm, 1), render(warm+1, n, 1)
	inTurns(theSizes().rounds, r.variants, func(round int, variant string) {
		p := startPeer(b, headgate)
		defer p.stop()
		if err := p.post(earlier, 0); err != nil {
			b.Fatal(err)
		}
		s := connect(p, connections, tuning{stalled: true})
		if variant == with {
			s.mustOpen(repeat(readers, request(usual())))
		}
		p.settle()
		r.addRate(variant, p.measure("stalled", variant, round, func() error { return p.post(all, 0) }), n)
		if got := s.events.value.Load(); got > int64(readers*before) {
			b.Fatalf("the readers got %d events: they were not stalled", got)
		}
		s.close()
	})
	targets.stalled.measured = r.ratios(perSecond, with, without)
	r.done(b)
}
