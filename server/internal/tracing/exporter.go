package tracing

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// exporter sends spans on, until it is told to give up. Its errors are its own: they are told to the operator, not to the library.
type exporter struct {
	sdktrace.SpanExporter
	problems *complaint
	queue    *queue
	over     context.Context // ends with giveUp
	giveUp   context.CancelFunc
}

func newExporter(to sdktrace.SpanExporter, problems *complaint, from *queue) *exporter {
	e := &exporter{SpanExporter: to, problems: problems, queue: from}
	e.over, e.giveUp = context.WithCancel(context.Background())
	return e
}

// ExportSpans is part of the interface.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	defer e.queue.waiting.Add(-int64(len(spans)))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.over, cancel)()
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.problems.of(err, len(spans))
	}
	return nil
}

// Shutdown is part of the interface.
func (e *exporter) Shutdown(ctx context.Context) error {
	defer e.giveUp()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.over, cancel)()
	if err := e.SpanExporter.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil // what was lost by it was told
}

// quiet is how long nothing is logged after a line.
const quiet = time.Minute

// complaint logs what is wrong with tracing, at most once a minute. It is safe for concurrent use.
type complaint struct {
	log   *slog.Logger
	now   func() time.Time
	total atomic.Uint64 // spans lost since the start

	mu   sync.Mutex
	next time.Time // when the next line may be; guarded by mu
	lost int       // spans since the last line; guarded by mu
}

func newComplaint(log *slog.Logger) *complaint { return &complaint{log: log, now: time.Now} }

// longestCause bounds what of a cause is told: it can quote what the collector answered.
const longestCause = 300

// of tells of an error, and that it cost so many spans.
func (c *complaint) of(err error, lost int) {
	c.total.Add(uint64(lost))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost += lost
	now := c.now()
	if now.Before(c.next) {
		return
	}
	cause := []rune(err.Error())
	c.log.Warn("traces do not reach the collector; events are not concerned. Look whether it runs, and at tracing.endpoint and its headers",
		"lost_spans", c.lost, "error", string(cause[:min(len(cause), longestCause)]))
	c.next, c.lost = now.Add(quiet), 0
}
