package proof

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// room is what a stream may be sent before its reader takes it. The stalled never get more.
const room = 16 << 10

// TestStalledReaders: how late an event arrives at those who read, alone and beside those who do not, in turns.
func TestStalledReaders(t *testing.T) {
	t.Run("50 readers beside 2,000 stalled ones", func(t *testing.T) { compare(t, 5, 10, 20, 100) })
	t.Run("1 reader with 99 stalled streams on its connection", func(t *testing.T) { compare(t, 1, 1, 0, 99) })
}

// compare opens so many connections with so many reading streams each, and beside them others, or with none of those the same one, with so many stalled streams each.
func compare(t *testing.T, connections, each, others, stalledEach int) {
	pairs, posts := counts(5, 20), counts(100, 500)
	most := 5.0 // on a machine that does other things too, and with a detector of races in the readers
	if *long {
		most = 1.2
	}
	g := newGateway(t, t.TempDir(), "")
	g.start()
	c := newCRM(g)
	end := c.write(8, 0)
	eventually(t, "there is more than a stalled stream takes", func() bool { return c.took() > 200 })
	end()
	var ratios, alone, beside []float64
	for i := range pairs {
		var p99 [2]float64
		for turn := range 2 {
			stalled := (i+turn)%2 == 1
			n := 0
			if stalled {
				n = stalledEach
			}
			p99[map[bool]int{false: 0, true: 1}[stalled]] = g.lateness(c, connections, each, others, n, posts)
		}
		ratios, alone, beside = append(ratios, p99[1]/p99[0]), append(alone, p99[0]), append(beside, p99[1])
	}
	for _, list := range [][]float64{ratios, alone, beside} {
		slices.Sort(list)
	}
	t.Logf("99 of 100 events arrive within %.1f ms alone and %.1f ms beside the stalled; the ratio of %d pairs is %.2f in the middle, %.2f to %.2f; want at most %.1f",
		alone[pairs/2], beside[pairs/2], pairs, ratios[pairs/2], ratios[0], ratios[pairs-1], most)
	if ratios[pairs/2] > most {
		t.Errorf("stalled readers make others wait %.2f times as long, want at most %.1f", ratios[pairs/2], most)
	}
}

// lateness is within how many milliseconds 99 of 100 events arrive.
func (g *gateway) lateness(c *crm, connections, each, others, stalledEach, posts int) float64 {
	g.t.Helper()
	var open []*lean
	var reading sync.WaitGroup
	defer func() {
		for _, l := range open {
			l.reset()
		}
		reading.Wait()
		eventually(g.t, "their streams are gone", func() bool { return g.figures()["headgate_streams"] == 0 })
	}()
	dial := func() *lean {
		l, err := dialLean(g.rpc, room)
		if err != nil {
			g.t.Fatal(err)
		}
		open = append(open, l)
		return l
	}
	subscribe := func(l *lean, n int, from *headgatev1.Start, stalled bool) {
		for range n {
			stream, err := l.subscribe(&headgatev1.SubscribeRequest{Start: from})
			if err != nil {
				g.t.Fatal(err)
			}
			l.stalled[stream] = stalled
		}
	}
	for range others {
		if stalledEach > 0 {
			l := dial()
			subscribe(l, stalledEach, client.Earliest(), true)
			reading.Go(func() { _ = l.until(func(*headgatev1.SubscribeResponse) bool { return false }) }) // it answers pings until it is reset
		}
	}
	arrived := &arrivals{at: make(map[int32]time.Time)}
	for range connections {
		l := dial()
		if others == 0 {
			subscribe(l, stalledEach, client.Earliest(), true)
		}
		subscribe(l, each, client.Latest(), false)
		reading.Go(func() { arrived.read(l) })
	}
	want := float64(connections*each + max(others, 1)*stalledEach)
	eventually(g.t, "all streams are there", func() bool { return g.figures()["headgate_streams"] == want })
	eventually(g.t, "the readers are at the head", func() bool {
		arrived.mu.Lock()
		defer arrived.mu.Unlock()
		return arrived.caughtUp >= connections*each
	})
	for range posts {
		arrived.begin(c.upcoming())
		c.deliver()
		time.Sleep(5 * time.Millisecond) // the load
	}
	eventually(g.t, "the readers have all", func() bool { return arrived.count() >= posts*connections*each })
	slices.Sort(arrived.took)
	return float64(arrived.took[len(arrived.took)*99/100]) / float64(time.Millisecond)
}

// arrivals are how long events took.
type arrivals struct {
	mu       sync.Mutex
	at       map[int32]time.Time // when each was posted
	took     []time.Duration
	caughtUp int
}

func (a *arrivals) begin(n int32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at[n] = time.Now()
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.took)
}

// read notes what arrives at the streams that read.
func (a *arrivals) read(l *lean) {
	for {
		next, err := l.next()
		if err != nil || next.ended {
			return
		}
		m := new(headgatev1.SubscribeResponse)
		if l.stalled[next.stream] || errors.Is(proto.Unmarshal(next.message, m), proto.Error) {
			continue
		}
		now := time.Now()
		a.mu.Lock()
		if m.GetCheckpoint().GetCaughtUp() {
			a.caughtUp++
		}
		for _, e := range m.GetEvents() {
			if at, ok := a.at[numberOf(e)]; ok {
				a.took = append(a.took, now.Sub(at))
			}
		}
		a.mu.Unlock()
	}
}
