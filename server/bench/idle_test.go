//go:build linux

package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// streamsPerConnection is how many the gateway serves on one.
const streamsPerConnection = 500

// BenchmarkIdle: what the gateway keeps for a stream that waits, of many, each with a filter on a tenant of its own. It fails when that is too much: unlike
// what is resident, what is in use can be told of few streams too.
func BenchmarkIdle(b *testing.B) {
	n := theSizes().idleStreams
	connections := (n + streamsPerConnection - 1) / streamsPerConnection
	r := newResults(fmt.Sprintf("idle: %d streams on %d connections", n, connections), "", []string{headgate}, residentPerStream)
	requests := make([][]byte, n)
	for i := range requests {
		requests[i] = fromLatest(&headgatev1.Filter{Contexts: []string{fmt.Sprint("Cust", i)}})
	}
	inTurns(theSizes().rounds, r.variants, func(_ int, variant string) {
		p := startPeer(b, variant)
		before, resident := p.ask("begin "), p.resident()
		s := connect(p, connections, tuning{})
		s.mustOpen(requests)
		if err := s.await(&s.caughtUp, n); err != nil {
			b.Fatal(err)
		}
		after, inUse := p.inUse(before, n)
		r.add(variant, residentPerStream, float64(p.resident()-resident)/1000/float64(n))
		r.add(variant, "in use (KB/stream)", inUse)
		r.add(variant, "goroutines/stream", float64(after.Goroutines-before.Goroutines)/float64(n))
		s.finish(p, nil, nil)
	})
	targets.idle.measured = r.values[headgate][residentPerStream]
	r.done(b)
}

// inUse is how many KB are in use for each of n streams that were opened. What is not needed any more can outlast a collection or two.
func (p *peer) inUse(before usage, n int) (after usage, each float64) {
	p.b.Helper()
	for range 5 {
		after = p.ask("begin ") // it collects garbage
		if each = float64(after.Live-before.Live) / 1000 / float64(n); each <= targets.idle.must {
			return after, each
		}
	}
	p.b.Fatalf("%.1f KB are in use for each stream that waits; that is more than %v", each, targets.idle.must)
	return after, each
}

const residentPerStream = "resident (KB/stream)"

// resident is how many bytes of memory the process has.
func (p *peer) resident() int {
	p.b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				p.b.Fatal(err)
			}
			return kib << 10
		}
	}
	p.b.Fatal("no VmRSS")
	return 0
}
