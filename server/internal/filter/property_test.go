package filter_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/filter"
)

// record is what the reference looks at: an event as the contract describes it.
type record struct {
	kind    eventlog.Kind
	keys    eventlog.Keys
	changed []string
}

// matches is the contract read sentence by sentence, without a thought of speed.
func matches(f *headgatev1.Filter, s *headgatev1.Shard, r record) bool {
	k := r.keys
	oneOf := func(values []string, v string) bool { return len(values) == 0 || slices.Contains(values, v) }
	if r.kind != eventlog.KindEvent {
		tenant := k.Source == "" || oneOf(f.GetSources(), k.Source) && (k.Context == "" || oneOf(f.GetContexts(), k.Context))
		return tenant && (r.kind == eventlog.KindGap || k.Entity == "" || oneOf(f.GetEntities(), k.Entity))
	}
	if s != nil && k.Shard%uint64(s.Count) != uint64(s.Index) {
		return false
	}
	if !oneOf(f.GetEntities(), k.Entity) || !oneOf(f.GetEventTypes(), k.EventType) || !oneOf(f.GetActions(), k.Action) ||
		!oneOf(f.GetContexts(), k.Context) || !oneOf(f.GetSources(), k.Source) {
		return false
	}
	if len(f.GetPrimaryKeys()) > 0 && (!k.HasPrimaryKey || !slices.Contains(f.GetPrimaryKeys(), k.PrimaryKey)) {
		return false
	}
	if k.HasChangedBy && slices.Contains(f.GetExcludeChangedByAssociateIds(), k.ChangedBy) {
		return false
	}
	if len(f.GetChangedFields()) == 0 || k.Action != "changed" {
		return true
	}
	same := func(a, b string) bool {
		alias := func(c string) bool { return c == "associate_id" || c == "associateId" }
		return a == b || alias(a) && alias(b)
	}
	for _, want := range f.GetChangedFields() {
		for _, got := range r.changed {
			if same(want, got) {
				return true
			}
		}
	}
	return false
}

// The names are few, so that most filters match something.
var (
	sourceNames  = []string{"acme", "globex", "initech"}
	contextNames = []string{"Cust1", "Cust2", "Default"}
	someEntities = []string{"relation", "associate", "y_order", "invoice"}
	someActions  = []string{"created", "changed", "deleted"}
	someColumns  = []string{"associate_id", "associateId", "reldef_id", "reldef", "group_idx"}
)

// some draws a field's values: mostly few or none, sometimes so many that they are kept in a map.
func some(t *rapid.T, name string, from []string) []string {
	v := rapid.SliceOfN(rapid.SampledFrom(from), 0, 4).Draw(t, name)
	if len(v) > 0 && rapid.IntRange(0, 3).Draw(t, name+" many") == 0 {
		v = append(v, texts(20)...)
	}
	return v
}

func someNumbers(t *rapid.T, name string) []int32 {
	v := rapid.SliceOfN(rapid.Int32Range(0, 4), 0, 3).Draw(t, name)
	if len(v) > 0 && rapid.Bool().Draw(t, name+" many") {
		v = append(v, numbers(30)[10:]...)
	}
	return v
}

func drawFilter(t *rapid.T) *headgatev1.Filter {
	f := &headgatev1.Filter{
		Entities: some(t, "entities", someEntities),
		Actions:  some(t, "actions", someActions),
		Contexts: some(t, "contexts", contextNames),
		Sources:  some(t, "sources", sourceNames),
	}
	if rapid.Bool().Draw(t, "with event types") {
		var types []string
		for _, e := range someEntities {
			types = append(types, e+".created", e+".changed")
		}
		f.EventTypes = some(t, "event types", types)
	}
	if rapid.Bool().Draw(t, "with changed fields") {
		f.ChangedFields = some(t, "changed fields", someColumns)
	}
	if rapid.Bool().Draw(t, "of one tenant") {
		f.Sources, f.Contexts = sourceNames[:1], contextNames[:1]
		f.PrimaryKeys = someNumbers(t, "primary keys")
		f.ExcludeChangedByAssociateIds = someNumbers(t, "exclude")
	}
	return f
}

func drawRecord(t *rapid.T) record {
	r := record{kind: rapid.SampledFrom([]eventlog.Kind{eventlog.KindEvent, eventlog.KindGap, eventlog.KindErased}).Draw(t, "kind")}
	orNone := func(v []string) []string {
		if r.kind == eventlog.KindEvent {
			return v
		}
		return append([]string{""}, v...)
	}
	r.keys.Source = rapid.SampledFrom(orNone(sourceNames)).Draw(t, "source")
	r.keys.Context = rapid.SampledFrom(orNone(contextNames)).Draw(t, "context")
	r.keys.Entity = rapid.SampledFrom(orNone(someEntities)).Draw(t, "entity")
	if r.kind != eventlog.KindEvent {
		return r
	}
	r.keys.Action = rapid.SampledFrom(someActions).Draw(t, "action")
	r.keys.EventType = r.keys.Entity + "." + r.keys.Action
	r.keys.Shard = rapid.Uint64().Draw(t, "hash")
	if r.keys.HasPrimaryKey = rapid.Bool().Draw(t, "has primary key"); r.keys.HasPrimaryKey {
		r.keys.PrimaryKey = rapid.Int32Range(0, 4).Draw(t, "primary key")
	}
	if r.keys.HasChangedBy = rapid.Bool().Draw(t, "has changed by"); r.keys.HasChangedBy {
		r.keys.ChangedBy = rapid.Int32Range(0, 4).Draw(t, "changed by")
	}
	r.changed = rapid.SliceOfN(rapid.SampledFrom(someColumns), 0, 3).Draw(t, "changed")
	r.keys.Changed = eventlog.JoinChanged(r.changed)
	return r
}

