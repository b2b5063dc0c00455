package feed

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/fault"
)

// onlyCreatedOfOne is a grant for what is created in one tenant.
type onlyCreatedOfOne struct{ onlyRelations }

func (onlyCreatedOfOne) Allows(s, c, _, a string) bool {
	return s == "acme" && c == "Cust1" && a == "created"
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
