package feed

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
)

// onlyCreatedOfOne is a grant for what is created in one tenant.
type onlyCreatedOfOne struct{ onlyRelations }

func (onlyCreatedOfOne) Allows(s, c, _, a string) bool {
	return s == "acme" && c == "Cust1" && a == "created"
}

func (g onlyCreatedOfOne) Within(sources []string) func(_, _, _ string) bool {
	return within(g, sources)
}

func (onlyCreatedOfOne) Concerns(s, c, _, a string) bool {
	return (s == "" || s == "acme") && (c == "" || c == "Cust1") && (a == "" || a == "created")
}

// TestNoTimeOfOthers: when something happened that a caller may not know of, neither a checkpoint nor the description of the log tells.
func TestNoTimeOfOthers(t *testing.T) {
	for name, tail := range map[string]func(*setup){"tail": func(*setup) {}, "disk": smallTail} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, under(onlyCreatedOfOne{}), tail)
			g.append(event(1, in("globex", "Default")))
			g.clock.advance(time.Hour)
			g.append(event(2))
			own := g.clock.now()
			g.clock.advance(time.Hour)
			// Of another tenant, and of the same one what the grant leaves out.
			g.append(event(3, in("globex", "Default")), event(4, in("acme", "Cust2")), event(5, of("relation", "changed")))
			g.append(gap("globex", ""))
			r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest(), HeartbeatInterval: durationpb.New(time.Second)})
			wantThrough(t, r, own)
			g.clock.advance(time.Hour)
			g.append(event(6, in("globex", "Default")))
			wantThrough(t, r, own)
			// What the filter leaves out is the caller's own all the same.
			narrow := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest(), Filter: sales(), HeartbeatInterval: durationpb.New(time.Second)})
			wantThrough(t, narrow, own)
			g.append(gap("acme", ""))
			wantThrough(t, r, g.clock.now())
			wantThrough(t, narrow, g.clock.now())

			late := g.subscribe(&headgatev1.SubscribeRequest{Start: latest()})
			if _, m := late.caughtUp(); m.GetCheckpoint().GetThrough() != nil {
				t.Errorf("who has passed nothing of its own is told %v", m.GetCheckpoint())
			}
			d, err := g.client.DescribeLog(t.Context(), &headgatev1.DescribeLogRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if d.GetEarliestTime() != nil || d.GetLatestTime() != nil || len(d.GetTenants()) != 1 {
				t.Errorf("the log is described as %v", d)
			}
		})
	}
}

// TestPositionsOfOthers: no cursor tells whether others' events came between two moments, nor which event is the last.
func TestPositionsOfOthers(t *testing.T) {
	g := newGateway(t, under(onlyCreatedOfOne{}))
	g.append(event(1))
	seen := map[string]bool{}
	fresh := func(what, cursor string) {
		t.Helper()
		if seen[cursor] {
			t.Errorf("%s: the cursor was given before", what)
		}
		seen[cursor] = true
		// Were it answered, it would tell that the caller's own event is the newest of all.
		_, err := g.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: cursor})
		wantFailure(t, err, codes.NotFound, fault.EventNotFound)
	}
	for range 2 {
		d, err := g.client.DescribeLog(t.Context(), &headgatev1.DescribeLogRequest{})
		if err != nil {
			t.Fatal(err)
		}
		fresh("latest", d.GetLatestCursor())
		fresh("earliest", d.GetEarliestCursor())
		page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{})
		if err != nil || len(page.GetEvents()) != 1 {
			t.Fatal(page, err)
		}
		fresh("page", page.GetNextCursor())
		for _, start := range []*headgatev1.Start{latest(), after(page.GetNextCursor()), at(g.clock.now())} {
			r := g.subscribe(&headgatev1.SubscribeRequest{Start: start})
			m := r.recv()
			fresh("started", m.GetCursor())
			fresh("started", m.GetStarted().GetEarliestCursor())
			_, m = r.caughtUp()
			fresh("checkpoint", m.GetCursor())
		}
	}
}

// TestTrimmedOfOthers: a cursor or a time is lost when something is gone that the caller reads, and then only. Others' records that are gone show in nothing.
func TestTrimmedOfOthers(t *testing.T) {
	g := newGateway(t, named, under(onlyCreatedOfOne{}))
	others := func(n int) { g.append(event(n, in("globex", "Default"))) }
	begin := g.clock.now()
	g.append(event(1))
	cursor := g.log.Cursor(1)
	if _, err := g.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "billing", Start: after(cursor)}); err != nil {
		t.Fatal(err)
	}
	for n := 2; n < 5; n++ {
		g.clock.advance(time.Hour)
		others(n)
	}
	g.clock.advance(time.Hour)
	g.append(event(5))
	kept := func(what string, trimmed uint64) {
		t.Helper()
		g.trim(trimmed)
		for _, start := range []*headgatev1.Start{after(cursor), at(begin.Add(time.Nanosecond))} {
			if got := keys(g.all(&headgatev1.SubscribeRequest{Start: start})); !cmp.Equal(got, numbers(5, 5)) {
				t.Errorf("%s: %v brought %v", what, start, got)
			}
		}
		page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{AfterCursor: cursor})
		if err != nil || len(page.GetEvents()) != 1 {
			t.Errorf("%s: a page is %v, %v", what, page, err)
		}
	}
	kept("nothing is gone", 0)
	kept("its own is gone, which the cursor covers", 1)
	kept("one of others is gone", 2)
	kept("all of others are gone", 4)
	lost := &headgatev1.SubscribeRequest{Start: at(begin)}
	wantFailure(t, g.refused(lost), codes.OutOfRange, fault.CursorExpired)
	lost.OnLostCursor = headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST
	if gap := g.all(lost)[0].GetGap(); !gap.GetToTime().AsTime().Equal(begin) {
		t.Errorf("the gap is %v", gap)
	}
	g.trim(5)
	wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: after(cursor)}), codes.OutOfRange, fault.CursorExpired)
	wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: at(begin.Add(time.Nanosecond))}), codes.OutOfRange, fault.CursorExpired)
	if !g.subscription().GetSubscription().GetEndangered() {
		t.Error("not in danger although its own is gone")
	}
}

