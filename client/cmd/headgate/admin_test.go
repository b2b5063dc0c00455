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

var noon = timestamppb.New(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))

// operator answers the admin calls.
type operator struct {
	adminv1.UnimplementedAdminServiceServer
	status      *adminv1.GetStatusResponse
	streams     []*adminv1.Stream
	quarantined int // entries, numbered from the newest
	askedAfter  []string

	reprocessed []*adminv1.ReprocessQuarantinedRequest
	discarded   []*adminv1.DiscardQuarantinedRequest

	subscriptions []*adminv1.ReaderSubscription // nil: the caller is no operator
}

func (o *operator) GetStatus(context.Context, *adminv1.GetStatusRequest) (*adminv1.GetStatusResponse, error) {
	return o.status, nil
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

func TestStatusIsOneScreen(t *testing.T) {
	admin := &operator{
		status: &adminv1.GetStatusResponse{
			Version: "v1.2.3", StartedAt: noon, Ready: true,
			Log: &adminv1.LogStatus{Epoch: "e1", Records: 12, SizeBytes: 1536, FreeBytes: 3 << 30, EarliestTime: noon, LatestTime: noon, Quarantined: 2},
			Sources: []*adminv1.SourceStatus{
				{Source: "dev", Accepted: 10, Duplicates: 1, Quarantined: 2, Refused: 3, Tests: 4, LastAcceptedAt: noon},
				{Source: "globex", Contexts: []string{"Default"}, Suspected: []headgatev1.Gap_Cause{headgatev1.Gap_CAUSE_SILENCE}},
			},
		},
		streams: []*adminv1.Stream{
			{Id: "1", ClientName: "billing\x1b[2J", Peer: "127.0.0.1:5000", StartedAt: noon, EventsSent: 9, CaughtUp: true},
			{Id: "2", Peer: "127.0.0.1:5001", StartedAt: noon, Filter: &headgatev1.Filter{Entities: []string{"relation"}}, Lag: durationpb.New(90 * time.Second)},
		},
	}
	address, _ := startGateway(t, &scripted.Gateway{Events: described{}, Admin: admin})
	out, _, err := headgate(t, nil, "status", "--address", address)
	if err != nil {
		t.Fatal(err)
	}
	want := `gateway v1.2.3 at ` + address + `, up since 2026-01-02T12:00:00Z: ready

log e1: 12 records, 1.5 KiB, 3.0 GiB free on its disk
  oldest   2026-01-02T12:00:00Z  after cursor cccccccccccccccc000000
  newest   2026-01-02T12:00:00Z  cursor cccccccccccccccc000012
  tenants  dev/Cust26759 globex/Default
  2 in quarantine: see headgate quarantine list

SOURCE  CONTEXTS  ACCEPTED  DUPLICATES  QUARANTINED  REFUSED  TESTS  LAST ACCEPTED
dev     any       10        1           2            3        4      2026-01-02T12:00:00Z
globex  Default   0         0           0            0        0      never
globex MAY BE LOSING EVENTS: see headgate sources

STREAM  READER          PEER            SINCE                 SENT  BEHIND  FILTER
1       billing\x1b[2J  127.0.0.1:5000  2026-01-02T12:00:00Z  9     -       everything
2       -               127.0.0.1:5001  2026-01-02T12:00:00Z  0     1m30s   {"entities":["relation"]}
`
	if out != want {
		t.Errorf("wrote\n%s\nwant\n%s", out, want)
	}
}

func TestStatusOfAGatewayThatIsNotReadyFails(t *testing.T) {
	admin := &operator{status: &adminv1.GetStatusResponse{Problem: "the log is full"}}
	address, _ := startGateway(t, &scripted.Gateway{Events: described{}, Admin: admin})
	out, _, err := headgate(t, nil, "status", "--address", address)
	if err == nil || exitCode(err) != 1 || !strings.Contains(err.Error(), "the log is full") {
		t.Errorf("ended with %v", err)
	}
	for _, want := range []string{"NOT READY: the log is full", "  empty\n", "nobody reads\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("wrote %q, want %q too", out, want)
		}
	}
}

func TestQuarantineIsListed(t *testing.T) {
	admin := &operator{quarantined: 5}
	address, _ := startGateway(t, &scripted.Gateway{Admin: admin})
	out, _, err := headgate(t, nil, "quarantine", "list", "--address", address)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err != nil || len(lines) != 6 || len(admin.askedAfter) != 3 ||
		lines[5] != "cccccccccccccccc000005  2026-01-02T12:00:00Z  dev     -        relation.created\\x1b  4      PrimaryKey is not a number" {
		t.Errorf("wrote %q in %d pages, %v", lines, len(admin.askedAfter), err)
	}
	out, _, err = headgate(t, nil, "quarantine", "list", "--limit", "3", "--address", address)
	if err != nil || strings.Count(out, "\n") != 4 {
		t.Errorf("wrote %q, %v", out, err)
	}
	admin.quarantined = 0
	if out, _, err = headgate(t, nil, "quarantine", "list", "--address", address); err != nil || out != "the quarantine is empty\n" {
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
