package superoffice

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"
	"pgregory.net/rapid"
)

func FuzzTranslate(f *testing.F) {
	samples, err := filepath.Glob("testdata/samples/*.json")
	if err != nil || len(samples) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	for _, sample := range samples {
		f.Add(readFile(f, sample))
	}
	f.Add([]byte(`{"EventId":"1","Event":"a.b","ContextIdentifier":"c","eventid":"2"}`))
	f.Add([]byte(`{"EventId":"1","Event":"associate.x","ContextIdentifier":"c","Values":{"a":` + deep(15) + `}}`))
	f.Add([]byte(`{"Values":{"x":[1,{"y":"\ud83d\ude00"}]},"FieldValues":{"x":1,"Values.x":2},"x":-1e-7,"Body.x":null,"Event":"e","EventId":"1","ContextIdentifier":"c"}`))
	src := testSource(f)
	f.Fuzz(func(t *testing.T, request []byte) {
		before := bytes.Clone(request)
		ev, err := Translate(src, request)
		if !bytes.Equal(request, before) {
			t.Fatal("the request body was changed")
		}
		if err != nil {
			checkRuleError(t, ev, err)
			return
		}
		checkRequired(t, src, ev)
		checkNothingLost(t, ev, request)
		checkDeterministic(t, src, ev, request)
	})
}

func checkRuleError(t *testing.T, ev *headgatev1.Event, err error) {
	var rule *RuleError
	if !errors.As(err, &rule) || rule.Problem == "" || ev != nil {
		t.Fatalf("got %v, %v, want a RuleError with a problem", ev, err)
	}
	if strings.ContainsFunc(rule.Problem+rule.Context+rule.EventType, unicode.IsControl) {
		t.Fatalf("%#v has control characters", rule)
	}
}

func checkRequired(t *testing.T, src *Source, ev *headgatev1.Event) {
	for _, name := range []string{ev.EventId, ev.Entity, ev.EventType, ev.Context} {
		if name == "" || len(name) > maxName {
			t.Fatalf("a name that must be set has %d bytes: %v", len(name), ev)
		}
	}
	if ev.Source != src.Name || ev.Cursor != "" || ev.ReceivedAt != nil {
		t.Fatalf("source, cursor or received_at is not as it should be: %v", ev)
	}
	if (ev.GetRelation() != nil) != (ev.Entity == "relation") || (ev.GetAssociate() != nil) != (ev.Entity == "associate") {
		t.Fatalf("the typed message is not that of the entity: %v", ev)
	}
}

// checkNothingLost counts keys with another decoder: each one outside the envelope is in a typed field or in fields, once. A date field that
// is unset can have taken a key that says never.
func checkNothingLost(t *testing.T, ev *headgatev1.Event, request []byte) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(request, &top); err != nil {
		t.Fatalf("accepted what encoding/json refuses: %v", err)
	}
	sent, unsetDates := 0, 0
	for key, raw := range top {
		switch envelopeKey(key) {
		case keyCount:
			sent++
		case keyFieldValues, keyValues:
			var part map[string]json.RawMessage
			if err := json.Unmarshal(raw, &part); err != nil {
				t.Fatal(err)
			}
			sent += len(part)
		case keyTimestamp:
			if ev.OccurredAt == nil && string(raw) != "null" {
				sent++
				unsetDates++
			}
		}
	}
	typed := 0
	if m := ev.ProtoReflect(); m.WhichOneof(m.Descriptor().Oneofs().ByName("payload")) != nil {
		payload := m.Get(m.WhichOneof(m.Descriptor().Oneofs().ByName("payload"))).Message()
		fields := payload.Descriptor().Fields()
		for i := range fields.Len() {
			switch fd := fields.Get(i); {
			case slices.Contains(addedByHeadgate, string(fd.Name())):
			case payload.Has(fd):
				typed++
			case fd.Kind() == protoreflect.MessageKind:
				unsetDates++
			}
		}
	}
	kept := typed + len(ev.GetFields().GetFields())
	if sent < kept || sent > kept+unsetDates {
		t.Fatalf("%d keys sent, %d typed, %d in fields, %d dates unset: %v", sent, typed, kept-typed, unsetDates, ev)
	}
}

