// Package feed serves readers: EventService over the log, and SubscriptionService, which names where they stand in it.
//
// Each stream is one loop over a position: read after it, filter, send, and wait when there is nothing more. There is no queue per stream and no
// message encoded per stream: what is sent are the log's own frames. A stream that stands still holds up nothing but itself.
package feed

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/subscription"
)

// Log is what the feed needs of the log.
type Log interface {
	InMemory(after uint64) bool
	ReadStored(ctx context.Context, after uint64, wants func(source, context string) bool) (eventlog.Chunk, error)
	Read(ctx context.Context, after uint64, wants func(source, context string) bool) (eventlog.Chunk, error)
	Get(ctx context.Context, seq uint64) (eventlog.Frame, error)
	Raw(ctx context.Context, seq uint64) ([]byte, error)
	Find(ctx context.Context, eventID string, wants func(source, context string) bool) ([]uint64, error)
	SeekTime(ctx context.Context, t time.Time) (uint64, error)
	CatchUp(ctx context.Context) error
	Watch(fn func([]eventlog.Frame)) (head uint64)
	Erasures() uint64
	Head() uint64
	State() eventlog.State
	Trimmed(wants func(source, context string) bool) (seq uint64, at time.Time)
	Tenants() []eventlog.Tenant
	Epoch() string
	Position(seq uint64) string
	Locate(cursor string) (uint64, error)
	LocateRecord(cursor string) (uint64, error)
}

// Options say how the feed serves.
type Options struct {
	// Grant returns what the caller may read, nil for a caller that may read nothing. Default: everybody may read everything.
	Grant func(ctx context.Context) Grant
	// Caller says who calls. Default: nobody in particular.
	Caller func(ctx context.Context) Caller
	// Subscriptions keeps named positions. Default: none are kept, and requests that name one are refused.
	Subscriptions *subscription.Subscriptions
	// Retention is after how long events are removed; 0 when they are not for their age. Subscriptions are warned by it.
	Retention time.Duration
	// Logger gets what an operator should know. Default: none.
	Logger *slog.Logger
	// MaxStreams is how many streams are served at once. Default 10,000.
	MaxStreams int
	// MaxAge is after how long a stream is told to begin anew, give or take a tenth, so that load spreads again and what was agreed on at
	// its beginning does not hold for ever. Default 1 h.
	MaxAge time.Duration
	// Metrics gets the feed's metrics. Default: none.
	Metrics prometheus.Registerer
	// Readers returns who may call, for the metrics to show those without streams too. Default: nobody is known.
	Readers func() []string
	// Tracer makes the spans of sending events that are traced. Default: none are made.
	Tracer trace.Tracer
	// Now is the clock that from_time is held against. Default time.Now.
	Now func() time.Time
}

// Caller is who calls: the reader, the credential that it is known by, the address at the other end of its connection, and whether it is an operator.
type Caller struct {
	Reader, Credential, Remote string
	Operator                   bool
}

// Service implements headgate.v1.EventService and headgate.v1.SubscriptionService. It is safe for concurrent use.
type Service struct {
	headgatev1.UnimplementedEventServiceServer
	headgatev1.UnimplementedSubscriptionServiceServer
	log     Log
	opt     Options
	metrics metrics

	draining  chan struct{}
	drainOnce sync.Once
	streams   table
	index     *index
	turns     *turns
	sent      atomic.Uint64 // events, over all streams
}

// New returns the service over the log.
func New(log Log, opt Options) *Service {
	if opt.MaxStreams == 0 {
		opt.MaxStreams = 10_000
	}
	if opt.MaxAge == 0 {
		opt.MaxAge = time.Hour
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Grant == nil {
		opt.Grant = func(context.Context) Grant { return everything{} }
	}
	if opt.Caller == nil {
		opt.Caller = func(context.Context) Caller { return Caller{} }
	}
	if opt.Readers == nil {
		opt.Readers = func() []string { return nil }
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{log: log, opt: opt, draining: make(chan struct{})}
	s.streams.byID = make(map[string]*stream)
	s.index = newIndex()
	s.turns = newTurns()
	s.index.follow(log)
	s.metrics.init()
	if opt.Metrics != nil {
		s.metrics.register(opt.Metrics, s)
	}
	return s
}

// Drain ends all streams with Closing and refuses new ones. It does not wait.
func (s *Service) Drain() {
	s.drainOnce.Do(func() {
		close(s.draining)
		for _, st := range s.streams.all() { // one that comes later looks before it waits
			s.index.rouse(&st.waiter)
		}
	})
}

func (s *Service) isDraining() bool {
	select {
	case <-s.draining:
		return true
	default:
		return false
	}
}
