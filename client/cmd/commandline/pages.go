// Package commandline is for this repository's programs, and no API: what both do with their command lines beside reading them: examples and exit codes in the help, completion in a shell, and a
// page for man. All of it comes from kong's model, so that it says what the program does.
package commandline

import (
	"strings"

	"github.com/alecthomas/kong"
)

// Page is what a command's help says beside its flags.
type Page struct {
	// Examples are whole command lines.
	Examples []string
	// Exit says what the exit code tells.
	Exit string
}

// Describe puts the pages into the help of the commands, which are called as on the command line: "quarantine list", "" for the program itself.
func Describe(app *kong.Application, pages map[string]Page) {
	each(app.Node, func(n *kong.Node) {
		page, ok := pages[Path(n)]
		if !ok {
			return
		}
		var parts []string
		if n.Detail != "" {
			parts = append(parts, n.Detail)
		}
		if len(page.Examples) > 0 {
			parts = append(parts, "Examples:\n\n    "+strings.Join(page.Examples, "\n    "))
		}
		if page.Exit != "" {
			parts = append(parts, "Exit code: "+page.Exit)
		}
		n.Detail = strings.Join(parts, "\n\n")
	})
}

// Path is what is typed behind the program's name for a command.
func Path(n *kong.Node) string {
	if n.Parent == nil {
		return ""
	}
	return strings.TrimSpace(Path(n.Parent) + " " + n.Name)
}

// each calls fn with a node and all commands below it that are not hidden.
func each(n *kong.Node, fn func(*kong.Node)) {
	fn(n)
	for _, child := range n.Children {
		if child.Type == kong.CommandNode && !child.Hidden {
			each(child, fn)
		}
	}
}
