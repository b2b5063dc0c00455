package superoffice

import (
	"maps"
	"slices"
	"testing"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// addedByHeadgate are the fields of typed messages that no key of the CRM sets.
var addedByHeadgate = []string{"source_entity", "destination_entity"}

// TestEveryEntityHasAMapper fails when an arm is added to the oneof of Event and not to payloads.
func TestEveryEntityHasAMapper(t *testing.T) {
	arms := (&headgatev1.Event{}).ProtoReflect().Descriptor().Oneofs().ByName("payload").Fields()
	for i := range arms.Len() {
		name := string(arms.Get(i).Name())
		body := `{"EventId":"1","ContextIdentifier":"c","Event":"` + name + `.changed"}`
		ev := mustTranslate(t, testSource(t), body)
		if !ev.ProtoReflect().Has(arms.Get(i)) {
			t.Errorf("an event of entity %q does not set the arm of that name", name)
		}
	}
	if got := len(payloads); got != arms.Len() {
		t.Errorf("payloads has %d rows, the oneof %d arms", got, arms.Len())
	}
}

// TestEveryFieldHasAKey fails when a field is added to a typed message and not to its table, and when a row sets another field than the
// one that its first key names.
func TestEveryFieldHasAKey(t *testing.T) {
	t.Run("relation", func(t *testing.T) { testEveryFieldHasAKey(t, &relation{}, relationFields) })
	t.Run("associate", func(t *testing.T) { testEveryFieldHasAKey(t, &associate{}, associateFields) })
}

func testEveryFieldHasAKey[M any](t *testing.T, message protoreflect.ProtoMessage, rows []field[M]) {
	var want []string
	descriptors := message.ProtoReflect().Descriptor().Fields()
	for i := range descriptors.Len() {
		if name := string(descriptors.Get(i).Name()); !slices.Contains(addedByHeadgate, name) {
			want = append(want, name)
		}
	}
	var got []string
	for _, row := range rows {
		got = append(got, row.keys[0])
		if set := fieldSetBy(t, row); set != row.keys[0] {
			t.Errorf("the row of %q sets the field %q", row.keys[0], set)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("keys %q, fields %q", got, want)
	}
}

// fieldSetBy returns the field that a row sets, given a value of the right type.
func fieldSetBy[M any](t *testing.T, row field[M]) string {
	t.Helper()
	for _, text := range []string{`1`, `true`, `"2025-05-14T16:00:00Z"`} {
		m := new(M)
		if !row.set(m, value{text: text}, time.UTC) {
			continue
		}
		var name string
		any(m).(proto.Message).ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			name = string(fd.Name())
			return true
		})
		return name
	}
	return ""
}

// TestKeysStayInFields holds the promise that a key once delivered in Event.fields goes on to be. These keys are in typed fields only, because
// they have been since the first release. Every other row needs stays: its key was delivered before it had a field.
func TestKeysStayInFields(t *testing.T) {
	first := map[string][]string{
		"relation": {
			"relation_id", "associate_id", "associateId", "reldef_id", "source_table", "source_record", "destination_table",
			"destination_record", "registered", "registered_associate_id", "updated", "updated_associate_id",
		},
		"associate": {
			"associate_id", "deleted", "group_idx", "person_id", "registered_associate_id", "type", "updated",
			"updated_associate_id", "waiting_for_approval",
		},
	}
	for entity, keys := range map[string][]string{"relation": typedOnly(relationFields), "associate": typedOnly(associateFields)} {
		for _, key := range keys {
			if !slices.Contains(first[entity], key) {
				t.Errorf("%s: the key %q needs stays: true", entity, key)
			}
		}
	}
}

func typedOnly[M any](rows []field[M]) (keys []string) {
	for _, row := range rows {
		if !row.stays {
			keys = append(keys, row.keys...)
		}
	}
	return keys
}

func TestStays(t *testing.T) {
	rows := slices.Clone(relationFields)
	for i := range rows {
		rows[i].stays = rows[i].keys[0] == "reldef_id"
	}
	b := readBody([]byte(relationBody(`{"reldef_id":7,"source_record":1}`)))
	defer b.free()
	m := &relation{}
	fill(m, rows, b, time.UTC)
	if m.GetReldefId() != 7 || m.GetSourceRecord() != 1 {
		t.Errorf("got %v, want both values", m)
	}
	if got := b.leftovers().AsMap(); !maps.Equal(got, map[string]any{"reldef_id": 7.0}) {
		t.Errorf("fields hold %v, want the key that stays", got)
	}
}

// TestFirstFittingValue: a value that does not fit makes room for one that does, in the other spelling or in Values, and stays in fields.
func TestFirstFittingValue(t *testing.T) {
	for _, test := range []struct {
		body   string
		want   int32
		fields map[string]any
	}{
		{`{"associate_id":1}`, 1, nil},
		{`{"associateId":1}`, 1, nil},
		{`{"associate_id":"x","associateId":2}`, 2, map[string]any{"associate_id": "x"}},
		{`{"associate_id":null,"associateId":2}`, 2, map[string]any{"associate_id": nil}},
		{`{"associateId":"x"},"Values":{"associate_id":3}`, 3, map[string]any{"associateId": "x"}},
		{`{"associate_id":"x"},"Values":{"associate_id":3}`, 3, map[string]any{"associate_id": "x"}},
		{`{"associate_id":1},"Values":{"associate_id":1}`, 1, map[string]any{"Values.associate_id": 1.0}},
		{`{"associate_id":1},"Values":{"associate_id":2},"associate_id":3`, 1, map[string]any{"Values.associate_id": 2.0, "Body.associate_id": 3.0}},
		{`null,"Values":{"associate_id":2},"associate_id":3`, 2, map[string]any{"Body.associate_id": 3.0}},
	} {
		ev := mustTranslate(t, testSource(t), relationBody(test.body))
		if got := ev.GetRelation().GetAssociateId(); got != test.want {
			t.Errorf("%s: got %d, want %d", test.body, got, test.want)
		}
		if got := ev.GetFields().AsMap(); !maps.Equal(got, test.fields) {
			t.Errorf("%s: fields hold %v, want %v", test.body, got, test.fields)
		}
	}
}
