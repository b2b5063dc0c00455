package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/headgate/headgate/client/internal/scripted"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// noon was three days ago, and stays that for as long as the tests last: of days, hours are shown.
var noon = timestamppb.New(time.Now().Add(-72*time.Hour - 10*time.Minute).Truncate(time.Second))

// operator answers the admin calls.
type operator struct {
	adminv1.UnimplementedAdminServiceServer
	status      *adminv1.GetStatusResponse
	streams     []*adminv1.Stream
	history     []*adminv1.HistoryPoint // nil: a release without
	quarantined int                     // entries, numbered from the newest
	askedAfter  []string

	reprocessed []*adminv1.ReprocessQuarantinedRequest
	discarded   []*adminv1.DiscardQuarantinedRequest

	subscriptions []*adminv1.ReaderSubscription // nil: the caller is no operator
}

func (o *operator) GetStatus(context.Context, *adminv1.GetStatusRequest) (*adminv1.GetStatusResponse, error) {
	return o.status, nil
}

func (o *operator) GetHistory(ctx context.Context, req *adminv1.GetHistoryRequest) (*adminv1.GetHistoryResponse, error) {
	if o.history == nil {
		return o.UnimplementedAdminServiceServer.GetHistory(ctx, req)
	}
	return &adminv1.GetHistoryResponse{Points: o.history}, nil
}

func (o *operator) ListStreams(context.Context, *adminv1.ListStreamsRequest) (*adminv1.ListStreamsResponse, error) {
	return &adminv1.ListStreamsResponse{Streams: o.streams}, nil
}

func entry(n int) *adminv1.Quarantined {
	return &adminv1.Quarantined{
		Id: scripted.Cursor(n), Source: "dev", EventType: "relation.created\x1b", ReceivedAt: noon, Problem: "PrimaryKey is not a number", BodySize: 4,
	}
}

func (o *operator) ListQuarantine(_ context.Context, req *adminv1.ListQuarantineRequest) (*adminv1.ListQuarantineResponse, error) {
	o.askedAfter = append(o.askedAfter, req.GetAfterId())
	first := 1
	if req.GetAfterId() != "" {
		_, _ = fmt.Sscanf(req.GetAfterId()[16:], "%d", &first)
		first++
	}
	page := &adminv1.ListQuarantineResponse{}
	for n := first; n <= o.quarantined && len(page.Quarantined) < int(min(req.GetPageSize(), 2)); n++ {
		page.Quarantined = append(page.Quarantined, entry(n))
	}
	page.HasMore = first+len(page.Quarantined) <= o.quarantined
	return page, nil
}

func (o *operator) GetQuarantined(_ context.Context, req *adminv1.GetQuarantinedRequest) (*adminv1.GetQuarantinedResponse, error) {
	if req.GetId() != scripted.Cursor(1) {
		return nil, status.Error(codes.NotFound, "there is none of that id")
	}
	return &adminv1.GetQuarantinedResponse{Quarantined: entry(1), RawBody: []byte("{\x1b}\n")}, nil
}

// described answers DescribeLog.
type described struct {
	headgatev1.UnimplementedEventServiceServer
}

func (described) DescribeLog(context.Context, *headgatev1.DescribeLogRequest) (*headgatev1.DescribeLogResponse, error) {
	return &headgatev1.DescribeLogResponse{
		EarliestCursor: scripted.Cursor(0), LatestCursor: scripted.Cursor(12),
		Tenants: []*headgatev1.DescribeLogResponse_Tenant{{Source: "dev", Context: "Cust26759"}, {Source: "globex", Context: "Default"}},
	}, nil
}

// TestStatusAlarms: a secret that is not the CRM's, and a certificate that ends or has ended, stand on the screen; a stranger's post and one that is good for long do not.
func TestStatusAlarms(t *testing.T) {
	admin := &operator{status: &adminv1.GetStatusResponse{StartedAt: noon, Ready: true}, subscriptions: []*adminv1.ReaderSubscription{}}
	address, _ := startGateway(t, &scripted.Gateway{Events: described{}, Admin: admin})
	for _, c := range []struct {
		wrong uint64
		ends  time.Duration
		want  []string
	}{
		{3, -time.Hour, []string{"WRONG SECRET?  dev: 3 posts with a wrong signature and none with a right one since; see headgate sources dev\n", "CERTIFICATE    ended 1h"}},
		{2, 13 * 24 * time.Hour, []string{"CERTIFICATE    ends in 12d23h"}},
		{0, 15 * 24 * time.Hour, nil},
	} {
		admin.status.Sources = []*adminv1.SourceStatus{{Source: "dev", UnauthenticatedInARow: c.wrong}}
		admin.status.CertificateNotAfter = timestamppb.New(time.Now().Add(c.ends))
		out, _, err := headgate(t, nil, "status", "--address", address)
		if n := strings.Count(out, "WRONG SECRET?") + strings.Count(out, "CERTIFICATE"); err != nil || n != len(c.want) {
			t.Errorf("%+v: %v, %d alarms\n%s", c, err, n, out)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%+v: no %q in\n%s", c, want, out)
			}
		}
		out, _, err = headgate(t, nil, "sources", "--address", address)
		if err != nil || strings.Contains(out, "SIGNATURES?") != (c.wrong > 0) {
			t.Errorf("%+v: %v\n%s", c, err, out)
		}
	}
}

