package superoffice

import (
	"slices"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// payloads are the entities that have a typed message, each with what sets it on an event.
var payloads = map[string]func(*headgatev1.Event, *body, *Source){
	"relation":  setRelation,
	"associate": setAssociate,
}

// field is one field of the typed message M.
type field[M any] struct {
	// keys are the spellings under which the CRM sends it. The first one is the field's name in the proto.
	keys []string
	// set puts a value into the field. It reports false, and sets nothing, when the value is not of the field's type.
	set func(m *M, v value, loc *time.Location) bool
	// stays: the keys were delivered in Event.fields before the message had this field, and go on to be.
	stays bool
}

// fill puts values of the body into the fields of m. For each field the first value that fits is taken, FieldValues going before Values,
// and earlier spellings before later ones. All other values are left for Event.fields: second ones, those of another type, and null.
func fill[M any](m *M, fields []field[M], b *body, loc *time.Location) {
	for _, f := range fields {
		if !fillFrom(m, f, b.fieldValues, loc) {
			fillFrom(m, f, b.values, loc)
		}
	}
}

// fillFrom reports whether one of the members fits the field.
func fillFrom[M any](m *M, f field[M], members []member, loc *time.Location) bool {
	for _, key := range f.keys {
		i := slices.IndexFunc(members, func(m member) bool { return m.key == key })
		if i >= 0 && f.set(m, members[i].value, loc) {
			members[i].typed = !f.stays
			return true
		}
	}
	return false
}

// integerField, flagField and dateField make the setters of fields of these types; at finds the field in its message.

func integerField[M any](at func(*M) **int32) func(*M, value, *time.Location) bool {
	return func(m *M, v value, _ *time.Location) bool {
		n, ok := v.integer()
		if ok {
			*at(m) = &n
		}
		return ok
	}
}

func flagField[M any](at func(*M) **bool) func(*M, value, *time.Location) bool {
	return func(m *M, v value, _ *time.Location) bool {
		on, ok := v.flag()
		if ok {
			*at(m) = &on
		}
		return ok
	}
}

// A date that says never leaves its field unset, which says the same: it fits.
func dateField[M any](at func(*M) **timestamppb.Timestamp) func(*M, value, *time.Location) bool {
	return func(m *M, v value, loc *time.Location) bool {
		ts, ok := v.date(loc)
		if ok {
			*at(m) = ts
		}
		return ok
	}
}