func TestMatchIsTheContract(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFilter(t)
		var s *headgatev1.Shard
		if rapid.Bool().Draw(t, "sharded") {
			s = &headgatev1.Shard{Count: rapid.Uint32Range(1, 3).Draw(t, "count")}
			s.Index = rapid.Uint32Range(0, s.Count-1).Draw(t, "index")
		}
		p, err := filter.Compile(f, s)
		if err != nil {
			t.Fatalf("Compile: %v", err)
		}
		for range 8 {
			r := drawRecord(t)
			got := p.Match(r.kind, &r.keys)
			if want := matches(f, s, r); got != want {
				t.Fatalf("Match(%d, %+v) = %v, want %v", r.kind, r.keys, got, want)
			}
			if got && !p.Wants(r.keys.Source, r.keys.Context) {
				t.Fatalf("Match takes %+v, Wants does not", r.keys)
			}
			if k := r.keys; got && k.Source != "" && k.Context != "" && !slices.ContainsFunc(p.Tenants(), func(t eventlog.Tenant) bool {
				return (t.Source == "" || t.Source == k.Source) && (t.Context == "" || t.Context == k.Context)
			}) {
				t.Fatalf("Match takes %+v, which is of none of %v", r.keys, p.Tenants())
			}
		}
	})
}

// TestTenantsAreFew: a long filter does not cost its square.
func TestTenantsAreFew(t *testing.T) {
	for _, c := range []struct{ sources, contexts, want int }{{0, 0, 1}, {1, 0, 1}, {2, 3, 6}, {8, 8, 64}, {9, 8, 8}, {1, 64, 64}, {1, 65, 1}, {65, 0, 1}, {900, 900, 1}} {
		p, err := filter.Compile(&headgatev1.Filter{Sources: texts(c.sources), Contexts: texts(c.contexts)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(p.Tenants()); got != c.want {
			t.Errorf("%d sources and %d contexts: %d tenants, want %d", c.sources, c.contexts, got, c.want)
		}
	}
}

// FuzzCompile feeds a filter as it comes from the wire, and the same text as values of every field.
func FuzzCompile(f *testing.F) {
	for _, seed := range []*headgatev1.Filter{{}, fullFilter(1), fullFilter(12), entities("relatoin"), eventTypes("relation.create", "..")} {
		b, err := proto.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "relation,Y_order.create,\xff", uint32(1), uint32(2))
	}
	f.Add([]byte{0xff}, "list.,webhook,y_,.,\x00,K,İ.created", uint32(0), uint32(0))
	f.Fuzz(func(t *testing.T, wire []byte, text string, index, count uint32) {
		fromWire := &headgatev1.Filter{}
		if proto.Unmarshal(wire, fromWire) != nil {
			fromWire = nil
		}
		v := strings.Split(text, ",")
		s := &headgatev1.Shard{Index: index, Count: count}
		for _, in := range []*headgatev1.Filter{
			fromWire, entities(v...), eventTypes(v...), actions(v...), {Contexts: v, Sources: v, ChangedFields: v, PrimaryKeys: []int32{1}},
		} {
			p, err := filter.Compile(in, s)
			again, errAgain := filter.Compile(proto.CloneOf(in), s)
			if err != nil {
				if errAgain == nil || err.Error() != errAgain.Error() {
					t.Fatalf("refused with %v, then with %v", err, errAgain)
				}
				continue
			}
			if errAgain != nil || !slices.Equal(p.Unknown(), again.Unknown()) {
				t.Fatalf("accepted with %q, then %q, %v", p.Unknown(), again.Unknown(), errAgain)
			}
			k := eventlog.Keys{
				Source: v[0], Context: v[0], Entity: v[0], EventType: v[0], Action: v[0], Changed: eventlog.JoinChanged(v), Shard: uint64(index),
			}
			for _, kind := range []eventlog.Kind{eventlog.KindEvent, eventlog.KindGap, eventlog.KindErased, 99} {
				got := p.Match(kind, &k)
				if got != again.Match(kind, &k) {
					t.Fatalf("the same filter decides differently on %+v", k)
				}
				if got && !p.Wants(k.Source, k.Context) {
					t.Fatalf("Match takes %+v, Wants does not", k)
				}
			}
		}
	})
}
