package rest

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// fill sets the fields of m from the query string, or of a POST from the body. It refuses whatever it does not use: a filter of which a part
// was overlooked lets more through than was asked for. The error is a gRPC status that names the field.
//
// A field has the name that it has in the proto, or the one that it has in proto JSON. Enum values can be written short and in lower case.
func fill(in *input, m proto.Message) error {
	if in.bad != nil {
		return in.bad
	}
	if !in.post {
		return fillQuery(in.query, m.ProtoReflect())
	}
	for _, name := range slices.Sorted(maps.Keys(in.query)) {
		return invalid(name, fmt.Sprintf("query parameter %q: a POST takes its fields from the body", name))
	}
	if len(in.body) == 0 {
		return nil
	}
	return fillJSON(in.body, m.ProtoReflect(), "")
}

// fillQuery sets the fields that the parameters name, for example filter.entities. What is set in m already stood in the path.
func fillQuery(query url.Values, m protoreflect.Message) error {
	seen := map[string]bool{}
	m.Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		seen[string(fd.Name())] = true
		return true
	})
	for _, name := range slices.Sorted(maps.Keys(query)) {
		refuse := func(why string) error { return invalid(name, fmt.Sprintf("query parameter %q: %s", name, why)) }

		values := slices.Clone(query[name])
		t, why := find(m, name, len(values) == 1 && values[0] == "")
		if why != "" {
			return refuse(why)
		}
		if seen[t.path] || len(values) > 1 && !t.fd.IsList() {
			return refuse("given twice, or in the path already")
		}
		seen[t.path] = true
		if other := excludedBy(t.in, t.fd); other != "" {
			return refuse(fmt.Sprintf("excludes %q, which is given too", other))
		}
		if isNested(t.fd) {
			t.in.Mutable(t.fd)
			continue
		}
		for i, v := range values {
			values[i] = enumName(t.fd, v)
		}
		var parser runtime.DefaultQueryParser
		if err := parser.Parse(t.in.Interface(), url.Values{string(t.fd.Name()): values}, utilities.NewDoubleArray(nil)); err != nil {
			return refuse("want " + wanted(t.fd))
		}
	}
	return nil
}

// target is a field that a query parameter names.
type target struct {
	in   protoreflect.Message
	fd   protoreflect.FieldDescriptor
	path string // the same for either name of the field
}

// find returns the field of the name, which can be one of a message within m, or with empty a message itself: start.saved= sets it without fields. why is not
// empty if there is none that a query can set.
func find(m protoreflect.Message, name string, empty bool) (t target, why string) {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		fd := field(m, part)
		if fd == nil {
			return target{}, unknown(m, part)
		}
		t = target{m, fd, strings.TrimPrefix(t.path+"."+string(fd.Name()), ".")}
		last := i == len(parts)-1
		switch {
		case last && isNested(fd) && !empty:
			return target{}, "name one of its fields: " + names(fd.Message(), t.path+".")
		case !last && !isNested(fd):
			return target{}, fmt.Sprintf("%q has no fields", t.path)
		case !last:
			m = m.Mutable(fd).Message()
		}
	}
	return t, ""
}

// fillJSON sets the fields that stand in object. at is where m stands in the body, empty for the whole.
//
// It goes through the messages of this API itself and leaves single values to protojson, whose errors do not name the field.
func fillJSON(object []byte, m protoreflect.Message, at string) error {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(object, &members); err != nil {
		return invalid(at, fmt.Sprintf("%s: want a JSON object in UTF-8 without duplicate names", place(at)))
	}
	seen := map[protoreflect.FieldNumber]bool{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		path, value := strings.TrimPrefix(at+"."+name, "."), members[name]
		refuse := func(why string) error { return invalid(path, fmt.Sprintf("%s: %s", place(path), why)) }

		fd := field(m, name)
		if fd == nil {
			return refuse(unknown(m, name))
		}
		if seen[fd.Number()] {
			return refuse("given twice")
		}
		seen[fd.Number()] = true
		if value.Kind() == 'n' {
			continue // null is what is not set, as everywhere in proto JSON
		}
		if other := excludedBy(m, fd); other != "" {
			return refuse(fmt.Sprintf("excludes %q, which is given too", other))
		}
		if isNested(fd) {
			if err := fillJSON(value, m.Mutable(fd).Message(), path); err != nil {
				return err
			}
			continue
		}
		if !setJSON(m, fd, value) {
			return refuse("want " + wanted(fd))
		}
	}
	return nil
}

// setJSON sets one field of m, and tells whether the value is one that it can have.
func setJSON(m protoreflect.Message, fd protoreflect.FieldDescriptor, value jsontext.Value) bool {
	if fd.Enum() != nil && value.Kind() == '"' {
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return false
		}
		value = jsontext.Value(fmt.Sprintf("%q", enumName(fd, text)))
	}
	single := m.New()
	if err := protojson.Unmarshal(fmt.Appendf(nil, "{%q:%s}", fd.Name(), value), single.Interface()); err != nil {
		return false
	}
	if fd.Enum() != nil && fd.Enum().Values().ByNumber(single.Get(fd).Enum()) == nil {
		return false
	}
	if single.Has(fd) {
		m.Set(fd, single.Get(fd))
	}
	return true
}

func place(path string) string {
	if path == "" {
		return "the body"
	}
	return fmt.Sprintf("field %q of the body", path)
}
