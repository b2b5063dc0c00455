package commandline

import (
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Asks is the first argument of a call by a completion script: behind it stand the shell, and the words of the line without the program, up to the cursor.
const Asks = "__complete"

// files is the answer where a shell should complete the names of files.
const files = ":files"

// candidate is how a word can go on.
type candidate struct{ text, help string }

// Complete answers a completion script: a candidate on each line, with what it means after a tab, as the shells that show that want it.
func Complete(app *kong.Application, args []string, out io.Writer) error {
	if len(args) < 2 {
		return nil
	}
	shell, words, word := args[0], args[1:len(args)-1], args[len(args)-1]
	var b strings.Builder
	for _, c := range candidates(app, shell == "bash", words, word) {
		b.WriteString(c.text)
		if shell != "bash" && c.help != "" {
			b.WriteString("\t" + firstSentence(c.help))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// candidates are how word can go on behind the words.
func candidates(app *kong.Application, splits bool, words []string, word string) (found []candidate) {
	at := &place{node: app.Node}
	for _, w := range words {
		at.pass(w, splits)
	}
	if splits && word == "=" { // bash takes --flag=value apart
		word = ""
	}
	name, _, both := strings.Cut(word, "=")
	switch {
	case at.awaiting != nil:
		found = valuesOf(at.awaiting.Value, "")
	case both && strings.HasPrefix(name, "--"):
		if flag := at.flag(name); flag != nil {
			found = valuesOf(flag.Value, name+"=")
		}
	case strings.HasPrefix(word, "-"):
		for _, f := range at.flags() {
			found = append(found, candidate{"--" + f.Name, f.Help})
		}
	default:
		for _, child := range at.commands() {
			found = append(found, candidate{child.Name, child.Help})
		}
		if p := at.positional(); p != nil {
			found = append(found, valuesOf(p, "")...)
		}
	}
	return slices.DeleteFunc(found, func(c candidate) bool { return c.text != files && !strings.HasPrefix(c.text, word) })
}

// place is where on a command line one is.
type place struct {
	node     *kong.Node
	awaiting *kong.Flag // its value comes next
	passed   int        // arguments of the command
}

func (at *place) pass(word string, splits bool) {
	switch {
	case splits && word == "=":
	case at.awaiting != nil:
		at.awaiting = nil
	case strings.HasPrefix(word, "-") && word != "-":
		if flag := at.flag(word); flag != nil && !flag.IsBool() && !flag.IsCounter() && !strings.Contains(word, "=") {
			at.awaiting = flag
		}
	default:
		for _, child := range at.commands() {
			if child.Name == word || slices.Contains(child.Aliases, word) {
				at.node, at.passed = child, 0
				return
			}
		}
		at.passed++
	}
}

// commands are those that can follow.
func (at *place) commands() (list []*kong.Node) {
	if at.passed > 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(at.node.Children), func(n *kong.Node) bool { return n.Hidden || n.Type != kong.CommandNode })
}

// flags are those that can stand here: of the command, of its default, and of what is above it.
func (at *place) flags() (list []*kong.Flag) {
	if at.node.DefaultCmd != nil {
		list = append(list, at.node.DefaultCmd.Flags...)
	}
	for n := at.node; n != nil; n = n.Parent {
		list = append(list, n.Flags...)
	}
	return slices.DeleteFunc(list, func(f *kong.Flag) bool { return f.Hidden })
}

// flag is the one that the word names, nil when there is none.
func (at *place) flag(word string) *kong.Flag {
	name, _, _ := strings.Cut(word, "=")
	for _, f := range at.flags() {
		if name == "--"+f.Name || f.Short != 0 && name == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

// positional is the argument that comes next, nil when there is none.
func (at *place) positional() *kong.Value {
	node := at.node
	if node.DefaultCmd != nil {
		node = node.DefaultCmd
	}
	switch n := len(node.Positional); {
	case at.passed < n:
		return node.Positional[at.passed]
	case n > 0 && node.Positional[n-1].IsSlice():
		return node.Positional[n-1]
	}
	return nil
}

// valuesOf are what a value can be, where that is known.
func valuesOf(v *kong.Value, prefix string) (list []candidate) {
	if v.Enum != "" {
		for _, text := range v.EnumSlice() {
			list = append(list, candidate{prefix + text, ""})
		}
		return list
	}
	if what := v.Tag.Type; what == "path" || what == "existingfile" || what == "existingdir" || v.Flag != nil && (v.Flag.PlaceHolder == "FILE" || v.Flag.PlaceHolder == "DIR") || v.Name == "file" {
		return []candidate{{files, ""}}
	}
	return nil
}

func firstSentence(text string) string {
	if i := strings.IndexAny(text, ".:;\n"); i >= 0 {
		text = text[:i]
	}
	return text
}
