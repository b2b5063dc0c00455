package filter_test

import (
	"testing"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// tenant is a filter that names one tenant, as those with numbers must.
func tenant(f *headgatev1.Filter) *headgatev1.Filter {
	f.Sources, f.Contexts = []string{"acme"}, []string{"Cust26759"}
	return f
}

func numbers(n int) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = int32(i)
	}
	return s
}

func TestMatchEvent(t *testing.T) {
	created := eventlog.Keys{
		Source: "acme", Context: "Cust26759", Entity: "relation", EventType: "relation.created", Action: "created",
		PrimaryKey: 20, HasPrimaryKey: true, ChangedBy: 5, HasChangedBy: true,
		Changed: eventlog.JoinChanged([]string{"reldef_id", "associateId"}), Shard: 11,
	}
	changed := created
	changed.EventType, changed.Action = "relation.changed", "changed"
	without := created
	without.PrimaryKey, without.HasPrimaryKey, without.ChangedBy, without.HasChangedBy = 0, false, 0, false
	snake := changed
	snake.Changed = eventlog.JoinChanged([]string{"associate_id"})
	unnamed := changed
	unnamed.Changed = eventlog.JoinChanged(nil)

	type F = headgatev1.Filter
	for _, tc := range []struct {
		name  string
		f     *F
		shard *headgatev1.Shard
		keys  eventlog.Keys
		want  bool
	}{
		{"no filter", nil, nil, created, true},
		{"empty filter", &F{}, nil, created, true},

		{"entity", &F{Entities: []string{"relation"}}, nil, created, true},
		{"another entity", &F{Entities: []string{"associate"}}, nil, created, false},
		{"one of the entities", &F{Entities: []string{"associate", "relation"}}, nil, created, true},
		{"one of many entities", fullFilter(50), nil, changedRelationBy(7), true},
		{"event type", &F{EventTypes: []string{"relation.created"}}, nil, created, true},
		{"another event type", &F{EventTypes: []string{"relation.deleted"}}, nil, created, false},
		{"action", &F{Actions: []string{"deleted", "created"}}, nil, created, true},
		{"another action", &F{Actions: []string{"deleted"}}, nil, created, false},
		{"context", &F{Contexts: []string{"Cust26759"}}, nil, created, true},
		{"another context", &F{Contexts: []string{"Cust1"}}, nil, created, false},
		{"context in another case", &F{Contexts: []string{"cust26759"}}, nil, created, false},
		{"source", &F{Sources: []string{"acme"}}, nil, created, true},
		{"another source", &F{Sources: []string{"globex"}}, nil, created, false},
		{"all fields must match", &F{Entities: []string{"relation"}, Actions: []string{"deleted"}}, nil, created, false},

		{"primary key", tenant(&F{PrimaryKeys: []int32{3, 20}}), nil, created, true},
		{"another primary key", tenant(&F{PrimaryKeys: []int32{3}}), nil, created, false},
		{"one of many primary keys", tenant(&F{PrimaryKeys: numbers(100)}), nil, created, true},
		{"none of many primary keys", tenant(&F{PrimaryKeys: numbers(20)}), nil, created, false},
		{"no primary key is not 0", tenant(&F{PrimaryKeys: []int32{0}}), nil, without, false},

		{"changed field", &F{ChangedFields: []string{"reldef_id"}}, nil, changed, true},
		{"one of the changed fields", &F{ChangedFields: []string{"source_table", "reldef_id"}}, nil, changed, true},
		{"another changed field", &F{ChangedFields: []string{"source_table"}}, nil, changed, false},
		{"part of a changed field", &F{ChangedFields: []string{"reldef"}}, nil, changed, false},
		{"changed field in another case", &F{ChangedFields: []string{"Reldef_id"}}, nil, changed, false},
		{"changed fields do not narrow created", &F{ChangedFields: []string{"source_table"}}, nil, created, true},
		{"no changed fields told", &F{ChangedFields: []string{"source_table"}}, nil, unnamed, false},
		{"associate_id means associateId", &F{ChangedFields: []string{"associate_id"}}, nil, changed, true},
		{"associateId means associate_id", &F{ChangedFields: []string{"associateId"}}, nil, snake, true},
		{"the alias does not add itself", &F{ChangedFields: []string{"person_id"}}, nil, snake, false},

		{"excluded associate", tenant(&F{ExcludeChangedByAssociateIds: []int32{4, 5}}), nil, created, false},
		{"one of many excluded associates", tenant(&F{ExcludeChangedByAssociateIds: numbers(50)}), nil, created, false},
		{"another associate", tenant(&F{ExcludeChangedByAssociateIds: []int32{4}}), nil, created, true},
		{"no associate is not 0", tenant(&F{ExcludeChangedByAssociateIds: []int32{0}}), nil, without, true},

		{"the only shard", nil, &headgatev1.Shard{Index: 0, Count: 1}, created, true},
		{"its shard", nil, &headgatev1.Shard{Index: 3, Count: 4}, created, true},
		{"another shard", nil, &headgatev1.Shard{Index: 2, Count: 4}, created, false},
		{"its shard, another entity", &F{Entities: []string{"sale"}}, &headgatev1.Shard{Index: 3, Count: 4}, created, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := compile(t, tc.f, tc.shard).Match(eventlog.KindEvent, &tc.keys); got != tc.want {
				t.Errorf("Match = %v, want %v", got, tc.want)
			}
		})
	}
}

