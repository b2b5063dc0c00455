package superoffice

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/types/known/structpb"
)

// maxDepth is how deep objects and arrays may be nested, the body itself counted. Every level costs up to three levels of protobuf
// messages, of which some languages' clients read no more than a hundred.
const maxDepth = 16

// body is a request body that was read and not yet translated. Its strings share one copy of the request's bytes.
type body struct {
	known       [keyCount]value // by index of envelopeKeys; the next three stand on their own
	changes     []string
	fieldValues []member
	values      []member
	extra       []member // top-level keys that are not the envelope's

	// problem is the first rule that the body breaks. Reading goes on after it where it can, for the sake of Context and EventType.
	problem string
	// disputed marks keys of the envelope that stand twice, counting spellings that differ in case.
	disputed [keyCount]bool

	text string
	in   bytes.Buffer
	dec  *jsontext.Decoder
}

// member is one key of an object with its value.
type member struct {
	key   string
	value value
	// typed says that a field of the typed message holds the value.
	typed bool
}

// bodies are reused: most of what one takes is its decoder's bookkeeping of the names of an object.
var bodies = sync.Pool{New: func() any { return &body{dec: new(jsontext.Decoder)} }}

// readBody reads a request body in one pass. What it could read before a problem is there beside it. The body must be given back with free.
func readBody(request []byte) *body {
	b := bodies.Get().(*body)
	b.text = string(request)
	b.in = *bytes.NewBuffer(request)
	b.dec.Reset(&b.in)
	if err := b.readTop(); err != nil {
		b.syntaxProblem(err)
	}
	return b
}

// free gives a body back that is no longer needed. Nothing of the request stays in it.
func (b *body) free() {
	clear(b.fieldValues)
	clear(b.values)
	clear(b.extra)
	*b = body{fieldValues: b.fieldValues[:0], values: b.values[:0], extra: b.extra[:0], dec: b.dec}
	b.dec.Reset(&b.in)
	bodies.Put(b)
}

func (b *body) readTop() error {
	if kind := b.dec.PeekKind(); kind != '{' && kind != jsontext.KindInvalid {
		b.note("the body must be a JSON object")
		return nil
	}
	if err := b.object(b.readEnvelopeKey); err != nil {
		return err
	}
	if _, err := b.dec.ReadToken(); err != io.EOF {
		b.note("there is data after the JSON object")
	}
	return nil
}

// readEnvelopeKey reads the value of one top-level key.
func (b *body) readEnvelopeKey(name string) (err error) {
	key := envelopeKey(name)
	switch key {
	case keyCount:
		if key := caseVariant(name); key != keyCount {
			b.disputed[key] = true
			b.note("a key differs from " + envelopeKeys[key] + " only in case")
		}
		var v value
		v, err = b.value()
		b.extra = append(b.extra, member{key: name, value: v})
	case keyChanges:
		b.changes, err = b.readChanges()
	case keyFieldValues:
		b.fieldValues, err = b.readMembers(key, b.fieldValues)
	case keyValues:
		b.values, err = b.readMembers(key, b.values)
	default:
		b.known[key], err = b.value()
	}
	return err
}

// readChanges reads an array of strings, or null.
func (b *body) readChanges() ([]string, error) {
	if b.dec.PeekKind() != '[' {
		v, err := b.value()
		if !v.isNull() {
			b.expected(keyChanges, "an array of strings", v.found())
		}
		return nil, err
	}
	names := make([]string, 0, 24)
	err := b.array(func() error {
		v, err := b.value()
		if err != nil {
			return err
		}
		name, ok := v.str()
		if !ok {
			b.expected(keyChanges, "an array of strings", v.found()+" in it")
		}
		names = append(names, name)
		return nil
	})
	return names, err
}

// readMembers reads an object, or null, and appends its members.
func (b *body) readMembers(key int, members []member) ([]member, error) {
	if b.dec.PeekKind() != '{' {
		v, err := b.value()
		if !v.isNull() {
			b.expected(key, "an object", v.found())
		}
		return members, err
	}
	err := b.object(func(name string) error {
		v, err := b.value()
		members = append(members, member{key: name, value: v})
		return err
	})
	return members, err
}

