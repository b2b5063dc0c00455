package feed

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
)

// pages lists to the end, and returns what keys returns of a stream.
func pages(g *gateway, f *headgatev1.Filter, size uint32) (list []string) {
	g.t.Helper()
	req := &headgatev1.ListEventsRequest{Filter: f, PageSize: size}
	for {
		page, err := g.client.ListEvents(g.t.Context(), req)
		if err != nil {
			g.t.Fatal(err)
		}
		if limit := max(size, 1); size > 0 && uint32(len(page.GetEvents())) > limit {
			g.t.Errorf("a page of %d events, asked for %d", len(page.GetEvents()), size)
		}
		list = append(list, keys([]*headgatev1.SubscribeResponse{{Events: page.GetEvents()}})...)
		switch s := page.GetSignal().(type) {
		case *headgatev1.ListEventsResponse_Gap:
			list = append(list, s.Gap.GetReason().String())
		case *headgatev1.ListEventsResponse_Erased:
			list = append(list, "erased")
		}
		if !page.GetHasMore() {
			if g.seq(page.GetNextCursor()) != g.log.Head() {
				g.t.Error("the last page does not stand at the head")
			}
			return list
		}
		req.AfterCursor = page.GetNextCursor()
	}
}

// TestOneOrderInPages: listing to the end gives what a replay gives, whatever the filter and the size of the pages.
func TestOneOrderInPages(t *testing.T) {
	for name, tail := range map[string]func(*setup){"tail": func(*setup) {}, "disk": smallTail} {
		t.Run(name, func(t *testing.T) {
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			rnd := rand.New(rand.NewPCG(seed, 0))
			g := newGateway(t, tail)
			records := make([]*eventlog.Record, 1500)
			for i := range records {
				if records[i] = randomEvent(rnd, i); rnd.IntN(50) == 0 {
					records[i] = gap(pick(rnd, sources), pick(rnd, []string{"", "A"}))
				}
			}
			g.appendMany(len(records), func(i int) *eventlog.Record { return records[i] })
			for range 40 {
				f := randomRequest(rnd).GetFilter()
				want := keys(g.all(&headgatev1.SubscribeRequest{Start: earliest(), Filter: f}))
				if size := uint32(rnd.IntN(300)); !cmp.Equal(pages(g, f, size), want) {
					t.Errorf("pages of %d with %v differ from the stream", size, f)
				}
			}
			page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{})
			if n := len(page.GetEvents()); err != nil || n > 100 || (n < 100 && page.GetSignal() == nil) {
				t.Errorf("a page of %d events by default, %v", n, err)
			}
		})
	}
}

// TestPageHasABudget: a page that finds nothing in a long log ends all the same, says that there is more, and can be continued from.
func TestPageHasABudget(t *testing.T) {
	const n = 12_000
	g := newGateway(t, smallTail)
	g.appendMany(n, func(i int) *eventlog.Record { return event(i) })
	for name, f := range map[string]*headgatev1.Filter{
		"index": {Entities: []string{"sale"}, Contexts: []string{"Cust1"}},
		"scan":  {Entities: []string{"sale"}},
	} {
		page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{Filter: f})
		if err != nil || len(page.GetEvents()) > 0 || !page.GetHasMore() || g.seq(page.GetNextCursor()) == 0 {
			t.Errorf("%s: %v, %v", name, page, err)
		}
		if got := pages(g, f, 0); len(got) > 0 {
			t.Errorf("%s: got %v", name, got)
		}
	}
	g.append(event(n, in("other", "B")))
	// The log's index leads to the only one that matches.
	page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{Filter: &headgatev1.Filter{Sources: []string{"other"}}})
	if err != nil || len(page.GetEvents()) != 1 || page.GetHasMore() {
		t.Errorf("by index: %v, %v", page, err)
	}
}