func changedRelationBy(associate int32) eventlog.Keys {
	k := changedRelation()
	k.ChangedBy = associate
	return k
}

// What is not known of a gap or an erased event must not hide it.
// TestManyChanged: of an event that changed more columns than are looked through, each is taken to be among them.
func TestManyChanged(t *testing.T) {
	p := compile(t, &headgatev1.Filter{ChangedFields: []string{"reldef_id"}}, nil)
	for changed, want := range map[string]bool{eventlog.ManyChanged: true, eventlog.JoinChanged([]string{"other"}): false} {
		if got := p.Match(eventlog.KindEvent, &eventlog.Keys{Source: "acme", Context: "Cust1", Action: "changed", Changed: changed}); got != want {
			t.Errorf("%q: %v", changed, got)
		}
	}
}

func TestMatchSignals(t *testing.T) {
	narrow := tenant(&headgatev1.Filter{
		Entities: []string{"relation"}, EventTypes: []string{"relation.changed"}, Actions: []string{"changed"},
		PrimaryKeys: []int32{1}, ChangedFields: []string{"reldef_id"}, ExcludeChangedByAssociateIds: []int32{0},
	})
	shard := &headgatev1.Shard{Index: 1, Count: 2}
	p := compile(t, narrow, shard)
	for _, tc := range []struct {
		name       string
		keys       eventlog.Keys
		gap, erase bool
	}{
		{"its tenant and entity", eventlog.Keys{Source: "acme", Context: "Cust26759", Entity: "relation"}, true, true},
		{"its tenant, another entity", eventlog.Keys{Source: "acme", Context: "Cust26759", Entity: "sale"}, true, false},
		{"its tenant, no entity", eventlog.Keys{Source: "acme", Context: "Cust26759"}, true, true},
		{"all contexts of its source", eventlog.Keys{Source: "acme"}, true, true},
		{"all sources", eventlog.Keys{}, true, true},
		{"a context of all sources", eventlog.Keys{Context: "Cust1"}, true, true},
		{"another context", eventlog.Keys{Source: "acme", Context: "Cust1", Entity: "relation"}, false, false},
		{"another source", eventlog.Keys{Source: "globex", Context: "Cust26759", Entity: "relation"}, false, false},
		{"all contexts of another source", eventlog.Keys{Source: "globex"}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, part := range []uint64{0, 1} {
				tc.keys.Shard = part
				if got := p.Match(eventlog.KindGap, &tc.keys); got != tc.gap {
					t.Errorf("shard %d: gap: Match = %v, want %v", part, got, tc.gap)
				}
				if got := p.Match(eventlog.KindErased, &tc.keys); got != tc.erase {
					t.Errorf("shard %d: erased: Match = %v, want %v", part, got, tc.erase)
				}
			}
		})
	}
}

func TestWants(t *testing.T) {
	type F = headgatev1.Filter
	for _, tc := range []struct {
		name            string
		f               *F
		source, context string
		want            bool
	}{
		{"no filter", nil, "acme", "Cust1", true},
		{"another field", &F{Entities: []string{"relation"}}, "acme", "Cust1", true},
		{"source", &F{Sources: []string{"acme"}}, "acme", "Cust1", true},
		{"another source", &F{Sources: []string{"acme"}}, "globex", "Cust1", false},
		{"context", &F{Contexts: []string{"Cust1"}}, "acme", "Cust1", true},
		{"another context", &F{Contexts: []string{"Cust1"}}, "acme", "Cust2", false},
		{"all contexts", &F{Contexts: []string{"Cust1"}}, "acme", "", true},
		{"all contexts of another source", &F{Sources: []string{"acme"}, Contexts: []string{"Cust1"}}, "globex", "", false},
		{"all sources", &F{Sources: []string{"acme"}, Contexts: []string{"Cust1"}}, "", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := compile(t, tc.f, nil).Wants(tc.source, tc.context); got != tc.want {
				t.Errorf("Wants(%q, %q) = %v, want %v", tc.source, tc.context, got, tc.want)
			}
		})
	}
}

// A caller that goes on to use its request must not change a stream that runs.
func TestPredicateKeepsNothingOfTheRequest(t *testing.T) {
	f := tenant(&headgatev1.Filter{Entities: []string{"relation", "custom"}, PrimaryKeys: []int32{20}})
	shard := &headgatev1.Shard{Index: 1, Count: 2}
	p := compile(t, f, shard)
	f.Entities[0], f.Sources[0], f.PrimaryKeys[0], shard.Index = "sale", "globex", 1, 0
	p.Unknown()[0] = "overwritten"
	k := changedRelation()
	if !p.Match(eventlog.KindEvent, &k) {
		t.Error("the predicate changed with the request")
	}
	if got := p.Unknown()[0]; got != "custom" {
		t.Errorf("Unknown changed to %q", got)
	}
}
