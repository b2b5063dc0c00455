package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

// TestEveryCommandIsHelpedWith: each has a sentence, flags that say what they take, examples, and what its exit code tells.
func TestEveryCommandIsHelpedWith(t *testing.T) {
	parser, err := parserOf(&commands{}, io.Discard, io.Discard, func() {})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"": true, "connections": true}
	for _, n := range parser.Model.Leaves(true) {
		path := strings.TrimPrefix(n.FullPath(), "headgate ")
		known[path] = true
		for _, f := range n.Flags {
			if !strings.HasSuffix(f.Help, ".") || !f.IsBool() && f.PlaceHolder == "" {
				t.Errorf("%s --%s: its help is %q, and it takes %q", path, f.Name, f.Help, f.PlaceHolder)
			}
		}
		out, _, err := headgate(t, nil, append(strings.Fields(path), "--help")...)
		for _, want := range []string{"\nExamples:\n", "\n    headgate ", "\nExit code: 0 when "} {
			if !strings.Contains(out, want) || err != nil {
				t.Errorf("%s --help lacks %q: %v\n%s", path, want, err, out)
			}
		}
	}
	for path := range helpPages {
		if !known[path] {
			t.Errorf("there are examples of %q, which is no command", path)
		}
	}
}

// asListed is the first of what a command lists, as JSON.
func asListed(t *testing.T, args ...string) map[string]any {
	t.Helper()
	out, errs, err := headgate(t, nil, append(args, "--output", "json")...)
	if err != nil {
		t.Fatal(args, err, errs)
	}
	var first map[string]any
	line, _, _ := strings.Cut(out, "\n")
	if err := json.Unmarshal([]byte(line), &first); err != nil {
		t.Fatalf("%v: %v in %q", args, err, out)
	}
	return first
}

// TestExamples runs every example of the help against a gateway that has what they speak of.
func TestExamples(t *testing.T) {
	startServer(t)
	t.Chdir(t.TempDir())
	ran := 0
	for path, page := range helpPages {
		for _, example := range page.Examples {
			ran++
			prepare(t, path)
			line := filledIn(t, example)
			if path == "tail" && !strings.Contains(line, "--until-caught-up") {
				line += " --until-caught-up"
			}
			if out, errs, err := headgate(t, nil, words(strings.TrimPrefix(line, "headgate "))...); err != nil {
				t.Errorf("%s: %v\n%s%s", line, err, out, errs)
			}
		}
	}
	if ran < 40 {
		t.Errorf("only %d examples", ran)
	}
}

// prepare gives the gateway an event, a webhook in quarantine, and the subscriptions that there should be before the command.
func prepare(t *testing.T, path string) {
	t.Helper()
	if _, errs, err := headgate(t, nil, "send", "relation.created"); err != nil {
		t.Fatal(err, errs)
	}
	resp, err := http.Post(os.Getenv("HEADGATE_URL"), "application/json", strings.NewReader(fmt.Sprintf(`{"EventId":%d}`, time.Now().UnixNano())))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if path == "subscription create" {
		for _, name := range []string{"billing", "stock"} {
			_, _, _ = headgate(t, nil, "subscription", "delete", name) // it may not be there
		}
		return
	}
	if path == "subscription skip" { // another example may have moved it
		_, _, _ = headgate(t, nil, "subscription", "delete", "billing")
	}
	_, _, _ = headgate(t, nil, "subscription", "create", "billing", "--earliest") // it may be there
}

// filledIn is an example with what there is in the place of what stands for it. What begins with a hyphen goes behind all flags.
func filledIn(t *testing.T, example string) string {
	t.Helper()
	line := strings.Replace(example, "--reader acme", "--reader anybody", 1)
	if strings.Contains(line, "CURSOR") {
		cursor := asListed(t, "list", "--from", "1m")["cursor"].(string)
		if strings.Contains(line, "--cursor=CURSOR") {
			return strings.Replace(line, "CURSOR", cursor, 1)
		}
		return strings.Replace(line, " CURSOR", " -- "+cursor, 1)
	}
	if strings.Contains(line, " STREAM") {
		reads(t)
		for streams := ""; streams == ""; { // it may have just begun
			streams, _, _ = headgate(t, nil, "connections", "--output", "json")
		}
		return strings.Replace(line, "STREAM", asListed(t, "connections")["id"].(string), 1)
	}
	if strings.Contains(line, " ID") {
		return strings.Replace(line, " ID", "", 1) + " -- " + asListed(t, "quarantine", "list")["id"].(string)
	}
	return line
}