func TestListStarts(t *testing.T) {
	g := newGateway(t)
	empty, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{})
	if err != nil || g.seq(empty.GetNextCursor()) != 0 || empty.GetHasMore() {
		t.Fatalf("an empty log: %v, %v", empty, err)
	}
	begin := g.clock.now()
	for n := 1; n <= 6; n++ {
		g.append(event(n))
		g.clock.advance(time.Hour)
	}
	list := func(req *headgatev1.ListEventsRequest) []string {
		page, err := g.client.ListEvents(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return keys([]*headgatev1.SubscribeResponse{{Events: page.GetEvents()}})
	}
	if got := list(&headgatev1.ListEventsRequest{AfterCursor: empty.GetNextCursor()}); !cmp.Equal(got, numbers(1, 6)) {
		t.Error("after the cursor of an empty page:", got)
	}
	if got := list(&headgatev1.ListEventsRequest{FromTime: timestamppb.New(begin.Add(3 * time.Hour)), PageSize: 2}); !cmp.Equal(got, numbers(4, 5)) {
		t.Error("from a time:", got)
	}
	future := timestamppb.New(g.clock.now().Add(time.Second))
	for _, req := range []*headgatev1.ListEventsRequest{
		{FromTime: future},
		{FromTime: &timestamppb.Timestamp{Nanos: -1}},
		{AfterCursor: g.log.Cursor(1), FromTime: timestamppb.New(begin)},
		{EventId: "id-1", AfterCursor: g.log.Cursor(1)},
		{EventId: "id-1", FromTime: timestamppb.New(begin)},
		{PageSize: 1001},
		{Filter: &headgatev1.Filter{PrimaryKeys: []int32{1}}},
	} {
		_, err := g.client.ListEvents(t.Context(), req)
		wantFailure(t, err, codes.InvalidArgument, fault.FilterInvalid)
	}
	g.trim(2)
	if got := list(&headgatev1.ListEventsRequest{}); !cmp.Equal(got, numbers(3, 6)) {
		t.Error("by default:", got)
	}
	for _, req := range []*headgatev1.ListEventsRequest{{AfterCursor: g.log.Cursor(1)}, {FromTime: timestamppb.New(begin)}} {
		_, err := g.client.ListEvents(t.Context(), req)
		wantFailure(t, err, codes.OutOfRange, fault.CursorExpired)
	}
}

func TestListByEventID(t *testing.T) {
	for name, tail := range map[string]func(*setup){"tail": func(*setup) {}, "disk": smallTail} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, tail)
			same := func(e *headgatev1.Event) { e.EventId = "twin" }
			g.append(event(1), event(2, same), event(3), event(4, same, of("associate", "created")), event(5, same), event(6))
			if err := g.log.Erase(t.Context(), []uint64{5}); err != nil {
				t.Fatal(err)
			}
			list := func(id string, f *headgatev1.Filter) []string {
				page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{EventId: id, Filter: f, PageSize: 1})
				if err != nil || page.GetHasMore() || g.seq(page.GetNextCursor()) != 6 {
					t.Fatalf("%s: %v, %v", id, page, err)
				}
				return keys([]*headgatev1.SubscribeResponse{{Events: page.GetEvents()}})
			}
			if got := list("twin", nil); !cmp.Equal(got, []string{"2", "4"}) {
				t.Error("two of one id:", got)
			}
			if got := list("twin", &headgatev1.Filter{Entities: []string{"associate"}}); !cmp.Equal(got, []string{"4"}) {
				t.Error("filtered:", got)
			}
			if got := list("twi", nil); len(got) > 0 {
				t.Error("of an id that is not there:", got)
			}
		})
	}
}

// TestDurableIsFound: whoever was told that an event is stored finds it, by every call.
func TestDurableIsFound(t *testing.T) {
	g := newGateway(t)
	for n := 1; n <= 100; n++ {
		before := g.log.Cursor(uint64(n - 1))
		if _, err := g.log.Append(t.Context(), event(n)); err != nil {
			t.Fatal(err)
		}
		var err error
		found := false
		switch n % 4 {
		case 0:
			var page *headgatev1.ListEventsResponse
			page, err = g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{AfterCursor: before})
			found = len(page.GetEvents()) == 1
		case 1:
			_, err = g.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: g.log.Cursor(uint64(n))})
			found = err == nil
		case 2:
			var log *headgatev1.DescribeLogResponse
			log, err = g.client.DescribeLog(t.Context(), &headgatev1.DescribeLogRequest{})
			found = err == nil && g.seq(log.GetLatestCursor()) == uint64(n)
		case 3:
			found = cmp.Equal(keys(g.all(&headgatev1.SubscribeRequest{Start: after(before)})), numbers(n, n))
		}
		if err != nil || !found {
			t.Fatalf("event %d is stored and not found: %v", n, err)
		}
	}
}

