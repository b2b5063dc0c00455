package tracing

import (
	"errors"
	"os"
	"strconv"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// queue takes spans until as many wait as may, and drops what comes beyond: nobody waits for the collector. The library's own queue would drop them too, but tells
// nobody.
type queue struct {
	sdktrace.SpanProcessor
	most     int64
	waiting  atomic.Int64 // taken, and not yet with the collector or given up
	problems *complaint
}

var errQueueFull = errors.New("it takes them more slowly than they are made: choose a smaller tracing.sample_ratio, or give OTEL_BSP_MAX_QUEUE_SIZE more")

// OnEnd is part of the interface.
func (q *queue) OnEnd(span sdktrace.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	if q.waiting.Add(1) > q.most {
		q.waiting.Add(-1)
		q.problems.of(errQueueFull, 1)
		return
	}
	q.SpanProcessor.OnEnd(span)
}

// queueSize is the library's: its own variable says it.
func queueSize() int64 {
	if n, err := strconv.Atoi(os.Getenv("OTEL_BSP_MAX_QUEUE_SIZE")); err == nil && n > 0 {
		return int64(n)
	}
	return sdktrace.DefaultMaxQueueSize
}
