package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// TestFiguresOfReaders: what a reader's streams were sent, how each of them ended, where the hindmost stands, and what pages held, is told by reader.
func TestFiguresOfReaders(t *testing.T) {
	metrics := prometheus.NewRegistry()
	g := newGateway(t, func(s *setup) {
		s.feed.Metrics, s.feed.Readers = metrics, func() []string { return []string{"idle", "tester"} }
	})
	frames := func() (bytes int) {
		chunk, err := g.log.ReadStored(t.Context(), 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range chunk.Frames {
			bytes += len(chunk.Frames[i].Bytes())
		}
		return bytes
	}
	g.append(event(1), event(2), event(3))
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()})
	r.started()
	r.caughtUp()
	until(t, "the stream waits", func() bool { return g.feed.index.anybody() })
	g.append(event(4))
	if got := keys([]*headgatev1.SubscribeResponse{r.recv()}); !slices.Equal(got, numbers(4, 4)) {
		t.Fatalf("the stream got %v", got)
	}
	if page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{PageSize: 3}); err != nil || len(page.GetEvents()) != 3 {
		t.Fatal(page, err)
	}
	shows := func(name, want string) {
		t.Helper()
		var err error
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if err = testutil.GatherAndCompare(metrics, strings.NewReader(helpOf(t, metrics, name)+want), name); err == nil {
				return
			}
		}
		t.Fatal(err)
	}
	shows("headgate_stream_events_sent_total", "headgate_stream_events_sent_total{reader=\"tester\"} 4\n")
	shows("headgate_stream_messages_sent_total", "headgate_stream_messages_sent_total{reader=\"tester\"} 4\n") // Started, three events, a checkpoint, one event
	shows("headgate_stream_sent_bytes_total", fmt.Sprintf("headgate_stream_sent_bytes_total{reader=\"tester\"} %d\n", frames()))
	shows("headgate_listed_events_total", "headgate_listed_events_total{reader=\"tester\"} 3\n")
	streams := func(live string) string {
		return `headgate_streams{reader="idle",state="live"} 0
headgate_streams{reader="idle",state="replaying"} 0
headgate_streams{reader="idle",state="stalled"} 0
headgate_streams{reader="idle",state="standby"} 0
headgate_streams{reader="tester",state="live"} ` + live + `
headgate_streams{reader="tester",state="replaying"} 0
headgate_streams{reader="tester",state="stalled"} 0
headgate_streams{reader="tester",state="standby"} 0
`
	}
	shows("headgate_streams", streams("1"))
	shows("headgate_stream_wakeups_total", "headgate_stream_wakeups_total 1\n")
	if n, sum := histogram(t, metrics, "headgate_stream_delivery_duration_seconds"); n != 1 || sum != 0 { // what was replayed is left out; the clock stands
		t.Errorf("%d deliveries took %v s", n, sum)
	}

	r.cancel()
	r.rest()
	if _, err := g.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{}); err == nil {
		t.Error("an empty cursor has an event")
	}
	g.all(&headgatev1.SubscribeRequest{Start: earliest()})
	_, end := g.subscribe(&headgatev1.SubscribeRequest{}).rest()
	if errors.Is(end, io.EOF) {
		t.Error("a stream without start ended well")
	}
	drained := g.subscribe(&headgatev1.SubscribeRequest{Start: latest()})
	drained.started()
	g.feed.Drain()
	drained.rest()
	shows("headgate_stream_ends_total", `headgate_stream_ends_total{reader="tester",reason="cancelled"} 1
headgate_stream_ends_total{reader="tester",reason="caught_up"} 1
headgate_stream_ends_total{reader="tester",reason="draining"} 1
headgate_stream_ends_total{reader="tester",reason="start_required"} 1
`)
	shows("headgate_streams", streams("0"))
}

// TestLagOfStreams: a reader that keeps its position itself is seen to be behind by its hindmost stream.
func TestLagOfStreams(t *testing.T) {
	metrics := prometheus.NewRegistry()
	held := &heldReads{held: make(chan struct{})}
	g := newGateway(t, func(s *setup) {
		s.feed.Metrics = metrics
		s.wrap = func(l Log) Log { held.Log = l; return held }
	})
	g.append(event(1))
	g.subscribe(&headgatev1.SubscribeRequest{Start: latest()}).started()
	g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()}).started()
	g.clock.advance(time.Minute)
	want := "headgate_stream_lag_seconds{reader=\"tester\"} "
	compare := func(value string) error {
		return testutil.GatherAndCompare(metrics, strings.NewReader(helpOf(t, metrics, "headgate_stream_lag_seconds")+want+value+"\n"), "headgate_stream_lag_seconds")
	}
	if err := compare("60"); err != nil {
		t.Error(err)
	}
	close(held.held)
	until(t, "the stream is at the head", func() bool {
		g.clock.advance(collectEvery)
		return compare("0") == nil
	})
}

// heldReads is a log of which nothing is read until held is closed.
type heldReads struct {
	Log
	held chan struct{}
}

// Read holds up whoever reads.
func (l *heldReads) Read(ctx context.Context, after uint64, wants func(source, context string) bool) (eventlog.Chunk, error) {
	<-l.held
	return l.Log.Read(ctx, after, wants)
}

// TestLagInRecords: a subscription is as many records behind as stand behind its position, and none when none of them is for it.
func TestLagInRecords(t *testing.T) {
	metrics := prometheus.NewRegistry()
	g := newGateway(t, named, func(s *setup) { s.feed.Metrics = metrics })
	req := joining("a", 1)
	req.Filter = sales()
	r := g.subscribe(req)
	r.assigned()
	shows := func(value string) {
		t.Helper()
		g.clock.advance(collectEvery)
		const name = "headgate_subscription_lag_records"
		if err := testutil.GatherAndCompare(metrics, strings.NewReader(helpOf(t, metrics, name)+
			fmt.Sprintf("%s{reader=\"tester\",subscription=%q} %s\n", name, req.GetSubscription(), value)), name); err != nil {
			t.Error(err)
		}
	}
	g.append(event(1), event(2))
	shows("0")
	g.append(event(3, of("sale", "created")))
	shows("3")
}

// helpOf is the head of the metric as the registry has it, so that a comparison is about the values.
func helpOf(t *testing.T, from prometheus.Gatherer, name string) string {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return fmt.Sprintf("# HELP %s %s\n# TYPE %s %s\n", name, f.GetHelp(), name, strings.ToLower(f.GetType().String()))
		}
	}
	return ""
}

// histogram is how often something was observed, and the sum.
func histogram(t *testing.T, from prometheus.Gatherer, name string) (n uint64, sum float64) {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			h := f.GetMetric()[0].GetHistogram()
			return h.GetSampleCount(), h.GetSampleSum()
		}
	}
	return 0, 0
}
