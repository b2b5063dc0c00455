package conformance

import (
	"fmt"
	"slices"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

var reading = []behaviour{
	{"in order, once", nil, inOrder},
	{"filters", nil, filters},
	{"stops when caught up", nil, stops},
	{"starts from a time", nil, fromTime},
	{"starts at the latest", nil, fromLatest},
	{"gap of the quarantine", nil, quarantine},
	{"checkpoints move on", []string{"heartbeat_seconds"}, checkpoints},
	{"names", []string{"constants"}, names},
	{"newer kinds", []string{"address"}, newer},
}

// want compares cursors as the log has them with those that came.
func (k *kit) want(want, got []string) {
	k.Helper()
	if slices.Equal(want, got) {
		return
	}
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			k.Fatalf("event %d of %d: got %s, which is %s; want %s", i+1, len(want), got[i], place(want, got[i]), want[i])
		}
	}
	k.Fatalf("got %d events, want %d", len(got), len(want))
}

// place says where in the log a cursor stands.
func place(log []string, cursor string) string {
	if i := slices.Index(log, cursor); i >= 0 {
		return fmt.Sprintf("event %d", i+1)
	}
	return "none that was to come"
}

func inOrder(k *kit) {
	n := scale(10_000)
	g := k.start(settings{})
	g.sender.test()
	g.sender.burst(changes(1, n, 500))
	a := k.run(g.front, request{Start: earliest})
	k.want(cursors(g.asker.log(), nil), a.events(n, false))
	g.sender.send(change{n: 1, key: 1}) // comes twice: the first is stored
	g.sender.send(change{n: n + 1, key: 1})
	k.want(cursors(g.asker.log()[n:], nil), a.events(1, false))
	a.leave()
}

func filters(k *kit) {
	g := k.start(settings{})
	g.sender.send(
		change{n: 1, key: 1, event: "relation.created"},
		change{n: 2, key: 2, event: "relation.changed", fields: []string{"updated", "reldef_id"}},
		change{n: 3, key: 3, event: "relation.changed", fields: []string{"updated"}},
		change{n: 4, key: 4, event: "associate.created"},
		change{n: 5, key: 5, event: "contact.deleted", context: "Cust1234"},
		change{n: 6, key: 6, event: "contact.changed", source: "globex", context: "Default", fields: []string{"name"}},
		change{n: 7, key: 7, event: "relation.deleted", by: 9},
	)
	log := g.asker.log()
	tenant := map[string]any{"sources": []string{"acme"}, "contexts": []string{"Cust26759"}}
	within := func(field string, value any) map[string]any {
		f := map[string]any{field: value}
		for k, v := range tenant {
			f[k] = v
		}
		return f
	}
	for _, c := range []struct {
		filter map[string]any
		keys   []int32
	}{
		{map[string]any{"entities": []string{"relation"}}, []int32{1, 2, 3, 7}},
		{map[string]any{"event_types": []string{"relation.created", "associate.created"}}, []int32{1, 4}},
		{map[string]any{"actions": []string{"deleted"}}, []int32{5, 7}},
		{map[string]any{"contexts": []string{"Cust1234"}}, []int32{5}},
		{map[string]any{"sources": []string{"globex"}}, []int32{6}},
		{within("primary_keys", []int{3, 4}), []int32{3, 4}},
		{map[string]any{"entities": []string{"relation"}, "changed_fields": []string{"reldef_id"}}, []int32{1, 2, 7}},
		{within("exclude_changed_by_associate_ids", []int{5}), []int32{7}},
		{map[string]any{"entities": []string{"relation", "contact"}, "actions": []string{"deleted"}, "sources": []string{"acme"}}, []int32{5, 7}},
	} {
		got := k.run(g.front, request{Start: earliest, Filter: c.filter, StopWhenCaughtUp: true}).toEnd()
		want := cursors(log, func(e *headgatev1.Event) bool { return slices.Contains(c.keys, e.GetPrimaryKey()) })
		if !slices.Equal(got, want) {
			k.Errorf("filter %v: got %d events, want those with the keys %v", c.filter, len(got), c.keys)
		}
	}
}

func stops(k *kit) {
	g := k.start(settings{})
	g.sender.send(changes(1, 20, 20)...)
	a := k.run(g.front, request{Start: earliest, StopWhenCaughtUp: true})
	a.next("started")
	k.want(cursors(g.asker.log(), nil), a.toEnd())
}

func fromTime(k *kit) {
	g := k.start(settings{})
	skewed := time.Now().Add(-300 * time.Hour) // the CRM's clock is wrong: what counts is when the gateway received it
	g.sender.send(change{n: 1, key: 1}, change{n: 2, key: 2, at: skewed}, change{n: 3, key: 3, at: skewed.Add(600 * time.Hour)})
	log := g.asker.log()
	a := k.run(g.front, request{Start: &start{FromTime: log[1].GetReceivedAt().AsTime().Format(time.RFC3339Nano)}})
	k.want(cursors(log[1:], nil), a.events(2, false))
	a.leave()
}

func fromLatest(k *kit) {
	g := k.start(settings{})
	g.sender.send(changes(1, 3, 3)...)
	a := k.run(g.front, request{Start: latest})
	a.next("started")
	g.sender.send(change{n: 4, key: 4})
	k.want(cursors(g.asker.log()[3:], nil), a.events(1, false))
	a.leave()
}

func quarantine(k *kit) {
	g := k.start(settings{})
	g.sender.send(change{n: 1, key: 1}, change{n: 2, key: 2, broken: true}, change{n: 3, key: 3})
	a := k.run(g.front, request{Start: earliest})
	log := g.asker.log()
	k.want(cursors(log[:1], nil), a.events(1, false))
	if gap := a.next("gap", "event"); gap.Kind != "gap" || gap.Reason != "REASON_QUARANTINED" || gap.Cursor == "" {
		k.Errorf("between the events came %v, want a gap with REASON_QUARANTINED and a cursor", gap)
	}
	k.want(cursors(log[1:], nil), a.events(1, false))
	a.leave()
}

// checkpoints: while nothing matches the position moves on, so that a reader who is seldom concerned does not fall out of the retention.
func checkpoints(k *kit) {
	g := k.start(settings{})
	nothing := map[string]any{"entities": []string{"project"}}
	a := k.run(g.front, request{Start: earliest, Filter: nothing, HeartbeatSeconds: 1})
	for n := 1; n <= 3; n++ {
		g.sender.send(change{n: n, key: n})
		g.asker.until("a checkpoint stands at the head", func() bool {
			l := a.next("checkpoint")
			return (l.CaughtUp || !k.has("address")) && len(g.asker.after(l.Cursor)) == 0 // Server-Sent Events do not tell
		})
	}
	if n := a.count("event"); n > 0 {
		k.Errorf("%d events came that the filter leaves out", n)
	}
	a.leave()
}
