package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/headgate/headgate/server/internal/filter"
)

// TestNamesAgree: the Go client's constants are the names that the filter knows. Those of the webhooks' own state are left to operators.
func TestNamesAgree(t *testing.T) {
	constants := map[string][]string{}
	file, err := parser.ParseFile(token.NewFileSet(), "../client/names.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for i, name := range spec.Names {
				for _, prefix := range []string{"Entity", "Action", "Event"} {
					if lit, ok := spec.Values[i].(*ast.BasicLit); ok && strings.HasPrefix(name.Name, prefix) {
						value, _ := strconv.Unquote(lit.Value)
						constants[prefix] = append(constants[prefix], value)
					}
				}
			}
		}
		return true
	})
	for prefix, known := range map[string][]string{"Entity": filter.KnownEntities(), "Action": filter.KnownActions(), "Event": filter.KnownEventTypes()} {
		known = slices.DeleteFunc(known, func(name string) bool { return strings.HasPrefix(name, "webhook") })
		got := slices.Sorted(slices.Values(constants[prefix]))
		if !slices.Equal(got, known) {
			t.Errorf("%s: the client has %v, the filter knows %v", prefix, got, known)
		}
	}
}
