//go:build linux || darwin

package bench

import (
	"flag"
	"testing"
	"time"
)

var (
	roundsFlag       = flag.Int("rounds", 5, "rounds of each benchmark")
	eventsFlag       = flag.Int("events", 20_000, "events of a burst to 100 readers, and of the intake; those of larger audiences are fewer")
	resumeEventsFlag = flag.Int("resume-events", 10_000_000, "events in the log of Resume and CatchUp")
	idleStreamsFlag  = flag.Int("idle-streams", 50_000, "streams of Idle")
	outFlag          = flag.String("out", "", "folder for results.md and the charts")
	profilesFlag     = flag.String("profiles", "", "folder for CPU profiles of the servers; making them takes some CPU, too")
)

// rate is how many events a second there are in a trickle.
const rate = 500

// sizes are how much is done in a run.
type sizes struct {
	rounds, events            int
	resumeEvents              int           // of the large log
	idleStreams               int           // of Idle
	trickle, latency          time.Duration // how long these last
	crowd, throng             int           // readers of the larger bursts
	crowdEvents, throngEvents int           // of these
	stalled                   int           // readers that never read
}

func theSizes() sizes {
	if testing.Short() {
		return sizes{
			rounds: 1, events: 200, resumeEvents: 20_000, idleStreams: 5_000, trickle: 200 * time.Millisecond, latency: 200 * time.Millisecond,
			crowd: 200, throng: 400, crowdEvents: 100, throngEvents: 50, stalled: 100,
		}
	}
	return sizes{
		rounds: *roundsFlag, events: *eventsFlag, resumeEvents: *resumeEventsFlag, idleStreams: *idleStreamsFlag, trickle: 3 * time.Second, latency: 10 * time.Second,
		crowd: 1_000, throng: 10_000, crowdEvents: max(1, *eventsFlag/10), throngEvents: max(1, *eventsFlag/20), stalled: 1_000,
	}
}

// eventsIn is how many events a trickle has that lasts so long.
func eventsIn(d time.Duration) int { return int(d * rate / time.Second) }
