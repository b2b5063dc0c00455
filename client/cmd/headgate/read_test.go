package main

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// pages answers ListEvents with its pages, one after the other, and GetEvent with what it is asked for.
type pages struct {
	headgatev1.UnimplementedEventServiceServer
	pages []*headgatev1.ListEventsResponse
	asked []*headgatev1.ListEventsRequest
	raw   []byte
}

func (p *pages) ListEvents(_ context.Context, req *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
	p.asked = append(p.asked, req)
	return p.pages[min(len(p.asked), len(p.pages))-1], nil
}

func (p *pages) GetEvent(_ context.Context, req *headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) {
	if req.GetCursor() != scripted.Cursor(1) {
		return nil, scripted.Refusal(codes.NotFound, client.ReasonEventNotFound, "no event stands there")
	}
	if req.GetIncludeRawBody() {
		return &headgatev1.GetEventResponse{Event: scripted.Event(1), RawBody: p.raw}, nil
	}
	return &headgatev1.GetEventResponse{Event: scripted.Event(1)}, nil
}

func page(first, last int, more bool) *headgatev1.ListEventsResponse {
	return &headgatev1.ListEventsResponse{Events: scripted.Batch(first, last).GetEvents(), NextCursor: scripted.Cursor(last), HasMore: more}
}

func TestListGoesThroughAllPages(t *testing.T) {
	gap := &headgatev1.ListEventsResponse{
		NextCursor: scripted.Cursor(5), HasMore: true, // an empty page can have more
		Signal: &headgatev1.ListEventsResponse_Gap{Gap: &headgatev1.Gap{Source: "dev"}},
	}
	log := &pages{pages: []*headgatev1.ListEventsResponse{page(1, 3, true), gap, page(6, 6, false)}}
	address, _ := startGateway(t, &scripted.Gateway{Events: log})
	out, errs, err := headgate(t, nil, "list", "--address", address, "--entity", "relation", "--from", "2026-01-02T03:04:05Z")
	if err != nil || strings.Count(out, "relation.created") != 4 || !strings.Contains(errs, "gap: something may be missing") {
		t.Errorf("wrote %q, told %q, %v", out, errs, err)
	}
	filter := &headgatev1.Filter{Entities: []string{"relation"}}
	want := []*headgatev1.ListEventsRequest{
		{Filter: filter, FromTime: log.asked[0].GetFromTime(), PageSize: 1000},
		{Filter: filter, AfterCursor: scripted.Cursor(3), PageSize: 1000},
		{Filter: filter, AfterCursor: scripted.Cursor(5), PageSize: 1000},
	}
	if diff := cmp.Diff(want, log.asked, protocmp.Transform()); diff != "" || log.asked[0].GetFromTime() == nil {
		t.Error(diff)
	}
}

func TestListStopsAtTheLimitAndSaysWhereToGoOn(t *testing.T) {
	log := &pages{pages: []*headgatev1.ListEventsResponse{page(1, 3, true), page(4, 5, true)}}
	address, _ := startGateway(t, &scripted.Gateway{Events: log})
	out, errs, err := headgate(t, nil, "list", "--address", address, "--limit", "5", "--after", scripted.Cursor(0), "--output", "json")
	if err != nil || strings.Count(out, "\n") != 5 || errs != "there is more: go on with --after="+scripted.Cursor(5)+"\n" {
		t.Errorf("wrote %q, told %q, %v", out, errs, err)
	}
	if log.asked[0].GetPageSize() != 5 || log.asked[1].GetPageSize() != 2 || log.asked[0].GetAfterCursor() != scripted.Cursor(0) {
		t.Errorf("asked for %v", log.asked)
	}
}

func TestListInJSONTellsWhereAGapStands(t *testing.T) {
	gap := page(1, 1, false)
	gap.Signal = &headgatev1.ListEventsResponse_Gap{Gap: &headgatev1.Gap{Source: "dev"}}
	gap.NextCursor = scripted.Cursor(2)
	address, _ := startGateway(t, &scripted.Gateway{Events: &pages{pages: []*headgatev1.ListEventsResponse{gap}}})
	out, errs, err := headgate(t, nil, "list", "--address", address, "--output", "json")
	if want := "\n" + `{"cursor":"` + scripted.Cursor(2) + `","gap":{"source":"dev"}}` + "\n"; err != nil || errs != "" || !strings.HasSuffix(out, want) {
		t.Errorf("wrote %q, told %q, %v; want %q", out, errs, err, want)
	}
}

func TestListAndGetNameOnlyTheirOwnFlags(t *testing.T) {
	address, _ := startGateway(t, &scripted.Gateway{Events: expired{}})
	for _, args := range [][]string{{"list", "--after", scripted.Cursor(1)}, {"get", scripted.Cursor(1)}} {
		_, _, err := headgate(t, nil, append(args, "--address", address)...)
		if err == nil || err.Error() != "CURSOR_EXPIRED: gone" {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// expired no longer has what it is asked for.
type expired struct {
	headgatev1.UnimplementedEventServiceServer
}

func (expired) ListEvents(context.Context, *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
	return nil, scripted.Refusal(codes.OutOfRange, client.ReasonCursorExpired, "gone")
}

func (expired) GetEvent(context.Context, *headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) {
	return nil, scripted.Refusal(codes.OutOfRange, client.ReasonCursorExpired, "gone")
}

func TestListFindsByEventID(t *testing.T) {
	log := &pages{pages: []*headgatev1.ListEventsResponse{page(1, 1, false)}}
	address, _ := startGateway(t, &scripted.Gateway{Events: log})
	if _, _, err := headgate(t, nil, "list", "--address", address, "--event-id", "abca7e30"); err != nil || log.asked[0].GetEventId() != "abca7e30" {
		t.Errorf("asked for %v, %v", log.asked, err)
	}
}

func TestListDoesNotGoInCircles(t *testing.T) {
	log := &pages{pages: []*headgatev1.ListEventsResponse{page(1, 3, true)}}
	address, _ := startGateway(t, &scripted.Gateway{Events: log})
	if _, _, err := headgate(t, nil, "list", "--address", address); err == nil || len(log.asked) != 2 {
		t.Errorf("asked %d times, %v", len(log.asked), err)
	}
}

func TestGetShowsTheEventOrTheExactBody(t *testing.T) {
	log := &pages{raw: []byte("{\r\n \"a\": \"\x1b\"}")}
	address, _ := startGateway(t, &scripted.Gateway{Events: log})
	out, _, err := headgate(t, nil, "get", scripted.Cursor(1), "--address", address)
	if err != nil || !strings.HasPrefix(out, "{\n  \"cursor\": \""+scripted.Cursor(1)+"\",\n") {
		t.Errorf("wrote %q, %v", out, err)
	}
	out, _, err = headgate(t, nil, "get", scripted.Cursor(1), "--raw", "--address", address)
	if err != nil || out != string(log.raw) {
		t.Errorf("wrote %q, %v", out, err)
	}
	if _, _, err = headgate(t, nil, "get", scripted.Cursor(2), "--address", address); err == nil || err.Error() != "EVENT_NOT_FOUND: no event stands there" {
		t.Errorf("told %v", err)
	}
	log.raw = nil
	if _, _, err = headgate(t, nil, "get", scripted.Cursor(1), "--raw", "--address", address); err == nil {
		t.Error("a body that was not kept is no empty body")
	}
}
