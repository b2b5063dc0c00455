package proof

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// vitals are what a gateway takes when it has nothing to do.
type vitals struct{ goroutines, files, heap float64 }

// rest waits for the figures to be small: what is collected only now and then, is. The heap is the least of several looks, which are what lets it be collected.
func (g *gateway) rest(good func(vitals) bool) (v vitals) {
	g.t.Helper()
	v.heap = 1 << 40
	for deadline := time.Now().Add(patience); ; {
		m := g.figures()
		v.goroutines, v.files, v.heap = m["go_goroutines"], m["process_open_fds"], min(v.heap, m["go_memstats_heap_alloc_bytes"])
		if good(v) {
			return v
		}
		if time.Now().After(deadline) {
			return v
		}
	}
}

// base is what the gateway takes at rest.
func (g *gateway) base() vitals {
	g.t.Helper()
	looks := 0
	return g.rest(func(vitals) bool {
		looks++
		return looks == 60
	})
}

// TestComeAndGo: readers connect, subscribe, read an event and are gone, without a word or with one. The gateway keeps nothing of them.
func TestComeAndGo(t *testing.T) {
	readers := counts(20_000, 1_000_000)
	const mostHeap = 4 << 20
	g := newGateway(t, t.TempDir(), "")
	g.start()
	c := newCRM(g)
	for range 5 {
		c.deliver()
	}
	comeAndGo(t, g, 500) // what is made on first use
	before := g.base()
	begin := time.Now()
	comeAndGo(t, g, readers)
	took := time.Since(begin)
	back := func(v vitals) bool {
		return v.goroutines <= before.goroutines+5 && v.files <= before.files+3 && v.heap <= before.heap+mostHeap
	}
	after := g.rest(back)
	t.Logf("%d readers in %v: goroutines %v to %v, descriptors %v to %v, heap %.1f to %.1f MB", readers, took.Round(time.Second),
		before.goroutines, after.goroutines, before.files, after.files, before.heap/1e6, after.heap/1e6)
	if !back(after) {
		t.Errorf("the gateway keeps something of the readers that are gone: want at most 5 goroutines, 3 descriptors and %d MB more", mostHeap>>20)
	}
	if m := g.figures(); m["headgate_streams"] != 0 {
		t.Errorf("%v streams are still counted", m["headgate_streams"])
	}
}

func comeAndGo(t *testing.T, g *gateway, readers int) {
	t.Helper()
	const atOnce = 16
	var n atomic.Int64
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := n.Add(1); i <= int64(readers); i = n.Add(1) {
				if err := g.readOne(i%3 == 0); err != nil {
					t.Errorf("reader %d: %v", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// readOne is one reader.
func (g *gateway) readOne(politely bool) error {
	l, err := dialLean(g.rpc, 64<<10)
	if err != nil {
		return err
	}
	stream, err := l.subscribe(&headgatev1.SubscribeRequest{Start: client.Earliest(), HeartbeatInterval: durationpb.New(time.Minute)})
	if err == nil {
		err = l.until(func(m *headgatev1.SubscribeResponse) bool { return len(m.GetEvents()) > 0 })
	}
	if !politely {
		l.reset()
		return err
	}
	if err == nil {
		err = l.WriteRSTStream(stream, 8) // CANCEL
	}
	_ = l.conn.Close()
	return err
}