// TestStatusShowsTheLastHour: in one line, two minutes a character, the newest last. What happened once is not as low as nothing.
func TestStatusShowsTheLastHour(t *testing.T) {
	admin := &operator{status: &adminv1.GetStatusResponse{StartedAt: noon, Ready: true}, subscriptions: []*adminv1.ReaderSubscription{}}
	for n := range 360 {
		p := &adminv1.HistoryPoint{Over: durationpb.New(10 * time.Second), Posts: map[string]uint64{"duplicate": 5}}
		switch {
		case n == 0:
			p.Posts["accepted"] = 1
		case n >= 348:
			p.Posts["accepted"], p.EventsSent = 70, 140
		case n >= 336:
			p.Posts["accepted"] = 40
		}
		admin.history = append(admin.history, p)
	}
	address, _ := startGateway(t, &scripted.Gateway{Events: described{}, Admin: admin})
	for _, c := range []struct {
		points int
		want   string
	}{
		{360, "hour  in ▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▅█ up to 7.0/s, out ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█ up to 14/s\n"},
		{6, "hour  in █ up to 7.0/s, out █ up to 14/s\n"},
	} {
		admin.history = admin.history[len(admin.history)-c.points:]
		out, _, err := headgate(t, nil, "status", "--address", address)
		if err != nil || !strings.Contains(out, "\n"+c.want) {
			t.Errorf("of %d points: %v\n%s", c.points, err, out)
		}
	}
	admin.history = admin.history[:0]
	if out, _, err := headgate(t, nil, "status", "--address", address); err != nil || strings.Contains(out, "hour") {
		t.Errorf("of none: %v\n%s", err, out)
	}
}

func TestStatusIsOneScreen(t *testing.T) {
	admin := &operator{
		status: &adminv1.GetStatusResponse{
			Version: "v1.2.3", StartedAt: noon, Ready: true, EventsSent: 12345, EventsSentPerSecond: 0.01,
			Log: &adminv1.LogStatus{Epoch: "e1", Records: 12, SizeBytes: 1536, FreeBytes: 3 << 30, EarliestTime: noon, LatestTime: noon, Quarantined: 2},
			Sources: []*adminv1.SourceStatus{
				{Source: "dev", Accepted: 10000, AcceptedPerSecond: 12.4, Duplicates: 1, Quarantined: 2, Refused: 3, Tests: 4, LastAcceptedAt: noon},
				{Source: "globex", Contexts: []string{"Default"}, Suspected: []headgatev1.Gap_Cause{headgatev1.Gap_CAUSE_SILENCE}},
			},
		},
		streams: []*adminv1.Stream{
			{Id: "A", ClientName: "billing\x1b[2J", Peer: "127.0.0.1:5000", StartedAt: noon, EventsSent: 9, CaughtUp: true},
			{Id: "B", Reader: "acme", State: adminv1.Stream_STATE_STALLED},
		},
		subscriptions: []*adminv1.ReaderSubscription{
			{Reader: "acme", Subscription: &headgatev1.Subscription{Name: "near", ShardCount: 1, Lag: durationpb.New(time.Second)}},
			{Reader: "acme", Subscription: &headgatev1.Subscription{Name: "far", ShardCount: 2, Served: 1, Lag: durationpb.New(time.Hour)}},
			{Reader: "billing", Subscription: behind},
		},
	}
	address, _ := startGateway(t, &scripted.Gateway{Events: described{}, Admin: admin})
	out, _, err := headgate(t, nil, "status", "--address", address)
	if err != nil {
		t.Fatal(err)
	}
	want := `headgate v1.2.3 at ` + address + `, up 3d: accepting webhooks

LOSING EVENTS? globex: see headgate sources globex
ENDANGERED     billing/billing will lose events to the retention: start its service
STALLED        acme takes nothing: see headgate connections
QUARANTINE     2 webhooks: see headgate quarantine list

in    12/s  10,000 accepted, 1 duplicate, 2 quarantined, 3 refused
out   0.1/s  12,345 events sent, 2 streams of 2 readers, 1 behind
log   1.5 KiB  12 records, oldest 3d ago, newest 3d ago, 3.0 GiB free

SOURCE  /S  ACCEPTED  DUPLICATES  QUARANTINED  REFUSED  LAST EVENT
dev     12    10,000           1            2        3  3d ago
globex   0         0           0            0        0  never

SUBSCRIPTION BEHIND   LAG  SERVED  LAST SAVED
billing/billing      2d2h     3/4  3d ago
acme/far               1h     1/2  never
`
	if out != want {
		t.Errorf("wrote\n%s\nwant\n%s", out, want)
	}
	for range 40 {
		admin.status.Sources = append(admin.status.Sources, &adminv1.SourceStatus{Source: "many", Stopped: true})
		admin.subscriptions = append(admin.subscriptions, admin.subscriptions[1])
	}
	out, _, err = headgate(t, nil, "status", "--address", address)
	if n := strings.Count(out, "\n"); err != nil || n > 23 || !strings.Contains(out, "\n… and ") {
		t.Errorf("%v, wrote %d lines\n%s", err, n, out)
	}
}