// TestListByEventIDTooManyForAPage: what has no room on the page is not passed over.
func TestListByEventIDTooManyForAPage(t *testing.T) {
	g := newGateway(t)
	same := func(e *headgatev1.Event) { e.EventId = "twin" }
	g.append(event(1, same, sized(700<<10)), event(2, same, sized(700<<10)), event(3))
	page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{EventId: "twin"})
	if err != nil || len(page.GetEvents()) != 1 || !page.GetHasMore() || g.seq(page.GetNextCursor()) != 1 {
		t.Errorf("%d events, more: %v, then from %d, %v", len(page.GetEvents()), page.GetHasMore(), g.seq(page.GetNextCursor()), err)
	}
}

func TestGetEvent(t *testing.T) {
	for name, tail := range map[string]func(*setup){"tail": func(*setup) {}, "disk": smallTail} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, tail)
			g.append(event(1))
			g.clock.advance(time.Hour)
			g.append(event(2), gap("acme", ""), event(4), event(5))
			if err := g.log.Erase(t.Context(), []uint64{4}); err != nil {
				t.Fatal(err)
			}
			get := func(seq uint64, raw bool) (*headgatev1.GetEventResponse, error) {
				return g.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: g.log.Cursor(seq), IncludeRawBody: raw})
			}
			want := &headgatev1.Event{
				Cursor: g.log.Cursor(2), EventId: "id-2", Source: "acme", Context: "Cust1", Entity: "relation", EventType: "relation.created",
				Action: "created", PrimaryKey: proto.Int32(2), ReceivedAt: timestamppb.New(g.clock.now()),
			}
			resp, err := get(2, false)
			if diff := cmp.Diff(&headgatev1.GetEventResponse{Event: want}, resp, protocmp.Transform()); diff != "" || err != nil {
				t.Error(diff, err)
			}
			if resp, err = get(5, true); err != nil || string(resp.GetRawBody()) != `{"PrimaryKey":5}` || resp.GetEvent().GetPrimaryKey() != 5 {
				t.Errorf("with its raw body: %v, %v", resp, err)
			}
			for _, seq := range []uint64{0, 3, 4} {
				_, err := get(seq, true)
				wantFailure(t, err, codes.NotFound, fault.EventNotFound)
			}
			_, err = get(6, false)
			wantFailure(t, err, codes.FailedPrecondition, fault.CursorForeign)
			_, err = g.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{})
			wantFailure(t, err, codes.InvalidArgument, fault.CursorMalformed)
			g.trim(1)
			_, err = get(1, false)
			wantFailure(t, err, codes.OutOfRange, fault.CursorExpired)
		})
	}
}

func TestDescribeLog(t *testing.T) {
	g := newGateway(t)
	describe := func() *headgatev1.DescribeLogResponse {
		resp, err := g.client.DescribeLog(t.Context(), &headgatev1.DescribeLogRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if len(resp.GetKnownEventTypes()) == 0 {
			t.Error("no event types")
		}
		resp.KnownEventTypes = nil
		resp.EarliestCursor, resp.LatestCursor = g.ofRecord(resp.GetEarliestCursor()), g.ofRecord(resp.GetLatestCursor())
		return resp
	}
	want := &headgatev1.DescribeLogResponse{Epoch: g.log.Epoch(), EarliestCursor: g.log.Cursor(0), LatestCursor: g.log.Cursor(0)}
	if diff := cmp.Diff(want, describe(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	g.append(event(1, in("b", "X")))
	g.clock.advance(time.Hour)
	g.append(event(2, in("a", "Y")), gap("c", ""), event(4, in("a", "X")))
	g.trim(1)
	st := g.log.State()
	want = &headgatev1.DescribeLogResponse{
		Epoch: g.log.Epoch(), EarliestCursor: g.log.Cursor(1), EarliestTime: timestamppb.New(st.EarliestAt),
		LatestCursor: g.log.Cursor(4), LatestTime: timestamppb.New(st.HeadAt),
		Tenants: []*headgatev1.DescribeLogResponse_Tenant{{Source: "a", Context: "X"}, {Source: "a", Context: "Y"}, {Source: "b", Context: "X"}},
	}
	if diff := cmp.Diff(want, describe(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}
