package superoffice

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// Subject is a record of the CRM whose data is looked for: a person, say, who wants it erased.
type Subject struct {
	Entity string
	ID     int32
	// Mentions counts not only what is of the record itself but also what names it:
	//   - a key that ends in the entity's name, or in that and id or ids: person_id, contact_person, changed_by_associate_id;
	//   - a pair like source_table and source_record, or source_entity and source_record.
	// Case, underscores and the prefixes of Event.fields do not matter, and a value can be a number, or a text or array that holds it: "[I:6]".
	Mentions bool
}

// Of says whether the event is of the subject.
func (s Subject) Of(ev *headgatev1.Event, src *Source) (bool, error) {
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(ev)
	if err != nil {
		return false, err
	}
	found, _ := s.OfBody(text, src)
	return found, nil
}

// OfBody says whether a body is of the subject, or one that gave no event: it is read as far as it goes, keys that stand twice included. whole is false when
// that is not to the end.
func (s Subject) OfBody(body []byte, src *Source) (found, whole bool) {
	l := &look{Subject: s, src: src, name: plain(strings.ReplaceAll(s.Entity, ".", ""))}
	l.dec = jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	err := l.value("", true)
	if err == nil {
		_, err = l.dec.ReadToken() // nothing may follow
	}
	return l.found || l.about && l.own, errors.Is(err, io.EOF)
}

// Contexts returns the tenants that a body names, in whatever spelling of the key.
func Contexts(body []byte) (contexts []string) {
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if start, err := dec.ReadToken(); err != nil || start.Kind() != '{' {
		return nil
	}
	for {
		key, err := dec.ReadToken()
		if err != nil || key.Kind() != '"' {
			return contexts
		}
		named := strings.EqualFold(key.String(), envelopeKeys[keyContext])
		v, err := dec.ReadValue()
		if err != nil {
			return contexts
		}
		if name, ok := (value{text: string(v)}).str(); ok && named {
			contexts = append(contexts, name)
		}
	}
}

// look is one search through one text.
type look struct {
	Subject
	src  *Source
	dec  *jsontext.Decoder
	name string // the entity as keys have it

	found bool
	about bool // the body is of a record of the entity
	own   bool // the record's own id is the subject's
}

// property is a key of an object with its value, which is a number or a text.
type property struct{ key, text string }

// plain is a key without what can differ: the prefixes of Event.fields, case, and what stands between words.
func plain(key string) string {
	key = key[strings.LastIndexByte(key, '.')+1:]
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' {
			return -1
		}
		return unicode.ToLower(r)
	}, key)
}

// value reads what stands under the key.
func (l *look) value(key string, top bool) error {
	switch l.dec.PeekKind() {
	case '{':
		return l.object(top)
	case '[':
		if _, err := l.dec.ReadToken(); err != nil {
			return err
		}
		for l.dec.PeekKind() != ']' {
			if err := l.value(key, false); err != nil {
				return err
			}
		}
		_, err := l.dec.ReadToken()
		return err
	}
	raw, err := l.dec.ReadValue()
	if err == nil {
		l.see(property{key, string(raw)})
	}
	return err
}

func (l *look) object(top bool) error {
	var all []property
	defer func() { // an object that ends early counts as far as it goes
		for _, p := range all {
			l.pair(p, all, top)
		}
	}()
	if _, err := l.dec.ReadToken(); err != nil {
		return err
	}
	for l.dec.PeekKind() != '}' {
		name, err := l.dec.ReadToken()
		if err != nil {
			return err
		}
		key := plain(name.String())
		switch l.dec.PeekKind() {
		case '{', '[':
			if err := l.value(key, false); err != nil {
				return err
			}
			continue
		}
		raw, err := l.dec.ReadValue()
		if err != nil {
			return err
		}
		p := property{key, string(raw)}
		all = append(all, p)
		l.see(p)
	}
	_, err := l.dec.ReadToken()
	return err
}

// see looks at a key by itself.
func (l *look) see(p property) {
	id := strings.TrimSuffix(p.key, "s")
	id = strings.TrimSuffix(id, "id")
	if !strings.HasSuffix(id, l.name) || !holds(p.text, l.ID) {
		return
	}
	l.own = l.own || id == l.name && p.key != l.name
	l.found = l.found || l.Mentions
}

// pair looks at a key beside the others of its object: one that names an entity, and one that names a record of it.
func (l *look) pair(p property, all []property, top bool) {
	var records []string
	switch text, _ := (value{text: p.text}).str(); {
	case top && p.key == "entity" && strings.EqualFold(text, l.Entity), top && (p.key == "event" || p.key == "eventtype") && l.begins(text):
		l.about = true
		records = []string{"primarykey"}
	case !l.Mentions:
		return
	case strings.HasSuffix(p.key, "entity") && strings.EqualFold(text, l.Entity):
		stem := strings.TrimSuffix(p.key, "entity")
		records = []string{stem + "record", stem + "recordid", stem + "id"}
	case strings.HasSuffix(p.key, "table") && l.isTable(p.text):
		stem := strings.TrimSuffix(p.key, "table")
		records = []string{stem + "record", stem + "recordid", stem + "id"}
	}
	for _, other := range all {
		if slices.Contains(records, other.key) && holds(other.text, l.ID) {
			l.found = true
		}
	}
}

// begins says whether the event type is one of the entity.
func (l *look) begins(eventType string) bool {
	dot := strings.LastIndexByte(eventType, '.')
	return dot > 0 && strings.EqualFold(eventType[:dot], l.Entity)
}

// isTable says whether the value is the number or the name of the entity's table.
func (l *look) isTable(text string) bool {
	v := value{text: text}
	if name, ok := v.str(); ok && strings.EqualFold(name, l.Entity) {
		return true
	}
	number, ok := v.integer()
	if !ok {
		return false
	}
	entity := l.src.entityOf(&number)
	return entity != nil && strings.EqualFold(*entity, l.Entity)
}

// holds says whether the value is the number, or a text in which it stands by itself.
func holds(text string, id int32) bool {
	want := strconv.Itoa(int(id))
	s, ok := (value{text: text}).str()
	if !ok {
		f, err := strconv.ParseFloat(text, 64)
		return err == nil && f == float64(id)
	}
	numbers := strings.FieldsFunc(s, func(r rune) bool { return r != '-' && (r < '0' || r > '9') })
	return slices.Contains(numbers, want)
}
