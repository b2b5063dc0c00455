package conformance

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// names: the constants of every client are those of the Go client.
func names(k *kit) {
	a := k.run(&front{}, request{Constants: true})
	got := a.next("constants")
	a.gone("it told its constants")
	for _, c := range []struct {
		what, file, prefix string
		got                []string
	}{
		{"entities", "../names.go", "Entity", got.Entities},
		{"actions", "../names.go", "Action", got.Actions},
		{"event_types", "../names.go", "Event", got.EventTypes},
		{"reasons", "../errors.go", "Reason", got.Reasons},
	} {
		want := constants(k, c.file, c.prefix)
		slices.Sort(c.got)
		if !slices.Equal(c.got, want) {
			k.Errorf("%s: missing %v, unknown %v", c.what, less(want, c.got), less(c.got, want))
		}
	}
}

// constants are the sorted values of a file's string constants whose names begin so.
func constants(k *kit, file, prefix string) (values []string) {
	k.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		k.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			if len(spec.Values) <= i || !strings.HasPrefix(name.Name, prefix) {
				continue
			}
			if literal, ok := spec.Values[i].(*ast.BasicLit); ok {
				value, _ := strconv.Unquote(literal.Value)
				values = append(values, value)
			}
		}
		return true
	})
	slices.Sort(values)
	return values
}

// less returns what stands in all and not in others.
func less(all, others []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(others, s) })
}
