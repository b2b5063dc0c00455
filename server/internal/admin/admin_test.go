package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// start serves the service over a real log.
func start(t *testing.T, gw Gateway) (*eventlog.Log, adminv1.AdminServiceClient) {
	t.Helper()
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 64 << 20}) // no room for a ballast: to make it would be most of what a small test does
	engine, err := pebblestore.Open("data", pebblestore.Options{FS: mem, AppendTimeout: 30 * time.Second, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	log, err := eventlog.Open(engine, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- log.Run(ctx) }()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	adminv1.RegisterAdminServiceServer(srv, New(log, gw))
	served := make(chan error, 1)
	go func() { served <- srv.Serve(lis) }()
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		srv.Stop()
		cancel()
		if err := errors.Join(<-served, <-ran, engine.Close()); err != nil {
			t.Error(err)
		}
	})
	return log, adminv1.NewAdminServiceClient(conn)
}

// add appends a record and waits until it is visible.
func add(t *testing.T, log *eventlog.Log, r *eventlog.Record) {
	t.Helper()
	_, err := log.Append(t.Context(), r)
	if err = errors.Join(err, log.CatchUp(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// quarantined is the n-th body that gave no event, an ordinary event stands between it and the next.
func quarantined(n int) *eventlog.Record {
	return &eventlog.Record{
		Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: "acme", Context: "Cust1"}, Raw: fmt.Appendf(nil, "body %d", n),
		Quarantine: &eventlog.Quarantine{Problem: fmt.Sprint("problem ", n), ContentType: "text/plain", EventType: "a.b", Context: "Cust666"},
	}
}

func ordinary() *eventlog.Record {
	return &eventlog.Record{Kind: eventlog.KindEvent, Keys: eventlog.Keys{Source: "acme", Context: "Cust1"}, Raw: []byte("{}")}
}

func TestQuarantine(t *testing.T) {
	log, client := start(t, Gateway{})
	const n = 5
	var want []*adminv1.Quarantined
	for i := range n {
		add(t, log, quarantined(i))
		want = append([]*adminv1.Quarantined{{
			Id: log.Cursor(log.Head()), Source: "acme", Context: "Cust666", EventType: "a.b", ReceivedAt: timestamppb.New(now),
			Problem: fmt.Sprint("problem ", i), BodySize: 6, ContentType: "text/plain",
		}}, want...)
		add(t, log, ordinary())
	}
	for size := range uint32(n + 2) {
		var got []*adminv1.Quarantined
		req := &adminv1.ListQuarantineRequest{PageSize: size}
		for more := true; more; {
			page, err := client.ListQuarantine(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if size > 0 && len(page.GetQuarantined()) > int(size) || len(page.GetQuarantined()) == 0 {
				t.Fatalf("a page of %d, asked for %d", len(page.GetQuarantined()), size)
			}
			got = append(got, page.GetQuarantined()...)
			req.AfterId, more = got[len(got)-1].GetId(), page.GetHasMore()
		}
		if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
			t.Errorf("in pages of %d: %s", size, diff)
		}
	}
	for i, q := range want {
		resp, err := client.GetQuarantined(t.Context(), &adminv1.GetQuarantinedRequest{Id: q.GetId()})
		if err != nil || string(resp.GetRawBody()) != fmt.Sprint("body ", n-1-i) || cmp.Diff(q, resp.GetQuarantined(), protocmp.Transform()) != "" {
			t.Errorf("%s: %v, %v", q.GetId(), resp, err)
		}
	}
	for _, id := range []string{"", "x", log.Cursor(0), log.Cursor(2), log.Cursor(99)} {
		if _, err := client.GetQuarantined(t.Context(), &adminv1.GetQuarantinedRequest{Id: id}); status.Code(err) != codes.NotFound {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, req := range []*adminv1.ListQuarantineRequest{{PageSize: 1001}, {AfterId: "x"}, {AfterId: log.Cursor(99)}, {AfterId: log.Cursor(0)}} {
		if _, err := client.ListQuarantine(t.Context(), req); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%v: %v", req, err)
		}
	}
}

func TestQuarantineOfAnEmptyBody(t *testing.T) {
	log, client := start(t, Gateway{})
	empty := quarantined(0)
	empty.Raw = nil
	add(t, log, empty)
	resp, err := client.GetQuarantined(t.Context(), &adminv1.GetQuarantinedRequest{Id: log.Cursor(1)})
	if err != nil || len(resp.GetRawBody()) != 0 || resp.GetQuarantined().GetBodySize() != 0 {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestStatus(t *testing.T) {
	var problem error
	notReady := &headgatev1.Gap{Cause: headgatev1.Gap_CAUSE_NOT_READY}
	sources := []*adminv1.SourceStatus{{Source: "acme", Contexts: []string{"Cust1"}, Accepted: 7}}
	streams := []*adminv1.Stream{{Id: "1", ClientName: "billing", Lag: durationpb.New(time.Minute)}}
	log, client := start(t, Gateway{
		Version: "1.2.3", StartedAt: now.Add(-time.Hour),
		Problem: func() error { return problem }, NotReady: func() *headgatev1.Gap { return notReady },
		Sources: func() []*adminv1.SourceStatus { return sources },
		Streams: func(context.Context) []*adminv1.Stream { return streams },
		Sent:    func() (uint64, float64) { return 9, 0.5 }, CertificateEnds: func() time.Time { return now.Add(time.Hour) },
	})
	get := func() *adminv1.GetStatusResponse {
		resp, err := client.GetStatus(t.Context(), &adminv1.GetStatusRequest{})
		if err != nil {
			t.Fatal(err)
		}
		resp.GetLog().SizeBytes, resp.GetLog().FreeBytes = 0, 0 // of the disk
		return resp
	}
	want := &adminv1.GetStatusResponse{
		Version: "1.2.3", StartedAt: timestamppb.New(now.Add(-time.Hour)), Ready: true, Sources: sources, Streams: 1, LastNotReady: notReady,
		EventsSent: 9, EventsSentPerSecond: 0.5, CertificateNotAfter: timestamppb.New(now.Add(time.Hour)),
		Log: &adminv1.LogStatus{Epoch: log.Epoch(), Format: log.State().Format, NewestFormat: log.State().NewestFormat},
	}
	if diff := cmp.Diff(want, get(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	add(t, log, ordinary())
	add(t, log, quarantined(1))
	problem = errors.New("the log is full")
	want.Ready, want.Problem = false, problem.Error()
	want.Log.Records, want.Log.Quarantined, want.Log.QuarantinedBytes, want.Log.EarliestTime, want.Log.LatestTime = 2, 1, 6+1024, timestamppb.New(now), timestamppb.New(now)
	if diff := cmp.Diff(want, get(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	list, err := client.ListStreams(t.Context(), &adminv1.ListStreamsRequest{})
	if diff := cmp.Diff(&adminv1.ListStreamsResponse{Streams: streams}, list, protocmp.Transform()); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
