package superoffice

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// The keys of the envelope, by their index in envelopeKeys. keyCount stands for any other key.
const (
	keyEventID = iota
	keyTimestamp
	keyChanges
	keyEvent
	keyPrimaryKey
	keyEntity
	keyContext
	keyChangedBy
	keyWebhookName
	keyFieldValues
	keyValues
	keyCount
)

var envelopeKeys = [keyCount]string{
	keyEventID:     "EventId",
	keyTimestamp:   "Timestamp",
	keyChanges:     "Changes",
	keyEvent:       "Event",
	keyPrimaryKey:  "PrimaryKey",
	keyEntity:      "Entity",
	keyContext:     "ContextIdentifier",
	keyChangedBy:   "ChangedByAssociateId",
	keyWebhookName: "WebhookName",
	keyFieldValues: "FieldValues",
	keyValues:      "Values",
}

// maxName is how many bytes the names that events are selected by may have.
const maxName = 256

// envelopeKey finds a top-level key, keyCount when it is not the envelope's.
func envelopeKey(name string) int {
	for i, key := range envelopeKeys {
		if name == key {
			return i
		}
	}
	return keyCount
}

// caseVariant finds the key of the envelope that some lenient decoder would take name for, keyCount when there is none.
func caseVariant(name string) int {
	for i, key := range envelopeKeys {
		if strings.EqualFold(name, key) {
			return i
		}
	}
	return keyCount
}

// event makes the event of a body. It notes the rules that the envelope breaks; the event means nothing then.
func (b *body) event(src *Source) *headgatev1.Event {
	ev := &headgatev1.Event{
		EventId:              b.name(keyEventID),
		EventType:            b.name(keyEvent),
		Context:              b.name(keyContext),
		Source:               src.Name,
		PrimaryKey:           b.integer(keyPrimaryKey),
		ChangedByAssociateId: b.integer(keyChangedBy),
		WebhookName:          b.webhookName(),
		ChangedFields:        b.changes,
	}
	ev.Entity = ev.EventType
	if dot := strings.LastIndexByte(ev.EventType, '.'); dot >= 0 {
		ev.Entity, ev.Action = ev.EventType[:dot], ev.EventType[dot+1:]
	}
	if v := b.known[keyEntity]; !v.isNull() && v.text != `""` {
		ev.Entity = b.name(keyEntity)
	} else if ev.Entity == "" {
		b.expected(keyEntity, "a string, as Event has nothing before its last dot", v.found())
	}
	if b.problem != "" {
		return nil
	}
	b.setOccurredAt(ev)
	if payload, ok := payloads[ev.Entity]; ok {
		payload(ev, b, src)
	}
	ev.Fields = b.leftovers()
	return ev
}

// setOccurredAt reads Timestamp. The CRM documents it as UTC, so that is what it is without a zone too. One that cannot be read is kept
// like a key that nobody knows.
func (b *body) setOccurredAt(ev *headgatev1.Event) {
	v := b.known[keyTimestamp]
	if v.isNull() {
		return
	}
	at, ok := v.date(time.UTC)
	if !ok {
		b.extra = append(b.extra, member{key: envelopeKeys[keyTimestamp], value: v})
		return
	}
	ev.OccurredAt = at
}

// name reads one of the strings that events are selected by.
func (b *body) name(key int) string {
	name, problem := readName(b.known[key])
	if problem != "" {
		b.expected(key, fmt.Sprintf("a string of 1 to %d bytes without control characters", maxName), problem)
	}
	return name
}

// readName returns the name, or else what was found in its place.
func readName(v value) (name, problem string) {
	name, ok := v.str()
	switch {
	case !ok:
		return "", v.found()
	case name == "":
		return "", "an empty one"
	case len(name) > maxName:
		return "", "a longer one"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", "one with control characters"
	}
	return name, ""
}

// integer reads an optional number, which may come as a string.
func (b *body) integer(key int) *int32 {
	v := b.known[key]
	if v.isNull() {
		return nil
	}
	n, ok := v.integer()
	if !ok {
		b.expected(key, "an integer of 32 bits", v.found())
	}
	return &n
}

func (b *body) webhookName() *string {
	v := b.known[keyWebhookName]
	if v.isNull() {
		return nil
	}
	name, ok := v.str()
	if !ok {
		b.expected(keyWebhookName, "a string", v.found())
	}
	return &name
}

// claim returns a name of the envelope for the error about a body, empty unless there is exactly one claim to it.
func (b *body) claim(key int) string {
	if b.disputed[key] {
		return ""
	}
	name, _ := readName(b.known[key])
	return name
}

// expected notes a key of the envelope that is not what it must be.
func (b *body) expected(key int, want, found string) {
	b.note(envelopeKeys[key] + ": expected " + want + ", found " + found)
}
