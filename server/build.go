package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc/health"

	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
	"github.com/headgate/headgate/server/internal/feed"
	"github.com/headgate/headgate/server/internal/subscription"
	"github.com/headgate/headgate/server/internal/tracing"
	"github.com/headgate/headgate/server/internal/upstream"
	"github.com/headgate/headgate/server/internal/webhook"
)

// New opens the log and binds the listeners, so that what cannot work is known at once. Run must be called afterwards: it also releases what New
// took.
func New(cfg Config) (*Server, error) { return open(context.Background(), cfg, false) }

// TakeOver is New for a gateway that takes the place of the one that runs with the same data directory: it takes over that one's sockets, except where
// its own configuration names another address, and then has it end; in between nobody is refused. It fails, and the other one goes on, when the
// configuration cannot be used, when a new address cannot be bound, and when ctx ends before the other one has closed the log. When it fails later, the
// other one takes the log back. Without a gateway that runs it is New.
func TakeOver(ctx context.Context, cfg Config) (*Server, error) { return open(ctx, cfg, true) }

func open(ctx context.Context, cfg Config, takeOver bool) (*Server, error) {
	s := &Server{cfg: cfg, startedAt: time.Now(), reload: newReloader(cfg), sockets: make(map[string]*net.TCPListener)}
	err := cfg.Validate()
	if err == nil {
		s.tracing, err = startTracing(ctx, &cfg)
	}
	if err == nil {
		err = s.prepare(ctx, takeOver)
	}
	if err == nil {
		wait := time.Duration(0)
		if s.predecessor != nil {
			wait = lockWithin
		}
		err = s.build(wait)
	}
	if err != nil {
		err = errors.Join(err, s.release())
		s.predecessor.close()
		s.closeSockets()
		s.tracing.Stop()
		return nil, err
	}
	return s, nil
}

// startTracing returns nil where no traces are to be made.
func startTracing(ctx context.Context, cfg *Config) (*tracing.Tracing, error) {
	t := cfg.Tracing
	if !t.on() {
		return nil, nil
	}
	opt := tracing.Options{Endpoint: t.Endpoint, GRPC: t.Protocol == TracingGRPC, Ratio: t.SampleRatio, Version: cfg.Version, Logger: slog.Default()}
	if len(t.Headers) > 0 {
		var err error
		if opt.Headers, err = parseHeaders(t.Headers); err != nil {
			return nil, fmt.Errorf("tracing.headers: %w", err)
		}
	}
	return tracing.Start(ctx, opt)
}

// prepare does all that can be done, and can go wrong, without the log.
func (s *Server) prepare(ctx context.Context, takeOver bool) (err error) {
	if err := s.buildAccess(); err != nil {
		return err
	}
	if takeOver {
		if s.predecessor, err = findPredecessor(s.cfg.DataDir); err != nil {
			return err
		}
	}
	// The ports before the log: whoever starts a second gateway by mistake learns it from them.
	if err := s.bind(); err != nil || s.predecessor == nil {
		return err
	}
	return s.predecessor.release(ctx)
}

// build makes the rooms, and waits so long for the log. It is called again when a successor failed and the log is taken back.
func (s *Server) build(wait time.Duration) error {
	s.registry, s.health = prometheus.NewRegistry(), health.NewServer()
	s.http, s.shared = make(map[string]*http.Server), make(map[string]*shared)
	s.listener, s.turns = make(map[string]net.Listener), make(map[string]*turn)
	s.stopping.Store(false)
	s.leaving.Store(false)
	s.registry.MustRegister(s.reload.ok, s.reload.at)
	metrics := newListenerMetrics(s.registry)
	most, err := connectionBounds(openFiles())
	if err != nil {
		return err
	}
	for _, name := range s.cfg.Listen.names() {
		l, err := s.listen(name, most[name], metrics)
		if err != nil {
			return fmt.Errorf("listen.%s: %w", name, err)
		}
		// gRPC does TLS itself: it must know the client's certificate.
		if s.cfg.TLS.on(name) && name != listenGRPC {
			l = tls.NewListener(l, s.tls.config(name == listenAPI || name == listenPProf))
		}
		s.listener[name] = l
	}
	s.registerServerMetrics(most)
	s.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "headgate_spans_lost_total", Help: "Spans of traces that did not reach the collector: it was away, refused them, or was too slow for the queue.",
	}, func() float64 { return float64(s.tracing.Lost()) }))
	s.clock = newClockWatch(s.registry)
	if err := s.openLog(wait); err != nil {
		return err
	}
	s.succession = openSuccession(s.cfg.DataDir)
	s.buildRooms()
	s.buildGRPC()
	return s.buildHTTP()
}

