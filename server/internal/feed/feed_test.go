package feed

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
	"github.com/headgate/headgate/server/internal/subscription"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = 30 * time.Second

// clock is one that tests set. The log stamps its records with it.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// gateway is a real log with a real gRPC server before it.
type gateway struct {
	t      testing.TB
	setup  setup
	clock  *clock
	engine *pebblestore.Store
	log    *eventlog.Log
	feed   *Service
	conn   *grpc.ClientConn
	client headgatev1.EventServiceClient
	named  headgatev1.SubscriptionServiceClient
}

// setup is what tests change of it.
type setup struct {
	fs       vfs.FS
	log      eventlog.Options
	feed     Options
	wrap     func(Log) Log // what the service sees instead of the log
	dialOpts []grpc.DialOption
	named    bool

	subscriptions subscription.Options
}

func newGateway(t testing.TB, change ...func(*setup)) *gateway {
	t.Helper()
	g := &gateway{t: t, clock: &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	mem := vfs.NewCrashableMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 64 << 20}) // no room for a ballast: to make it would be most of what a small test does
	g.setup = setup{fs: mem, wrap: func(l Log) Log { return l }}
	g.setup.log = eventlog.Options{Now: g.clock.now, Retention: eventlog.Retention{MaxAge: maxAge}}
	g.setup.feed = Options{Now: g.clock.now, Caller: func(context.Context) Caller {
		return Caller{Reader: "tester", Credential: "token 1", Remote: "192.0.2.1"}
	}}
	for _, f := range change {
		f(&g.setup)
	}
	g.openLog()
	if g.setup.named {
		g.openSubscriptions()
	}
	g.feed = New(g.setup.wrap(g.log), g.setup.feed)
	g.conn = g.serve(g.feed)
	g.client = headgatev1.NewEventServiceClient(g.conn)
	g.named = headgatev1.NewSubscriptionServiceClient(g.conn)
	return g
}

// named gives the gateway subscriptions.
func named(s *setup) { s.named = true }

func (g *gateway) openSubscriptions() {
	g.t.Helper()
	store, err := subscription.OpenBolt(filepath.Join(g.t.TempDir(), "positions.db"))
	if err != nil {
		g.t.Fatal(err)
	}
	g.setup.subscriptions.Locate = g.log.Locate
	subs, err := subscription.Open(g.t.Context(), store, g.setup.subscriptions)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() {
		subs.Close()
		if err := store.Close(); err != nil {
			g.t.Error(err)
		}
	})
	g.setup.feed.Subscriptions = subs
}

func (g *gateway) openLog() {
	g.t.Helper()
	var err error
	if g.engine, err = pebblestore.Open("data", pebblestore.Options{FS: g.setup.fs, AppendTimeout: patience, Now: g.clock.now}); err != nil {
		g.t.Fatal(err)
	}
	if g.log, err = eventlog.Open(g.engine, g.setup.log); err != nil {
		g.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- g.log.Run(ctx) }()
	g.t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			g.t.Error("Run:", err)
		}
		if err := g.engine.Close(); err != nil {
			g.t.Error("Close:", err)
		}
	})
}

// serve serves the service on a port of its own, as the gateway's wiring does, and returns a connection to it.
func (g *gateway) serve(s *Service) *grpc.ClientConn {
	g.t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		g.t.Fatal(err)
	}
	srv := grpc.NewServer(grpc.ForceServerCodecV2(Codec()), grpc.StreamInterceptor(func(srv any, ss grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		return next(srv, Strict(ss))
	}))
	headgatev1.RegisterEventServiceServer(srv, s)
	headgatev1.RegisterSubscriptionServiceServer(srv, s)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(lis) }()
	conn, err := grpc.NewClient(lis.Addr().String(), append(g.setup.dialOpts, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() {
		_ = conn.Close()
		srv.Stop()
		if err := <-served; err != nil {
			g.t.Error("Serve:", err)
		}
	})
	return conn
}

