//go:build linux || darwin

package feed

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/metadata"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// sink is a stream whose messages are encoded and forgotten.
type sink struct {
	ctx      context.Context
	codec    encoding.CodecV2
	messages *atomic.Int64
	reached  chan struct{} // gets one when messages come to goal
	goal     *atomic.Int64
}

func (s *sink) SetHeader(metadata.MD) error                { return nil }
func (s *sink) SendHeader(metadata.MD) error               { return nil }
func (s *sink) SetTrailer(metadata.MD)                     {}
func (s *sink) Context() context.Context                   { return s.ctx }
func (s *sink) RecvMsg(any) error                          { return nil }
func (s *sink) Send(m *headgatev1.SubscribeResponse) error { return s.SendMsg(m) }
func (s *sink) SendMsg(m any) error {
	data, err := s.codec.Marshal(m)
	data.Free()
	if s.messages.Add(1) == s.goal.Load() {
		s.reached <- struct{}{}
	}
	return err
}

// BenchmarkTrickle: one event after the other to 100 streams that sleep in between, without gRPC. The appending counts as well.
func BenchmarkTrickle(b *testing.B) {
	trickle(b, newGateway(b), func(n int) *eventlog.Record { return event(n) })
}

// BenchmarkTracedTrickle: the same with every event in a trace, so that each delivery makes a span. Nobody exports them.
func BenchmarkTracedTrickle(b *testing.B) {
	g := newGateway(b, func(s *setup) {
		s.feed.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.NeverSample()))).Tracer("bench")
	})
	trickle(b, g, tracedEvent)
}

func trickle(b *testing.B, g *gateway, next func(n int) *eventlog.Record) {
	const streams = 100
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	var messages, goal atomic.Int64
	reached := make(chan struct{}, 1)
	goal.Store(2 * streams) // Started and the checkpoint
	for range streams {
		wg.Go(func() {
			_ = g.feed.Subscribe(&headgatev1.SubscribeRequest{
				Filter: &headgatev1.Filter{Sources: []string{"acme"}, Contexts: []string{"Cust1"}, Entities: []string{"relation"}, Actions: []string{"created", "changed"}},
				Start:  &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}},
			}, &sink{ctx: ctx, codec: Codec(), messages: &messages, goal: &goal, reached: reached})
		})
	}
	<-reached
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		goal.Add(streams)
		if _, err := g.log.Append(ctx, next(i)); err != nil {
			b.Fatal(err)
		}
		<-reached
	}
	b.StopTimer()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	b.ReportMetric(float64(after.Utime.Nano()+after.Stime.Nano()-before.Utime.Nano()-before.Stime.Nano())/float64(b.N)/streams, "cpu-ns/delivery")
	cancel()
	wg.Wait()
}
