package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/test/bufconn"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/access"
	"github.com/headgate/headgate/server/internal/admin"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
	"github.com/headgate/headgate/server/internal/feed"
	_ "github.com/headgate/headgate/server/internal/grpcenv" // before grpc-go
	"github.com/headgate/headgate/server/internal/rest"
	"github.com/headgate/headgate/server/internal/subscription"
	"github.com/headgate/headgate/server/internal/superoffice"
	"github.com/headgate/headgate/server/internal/tracing"
	"github.com/headgate/headgate/server/internal/upstream"
	"github.com/headgate/headgate/server/internal/webhook"
)

// Server is one gateway.
type Server struct {
	cfg           Config
	startedAt     time.Time
	store         *pebblestore.Store
	log           *eventlog.Log
	positions     *subscription.Bolt
	subscriptions *subscription.Subscriptions
	webhook       *webhook.Handler
	upstream      *upstream.Watch
	feed          *feed.Service
	rates         *rates
	history       *history
	registry      *prometheus.Registry
	health        *health.Server
	access        *access.Control
	tls           *liveTLS // nil when no listener speaks TLS
	reload        *reloader
	clock         *clockWatch
	stopping      atomic.Bool // the webhook's socket is about to be gone
	leaving       atomic.Bool // the answers are the last ones of their connections

	sockets     map[string]*net.TCPListener
	turns       map[string]*turn // the server's use of them
	posting     connections      // the webhook's
	tracing     *tracing.Tracing // nil when it is off
	profiling   sync.Mutex       // held while a profile is made
	predecessor *predecessor     // nil unless this one takes over
	succession  *succession      // nil where none can take over from this one

	guard     *access.Guard
	unknown   *unknown // of gRPC and the API
	calls     *callMetrics
	grpc      *grpc.Server
	innerGRPC *grpc.Server      // REST's own
	inner     *bufconn.Listener // its listener
	conn      *grpc.ClientConn
	http      map[string]*http.Server
	listener  map[string]net.Listener
	shared    map[string]*shared // what counts the connections of listener's
}

// The names of the listeners, as in the configuration.
const (
	listenWebhook = "webhook"
	listenAPI     = "api"
	listenGRPC    = "grpc"
	listenAdmin   = "admin"
	listenPProf   = "pprof"
)

// Addresses are where a server listens. PProf is empty when it is off.
type Addresses struct{ Webhook, API, GRPC, Admin, PProf string }

// buildAccess prepares what tells callers apart, and what of it a reload changes.
func (s *Server) buildAccess() error {
	policy, err := policyOf(&s.cfg)
	if err != nil {
		return err
	}
	s.access = access.NewControl(policy)
	if s.cfg.TLS.CertFile != "" {
		certs, problems := s.cfg.TLS.load()
		if len(problems) > 0 {
			return problems
		}
		s.tls = &liveTLS{}
		s.tls.Store(certs)
	}
	s.reload.parts = reloadable{access: s.access, tls: s.tls, level: s.cfg.Log.Var}
	return nil
}

func sourcesOf(cfg Config) []webhook.Source {
	var list []webhook.Source
	for name, src := range cfg.Sources {
		ws := webhook.Source{
			Source:   superoffice.Source{Name: name, Location: src.Location, Tables: src.Tables},
			Contexts: src.Contexts, Unsigned: src.Unsigned,
			AllowAddresses: src.AllowAddresses, AwaitingSecretUntil: src.AwaitingSecretUntil,
		}
		for _, sec := range src.Secrets {
			ws.Secrets = append(ws.Secrets, webhook.Secret{ID: sec.ID, Key: sec.Key, NotBefore: sec.NotBefore, NotAfter: sec.NotAfter})
		}
		list = append(list, ws)
	}
	return list
}

func zonesOf(sources []webhook.Source) map[string]*time.Location {
	zones := make(map[string]*time.Location, len(sources))
	for _, s := range sources {
		zones[s.Name] = cmp.Or(s.Location, time.UTC)
	}
	return zones
}

// buildGRPC makes two servers of the same services: one for the outside, and one that only REST speaks to, over a connection inside the process. That
// one has no bounds of a connection, because all REST callers share it.
func (s *Server) buildGRPC() {
	var creds credentials.TransportCredentials = insecure.NewCredentials()
	if s.cfg.TLS.on(listenGRPC) {
		creds = credentials.NewTLS(s.tls.config(true))
	}
	s.guard = access.NewGuard(s.access, needs, slog.Default().With("log", "audit"))
	s.calls = newCallMetrics(s.registry)
	s.unknown = newUnknown()
	s.guard.CountRefused(s.calls.refuse)
	s.grpc = s.newGRPC(listenGRPC,
		grpc.Creds(calm{creds, s.guard.KnowsPeer, s.guard.Leaving(), s.unknown}),
		grpc.InTapHandle(s.tap),
		// The guard refuses what nobody serves: gRPC would repeat its name, however long, to whom it does not know.
		grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
			return errors.New("the guard lets nothing through that is not served")
		}),
		grpc.MaxConcurrentStreams(maxStreamsPerConnection),
		grpc.MaxHeaderListSize(16<<10),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.MaxRecvMsgSize(128<<10), // the largest filter takes 64 KiB
		// Clients send little. Left to itself, gRPC lets one that sends much send up to 16 MiB a call ahead of those who read it.
		grpc.StaticStreamWindowSize(64<<10), grpc.StaticConnWindowSize(64<<10),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			// A dead peer is noticed within 30 s.
			Time: 20 * time.Second, Timeout: 10 * time.Second,
			MaxConnectionIdle: connectionIdle, MaxConnectionAge: connectionAge, MaxConnectionAgeGrace: connectionGrace,
		}),
		// Clients may ask as often as every 10 s. The network can bring two such pings closer together.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	)
	reflection.Register(s.grpc)
	s.inner = bufconn.Listen(1 << 20)
	s.innerGRPC = s.newGRPC(listenAPI)
}

