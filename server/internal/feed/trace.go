package feed

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// tracedFor is for how long after it was received the sending of an event belongs to its trace. A replay of older ones makes no spans: there can be millions,
// in traces that nobody keeps open.
const tracedFor = time.Hour

// trace begins the span of sending what is gathered, nil when none of it is of a trace. It is one span for the message: in the trace of its first traced
// event, and linked to those of the others.
func (st *stream) trace() trace.Span {
	tracer := st.svc.opt.Tracer
	if tracer == nil {
		return nil
	}
	var first context.Context
	var links []trace.Link
	oldest := st.svc.opt.Now().Add(-tracedFor)
	for _, f := range st.batch.run {
		if !f.Traced || f.ReceivedAt.Before(oldest) {
			continue
		}
		if ctx := traceOf(f); first == nil {
			first = ctx
		} else {
			links = append(links, trace.LinkFromContext(ctx))
		}
	}
	if first == nil {
		return nil
	}
	_, span := tracer.Start(first, "send", trace.WithSpanKind(trace.SpanKindProducer), trace.WithLinks(links...), trace.WithAttributes(
		attribute.Int("messaging.batch.message_count", len(st.batch.run)),
		attribute.String("headgate.reader", st.caller.Reader), attribute.String("headgate.stream", st.id),
	))
	return span
}

// traceOf is a context in the event's trace.
func traceOf(f *eventlog.Frame) context.Context {
	return propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": f.Traceparent()})
}

// endTrace ends the span that trace began.
func endTrace(span trace.Span, err error) {
	if span == nil {
		return
	}
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
