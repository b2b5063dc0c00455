package filter_test

import (
	"fmt"
	"testing"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/filter"
)

var columns = []string{
	"relation_id", "source_table", "updated", "reversed", "destination_table", "registered_associate_id", "group_idx",
	"reldef_id", "startDate", "updated_associate_id", "updatedCount", "associateId", "source_record", "relFlags",
	"registered", "relcomment", "endDate", "destination_record",
}

func changedRelation() eventlog.Keys {
	return eventlog.Keys{
		Source: "acme", Context: "Cust26759", Entity: "relation", EventType: "relation.changed", Action: "changed",
		PrimaryKey: 20, HasPrimaryKey: true, ChangedBy: 5, HasChangedBy: true, Changed: eventlog.JoinChanged(columns), Shard: 7,
	}
}

// fullFilter has n values in every field, and matches changedRelation by the last of each.
func fullFilter(n int) *headgatev1.Filter {
	f := &headgatev1.Filter{}
	for i := range n - 1 {
		f.Entities = append(f.Entities, fmt.Sprintf("y_%d", i))
		f.EventTypes = append(f.EventTypes, fmt.Sprintf("y_%d.created", i))
		f.Actions = append(f.Actions, fmt.Sprintf("action%d", i))
		f.ChangedFields = append(f.ChangedFields, fmt.Sprintf("column_%d", i))
		f.PrimaryKeys = append(f.PrimaryKeys, int32(1000+i))
		f.ExcludeChangedByAssociateIds = append(f.ExcludeChangedByAssociateIds, int32(1000+i))
	}
	if n > 0 {
		f.Sources, f.Contexts = []string{"acme"}, []string{"Cust26759"}
		f.Entities = append(f.Entities, "relation")
		f.EventTypes = append(f.EventTypes, "relation.changed")
		f.Actions = append(f.Actions, "changed")
		f.ChangedFields = append(f.ChangedFields, "destination_record")
		f.PrimaryKeys = append(f.PrimaryKeys, 20)
		f.ExcludeChangedByAssociateIds = append(f.ExcludeChangedByAssociateIds, 6)
	}
	return f
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{0, 1, 100} {
		b.Run(fmt.Sprintf("values=%d", n), func(b *testing.B) {
			p := compile(b, fullFilter(n), nil)
			k := changedRelation()
			b.ReportAllocs()
			for b.Loop() {
				if !p.Match(eventlog.KindEvent, &k) {
					b.Fatal("no match")
				}
			}
		})
	}
}

// BenchmarkMatchChangedFields is apart, as these cost the most.
func BenchmarkMatchChangedFields(b *testing.B) {
	for _, n := range []int{1, 8, 1000} {
		b.Run(fmt.Sprintf("values=%d", n), func(b *testing.B) {
			f := &headgatev1.Filter{}
			for i := range n {
				f.ChangedFields = append(f.ChangedFields, fmt.Sprintf("column_%d", i))
			}
			p := compile(b, f, nil)
			k := changedRelation()
			b.ReportAllocs()
			for b.Loop() {
				if p.Match(eventlog.KindEvent, &k) {
					b.Fatal("match")
				}
			}
		})
	}
}

// BenchmarkCompileUnknown is the dearest request: every name is compared with every known one.
func BenchmarkCompileUnknown(b *testing.B) {
	f := &headgatev1.Filter{}
	for i := range 1000 {
		f.Entities = append(f.Entities, fmt.Sprintf("custom%04d", i))
		f.EventTypes = append(f.EventTypes, fmt.Sprintf("custom%04d.happened", i))
		f.Actions = append(f.Actions, fmt.Sprintf("happen%04d", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := filter.Compile(f, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	k := changedRelation()
	for _, n := range []int{0, 1, 100, 1000} {
		p := compile(t, fullFilter(n), &headgatev1.Shard{Index: 1, Count: 2})
		for _, kind := range []eventlog.Kind{eventlog.KindEvent, eventlog.KindGap, eventlog.KindErased} {
			if allocs := testing.AllocsPerRun(100, func() { p.Match(kind, &k) }); allocs != 0 {
				t.Errorf("%d values, kind %d: %v allocations", n, kind, allocs)
			}
		}
		if allocs := testing.AllocsPerRun(100, func() { p.Wants("acme", "Cust26759") }); allocs != 0 {
			t.Errorf("%d values: Wants makes %v allocations", n, allocs)
		}
	}
}

func compile(tb testing.TB, f *headgatev1.Filter, s *headgatev1.Shard) *filter.Predicate {
	tb.Helper()
	p, err := filter.Compile(f, s)
	if err != nil {
		tb.Fatalf("Compile: %v", err)
	}
	return p
}