// wantThrough waits for the next checkpoint and looks at its time.
func wantThrough(t *testing.T, r *reader, want time.Time) {
	t.Helper()
	_, m := r.caughtUp()
	if got := m.GetCheckpoint().GetThrough(); !got.AsTime().Equal(timestamppb.New(want.Truncate(time.Second)).AsTime()) {
		t.Errorf("through is %v, want %v", got.AsTime(), want)
	}
}

// TestForbiddenNames: each field of a filter that names what may not be read is refused, whether it exists or not.
func TestForbiddenNames(t *testing.T) {
	g := newGateway(t, under(onlyCreatedOfOne{}))
	g.append(event(1), event(2, in("globex", "Default")))
	for _, c := range []struct {
		field, value string
		filter       *headgatev1.Filter
	}{
		{"filter.sources", "globex", &headgatev1.Filter{Sources: []string{"acme", "globex"}}},
		{"filter.sources", "nowhere", &headgatev1.Filter{Sources: []string{"nowhere"}}},
		{"filter.contexts", "Default", &headgatev1.Filter{Contexts: []string{"Cust1", "Default"}}},
		{"filter.contexts", "Cust99", &headgatev1.Filter{Sources: []string{"acme"}, Contexts: []string{"Cust99"}}},
		{"filter.actions", "deleted", &headgatev1.Filter{Actions: []string{"created", "deleted"}}},
		{"filter.event_types", "relation.changed", &headgatev1.Filter{EventTypes: []string{"relation.changed"}}},
	} {
		_, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{Filter: c.filter})
		info, _ := wantFailure(t, err, codes.PermissionDenied, fault.ContextForbidden)
		if m := info.GetMetadata(); m["field"] != c.field || m["value"] != c.value {
			t.Errorf("%v: refused as %v", c.filter, m)
		}
	}
	for _, f := range []*headgatev1.Filter{nil, {Sources: []string{"acme"}, Contexts: []string{"Cust1"}, EventTypes: []string{"relation.created"}, Actions: []string{"created"}}} {
		page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{Filter: f})
		if err != nil || len(page.GetEvents()) != 1 {
			t.Errorf("%v: %v, %v", f, page, err)
		}
	}
}

// TestMoreOfOthers: has_more is not said for what the caller may not know of.
func TestMoreOfOthers(t *testing.T) {
	g := newGateway(t, under(onlyCreatedOfOne{}))
	g.append(event(1))
	for _, want := range []bool{false, false, true} {
		page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{PageSize: 1})
		if err != nil || len(page.GetEvents()) != 1 || page.GetHasMore() != want {
			t.Errorf("%v, %v; want more: %v", page, err, want)
		}
		switch g.log.Head() {
		case 1:
			g.append(event(2, in("globex", "Default")))
		case 2:
			g.append(event(3))
		}
	}
}

// TestMessagesOfOthers: how a reader's events are put into messages does not depend on what others do between them.
func TestMessagesOfOthers(t *testing.T) {
	for name, tail := range map[string]func(*setup){"tail": func(*setup) {}, "disk": smallTail} {
		t.Run(name, func(t *testing.T) {
			var alone []int
			for _, others := range []int{0, 9, 19} {
				g := newGateway(t, under(onlyCreatedOfOne{}), tail)
				const own = 60
				g.appendMany(1, func(int) *eventlog.Record { return event(0) })
				for n := 1; n < own; n++ {
					g.appendMany(others, func(i int) *eventlog.Record { return event(1000*n+i, in("globex", "Default"), sized(300)) })
					g.append(event(n))
				}
				var sizes []int
				for _, m := range g.all(&headgatev1.SubscribeRequest{Start: earliest()}) {
					if n := len(m.GetEvents()); n > 0 {
						sizes = append(sizes, n)
					}
				}
				if others == 0 {
					alone = sizes
				}
				if diff := cmp.Diff(alone, sizes); diff != "" {
					t.Errorf("with %d events of others between: %s", others, diff)
				}
			}
		})
	}
}

// TestLookUpsOfOthers: neither how many events of others have an id, nor whether others' records are kept, shows in a look-up.
func TestLookUpsOfOthers(t *testing.T) {
	g := newGateway(t, under(onlyCreatedOfOne{}))
	const id = "shared"
	same := func(e *headgatev1.Event) { e.EventId = id }
	g.append(event(1), event(2, in("globex", "Default")))
	g.clock.advance(time.Hour)
	g.appendMany(maxPage+10, func(i int) *eventlog.Record { return event(10+i, in("globex", "Default"), same) })
	g.append(event(5000, same))
	page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{EventId: id})
	if err != nil || len(page.GetEvents()) != 1 || page.GetHasMore() {
		t.Errorf("%d events, more: %v, %v", len(page.GetEvents()), page.GetHasMore(), err)
	}
	g.trim(2)
	for seq, reason := range map[uint64]string{1: fault.CursorExpired, 2: fault.EventNotFound, 4: fault.EventNotFound} {
		_, err := g.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: g.log.Cursor(seq)})
		code := codes.NotFound
		if reason == fault.CursorExpired {
			code = codes.OutOfRange
		}
		wantFailure(t, err, code, reason)
	}
}
