package server

import (
	"context"
	"crypto/x509"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/types/known/emptypb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
)

// TestFiguresOfCalls: each call is counted where it came in, by its method and how it ended, also one that ends before anybody looks at it; what a caller
// makes up is no label. Who is refused is counted by reader and reason, over REST too.
func TestFiguresOfCalls(t *testing.T) {
	h := newHouse(t)
	shows := func(lines ...string) {
		t.Helper()
		for _, line := range lines {
			eventually(t, line, func() bool { return strings.Contains(scrape(t, h), "\n"+line+"\n") })
		}
	}
	shows(`headgate_calls_refused_total{reader="",reason="unauthenticated"} 0`)
	for who, fails := range map[string]bool{"all": false, "unknown": true} {
		ctx, client := h.as(t.Context(), who)
		if _, err := client.ListEvents(ctx, &headgatev1.ListEventsRequest{}); (err != nil) != fails {
			t.Error(who, err)
		}
		if status, _ := h.http(who, http.MethodGet, "/v1/events", ""); (status != http.StatusOK) != fails {
			t.Error(who, status)
		}
	}
	ctx, _ := h.as(t.Context(), "all")
	if _, err := adminv1.NewAdminServiceClient(h.grpcOf[false]).GetStatus(ctx, &adminv1.GetStatusRequest{}); err == nil {
		t.Error("all is an operator")
	}
	if err := h.grpcOf[false].Invoke(ctx, "/made.Up/Name", &emptypb.Empty{}, &emptypb.Empty{}); err == nil {
		t.Error("somebody serves what was made up")
	}
	const list = `method="headgate.v1.EventService/ListEvents"`
	shows(
		`headgate_grpc_calls_total{code="OK",listener="grpc",`+list+`} 1`,
		`headgate_grpc_calls_total{code="OK",listener="api",`+list+`} 1`,
		`headgate_grpc_calls_total{code="Unauthenticated",listener="grpc",`+list+`} 1`,
		`headgate_grpc_calls_total{code="PermissionDenied",listener="grpc",method="headgate.admin.v1.AdminService/GetStatus"} 1`,
		`headgate_grpc_calls_total{code="Unimplemented",listener="grpc",method="unknown"} 1`,
		`headgate_grpc_call_duration_seconds_count{listener="grpc",`+list+`} 1`,
		`headgate_calls_refused_total{reader="",reason="unauthenticated"} 2`,
		`headgate_calls_refused_total{reader="all",reason="operator_only"} 1`,
	)
	if page := scrape(t, h); strings.Contains(page, "made.Up") {
		t.Error("the metrics show a name that a caller made up")
	}
}

// TestFiguresOfConnections: those that are open are counted until they are closed, whether there is a bound on what their host may have or not.
func TestFiguresOfConnections(t *testing.T) {
	bounded, _ := onTheInternet(t)
	exempt, _ := running(t, "")
	for _, s := range []*Server{bounded, exempt} {
		open := func() float64 { return labelled(t, s.registry, "headgate_connections", listenWebhook) }
		one, two := dialFrom(t, "127.0.0.1", s.Addresses().Webhook), dialFrom(t, "127.0.0.1", s.Addresses().Webhook)
		eventually(t, "there are two", func() bool { return open() == 2 })
		if err := errors.Join(one.Close(), two.Close()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "there is none any more", func() bool { return open() == 0 })
		if most := labelled(t, s.registry, "headgate_connections_limit", listenWebhook); most != 4_000 {
			t.Errorf("the limit is %v", most)
		}
	}
}

// labelled is the value of the metric that has a label of this value.
func labelled(t *testing.T, from prometheus.Gatherer, name, value string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetValue() == value {
					return m.GetGauge().GetValue() + m.GetCounter().GetValue()
				}
			}
		}
	}
	return math.NaN()
}

// TestFigureOfTheCertificate: it is when the one in force ends, or sooner what leads from it to its authority, and follows a rotation.
func TestFigureOfTheCertificate(t *testing.T) {
	s, p := mustTLS(t)
	in := func(hours time.Duration) time.Time { return time.Now().Add(hours * time.Hour).Truncate(time.Second) }
	ends := func(want time.Time) func() bool {
		return func() bool {
			return labelled(t, s.registry, "headgate_certificate_not_after_timestamp_seconds", listenGRPC) == float64(want.Unix())
		}
	}
	first, second := in(40), in(50)
	for _, end := range []time.Time{first, second} {
		newCertificate(t, "own", &x509.Certificate{NotAfter: end}, p.servers).write(t, p.path("cert.pem"), p.path("key.pem"))
		s.Reload()
		eventually(t, "the metric is "+end.String(), ends(end))
	}
	long, short := newCertificate(t, "a", &x509.Certificate{NotAfter: second}, nil), newCertificate(t, "b", &x509.Certificate{NotAfter: first}, nil)
	if end := endOf([][]byte{long.cert.Raw, short.cert.Raw}); !end.Equal(first) {
		t.Errorf("the chain ends at %v, want %v", end, first)
	}
}

// TestFiguresOfALogThatTakesNothing: a full disk is told by its reason, and the free space as far as it is known.
func TestFiguresOfALogThatTakesNothing(t *testing.T) {
	mem := vfs.NewMem()
	registry := prometheus.NewRegistry()
	committed := newCommitSeconds(registry)
	store, err := pebblestore.Open("log", pebblestore.Options{FS: mem, Committed: func(took time.Duration) { committed.Observe(took.Seconds()) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	log, err := eventlog.Open(store, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	registerLogMetrics(registry, log, store, 1<<20)
	take := func() error {
		_, err := log.Append(context.Background(), &eventlog.Record{Kind: eventlog.KindGap})
		return err
	}
	if err := take(); err != nil {
		t.Fatal(err)
	}
	if free := gathered(t, registry, "headgate_log_disk_free_bytes"); !math.IsNaN(free) {
		t.Errorf("of a disk that nobody knows %v are free", free)
	}
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1})
	if err := take(); !errors.Is(err, eventlog.ErrFull) {
		t.Fatal(err)
	}
	for reason, want := range map[string]float64{"full": 1, "failed": 0, "slow": 0} {
		if got := labelled(t, registry, "headgate_log_blocked", reason); got != want {
			t.Errorf("blocked for %s: %v", reason, got)
		}
	}
	if up, free := gathered(t, registry, "headgate_log_up"), gathered(t, registry, "headgate_log_disk_free_bytes"); up != 0 || free != 1 {
		t.Errorf("up %v, %v free", up, free)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if h := f.GetMetric()[0].GetHistogram(); f.GetName() == "headgate_log_commit_duration_seconds" && (h.GetSampleCount() != 1 || h.GetSampleSum() <= 0) {
			t.Errorf("%d commits took %v s", h.GetSampleCount(), h.GetSampleSum())
		}
	}
}