// event makes the record that the webhook would append. Records differ by n, their primary key.
func event(n int, change ...func(*headgatev1.Event)) *eventlog.Record {
	e := &headgatev1.Event{
		EventId: fmt.Sprintf("id-%d", n), Source: "acme", Context: "Cust1", Entity: "relation", EventType: "relation.created", Action: "created",
		PrimaryKey: proto.Int32(int32(n)),
	}
	for _, f := range change {
		f(e)
	}
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
	if err != nil {
		panic(err)
	}
	return &eventlog.Record{
		Kind: eventlog.KindEvent,
		Keys: eventlog.Keys{
			Source: e.GetSource(), Context: e.GetContext(), Entity: e.GetEntity(), EventType: e.GetEventType(), Action: e.GetAction(),
			EventID: e.GetEventId(), PrimaryKey: e.GetPrimaryKey(), HasPrimaryKey: e.PrimaryKey != nil,
			ChangedBy: e.GetChangedByAssociateId(), HasChangedBy: e.ChangedByAssociateId != nil,
			Changed: eventlog.JoinChanged(e.GetChangedFields()),
		},
		Body: body, Raw: fmt.Appendf(nil, `{"PrimaryKey":%d}`, n),
		Duplicate: eventlog.DuplicateKey(e.GetSource(), e.GetContext(), e.GetEventType(), fmt.Sprint(e.GetPrimaryKey())),
	}
}

func of(entity, action string) func(*headgatev1.Event) {
	return func(e *headgatev1.Event) { e.Entity, e.Action, e.EventType = entity, action, entity+"."+action }
}

func in(source, context string) func(*headgatev1.Event) {
	return func(e *headgatev1.Event) { e.Source, e.Context = source, context }
}

func sized(n int) func(*headgatev1.Event) {
	return func(e *headgatev1.Event) { e.WebhookName = proto.String(string(make([]byte, n))) }
}

// gap makes the record that the webhook appends for a quarantined body.
func gap(source, context string) *eventlog.Record {
	m := &headgatev1.Gap{Reason: headgatev1.Gap_REASON_QUARANTINED, Source: source}
	if context != "" {
		m.Contexts = []string{context}
	}
	body, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return &eventlog.Record{
		Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: source, Context: context}, Body: body, Raw: []byte("{"),
		Quarantine: &eventlog.Quarantine{Problem: "broken"},
	}
}

// append appends the records and waits until readers see them.
func (g *gateway) append(records ...*eventlog.Record) {
	g.t.Helper()
	for _, r := range records {
		if dup, err := g.log.Append(context.Background(), r); dup || err != nil {
			g.t.Fatalf("append: duplicate %v, %v", dup, err)
		}
	}
	g.visible()
}

// appendMany appends n events made by make, some at a time, and waits until readers see them.
func (g *gateway) appendMany(n int, make func(i int) *eventlog.Record) {
	g.t.Helper()
	const writers = 64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := w; i < n; i += writers {
				if dup, err := g.log.Append(context.Background(), make(i)); dup || err != nil {
					g.t.Errorf("append: duplicate %v, %v", dup, err)
				}
			}
		})
	}
	wg.Wait()
	g.visible()
}

// visible waits until readers see what was appended.
func (g *gateway) visible() {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := g.log.CatchUp(ctx); err != nil {
		g.t.Fatalf("the head stays at %d: %v", g.log.Head(), err)
	}
}

// maxAge is the log's retention. Clocks of tests come near it only in trim.
const maxAge = 10 * 365 * 24 * time.Hour

// trim lets the clock go on until the retention forgets the records up to the sequence, which must be older than the next one.
func (g *gateway) trim(through uint64) {
	g.t.Helper()
	oldest := g.log.State().HeadAt.Add(time.Nanosecond)
	if through < g.log.Head() {
		next, err := g.log.Get(context.Background(), through+1)
		if err != nil {
			g.t.Fatal(err)
		}
		oldest = next.ReceivedAt
	}
	g.clock.advance(oldest.Add(maxAge).Sub(g.clock.now()))
	if err := g.log.Retain(context.Background()); err != nil {
		g.t.Fatal(err)
	}
	if st := g.log.State(); st.Earliest != through+1 {
		g.t.Fatalf("the earliest record is %d after a trim through %d", st.Earliest, through)
	}
}

// ofRecord returns the cursor of the record where the cursor stands: that one can be compared.
func (g *gateway) ofRecord(cursor string) string { return g.log.Cursor(g.seq(cursor)) }

func (g *gateway) seq(cursor string) uint64 {
	g.t.Helper()
	seq, err := g.log.Locate(cursor)
	if err != nil {
		g.t.Fatalf("cursor %q: %v", cursor, err)
	}
	return seq
}
