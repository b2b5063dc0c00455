package rest

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// field returns m's field of that proto or JSON name, nil if there is none.
func field(m protoreflect.Message, name string) protoreflect.FieldDescriptor {
	fields := m.Descriptor().Fields()
	if fd := fields.ByName(protoreflect.Name(name)); fd != nil {
		return fd
	}
	return fields.ByJSONName(name)
}

// isNested tells whether the field is a message with fields to name, and not one such as a Timestamp that is written as one value.
func isNested(fd protoreflect.FieldDescriptor) bool {
	return fd.Message() != nil && !fd.IsList() && !fd.IsMap() && fd.Message().ParentFile().Package() != "google.protobuf"
}

// excludedBy returns the name of the field that is set and that fd cannot stand beside, empty if there is none.
func excludedBy(m protoreflect.Message, fd protoreflect.FieldDescriptor) string {
	oneof := fd.ContainingOneof()
	if oneof == nil || oneof.IsSynthetic() {
		return ""
	}
	if set := m.WhichOneof(oneof); set != nil && set != fd {
		return string(set.Name())
	}
	return ""
}

// unknown says that m has no field of the name, and which it has.
func unknown(m protoreflect.Message, name string) string {
	if m.Descriptor().Fields().Len() == 0 {
		return fmt.Sprintf("%q is unknown: no fields are known here", name)
	}
	return fmt.Sprintf("%q is unknown: known here are %s", name, names(m.Descriptor(), ""))
}

// names lists the fields of a message.
func names(md protoreflect.MessageDescriptor, prefix string) string {
	var all []string
	for i := range md.Fields().Len() {
		all = append(all, prefix+string(md.Fields().Get(i).Name()))
	}
	return strings.Join(all, ", ")
}

// enumName returns the full name of an enum's value that was written short, "earliest" for EDGE_EARLIEST, and any other value as it is.
func enumName(fd protoreflect.FieldDescriptor, value string) string {
	if fd.Enum() == nil || value != strings.ToLower(value) {
		return value
	}
	if full := enumPrefix(fd.Enum()) + strings.ToUpper(value); fd.Enum().Values().ByName(protoreflect.Name(full)) != nil {
		return full
	}
	return value
}

// enumPrefix is what the names of an enum's values begin with. The first one is always the prefix and UNSPECIFIED.
func enumPrefix(ed protoreflect.EnumDescriptor) string {
	return strings.TrimSuffix(string(ed.Values().Get(0).Name()), "UNSPECIFIED")
}

// wanted says which values the field takes.
func wanted(fd protoreflect.FieldDescriptor) string {
	one := "a value of type " + fd.Kind().String()
	switch {
	case fd.Enum() != nil:
		var short []string
		for i := 1; i < fd.Enum().Values().Len(); i++ {
			name := string(fd.Enum().Values().Get(i).Name())
			short = append(short, strings.ToLower(strings.TrimPrefix(name, enumPrefix(fd.Enum()))))
		}
		one = "one of " + strings.Join(short, ", ")
	case fd.Message() != nil && fd.Message().Name() == "Timestamp":
		one = `a time such as "2026-01-31T12:00:00Z"`
	case fd.Message() != nil && fd.Message().Name() == "Duration":
		one = `a duration such as "15s"`
	}
	if fd.IsList() {
		return "a list, each element " + one
	}
	return one
}
