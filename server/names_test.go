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

// constants returns the values of a file's string constants whose names have the prefix, sorted.
func constants(t *testing.T, path, prefix string) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for i, name := range spec.Names {
				if i >= len(spec.Values) {
					break
				}
				if lit, ok := spec.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.HasPrefix(name.Name, prefix) {
					value, _ := strconv.Unquote(lit.Value)
					values = append(values, value)
				}
			}
		}
		return true
	})
	slices.Sort(values)
	return values
}

// TestReasonsAgree: the Go client has a constant for each reason that the gateway gives.
func TestReasonsAgree(t *testing.T) {
	const domain = "headgate"
	given := slices.DeleteFunc(constants(t, "internal/fault/fault.go", ""), func(name string) bool { return name == domain })
	if got := constants(t, "../client/errors.go", "Reason"); len(given) < 10 || !slices.Equal(got, given) {
		t.Errorf("the client has %v, the gateway gives %v", got, given)
	}
}

// TestNamesAgree: the Go client's constants are the names that the filter knows. Those of the webhooks' own state are left to operators.
func TestNamesAgree(t *testing.T) {
	for prefix, known := range map[string][]string{"Entity": filter.KnownEntities(), "Action": filter.KnownActions(), "Event": filter.KnownEventTypes()} {
		known = slices.DeleteFunc(known, func(name string) bool { return strings.HasPrefix(name, "webhook") })
		if got := constants(t, "../client/names.go", prefix); !slices.Equal(got, known) {
			t.Errorf("%s: the client has %v, the filter knows %v", prefix, got, known)
		}
	}
}
