package feed

import (
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// tracedEvent is an event of a trace.
func tracedEvent(n int) *eventlog.Record {
	r := event(n, func(e *headgatev1.Event) { e.Traceparent = parent })
	r.Traced = true
	return r
}

// TestSpansOfSending: a message with an event of a trace makes a span, one without makes none, and neither does one of old events.
func TestSpansOfSending(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	g := newGateway(t, func(s *setup) {
		s.feed.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	})
	g.append(tracedEvent(1))
	g.clock.advance(tracedFor + time.Second)
	g.append(event(2), event(3))
	sent := func() int {
		t.Helper()
		spans.Reset()
		stream, err := g.client.Subscribe(t.Context(), &headgatev1.SubscribeRequest{
			Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}, StopWhenCaughtUp: true, MaxBatchSize: 1,
		})
		for err == nil {
			_, err = stream.Recv()
		}
		return len(spans.Ended())
	}
	if n := sent(); n != 0 {
		t.Errorf("an old event and two that are not traced made %d spans", n)
	}
	g.append(tracedEvent(4), event(5))
	if n := sent(); n != 1 {
		t.Fatalf("%d spans of one event that is traced", n)
	}
	if got := spans.Ended()[0]; got.Name() != "send" || got.SpanContext().TraceID().String() != parent[3:35] || got.Parent().SpanID().String() != parent[36:52] {
		t.Errorf("%s of %s below %s", got.Name(), got.SpanContext().TraceID(), got.Parent().SpanID())
	}
}
