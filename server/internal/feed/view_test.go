package feed

import (
	"context"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
)

// onlyRelations is a grant for the relations of all tenants, without raw bodies.
type onlyRelations struct{ everything }

func (onlyRelations) Allows(_, _, entity, _ string) bool { return entity == "relation" }
func (onlyRelations) AllowsRaw(_, _, _, _ string) bool   { return false }
func (onlyRelations) Concerns(_, _, e, _ string) bool    { return e == "" || e == "relation" }

func (g onlyRelations) Within(sources []string) func(_, _, _ string) bool { return within(g, sources) }

// within is Within by Concerns.
func within(g Grant, sources []string) func(context, entity, action string) bool {
	if len(sources) == 0 {
		sources = []string{""}
	}
	return func(context, entity, action string) bool {
		return slices.ContainsFunc(sources, func(source string) bool { return g.Concerns(source, context, entity, action) })
	}
}
func (onlyRelations) Everything() bool { return false }

// under makes a gateway where everybody has the grant.
func under(grant Grant) func(*setup) {
	return func(s *setup) { s.feed.Grant = func(context.Context) Grant { return grant } }
}

// endable is a grant that a test ends.
type endable struct {
	everything
	done    chan struct{}
	expired bool
}

func (e *endable) Ended() <-chan struct{} { return e.done }
func (e *endable) Expired() bool          { return e.expired }

// TestPermissionEndsWithTheGrant: a stream whose grant ends says so, with a cursor to resume from, be it waiting or in the middle of a replay.
func TestPermissionEndsWithTheGrant(t *testing.T) {
	for _, expired := range []bool{false, true} {
		grant := &endable{done: make(chan struct{}), expired: expired}
		g := newGateway(t, under(grant))
		g.append(event(1))
		r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()})
		r.caughtUp()
		close(grant.done)
		want := headgatev1.Closing_REASON_GRANT_CHANGED
		if expired {
			want = headgatev1.Closing_REASON_CREDENTIAL_EXPIRED
		}
		m := r.recv()
		if m.GetClosing().GetReason() != want || g.seq(m.GetCursor()) != 1 {
			t.Errorf("got %v, want %v", m, want)
		}
	}
}

// TestPermissionNarrowsEveryRead: what the grant leaves out is in no stream, page or lookup.
func TestPermissionNarrowsEveryRead(t *testing.T) {
	g := newGateway(t, under(onlyRelations{}))
	g.append(event(1))
	other := event(2)
	other.Keys.Entity, other.Keys.EventType = "associate", "associate.created"
	g.append(other)
	g.append(event(3))
	page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{})
	if err != nil || len(page.GetEvents()) != 2 {
		t.Errorf("a page holds %d events, %v", len(page.GetEvents()), err)
	}
	if _, err := g.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: g.log.Cursor(2)}); err == nil {
		t.Error("a forbidden event was found by its cursor")
	} else {
		wantFailure(t, err, codes.NotFound, fault.EventNotFound)
	}
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest(), StopWhenCaughtUp: true})
	seen := 0
	for m := r.recv(); m.GetClosing() == nil; m = r.recv() {
		seen += len(m.GetEvents())
	}
	if seen != 2 {
		t.Errorf("a stream brought %d events, want 2", seen)
	}
}

// TestPermissionEndsInTheMiddleOfAChunk: a reader that stands still while its grant ends gets no more of what was already read for it.
func TestPermissionEndsInTheMiddleOfAChunk(t *testing.T) {
	grant := &endable{done: make(chan struct{})}
	g := newGateway(t, smallTail, under(grant), func(s *setup) { s.dialOpts = smallWindows })
	// From disk a chunk of these holds more than 200, and the windows and the transport's buffer far less.
	const chunk = 200
	g.appendMany(1000, func(i int) *eventlog.Record { return event(1+i, sized(1100)) })
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()})
	until(t, "something was sent", func() bool {
		list := g.feed.Streams(t.Context())
		return len(list) == 1 && list[0].EventsSent > 0
	})
	close(grant.done)
	seen := 0
	m := r.recv()
	for ; m.GetClosing() == nil; m = r.recv() {
		seen += len(m.GetEvents())
	}
	if seen >= chunk || m.GetClosing().GetReason() != headgatev1.Closing_REASON_GRANT_CHANGED || g.seq(m.GetCursor()) != uint64(seen) {
		t.Errorf("%d events came, then %v at %d", seen, m.GetClosing(), g.seq(m.GetCursor()))
	}
}
