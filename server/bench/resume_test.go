//go:build linux || darwin

package bench

import (
	"fmt"
	"testing"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// BenchmarkResume: one reader comes back to a large log, with a filter on one tenant and without. It stood after the first event.
func BenchmarkResume(b *testing.B) {
	const oneTenant, everything = "one tenant", "everything"
	theLog.need(b)
	own := theLog.made / 2 // an event of the tenant
	requests := map[string][]byte{oneTenant: theLog.afterEarly(&headgatev1.Filter{Contexts: []string{theLog.tenantOf(own)}}), everything: theLog.afterEarly(nil)}
	r := newResults(fmt.Sprintf("resume: over %d events, %d of them of the tenant", theLog.events, perTenant), everything, []string{everything, oneTenant}, seconds)
	for round := range theSizes().rounds {
		p := theLog.open(b)
		got := make(map[string]*sinks)
		for _, variant := range turn(round, r.variants) {
			s := connect(p, 1, tuning{keep: variant == everything})
			got[variant] = s
			taken := p.measure("resume", variant, round, func() error {
				if err := s.open(repeat(1, requests[variant])); err != nil {
					return err
				}
				return s.await(&s.caughtUp, 1)
			})
			r.add(variant, seconds, taken.took.Seconds())
			r.addSample(variant, taken, int(s.events.value.Load()), cpuPerDelivery)
			s.close()
		}
		order := got[everything].orderFrom(2, theLog.events-1)
		got[oneTenant].finish(p, order, func(_ int, key uint32) bool { return theLog.isOf(int(key), own) })
	}
	targets.resume.measured = r.ratios(seconds, oneTenant, everything)
	r.done(b)
}