func (s *Server) openLog(wait time.Duration) (err error) {
	reserve := uint64(s.cfg.Retention.DiskReserve)
	committed := newCommitSeconds(s.registry)
	s.store, err = openStore(s.cfg.DataDir, pebblestore.Options{
		Committed: func(took time.Duration) { committed.Observe(took.Seconds()) },
		// Trimming begins at the reserve, refusing at half of it.
		MinFree: reserve / 2, AcceptLoss: s.cfg.AcceptDataLoss, Logger: slog.Default(),
	}, wait)
	if err != nil {
		return err
	}
	if st := s.store.State(); st.Format < st.NewestFormat {
		slog.Info("the log is stored in an earlier format, in which releases before this one can still open it; headgated upgrade-store brings it to the newest",
			"format", st.Format, "newest", st.NewestFormat)
	}
	s.log, err = eventlog.Open(s.store, eventlog.Options{TailBytes: int(s.cfg.Limits.TailBytes), Logger: slog.Default(), Retention: eventlog.Retention{
		MaxAge: s.cfg.Retention.MaxAge, MaxSize: uint64(s.cfg.Retention.MaxSize), AtLeast: s.cfg.Retention.AtLeast, Reserve: reserve,
		MaxQuarantine: uint64(min(s.cfg.Retention.QuarantineMaxSize, s.cfg.Retention.MaxSize/4)),
	}})
	if err != nil {
		return err
	}
	if s.positions, err = subscription.OpenBolt(filepath.Join(s.cfg.DataDir, positionsFile)); err != nil {
		return err
	}
	s.subscriptions, err = subscription.Open(context.Background(), s.positions, subscription.Options{Locate: s.log.Locate, Logger: slog.Default()})
	if err != nil {
		return err
	}
	s.upstream, err = upstream.Open(s.log, zonesOf(sourcesOf(s.reload.inForce)), upstream.Options{Dir: s.cfg.DataDir, Logger: slog.Default(), Metrics: s.registry})
	return err
}

func (s *Server) buildRooms() {
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registerLogMetrics(s.registry, s.log, s.store, uint64(s.cfg.Retention.DiskReserve))
	sources := sourcesOf(s.reload.inForce)
	s.webhook = webhook.New(s.log, sources, webhook.Options{
		Stored:  s.upstream.Stored,
		MaxBody: s.cfg.Webhook.MaxBodyBytes, TrustedProxies: s.cfg.Webhook.TrustedProxies,
		RefusedPerSecond: s.cfg.Webhook.UnauthenticatedPerSecond, Logger: slog.Default(), Metrics: s.registry, Tracer: s.tracing.Tracer(),
	})
	s.exemptSenders(sources)
	s.reload.parts.sources = func(sources []webhook.Source) {
		s.webhook.SetSources(sources)
		s.upstream.SetSources(zonesOf(sources))
		s.exemptSenders(sources)
	}
	s.feed = feed.New(s.log, feed.Options{
		Grant: grantOf, Caller: callerOf, MaxStreams: s.cfg.Limits.MaxStreams, Metrics: s.registry, Readers: s.access.Readers,
		Subscriptions: s.subscriptions, Retention: s.cfg.Retention.MaxAge, Logger: slog.Default(), Tracer: s.tracing.Tracer(),
	})
	s.rates = &rates{count: s.counts}
	s.history = &history{look: s.figures}
}