func checkDeterministic(t *testing.T, src *Source, ev *headgatev1.Event, request []byte) {
	again, err := Translate(src, request)
	if err != nil || !proto.Equal(ev, again) {
		t.Fatalf("a second translation gives %v, %v, the first gave %v", again, err, ev)
	}
	wire, err := proto.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	var decoded headgatev1.Event
	if err := proto.Unmarshal(wire, &decoded); err != nil || !proto.Equal(ev, &decoded) {
		t.Fatalf("%v decodes to %v, %v", ev, &decoded, err)
	}
}

// TestNothingLost: each value that no typed field holds is in fields, however the keys of the parts collide.
func TestNothingLost(t *testing.T) {
	key := rapid.SampledFrom([]string{
		"a", "associate_id", "Values.a", "Body.a", "Values.Values.a", "Body.Body.a", "FieldValues.a", "Body.Values.a", "Values.Body.a", "",
	})
	keys := rapid.SliceOfDistinct(key, rapid.ID[string])
	rapid.Check(t, func(t *rapid.T) {
		var want []string
		part := func(name string) map[string]any {
			members := map[string]any{}
			for _, k := range keys.Draw(t, name) {
				members[k] = name + ":" + k
				want = append(want, name+":"+k)
			}
			return members
		}
		request := part("top")
		request["FieldValues"], request["Values"] = part("FieldValues"), part("Values")
		request["EventId"], request["Event"], request["ContextIdentifier"] = "1", "relation.changed", "c"
		body, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		ev, err := Translate(&Source{Name: "acme"}, body)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for name, v := range ev.GetFields().GetFields() {
			got = append(got, v.GetStringValue())
			if part, k, _ := strings.Cut(v.GetStringValue(), ":"); !strings.HasSuffix(name, k) || part == "FieldValues" && name != k {
				t.Fatalf("the value of %s in %s is named %q", k, part, name)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("fields hold %q, want %q", got, want)
		}
	})
}

// TestTreesAreKept: objects and arrays of any content come out of fields as they went in.
func TestTreesAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := map[string]any{"x": drawTree(t, 4)}
		body, err := json.Marshal(map[string]any{"EventId": "1", "Event": "sale.sold", "ContextIdentifier": "c", "FieldValues": tree})
		if err != nil {
			t.Fatal(err)
		}
		ev, err := Translate(&Source{Name: "acme"}, body)
		if err != nil {
			t.Fatal(err)
		}
		want, err := structpb.NewStruct(tree)
		if err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(ev.Fields, want) {
			t.Fatalf("got %v, want %v", ev.Fields, want)
		}
	})
}

func drawTree(t *rapid.T, levels int) any {
	kinds := 4
	if levels > 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "boolean")
	case 2:
		return float64(rapid.Int32().Draw(t, "number")) / 8
	case 3:
		return rapid.String().Draw(t, "string")
	case 4:
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			list[i] = drawTree(t, levels-1)
		}
		return list
	default:
		object := map[string]any{}
		for _, key := range rapid.SliceOfNDistinct(rapid.String(), 0, 3, rapid.ID[string]).Draw(t, "keys") {
			object[key] = drawTree(t, levels-1)
		}
		return object
	}
}

func BenchmarkTranslate(b *testing.B) {
	src := testSource(b)
	request := readFile(b, "testdata/samples/relation.created.json")
	b.ReportAllocs()
	b.SetBytes(int64(len(request)))
	for b.Loop() {
		if _, err := Translate(src, request); err != nil {
			b.Fatal(err)
		}
	}
}

// TestConcurrently translates over one source from many goroutines, for the race detector.
func TestConcurrently(t *testing.T) {
	src := testSource(t)
	request := readFile(t, "testdata/samples/relation.created.json")
	want := mustTranslate(t, src, string(request))
	results := make(chan *headgatev1.Event)
	for range 8 {
		go func() {
			ev, _ := Translate(src, request)
			results <- ev
		}()
	}
	for range 8 {
		if got := <-results; !proto.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if !maps.Equal(src.Tables, testSource(t).Tables) {
		t.Error("the source was changed")
	}
}
