package commandline

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Man writes the program's page for man: PROGRAM man > PROGRAM.1, or PROGRAM man | man -l -.
func Man(app *kong.Application, version string, out io.Writer) error {
	m := &man{}
	m.line(".TH %s 1 \"\" \"%s\"", strings.ToUpper(app.Name), m.text(version))
	m.line(".SH NAME\n%s \\- %s", app.Name, m.text(firstSentence(app.Help)))
	m.line(".SH SYNOPSIS\n.B %s\n[command] [flags]", app.Name)
	m.line(".SH DESCRIPTION")
	m.prose(app.Help)
	m.prose(app.Detail)
	m.line(".SH OPTIONS")
	m.flags(app.Node)
	m.line(".SH COMMANDS")
	each(app.Node, func(n *kong.Node) {
		if n.Parent == nil || len(n.Children) > 0 {
			return
		}
		m.line(".SS %s %s%s", app.Name, Path(n), arguments(n))
		m.prose(n.Help)
		m.flags(n)
		m.prose(n.Detail)
	})
	_, err := io.WriteString(out, m.b.String())
	return err
}

type man struct{ b strings.Builder }

func (m *man) line(format string, args ...any) { fmt.Fprintf(&m.b, format+"\n", args...) }

// text keeps roff from taking text for more than that.
func (m *man) text(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// prose writes paragraphs; what is indented stays as it is, line by line.
func (m *man) prose(text string) {
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if paragraph == "" {
			continue
		}
		asIs := strings.HasPrefix(paragraph, "    ")
		m.line(".PP")
		if asIs {
			m.line(".nf")
		}
		for line := range strings.Lines(paragraph) {
			m.line("%s", m.text(strings.TrimRight(line, "\n")))
		}
		if asIs {
			m.line(".fi")
		}
	}
}

func (m *man) flags(n *kong.Node) {
	for _, f := range n.Flags {
		if f.Hidden {
			continue
		}
		name := "\\-\\-" + m.text(f.Name)
		if f.Short != 0 {
			name = "\\-" + string(f.Short) + ", " + name
		}
		if !f.IsBool() {
			name += "=" + m.text(f.FormatPlaceHolder())
		}
		m.line(".TP\n.B %s\n%s", name, m.text(kong.DefaultHelpValueFormatter(f.Value)))
	}
}

func arguments(n *kong.Node) (text string) {
	for _, p := range n.Positional {
		text += " " + p.Summary()
	}
	return text
}
