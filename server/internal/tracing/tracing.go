// Package tracing sends the gateway's spans to a collector, by OTLP. The rooms that make spans know OpenTelemetry's own trace.Tracer alone; where nobody
// names a collector there is none, and neither an exporter nor a goroutine.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Options say where spans go. What they leave open, OpenTelemetry's own variables say: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES,
// OTEL_EXPORTER_OTLP_CERTIFICATE, OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_BSP_MAX_QUEUE_SIZE and the like.
type Options struct {
	// Endpoint is the collector's URL, of http or https. Without a path, OTLP over HTTP is posted to /v1/traces.
	Endpoint string
	// GRPC: OTLP by gRPC. Otherwise over HTTP, in protobuf.
	GRPC bool
	// Headers are sent with every request to the collector.
	Headers map[string]string
	// Ratio is how many of the traces that begin here are taken, 0 to 1. One that began elsewhere is taken if it is taken there.
	Ratio float64
	// Version is what the gateway calls itself.
	Version string
	// Logger gets that spans could not be delivered, at most once a minute.
	Logger *slog.Logger
}

// Tracing is a running exporter. A nil one is off.
type Tracing struct {
	provider *sdktrace.TracerProvider
	exporter *exporter
	problems *complaint
}

// scope is what spans say of which library made them.
const scope = "github.com/headgate/headgate"

// Start makes an exporter. It does not wait for the collector, which may be away now and at any time. Stop must be called.
func Start(ctx context.Context, opt Options) (*Tracing, error) {
	problems := newComplaint(opt.Logger)
	// The library's own log shows the headers of a variable that it cannot read, and its errors come as often as they happen.
	otel.SetLogger(logr.Discard())
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { problems.of(err, 0) }))
	sender, err := newSender(ctx, opt)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(semconv.ServiceName("headgated"), semconv.ServiceVersion(opt.Version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		problems.of(err, 0) // what could be read of the variables counts
	}
	q := &queue{most: queueSize(), problems: problems}
	t := &Tracing{exporter: newExporter(sender, problems, q), problems: problems}
	q.SpanProcessor = sdktrace.NewBatchSpanProcessor(t.exporter, sdktrace.WithMaxQueueSize(int(q.most)))
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(opt.Ratio))),
		sdktrace.WithResource(about),
		sdktrace.WithSpanProcessor(q),
	)
	return t, nil
}

func newSender(ctx context.Context, opt Options) (*otlptrace.Exporter, error) {
	if opt.GRPC {
		options := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(opt.Endpoint)}
		if len(opt.Headers) > 0 {
			options = append(options, otlptracegrpc.WithHeaders(opt.Headers))
		}
		return otlptracegrpc.New(ctx, options...)
	}
	at, err := url.Parse(opt.Endpoint)
	if err != nil {
		return nil, err
	}
	if at.Path == "" || at.Path == "/" {
		at.Path = "/v1/traces"
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(at.String()), otlptracehttp.WithProxy(proxyUnlessSentOn)}
	if len(opt.Headers) > 0 {
		options = append(options, otlptracehttp.WithHeaders(opt.Headers))
	}
	return otlptracehttp.New(ctx, options...)
}

// proxyUnlessSentOn is http.ProxyFromEnvironment, and refuses to follow a collector to another place: the headers would go along, to whoever is there, and perhaps in
// clear. A client of our own could refuse that too, but the exporter then looks at none of OpenTelemetry's variables on certificates and time.
func proxyUnlessSentOn(r *http.Request) (*url.URL, error) {
	if r.Response != nil {
		return nil, errors.New("the collector sends to another place, which is not followed; name that place in tracing.endpoint if it is the collector's")
	}
	return http.ProxyFromEnvironment(r)
}

// Tracer returns what makes the spans; nil when tracing is off.
func (t *Tracing) Tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer(scope)
}

// Lost is how many spans never reached the collector: those that did not fit into the queue, and those that it did not take.
func (t *Tracing) Lost() uint64 {
	if t == nil {
		return 0
	}
	return t.problems.total.Load()
}

// flushWithin is how long the collector gets to take the last spans.
const flushWithin = 2 * time.Second

// Stop sends what is left, for flushWithin at most, and ends all that Start began. Spans that end afterwards are dropped.
func (t *Tracing) Stop() {
	if t == nil {
		return
	}
	late := time.AfterFunc(flushWithin, t.exporter.giveUp)
	defer late.Stop()
	// It ends when the last export has, and that when it is given up at the latest.
	if err := t.provider.Shutdown(context.Background()); err != nil {
		t.exporter.problems.of(err, 0)
	}
}