// value reads any value.
func (b *body) value() (value, error) {
	kind := b.dec.PeekKind()
	if kind != '{' && kind != '[' {
		return b.scalar()
	}
	if b.dec.StackDepth() >= maxDepth {
		where, _ := place(b.dec.StackPointer())
		b.note(fmt.Sprintf("objects and arrays are nested more than %d deep in %s", maxDepth, where))
		return value{}, b.dec.SkipValue()
	}
	if kind == '{' {
		fields := map[string]*structpb.Value{}
		err := b.object(func(name string) error {
			v, err := b.value()
			fields[name] = v.proto()
			return err
		})
		return value{tree: structpb.NewStructValue(&structpb.Struct{Fields: fields})}, err
	}
	list := &structpb.ListValue{}
	err := b.array(func() error {
		v, err := b.value()
		list.Values = append(list.Values, v.proto())
		return err
	})
	return value{tree: structpb.NewListValue(list)}, err
}

// scalar reads a value that is neither object nor array, or the name of a member.
func (b *body) scalar() (value, error) {
	raw, err := b.dec.ReadValue()
	if err != nil {
		return value{}, err
	}
	end := int(b.dec.InputOffset())
	return value{text: b.text[end-len(raw) : end]}, nil
}

// object reads an object and calls member after each name; member reads its value.
func (b *body) object(member func(name string) error) error {
	if _, err := b.dec.ReadToken(); err != nil {
		return err
	}
	for b.dec.PeekKind() != '}' {
		v, err := b.scalar()
		if err != nil {
			return err
		}
		name, _ := v.str()
		if err := member(name); err != nil {
			return err
		}
	}
	_, err := b.dec.ReadToken()
	return err
}

// array reads an array and calls element to read each of its values.
func (b *body) array(element func() error) error {
	if _, err := b.dec.ReadToken(); err != nil {
		return err
	}
	for b.dec.PeekKind() != ']' {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := b.dec.ReadToken()
	return err
}

// note records a broken rule. Only the first one counts.
func (b *body) note(problem string) {
	if b.problem == "" {
		b.problem = problem
	}
}

// syntaxProblem notes why the body could not be read to its end. The decoder's own text is not used: it can quote the body.
func (b *body) syntaxProblem(err error) {
	var syntax *jsontext.SyntacticError
	switch {
	case !errors.As(err, &syntax):
		b.note("the body is empty, expected a JSON object")
	case errors.Is(err, jsontext.ErrDuplicateName):
		where, deeper := place(syntax.JSONPointer)
		if deeper {
			b.note("a key stands twice in an object within " + where)
			return
		}
		if key := envelopeKey(syntax.JSONPointer.LastToken()); key != keyCount && syntax.JSONPointer.Parent() == "" {
			b.disputed[key] = true
		}
		b.note("the key " + where + " stands twice")
	case !utf8.ValidString(b.text):
		b.note("the body is not valid UTF-8")
	case errors.Is(err, io.ErrUnexpectedEOF):
		b.note("the JSON ends before its object is complete")
	default:
		b.note(fmt.Sprintf("the body is not valid JSON at byte %d", syntax.ByteOffset))
	}
}

// place names the key that a pointer leads to or into: a top-level key, or one directly in FieldValues or Values. What lies deeper can be
// content, and is only said to be there.
func place(p jsontext.Pointer) (where string, deeper bool) {
	var keys []string
	for token := range p.Tokens() {
		if len(keys) == 1 && keys[0] != envelopeKeys[keyFieldValues] && keys[0] != envelopeKeys[keyValues] || len(keys) == 2 {
			deeper = true
			break
		}
		keys = append(keys, token)
	}
	where = strings.Join(keys, ".")
	if len(where) > maxName {
		where = where[:maxName]
	}
	return strconv.Quote(where), deeper
}
