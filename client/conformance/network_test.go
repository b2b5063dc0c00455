package conformance

import (
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/client"
)

var long = flag.Bool("long", false, "run the long counts")

// netReader is a service that reads through the front. It counts what it gets, and what it is told of lost streams.
type netReader struct {
	mu      sync.Mutex
	got     []string // cursors
	retries int
}

func (r *netReader) read(ctx context.Context, t *testing.T, address string, heartbeat time.Duration, got *atomic.Int64) {
	c, err := client.Dial(address)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = c.Close() }()
	sub := client.Subscription{Start: client.Earliest(), Heartbeat: heartbeat, OnRetry: func(error, time.Duration) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.retries++
	}}
	for m, err := range c.Subscribe(ctx, sub) {
		switch {
		case err != nil && ctx.Err() == nil:
			t.Error(err)
			return
		case m.Gap != nil:
			t.Errorf("a gap after %d events: %v", len(r.got), m.Gap)
		case m.Event != nil:
			r.mu.Lock()
			r.got = append(r.got, m.Event.GetCursor())
			r.mu.Unlock()
			got.Add(1)
		}
	}
}

func (r *netReader) told() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.retries
}

// faults are what the network does, each for a moment that differs.
var faults = []struct {
	name  string
	often int // in a hundred
	do    func(f *front)
}{
	{"reset", 30, func(f *front) { f.cut() }},
	{"reset in a message", 30, func(f *front) { f.cutAfter(rand.Int64N(3000)) }},
	{"sliced", 15, func(f *front) { f.slice(1 + rand.IntN(7)); pause(20); f.slice(0) }},
	{"slow", 10, func(f *front) { f.slow(5_000 + rand.IntN(50_000)); pause(50); f.slow(0) }},
	{"refused", 10, func(f *front) { f.refuse(); f.cut(); pause(50); f.admit() }},
	{"silent", 5, func(f *front) { f.hush(); pause(200); f.speak() }},
}

// pause is as long as a fault lasts.
func pause(most int) { time.Sleep(time.Duration(rand.IntN(1000*most)) * time.Microsecond) }

// TestFaultyNetwork: the network between the Go client and the gateway cuts, slices, slows, refuses and falls silent, while events come in. Each reader gets every
// event once, in the log's order.
func TestFaultyNetwork(t *testing.T) {
	t.Parallel()
	watch(t)
	todo, readers := 500, 8
	if *long {
		todo = 50_000
	}
	k := &kit{T: t}
	g := k.start(settings{})
	ctx, cancel := context.WithCancel(t.Context())
	var reading, writing sync.WaitGroup
	var got atomic.Int64
	all := make([]netReader, readers)
	for i := range all {
		reading.Go(func() { all[i].read(ctx, t, g.front.grpc, time.Second, &got) })
	}
	var sent atomic.Int64
	posting, enough := context.WithCancel(t.Context())
	for range 2 {
		writing.Go(func() {
			for posting.Err() == nil {
				n := int(sent.Add(1))
				if !g.sender.deliver(t.Context(), change{n: n, key: n}) {
					t.Errorf("event %d was not taken", n)
				}
				time.Sleep(2 * time.Millisecond) // the load
			}
		})
	}
	did := make(map[string]int)
	for range todo {
		before := got.Load()
		g.asker.until("events arrive again", func() bool {
			time.Sleep(time.Millisecond)
			return got.Load() > before || t.Failed()
		})
		which := rand.IntN(100)
		for _, f := range faults {
			if which -= f.often; which < 0 {
				f.do(g.front)
				did[f.name]++
				break
			}
		}
	}
	enough()
	writing.Wait()
	g.front.set(func() { g.front.cutIn = -1 })
	log := cursors(g.asker.log(), nil)
	retries := 0
	for i := range all {
		r := &all[i]
		g.asker.until("each reader has all", func() bool {
			time.Sleep(time.Millisecond)
			r.mu.Lock()
			defer r.mu.Unlock()
			return len(r.got) >= len(log)
		})
		retries += r.told()
	}
	cancel()
	reading.Wait()
	for i := range all {
		if !slices.Equal(all[i].got, log) {
			t.Errorf("reader %d got %d events, the log has %d: not the same", i, len(all[i].got), len(log))
		}
	}
	t.Logf("%d faults (%v), %d resets of all connections; %d readers lost their streams %d times and got %d events each: 0 missing, doubled or out of order",
		todo, did, g.front.hasCut(), readers, retries, len(log))
	if g.front.hasCut() < todo/3 || retries < todo/2 || len(log) < todo {
		t.Error("too little happened for the run to mean anything")
	}
}

// TestDeadPeer: when the network swallows everything, each end notices within 40 s that the other one is gone: the reader by its heartbeat, the gateway by its pings.
func TestDeadPeer(t *testing.T) {
	t.Parallel()
	watch(t)
	const within = 40 * time.Second
	k := &kit{T: t}
	g := k.start(settings{})
	ctx, cancel := context.WithCancel(t.Context())
	var r netReader
	var got atomic.Int64
	var reading sync.WaitGroup
	reading.Go(func() { r.read(ctx, t, g.front.grpc, 0, &got) })
	g.sender.send(changes(1, 1, 1)...)
	g.asker.until("the reader is there", func() bool { return got.Load() == 1 && g.streams() == 1 })
	g.front.refuse() // or the reader, when it notices first, comes back, and the gateway is never without a stream
	g.front.hush()
	begin := time.Now()
	var reader, gateway time.Duration
	for reader == 0 || gateway == 0 {
		took := time.Since(begin)
		if took > within {
			t.Fatalf("after %v: the reader noticed after %v, the gateway after %v", took, reader, gateway)
		}
		if reader == 0 && r.told() > 0 {
			reader = took
		}
		if gateway == 0 && g.streams() == 0 {
			gateway = took
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("the reader noticed after %v, the gateway after %v; want %v", reader.Round(time.Second), gateway.Round(time.Second), within)
	cancel()
	reading.Wait()
}

// streams is how many the gateway serves.
func (g *gateway) streams() int {
	g.t.Helper()
	resp, err := http.Get("http://" + g.at.Admin + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	n, told := 0, false
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "headgate_streams{") {
			of, err := strconv.Atoi(line[strings.LastIndexByte(line, ' ')+1 : len(line)-1])
			if err != nil {
				g.t.Fatal(err)
			}
			n, told = n+of, true
		}
	}
	if !told {
		g.t.Fatal("the metrics tell no streams")
	}
	return n
}
