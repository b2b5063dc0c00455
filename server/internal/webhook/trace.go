package webhook

import (
	"context"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// What spans say of events. Not more: no value of a record, no person, no tenant, nothing of the body.
const (
	attrSource    = attribute.Key("headgate.source")
	attrOutcome   = attribute.Key("headgate.outcome")
	attrEventID   = attribute.Key("headgate.event_id")
	attrEventType = attribute.Key("headgate.event_type")
	attrEntity    = attribute.Key("headgate.entity")
	attrAction    = attribute.Key("headgate.action")
)

// route is the door's path in spans.
const route = Path + "{source}"

// traceparentSize is how long the header of that name is: version, trace, span and flags in hex, with hyphens between them.
const traceparentSize = 2 + 1 + 32 + 1 + 16 + 1 + 2

// trip is the trace of one post, with its span. A nil one is of a post that is not traced, and does nothing.
type trip struct {
	tracer trace.Tracer
	ctx    context.Context
	span   trace.Span
	theirs bool   // its sender wants it traced
	steps  []step // of theirs: whether they end, end decides
}

// step is a part of the way that is over.
type step struct {
	span trace.Span
	at   time.Time
}

// begin begins the trace of an authentic post, nil if it is not to be traced. Of others there is no span: strangers could make any number of them. The trace
// of the sender is continued, if it names one that can be read; no signature covers that, so nothing else depends on it, and see end.
func (h *Handler) begin(src *source, r *http.Request, at time.Time, size int) *trip {
	if h.opt.Tracer == nil {
		return nil
	}
	t := &trip{tracer: h.opt.Tracer, ctx: context.Background()}
	if sent := r.Header.Values("Traceparent"); len(sent) == 1 && len(sent[0]) == traceparentSize { // the library takes some that go on
		t.ctx = propagation.TraceContext{}.Extract(t.ctx, propagation.MapCarrier{"traceparent": sent[0]})
		t.theirs = trace.SpanContextFromContext(t.ctx).IsValid()
	}
	t.ctx, t.span = t.tracer.Start(t.ctx, http.MethodPost+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(at))
	if !t.span.SpanContext().IsSampled() {
		t.span.End()
		return nil
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	t.span.SetAttributes(
		semconv.HTTPRequestMethodPost, semconv.HTTPRoute(route), semconv.URLPath(Path+src.Name), semconv.URLScheme(scheme),
		semconv.HTTPRequestBodySize(size), attrSource.String(src.Name),
	)
	if n := retriesOf(r.Header); n > 0 {
		t.span.SetAttributes(semconv.HTTPRequestResendCount(int(n)))
	}
	return t
}

// parent is what the event carries to whoever continues the trace.
func (t *trip) parent() string {
	if t == nil {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(t.ctx, carrier)
	return carrier["traceparent"]
}

// step begins the span of a part of the way. end must be called with what went wrong in it.
func (t *trip) step(name string) (end func(error)) {
	if t == nil {
		return noStep
	}
	_, span := t.tracer.Start(t.ctx, name)
	return func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "") // its text can tell of the machine
		}
		if !t.theirs {
			span.End()
			return
		}
		t.steps = append(t.steps, step{span, time.Now()})
	}
}

func noStep(error) {}

// carries says of which event the post was. A body that gave none has no id.
func (t *trip) carries(k *eventlog.Keys) {
	if t != nil && k.EventID != "" {
		t.span.SetAttributes(attrEventID.String(k.EventID), attrEventType.String(k.EventType), attrEntity.String(k.Entity), attrAction.String(k.Action))
	}
}

// end ends the trace with the answer to the post. What its sender wants traced is traced for a new event only: whoever has captured a post can send it again, under
// any trace, as often as he likes. Spans that do not end are not sent.
func (t *trip) end(a answer) {
	if t == nil || t.theirs && a.outcome != stored.outcome {
		return
	}
	for _, s := range t.steps {
		s.span.End(trace.WithTimestamp(s.at))
	}
	t.span.SetAttributes(semconv.HTTPResponseStatusCode(a.status), attrOutcome.String(a.outcome))
	if a.status >= http.StatusInternalServerError {
		t.span.SetStatus(codes.Error, "")
	}
	t.span.End()
}
