package feed

import (
	"context"
	"fmt"
	"testing"
	"unique"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// mixed gives an event names and other keys that take several values, in runs and alone.
func mixed(i int) func(*headgatev1.Event) {
	return func(e *headgatev1.Event) {
		e.Source = []string{"acme", "globex"}[i/40%2]
		e.Context = fmt.Sprint("Cust", i/10%3)
		e.Entity = []string{"relation", "associate"}[i/5%2]
		e.Action = []string{"created", "changed", "changed"}[i%3]
		e.EventType = e.GetEntity() + "." + e.GetAction()
		e.ChangedFields = []string{[]string{"updated", "reldef_id"}[i/2%2]}
	}
}

// tailOf are the frames of n events.
func tailOf(t testing.TB, n int, change func(i int) func(*headgatev1.Event)) []eventlog.Frame {
	g := newGateway(t)
	g.appendMany(n, func(i int) *eventlog.Record { return event(i, change(i)) })
	var all []eventlog.Frame
	for after := uint64(0); after < uint64(n); {
		c, err := g.log.Read(context.Background(), after, nil)
		if err != nil {
			t.Fatal(err)
		}
		all, after = append(all, c.Frames...), c.Through
	}
	return all
}

// TestSight: one frame after another gives the same as each on its own, whatever came before it.
func TestSight(t *testing.T) {
	g := newGateway(t, under(onlyRelations{}))
	all := tailOf(t, 240, mixed)
	for name, f := range map[string]*headgatev1.Filter{
		"all":            {},
		"names":          {Contexts: []string{"Cust1"}, Actions: []string{"changed"}},
		"sources":        {Sources: []string{"globex"}},
		"primary keys":   {Sources: []string{"acme"}, Contexts: []string{"Cust0"}, PrimaryKeys: []int32{2, 5, 123}},
		"changed fields": {ChangedFields: []string{"reldef_id"}},
	} {
		for _, shard := range []*headgatev1.Shard{nil, {Index: 1, Count: 3}} {
			v, err := g.feed.viewOf(t.Context(), f, shard)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range []int{1, 7, len(all) - 1} { // forward, across, backward
				one, seen := sight{view: &v}, 0
				for i := range all {
					f := &all[i*step%len(all)]
					want := v.Match(f.Kind, &f.Keys)
					if one.match(f) != want {
						t.Errorf("%s: record %d: seen %v, want %v", name, f.Seq, !want, want)
					}
					if want {
						seen++
					}
				}
				if shard == nil && (seen == 0 || seen == len(all)) {
					t.Errorf("%s: %d of %d are seen", name, seen, len(all))
				}
			}
		}
	}
	if all[0].Class == (unique.Handle[eventlog.Names]{}) {
		t.Error("frames of the tail have no class")
	}
}

// BenchmarkSight is what a stream spends on a record of the tail to know whether to send it.
func BenchmarkSight(b *testing.B) {
	g := newGateway(b)
	all := tailOf(b, 240, func(int) func(*headgatev1.Event) { return func(*headgatev1.Event) {} }) // as of an import
	v, err := g.feed.viewOf(b.Context(), &headgatev1.Filter{Sources: []string{"acme"}, Contexts: []string{"Cust1"}, Entities: []string{"relation"}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	for name, match := range map[string]func(one *sight, f *eventlog.Frame) bool{
		"one after another": (*sight).match,
		"each alone":        func(one *sight, f *eventlog.Frame) bool { return one.view.Match(f.Kind, &f.Keys) },
	} {
		b.Run(name, func(b *testing.B) {
			one, i := sight{view: &v}, 0
			for b.Loop() {
				match(&one, &all[i])
				if i++; i == len(all) {
					i = 0
				}
			}
		})
	}
}
