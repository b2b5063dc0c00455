package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOperationsPage: each command that the page names is one, with the flags that it has: its help can be had.
func TestOperationsPage(t *testing.T) {
	page, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-race=false", "-o", dir, "./cmd/headgated", "../client/cmd/headgate").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var commands []string
	for _, code := range regexp.MustCompile("(?s)```sh\n(.*?)```|`([^`]*)`").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(code[1] + code[2]) {
			line, _, _ = strings.Cut(line, "#")
			if words := strings.Fields(line); len(words) > 1 && (words[0] == "headgate" || words[0] == "headgated") {
				commands = append(commands, strings.Join(words, " "))
			}
		}
	}
	for _, command := range commands {
		words := strings.Fields(command)
		out, err := exec.Command(filepath.Join(dir, words[0]), append(words[1:], "--help")...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Usage: "+words[0]+" "+words[1]) {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
		for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(command, -1) {
			if !strings.Contains(string(out), flag) {
				t.Errorf("%s: there is no %s", command, flag)
			}
		}
	}
	if len(commands) < 15 {
		t.Errorf("only %d commands", len(commands))
	}
}
