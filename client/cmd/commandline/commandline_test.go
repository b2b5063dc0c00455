package commandline

import (
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// grammar has one of each kind.
type grammar struct {
	Level string `short:"l" enum:"low,high" default:"low" help:"How much. Default: low."`
	Into  string `type:"path" placeholder:"FILE" help:"Where to."`
	Quiet bool   `short:"q" help:"Say nothing."`

	Show struct {
		Names []string `arg:"" optional:"" name:"name" help:"Which."`
	} `cmd:"" help:"Show things: all of them."`
	Things struct {
		List struct {
			All bool `help:"Hidden ones too."`
		} `cmd:"" default:"withargs" help:"List them."`
		Drop struct {
			Why string `arg:"" enum:"old,bad" help:"Why."`
		} `cmd:"" help:"Drop one."`
		Secret struct{} `cmd:"" hidden:"" help:"Nobody's business."`
	} `cmd:"" help:"Do something with things."`
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := kong.New(&grammar{}, kong.Name("prog"), kong.Description("Does it.\n\n.Not roff's \\ business."), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model
}

func TestComplete(t *testing.T) {
	app := model(t)
	for line, want := range map[string]string{
		"bash|":                    "show things",
		"bash|s":                   "show",
		"fish|s":                   "show\tShow things",
		"bash|things ":             "list drop",
		"bash|things --":           "--all --help --level --into --quiet",
		"bash|things drop ":        "old bad",
		"bash|things drop old ":    "",
		"bash|--level ":            "low high",
		"bash|-l h":                "high",
		"bash|-q th":               "things",
		"bash|--into x th":         "things",
		"bash|--into ":             ":files",
		"bash|--level = h":         "high",
		"bash|--level =":           "low high",
		"zsh|--level=h":            "--level=high",
		"zsh|show --none=x":        "",
		"zsh|--into=x":             ":files",
		"bash|show a things":       "",
		"bash|--unknown th":        "things",
		"bash|things Drop nonsens": "",
	} {
		shell, words, _ := strings.Cut(line, "|")
		var out strings.Builder
		if err := Complete(app, append([]string{shell}, strings.Split(words, " ")...), &out); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSuffix(strings.ReplaceAll(out.String(), "\n", " "), " "); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if err := Complete(app, nil, nil); err != nil {
		t.Error(err)
	}
	if _, err := Script("csh", "prog"); err == nil {
		t.Error("there is a script for csh")
	}
}

func TestMan(t *testing.T) {
	app := model(t)
	Describe(app, map[string]Page{"things drop": {Examples: []string{"prog things drop old"}, Exit: "0 when it is done."}})
	var out strings.Builder
	if err := Man(app, "v1.2-3", &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		".TH PROG 1 \"\" \"v1.2\\-3\"\n", ".SH NAME\nprog \\- Does it\n", ".PP\n\\&.Not roff's \\e business.\n", ".B \\-l, \\-\\-level=", ".SS prog things drop <why>\n",
		".PP\n.nf\n    prog things drop old\n.fi\n", "Exit code: 0 when it is done.\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "secret") {
		t.Error("it tells of what is hidden")
	}
}
