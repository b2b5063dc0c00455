package server

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// loader turns the nodes of a configuration file into a Config. It notes every problem with its line and goes on.
type loader struct {
	// dir is the file's folder: relative paths start there.
	dir string
	env func(string) (string, bool)
	// origins tells where the value of a path came from.
	origins  map[string]string
	problems Problems
	warnings []string
	// files are those that were read, or should have been.
	files []string
}

// A field reads the value of one known key. path is the key's.
type field func(n *yaml.Node, path string)

func (l *loader) refuse(n *yaml.Node, path, format string, args ...any) {
	l.problems = append(l.problems, Problem{Path: path, Origin: line(n), Text: fmt.Sprintf(format, args...)})
}

// found notes where the value of a path stands. Below a ? there can be several: theirs is where the mapping stands.
func (l *loader) found(n *yaml.Node, path string) {
	if !strings.Contains(path, unnamed) {
		l.origins[path] = line(n)
	}
}

func line(n *yaml.Node) string { return "line " + strconv.Itoa(n.Line) }

// section returns what is known below prefix, which is empty or ends in a dot, of fields by their whole paths.
func (l *loader) section(fields map[string]field, prefix string) map[string]field {
	known := map[string]field{}
	for path, read := range fields {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok {
			continue
		}
		name, _, deeper := strings.Cut(rest, ".")
		if deeper {
			read = func(n *yaml.Node, path string) { l.mapping(n, path, l.section(fields, path+".")) }
		}
		known[name] = read
	}
	return known
}

// setting returns a field that stores a setting.
func (l *loader) setting(s setting) field {
	return func(n *yaml.Node, path string) {
		text, ok := l.scalar(n, path)
		if !ok {
			return
		}
		if err := s.set(text); err != nil {
			l.refuse(n, path, "%s", err)
		}
	}
}

// mapping reads a mapping whose keys are known. Any other key, and a key that stands there twice, is refused.
func (l *loader) mapping(n *yaml.Node, path string, known map[string]field) {
	names := slices.Sorted(maps.Keys(known))
	understood := func(name string) bool { return known[name] != nil || nearest(name, names) != "" }
	l.pairs(n, path, understood, func(key, val *yaml.Node, at string) {
		if read, ok := known[key.Value]; ok {
			read(val, at)
			return
		}
		switch near := nearest(key.Value, names); {
		case near != "":
			l.refuse(key, at, "unknown key; did you mean %s?", near)
		default:
			l.refuse(key, at, "unknown key; known here: %s", strings.Join(names, ", "))
		}
	})
}

// pairs visits the pairs of a mapping, each key once. understood says which keys problems may repeat. Nothing at all counts as an empty mapping.
func (l *loader) pairs(n *yaml.Node, path string, understood func(string) bool, visit func(key, val *yaml.Node, at string)) {
	n = resolve(n)
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		l.refuse(n, path, "must be a mapping; write keys and values, like name: value")
		return
	}
	l.found(n, path)
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := resolve(n.Content[i]), n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			l.refuse(key, path, "a key must be a plain word")
			continue
		}
		at := key.Value
		if !understood(at) {
			at = unnamed
		}
		at = strings.TrimPrefix(path+"."+at, ".")
		if first, ok := seen[key.Value]; ok {
			l.refuse(key, at, "stands here twice, first on line %d; remove one", first)
			continue
		}
		seen[key.Value] = key.Line
		visit(key, val, at)
	}
}

// list visits the items of a sequence. Nothing at all counts as an empty one.
func (l *loader) list(n *yaml.Node, path string, visit func(item *yaml.Node, at string)) {
	n = resolve(n)
	if isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		l.refuse(n, path, "must be a list; write [one, two]")
		return
	}
	l.found(n, path)
	for i, item := range n.Content {
		visit(item, fmt.Sprintf("%s[%d]", path, i))
	}
}

// scalar returns a value's text as it stands in the file.
func (l *loader) scalar(n *yaml.Node, path string) (string, bool) {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode {
		l.refuse(n, path, "must be a single value")
		return "", false
	}
	if isNull(n) || n.Value == "" {
		l.refuse(n, path, "has no value; give one or remove the key")
		return "", false
	}
	l.found(n, path)
	return n.Value, true
}

// into returns a field that stores a single value's text.
func (l *loader) into(text *string) field {
	return func(n *yaml.Node, path string) { *text, _ = l.scalar(n, path) }
}

// texts returns a field that stores a list of single values. An empty list is refused: it is a slip, and where nothing said means everything it
// would be a grave one.
func (l *loader) texts(into *[]string) field {
	return func(n *yaml.Node, path string) {
		before := len(l.problems)
		l.list(n, path, func(item *yaml.Node, at string) {
			text, _ := l.scalar(item, at)
			*into = append(*into, text)
		})
		if len(*into) == 0 && len(l.problems) == before {
			l.refuse(n, path, "lists nothing; give one value at least, or remove the key")
		}
	}
}

// yes returns a field that stores true or false.
func (l *loader) yes(into *bool) field {
	return func(n *yaml.Node, path string) {
		text, ok := l.scalar(n, path)
		if !ok {
			return
		}
		if text != "true" && text != "false" {
			l.refuse(n, path, "is neither true nor false")
		}
		*into = text == "true"
	}
}

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// fromDir returns a path of the file as the process can use it.
func (l *loader) fromDir(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.dir, path)
}

// nearest returns the name that word was probably meant to be, or nothing.
func nearest(word string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := distance(strings.ToLower(word), name); d < least && d < len(name) {
			best, least = name, d
		}
	}
	return best
}

// distance counts the letters to insert, remove or replace to make a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			cost := diagonal
			if a[i] != b[j] {
				cost = min(diagonal, row[j], above) + 1
			}
			row[j+1], diagonal = cost, above
		}
	}
	return row[len(b)]
}
