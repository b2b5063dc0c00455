package server

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
//
// It repeats only what was understood: names that are known here or one or two letters from such, numbers and networks that are some, files, folders
// and environment variables that exist. All else can be a secret that somebody wrote in the wrong place: then the place is told, and what is expected
// there. Warnings keep to that too.
type Problem struct {
	// Path is the setting in the file: sources.acme.secrets[0].file. In it ? stands for a name that was not understood. Empty for the file as a whole.
	Path string
	// Origin is where its value came from, "line 12" or an environment variable. Empty when it is not known or nothing was said.
	Origin string
	// Text says what is wrong and what to do about it. It holds no secrets.
	Text string
}

func (p Problem) String() string {
	switch {
	case p.Origin == "":
		return p.Path + ": " + p.Text
	case p.Path == "":
		return p.Origin + ": " + p.Text
	}
	return fmt.Sprintf("%s (%s): %s", p.Path, p.Origin, p.Text)
}

// Problems is the error of a configuration: everything that is wrong with it, at once.
type Problems []Problem

func (ps Problems) Error() string {
	if len(ps) == 1 {
		return "the configuration is refused: " + ps[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration is refused, for %d reasons:", len(ps))
	for _, p := range ps {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// unnamed stands in a path for a name that was not understood.
const unnamed = "?"

// add notes a problem.
func (ps *Problems) add(path, format string, args ...any) {
	*ps = append(*ps, Problem{Path: path, Text: fmt.Sprintf(format, args...)})
}

// err returns ps as an error, nil when there is none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// touches reports whether a problem is known at path, above it or below it. What follows from it need not be told again.
func (ps Problems) touches(path string) bool {
	for _, p := range ps {
		if p.Path == path || within(p.Path, path) || within(path, p.Path) {
			return true
		}
	}
	return false
}

// within reports whether the setting at path lies inside that at outer.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}
