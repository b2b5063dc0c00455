package proof

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// soak is what goes on at once.
type soak struct {
	g              *gateway
	ended          context.Context
	reads, handled atomic.Int64
}

// TestSoak is a day's work in a hurry: some 400 posts a second, a hundred times what a busy company's CRM sends, readers of all kinds that come, read for a while
// and go, and a retention that trims all the while. In the last third of the time the gateway takes no more of anything than in the one before.
func TestSoak(t *testing.T) {
	third := 6 * time.Second
	if *long {
		third = 40 * time.Minute
	}
	const mostHeap = 4 << 20
	g := newGateway(t, t.TempDir(), "retention: {max_age: 1s, at_least: 0s, disk_reserve: 1MiB}\n")
	g.start()
	c := newCRM(g)
	ended, stop := context.WithCancel(t.Context())
	s := &soak{g: g, ended: ended}
	end := c.write(8, 20*time.Millisecond)
	var busy sync.WaitGroup
	for _, read := range []func() error{s.leave, s.lines, s.handle, s.leave, s.lines, s.handle} {
		busy.Go(func() {
			for ended.Err() == nil {
				if err := read(); err != nil && ended.Err() == nil {
					t.Error(err)
					return
				}
			}
		})
	}
	g.least(third) // what is made on first use
	before := g.least(third)
	after := g.least(third)
	end()
	stop()
	busy.Wait()
	t.Logf("%v: %d posts, %d readers that came and went, %d events handled; goroutines %v and a third later %v, descriptors %v and %v, heap %.1f and %.1f MB", 3*third, c.took(),
		s.reads.Load(), s.handled.Load(), before.goroutines, after.goroutines, before.files, after.files, before.heap/1e6, after.heap/1e6)
	if after.goroutines > before.goroutines+20 || after.files > before.files+10 || after.heap > before.heap+mostHeap {
		t.Errorf("it takes more and more: want at most 20 goroutines, 10 descriptors and %d MB more", mostHeap>>20)
	}
	if seconds := int(3 * third / time.Second); c.took() < 50*seconds || s.reads.Load() < int64(5*seconds) || s.handled.Load() < int64(20*seconds) {
		t.Error("too little happened for the run to mean anything")
	}
}

// least is the least that the gateway takes during a time: what is more comes and goes.
func (g *gateway) least(during time.Duration) vitals {
	g.t.Helper()
	least := vitals{1e12, 1e12, 1e12}
	for begin := time.Now(); time.Since(begin) < during; time.Sleep(50 * time.Millisecond) { // how often it looks
		m := g.figures()
		least.goroutines = min(least.goroutines, m["go_goroutines"])
		least.files = min(least.files, m["process_open_fds"])
		least.heap = min(least.heap, m["go_memstats_heap_alloc_bytes"])
	}
	return least
}

// leave is a reader over gRPC that reads one message of events and is gone.
func (s *soak) leave() error {
	s.reads.Add(1)
	return s.g.readOne(s.reads.Load()%2 == 0)
}

// lines is a browser that reads some events.
func (s *soak) lines() error {
	s.reads.Add(1)
	ctx, cancel := context.WithCancel(s.ended)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.g.api+"/v1/events:subscribe?start.at=latest", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("a stream was answered with %d", resp.StatusCode)
	}
	in := bufio.NewScanner(resp.Body)
	for n := 0; n < 20 && in.Scan(); {
		if strings.HasPrefix(in.Text(), "data:") {
			n++
		}
	}
	return in.Err()
}

// handle is a replica of a service that handles some events of its subscription, saves its place, and stops.
func (s *soak) handle() error {
	s.reads.Add(1)
	conn, err := client.Dial(s.g.rpc)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	n := 0
	for m, err := range conn.Subscribe(s.ended, client.Subscription{Name: "soak", Start: client.Latest(), OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST}) {
		if err != nil {
			return err
		}
		if m.Event != nil {
			s.handled.Add(1)
			n++
		}
		if n == 200 {
			break
		}
	}
	return nil
}