func TestStatusOfAGatewayThatIsNotReadyFails(t *testing.T) {
	admin := &operator{status: &adminv1.GetStatusResponse{Problem: "the log is full"}, subscriptions: []*adminv1.ReaderSubscription{}}
	address, _ := startGateway(t, &scripted.Gateway{Events: described{}, Admin: admin})
	out, _, err := headgate(t, nil, "status", "--address", address)
	if err == nil || exitCode(err) != 1 || !strings.Contains(err.Error(), "the log is full") {
		t.Errorf("ended with %v", err)
	}
	for _, want := range []string{": NOT ACCEPTING webhooks\n", "\nNOT ACCEPTING  the log is full\n", " empty, 0 B free\n", "nobody reads: try headgate tail\n", "no source is configured: headgate source new makes one\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("wrote %q, want %q too", out, want)
		}
	}
	out, _, err = headgate(t, nil, "status", "--output", "json", "--address", address)
	if err == nil || out != `{"problem":"the log is full"}`+"\n" {
		t.Errorf("wrote %q, %v", out, err)
	}
}

func TestQuarantineIsListed(t *testing.T) {
	admin := &operator{quarantined: 5}
	address, _ := startGateway(t, &scripted.Gateway{Admin: admin})
	out, _, err := headgate(t, nil, "quarantine", "list", "--address", address)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err != nil || len(lines) != 6 || len(admin.askedAfter) != 3 ||
		lines[5] != "cccccccccccccccc000005  3d ago    dev     -        relation.created\\x1b      4  PrimaryKey is not a number" {
		t.Errorf("wrote %q in %d pages, %v", lines, len(admin.askedAfter), err)
	}
	out, _, err = headgate(t, nil, "quarantine", "list", "--limit", "3", "--address", address)
	if err != nil || strings.Count(out, "\n") != 4 {
		t.Errorf("wrote %q, %v", out, err)
	}
	admin.quarantined = 0
	if out, _, err = headgate(t, nil, "quarantine", "list", "--address", address); err != nil || out != "the quarantine is empty: every webhook became an event\n" {
		t.Errorf("wrote %q, %v", out, err)
	}
}

func TestQuarantinedWebhookIsShown(t *testing.T) {
	address, _ := startGateway(t, &scripted.Gateway{Admin: &operator{}})
	out, _, err := headgate(t, nil, "quarantine", "show", scripted.Cursor(1), "--address", address)
	if err != nil || !strings.Contains(out, "problem       PrimaryKey is not a number\n") || strings.Contains(out, "\x1b") {
		t.Errorf("wrote %q, %v", out, err)
	}
	out, _, err = headgate(t, nil, "quarantine", "show", scripted.Cursor(1), "--raw", "--address", address)
	if err != nil || out != "{\x1b}\n" {
		t.Errorf("wrote %q, %v", out, err)
	}
	if _, _, err := headgate(t, nil, "quarantine", "show", "x", "--address", address); err == nil || err.Error() != "NotFound: there is none of that id" {
		t.Errorf("told %v", err)
	}
}