const (
	// connectionAge is how long a connection takes new calls. Then its client is asked to make another one, and so finds its way to other addresses of
	// the same name, and shows its certificate anew.
	connectionAge = time.Hour
	// connectionGrace is longer than a stream lasts, which is told to come back after at most 66 minutes: what it cuts off is nobody honest. That gRPC can
	// write the end, calmConn sees to.
	connectionGrace = 75 * time.Minute
)

// connectionIdle is how long a connection may be without a call. A client makes another one when it has something to ask. A variable for the tests.
var connectionIdle = 5 * time.Minute

// webhookIdle is how long a connection to the webhook may wait for another post. It is less than the drain time usually is: then a restart with
// sockets that remain closes none that would not have been closed anyway.
const webhookIdle = 4 * time.Second

// maxStreamsPerConnection is how many calls one connection may have open.
const maxStreamsPerConnection = 500

func (s *Server) newGRPC(listener string, options ...grpc.ServerOption) *grpc.Server {
	srv := grpc.NewServer(append(options,
		grpc.ForceServerCodecV2(access.Codec(feed.Codec())),
		grpc.UnaryInterceptor(s.guard.Unary),
		grpc.StreamInterceptor(s.intercept(listener)))...)
	guarded := s.guard.Over(srv)
	headgatev1.RegisterEventServiceServer(guarded, s.feed)
	headgatev1.RegisterSubscriptionServiceServer(guarded, s.feed)
	adminv1.RegisterAdminServiceServer(guarded, admin.New(s.log, admin.Gateway{
		Version: s.cfg.Version, StartedAt: s.startedAt, Problem: s.problem, Sources: s.sourceStatus, Streams: s.streamStatus, Subscriptions: s.subscriptionStatus,
		DeleteSubscription: func(ctx context.Context, reader, name string) error {
			return s.feed.DeleteOf(ctx, subscription.Name{Reader: reader, Name: name})
		},
		SkipEvent: func(ctx context.Context, req *adminv1.SkipEventRequest) (*headgatev1.Skip, error) {
			return s.feed.SkipOf(ctx, subscription.Name{Reader: req.GetReader(), Name: req.GetName()}, req.GetCursor(), req.GetReason())
		},
		EndStream: s.endStream, CertificateEnds: s.certificateEnds, Sent: s.sentStatus, History: s.history.lastHour, Backup: s.backup,
		Retry: s.webhook.Retry, Audit: audit, NotReady: s.upstream.NotReady,
		Source: s.webhook.Source,
	}))
	grpc_health_v1.RegisterHealthServer(guarded, s.health)
	return srv
}

func (s *Server) buildHTTP() (err error) {
	s.conn, err = grpc.NewClient("passthrough:headgate", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return s.inner.DialContext(ctx) }),
		// Left to itself, gRPC takes up to 16 MiB of a stream ahead of the one who reads it.
		grpc.WithStaticStreamWindowSize(64<<10), grpc.WithStaticConnWindowSize(1<<20),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)))
	if err != nil {
		return err
	}
	api, err := rest.New(context.Background(), s.conn, rest.Options{
		OpenToAnybody: len(s.cfg.Readers) == 0, Enter: s.enter, Stranger: s.guard.Stranger, Refused: s.guard.Refused,
	})
	if err != nil {
		return err
	}
	quiet := slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug)
	s.http[listenWebhook] = &http.Server{
		Handler: s.webhook, ErrorLog: quiet, MaxHeaderBytes: 16 << 10,
		// The CRM gives up after seconds; nobody honest takes longer for a small body.
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: webhookIdle,
	}
	s.posting.of(s.http[listenWebhook])
	// The time limit of writes is for what net/http answers by itself. The rest package takes it back, and sets one for each message: streams are meant to stay.
	s.http[listenAPI] = &http.Server{
		Handler: api, ErrorLog: quiet, MaxHeaderBytes: 16 << 10, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	s.http[listenAdmin] = &http.Server{
		Handler: s.adminPages(), ErrorLog: quiet, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	if s.cfg.Listen.PProf != "" {
		s.http[listenPProf] = s.newPProf(quiet)
	}
	for _, srv := range s.http {
		s.aging(srv)
		srv.HTTP2 = &http.HTTP2Config{
			MaxConcurrentStreams: 20,
			// Left to itself, HTTP/2 waits for ever for a client that takes nothing from its socket, and with it all calls of that connection.
			WriteByteTimeout: writeWithin,
			// What of a frame, or of bodies, has arrived is kept for whoever sends it: 1 MiB of each, left to itself.
			MaxReadFrameSize: 16 << 10, MaxReceiveBufferPerConnection: 64 << 10, MaxReceiveBufferPerStream: 64 << 10,
		}
	}
	s.unknown.of(s.http[listenAPI])
	requestsOneByOne(s.http[listenAPI])
	return nil
}

// Addresses returns where the server listens, with the ports that were chosen for port 0.
func (s *Server) Addresses() Addresses {
	at := func(name string) string {
		if s.sockets[name] == nil {
			return ""
		}
		return s.sockets[name].Addr().String()
	}
	return Addresses{Webhook: at(listenWebhook), API: at(listenAPI), GRPC: at(listenGRPC), Admin: at(listenAdmin), PProf: at(listenPProf)}
}

// problem says why webhooks are not accepted, nil when they are.
func (s *Server) problem() error {
	if s.stopping.Load() {
		return errStopping
	}
	if err := s.log.State().Err; err != nil {
		return err
	}
	return s.log.Slow()
}