// TestListsAsJSON: each line of a list is what the API has.
func TestListsAsJSON(t *testing.T) {
	startServer(t)
	if _, _, err := headgate(t, nil, "subscription", "create", "billing", "--earliest"); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"subscriptions", "subscription get billing", "sources", "status"} {
		if len(asListed(t, strings.Fields(args)...)) == 0 {
			t.Errorf("%s: an empty object", args)
		}
	}
	out, _, err := headgate(t, nil, "status", "--output", "json")
	if err != nil || protojson.Unmarshal([]byte(out), &adminv1.GetStatusResponse{}) != nil {
		t.Errorf("the status is %s, %v", out, err)
	}
}

// onPath makes the program be found by its name.
func onPath(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nHEADGATE_IS_THE_PROGRAM=1 exec " + self + ` "$@"` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "headgate"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// completed are lines and how each shell completes their last word.
var completed = []struct{ line, want string }{
	{"headgate conn", "connections"},
	{"headgate quarantine rep", "reprocess"},
	{"headgate tail --output j", "json"},
	{"headgate connections --rea", "--reader"},
	{"headgate tail --on-lost-cursor e", "earliest"},
	{"headgate completion f", "fish"},
	{"headgate tail --entity x --unt", "--until-caught-up"},
	{"headgate status -w --inter", "--interval"},
}

func TestCompletionInBash(t *testing.T) {
	onPath(t)
	for _, c := range append(completed, struct{ line, want string }{"headgate tail --output = te", "text"}) {
		out, err := exec.Command("bash", "-c", `source <(headgate completion bash); COMP_WORDS=(`+c.line+`); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _headgate; printf '%s\n' "${COMPREPLY[@]}"`).CombinedOutput()
		if err != nil || string(out) != c.want+"\n" {
			t.Errorf("%s: %q, %v; want %s", c.line, out, err, c.want)
		}
	}
}

func TestCompletionInFish(t *testing.T) {
	if _, err := exec.LookPath("fish"); err != nil {
		t.Skip("there is no fish here")
	}
	onPath(t)
	for _, c := range append(completed, struct{ line, want string }{"headgate tail --output=te", "--output=text"}) {
		out, err := exec.Command("fish", "--no-config", "-c", `headgate completion fish | source; complete -C '`+c.line+`'`).CombinedOutput()
		if text, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\t"); err != nil || text != c.want {
			t.Errorf("%s: %q, %v; want %s", c.line, out, err, c.want)
		}
	}
}

// TestCompletionInZsh stands in for its line editor, which calls the function with the words and is given what it found by _describe.
func TestCompletionInZsh(t *testing.T) {
	if _, err := exec.LookPath("zsh"); err != nil {
		t.Skip("there is no zsh here")
	}
	onPath(t)
	for _, c := range append(completed, struct{ line, want string }{"headgate tail --output=te", "--output=text"}) {
		n := fmt.Sprint(len(strings.Fields(c.line)))
		out, err := exec.Command("zsh", "-f", "-c", `compdef() { print registered }; _describe() { print -l -- ${(P)@[-1]} }; source <(headgate completion zsh); words=(`+
			c.line+`); CURRENT=`+n+`; _headgate`).CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err != nil || len(lines) != 2 || lines[0] != "registered" || !strings.HasPrefix(lines[1], c.want+":") {
			t.Errorf("%s: %q, %v; want %s", c.line, out, err, c.want)
		}
	}
}

func TestManPage(t *testing.T) {
	out, _, err := headgate(t, nil, "man")
	for _, want := range []string{".TH HEADGATE 1 ", ".SH COMMANDS\n", ".SS headgate connections end <id>\n", ".B \\-\\-until\\-caught\\-up\n", "headgate tail \\-\\-entity relation\n", "Exit code: 0 when"} {
		if !strings.Contains(out, want) || err != nil {
			t.Errorf("%q is missing, %v", want, err)
		}
	}
}
