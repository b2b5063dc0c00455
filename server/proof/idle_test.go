package proof

import (
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// TestIdleStreams: what a stream that waits costs the gateway, of nearly as many as it serves. In the long run they wait for ten minutes, with their heartbeats.
func TestIdleStreams(t *testing.T) {
	const connections, each, most = 99, 100, 14 << 10
	g := newGateway(t, t.TempDir(), "")
	g.start()
	newCRM(g).deliver()
	if err := g.readOne(true); err != nil {
		t.Fatal(err)
	}
	before := g.resident()
	var all []*lean
	defer func() {
		for _, l := range all {
			l.reset()
		}
	}()
	for range connections {
		l, err := dialLean(g.rpc, 64<<10)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
		for range each {
			if _, err := l.subscribe(&headgatev1.SubscribeRequest{Start: client.Latest(), Filter: &headgatev1.Filter{Contexts: []string{"Cust1234"}}}); err != nil {
				t.Fatal(err)
			}
		}
		for caughtUp := 0; caughtUp < each; caughtUp++ {
			if err := l.until(func(m *headgatev1.SubscribeResponse) bool { return m.GetCheckpoint().GetCaughtUp() }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if *long {
		waitAll(t, all, 10*time.Minute)
	}
	m := g.figures()
	if m["headgate_streams"] != connections*each {
		t.Fatalf("%v streams are open", m["headgate_streams"])
	}
	per := (g.resident() - before) / (connections * each)
	t.Logf("%d idle streams on %d connections: %.1f KB of resident memory and %.2f goroutines each; want at most %d KB", connections*each, connections, per/1024,
		m["go_goroutines"]/(connections*each), most>>10)
	if per > most || per < 100 {
		t.Errorf("a stream that waits takes %.0f bytes, want at most %d", per, most)
	}
}

// waitAll reads what comes on the connections for a while.
func waitAll(t *testing.T, all []*lean, during time.Duration) {
	t.Helper()
	until := time.Now().Add(during)
	var g errgroup.Group
	for _, l := range all {
		g.Go(func() error {
			for time.Now().Before(until) {
				a, err := l.next()
				if err != nil || a.ended {
					t.Errorf("a stream ended: %v", err)
					return err
				}
			}
			return nil
		})
	}
	_ = g.Wait()
}

// resident is the least of some looks at the resident memory.
func (g *gateway) resident() float64 {
	g.t.Helper()
	least := float64(1 << 40)
	for range 20 {
		least = min(least, g.figures()["process_resident_memory_bytes"])
	}
	return least
}
