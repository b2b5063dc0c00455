// Package superoffice translates the body of a SuperOffice webhook into an event. It is pure: it reads no clock, no file and no
// network, so the same body over the same source always gives the same event.
//
// A body goes through four steps, a file each: it is read once, strictly (body.go); its envelope becomes the event (envelope.go);
// its values go into the typed message of the entity (payload.go, and a file per entity); whatever is left goes into Event.fields
// (fields.go). What a single value may look like is in value.go and date.go.
//
// To add a field to a typed message: the field in the proto, a row in the table of its entity's file, a golden file. To add an
// entity: a message and an arm of the oneof in the proto, a file like relation.go, a row in payloads, a golden file. A key that
// was delivered in Event.fields before stays there: its row says so with stays.
package superoffice

import (
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// Source is what the translator must know of the webhook endpoint a body came over. Translate only reads it.
type Source struct {
	// Name becomes Event.source.
	Name string
	// Location is that of dates that come without a zone: the tenant's own. Nil means UTC.
	Location *time.Location
	// Tables names the entities of the CRM's table numbers. It goes before the CRM's own numbers.
	Tables map[int32]string
}

// RuleError says which rule a body breaks.
type RuleError struct {
	// Problem names the key and what was expected of it. It never repeats a value.
	Problem string
	// Context and EventType are what the body claims, as far as it could be read. Each is empty when it was not read, breaks the
	// rules itself, or is claimed twice.
	Context, EventType string
}

func (e *RuleError) Error() string { return "the body breaks the rules: " + e.Problem }

// Translate turns a request body into an event without cursor and received_at, which are known once the event is stored. A body
// that breaks the rules gives a *RuleError; there is no other error. It neither keeps nor changes the body, and may be called
// concurrently. The event's strings share one copy of the body, which lives as long as any of them.
//
// These break the rules: JSON that is not strict (a key that stands twice in an object, at any level; bad UTF-8; data after the
// object), more than 16 levels of nesting, the body itself counted, a top-level key that differs from a known one only in case, and
// a known one of the wrong type. The event "test" is translated like any other.
func Translate(src *Source, body []byte) (*headgatev1.Event, error) {
	b := readBody(body)
	defer b.free()
	ev := b.event(src)
	if b.problem != "" {
		return nil, &RuleError{Problem: b.problem, Context: b.claim(keyContext), EventType: b.claim(keyEvent)}
	}
	return ev, nil
}

// defaultTables are the CRM's own table numbers, as far as relations are known to use them.
var defaultTables = map[int32]string{
	5:  "contact",
	6:  "person",
	9:  "appointment",
	10: "document",
	11: "project",
	13: "sale",
}

// entityOf names the entity of a table number, nil when it has none.
func (s *Source) entityOf(table *int32) *string {
	if table == nil {
		return nil
	}
	name, ok := s.Tables[*table]
	if !ok {
		name, ok = defaultTables[*table]
	}
	if !ok {
		return nil
	}
	return &name
}
