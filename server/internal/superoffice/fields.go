package superoffice

import "google.golang.org/protobuf/types/known/structpb"

// leftovers returns what no typed field holds, nil when there is nothing.
//
// The parts of a body are FieldValues, Values and the top level, in this order. A key is bare in the first part it stands in, and
// prefixed with its part's name in the others, whether or not a typed field holds the first one: so its name does not change when a
// field is added. Where the name is itself taken, it is prefixed again. Nothing is dropped and nothing overwritten.
func (b *body) leftovers() *structpb.Struct {
	parts := [...]struct {
		prefix  string
		members []member
	}{
		{"FieldValues.", b.fieldValues},
		{"Values.", b.values},
		{"Body.", b.extra},
	}
	var fields map[string]*structpb.Value
	earlier := map[string]bool{} // keys of the parts before this one
	rest := len(b.fieldValues) + len(b.values) + len(b.extra)
	for _, part := range parts {
		for _, m := range part.members {
			if m.typed {
				continue
			}
			if fields == nil {
				fields = make(map[string]*structpb.Value, rest)
			}
			name := m.key
			for earlier[name] || fields[name] != nil {
				name = part.prefix + name
			}
			fields[name] = m.value.proto()
		}
		rest -= len(part.members)
		if rest == 0 {
			break
		}
		for _, m := range part.members {
			earlier[m.key] = true
		}
	}
	if fields == nil {
		return nil
	}
	return &structpb.Struct{Fields: fields}
}
