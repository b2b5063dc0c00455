package server

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/headgate/headgate/server/internal/feed"
)

// callMetrics are the figures of gRPC calls, those that REST makes of its requests included.
type callMetrics struct {
	calls, refused *prometheus.CounterVec
	duration       *prometheus.HistogramVec
}

func newCallMetrics(r prometheus.Registerer) *callMetrics {
	m := &callMetrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "headgate_grpc_calls_total",
			Help: "Calls that have ended, by listener (grpc, or api for those of REST), method (unknown for those that nobody serves) and gRPC status code.",
		}, []string{"listener", "method", "code"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "headgate_calls_refused_total",
			Help: "Calls over gRPC and REST that were refused for who calls or how much, by reader (empty when unknown) and reason.",
		}, []string{"reader", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "headgate_grpc_call_duration_seconds",
			Help:    "Seconds from the header of a call that is no stream until its client has taken the answer, by listener and method.",
			Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10},
		}, []string{"listener", "method"}),
	}
	m.refused.WithLabelValues("", "unauthenticated") // what alarms are made of counts from zero
	r.MustRegister(m.calls, m.refused, m.duration)
	return m
}

// methodName is a method as metrics name it. A name that the caller made up is none of them.
func methodName(full string) string {
	if _, served := needs[full]; !served {
		return "unknown"
	}
	return strings.TrimPrefix(full, "/")
}

func (m *callMetrics) ended(listener, method string, err error) {
	m.calls.WithLabelValues(listener, methodName(method), status.Code(err).String()).Inc()
}

func (m *callMetrics) refuse(reader, reason string) { m.refused.WithLabelValues(reader, reason).Inc() }

// tap counts the calls that end where it stands: no interceptor sees them.
func (s *Server) tap(ctx context.Context, call *tap.Info) (context.Context, error) {
	if p, ok := peer.FromContext(ctx); ok {
		p.Addr.(lineAddr).arrived()
	}
	ctx, err := s.guard.Tap(ctx, call)
	if err != nil {
		s.calls.ended(listenGRPC, call.FullMethodName, err)
	}
	return ctx, err
}

// intercept has the guard look at a call that came by the listener, and counts it. It is one that calls the other, not a chain: the stack of each waiting
// stream is smaller by its links.
func (s *Server) intercept(listener string) grpc.StreamServerInterceptor {
	return func(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		begin := time.Now()
		err := s.guard.Stream(srv, feed.Strict(ss), info, next)
		s.calls.ended(listener, info.FullMethod, err)
		if s.guard.IsSingle(info.FullMethod) {
			s.calls.duration.WithLabelValues(listener, methodName(info.FullMethod)).Observe(time.Since(begin).Seconds())
		}
		return err
	}
}
