//go:build unix

package server_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// elsewhere are the commands of pages that TestPages does not run, by page and how they begin, with what does instead, or why nothing can.
var elsewhere = []struct{ page, begins, why string }{
	{"server/docs/install.md", "", "server/deploy does it line by line, on a machine of its own: TestInstall"},
	{"client/python/README.md", "", "it is for Python's tools: .ci/clients and client/conformance run them"},
	{"client/typescript/README.md", "", "it is for Node's tools: .ci/clients and client/conformance run them"},
	{"client/java/README.md", "", "it is for Maven: .ci/clients and client/conformance run it"},
	{"gen/csharp/README.md", "", "it is for .NET, which is not there"},
	{"client/conformance/README.md", "", "go test itself"},
	{"server/bench/README.md", "", "go test for two hours; .ci/run does it shortly"},
	{"server/proof/README.md", "", "minutes and days; each change runs their usual counts by go test"},
	{"README.md", "go test", "this is a part of it; .ci/run does the benchmarks shortly"},
	{"README.md", "relation.created  ", "what tail shows"},
	{"README.md", "grpcurl", "not everybody has it: TestExploration asks the same"},
	{"server/docs/tracing.md", "docker", "needs Docker, and an image of others: TestTraceOfAPost has a collector"},
	{"server/docs/tracing.md", "go tool pprof", "opens a browser: TestProfilesOnLoopback reads the same"},
	{"server/docs/tracing.md", "curl -H", "of another machine's gateway: TestProfilesAreForOperators asks the same"},
	{"server/docs/operations.md", "systemctl", "needs systemd: server/deploy runs the units"},
	{"server/docs/operations.md", "journalctl", "needs systemd: server/deploy runs the units"},
	{"server/docs/operations.md", "headgated check --config /etc/headgate/headgate.yaml --reach", "needs a public address: TestCheckReaches"},
	{"server/docs/operations.md", "headgated check --config /etc/headgate/headgate.yaml --online", "asks the internet: TestCheckComparesTheClock"},
}

var pageBlock = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```")

// TestPages does what the pages say, command by command, at real gateways of the real programs: each block without a language or of sh, in every page. A command is run,
// or stands in the list above.
func TestPages(t *testing.T) {
	bin := programs(t)
	used, walked, ran := map[int]bool{}, map[string]bool{}, 0
	for _, page := range pages(t) {
		text, err := os.ReadFile(filepath.Join("..", page))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(page, func(t *testing.T) {
			checkMentions(t, bin, string(text))
			walked[page] = true
			w := &walk{t: t, bin: bin, page: page}
			for _, block := range pageBlock.FindAllStringSubmatch(string(text), -1) {
				switch block[1] {
				case "", "sh":
					for _, line := range commandsOf(block[2]) {
						if i := slices.IndexFunc(elsewhere, func(e struct{ page, begins, why string }) bool {
							return e.page == page && strings.HasPrefix(line, e.begins)
						}); i >= 0 {
							used[i] = true
							continue
						}
						ran++
						w.do(line)
					}
				case "yaml":
					w.write(block[2])
				}
			}
			w.end()
		})
	}
	for i, e := range elsewhere {
		if walked[e.page] && !used[i] {
			t.Errorf("%s has no %q", e.page, e.begins)
		}
	}
	if ran < 80 && len(walked) > 10 && !t.Failed() {
		t.Errorf("only %d commands were run", ran)
	}
}

// programs builds both, and returns the folder that they are in.
func programs(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-race=false", "-o", bin, "./cmd/headgated", "../client/cmd/headgate").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// pages are all of the repository's, by their paths in it.
func pages(t *testing.T) (list []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "node_modules", ".venv", "target", "dist"}, name):
			return filepath.SkipDir
		case strings.HasSuffix(name, ".md"):
			list = append(list, filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator))))
		}
		return nil
	})
	if err != nil || len(list) < 15 {
		t.Fatalf("%d pages, %v", len(list), err)
	}
	return list
}

// commandsOf are a block's, without the lines that are comments.
func commandsOf(block string) (list []string) {
	for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", " ")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}

// checkMentions: each command that the text names has the flags with which it is named: its help can be had.
func checkMentions(t *testing.T, bin, text string) {
	t.Helper()
	for _, code := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(pageBlock.ReplaceAllString(text, ""), -1) {
		words := strings.Fields(code[1])
		if len(words) < 2 || words[0] != "headgate" && words[0] != "headgated" {
			continue
		}
		out, err := exec.Command(filepath.Join(bin, words[0]), append(words[1:], "--help")...).CombinedOutput()
		usage := "Usage: " + words[0]
		if !strings.HasPrefix(words[1], "-") {
			usage += " " + words[1]
		}
		if err != nil || !strings.Contains(string(out), usage) {
			t.Errorf("%s: %v\n%s", code[1], err, out)
		}
		for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(code[1], -1) {
			if !strings.Contains(string(out), flag) {
				t.Errorf("%s: there is no %s", code[1], flag)
			}
		}
	}
}

// TestPagesLinks: what a page links to in the repository is there, headings of other pages too.
func TestPagesLinks(t *testing.T) {
	for _, page := range pages(t) {
		text, err := os.ReadFile(filepath.Join("..", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(pageBlock.ReplaceAllString(string(text), ""), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			path, anchor, _ := strings.Cut(link[1], "#")
			target := filepath.Join("..", filepath.Dir(page), path)
			if path == "" {
				target = filepath.Join("..", page)
			}
			if err := checkLink(target, anchor); err != nil {
				t.Errorf("%s links to %s: %v", page, link[1], err)
			}
		}
	}
}

func checkLink(target, anchor string) error {
	if _, err := os.Stat(target); err != nil || anchor == "" {
		return err
	}
	text, err := os.ReadFile(target)
	if err != nil {
		return err
	}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(text), -1) {
		slug := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(slug, " ", "-") == anchor {
			return nil
		}
	}
	return fmt.Errorf("it has no heading for #%s", anchor)
}

// TestAPIPage: the page names every error reason of the contract with the status that REST gives it, and every call with its path.
func TestAPIPage(t *testing.T) {
	page, err := os.ReadFile("docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	contract, err := os.ReadFile("../proto/headgate/v1/event_service.proto")
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[string]string{
		"INVALID_ARGUMENT": "400", "OUT_OF_RANGE": "410", "FAILED_PRECONDITION": "400", "NOT_FOUND": "404", "ALREADY_EXISTS": "409", "ABORTED": "409",
		"UNAUTHENTICATED": "401", "PERMISSION_DENIED": "403", "UNAVAILABLE": "503", "RESOURCE_EXHAUSTED": "429", "DATA_LOSS": "500",
	}
	reasons := regexp.MustCompile(`(?m)^//   ([A-Z_]+) +([A-Z_]+)  `).FindAllStringSubmatch(string(contract), -1)
	if len(reasons) < 18 {
		t.Errorf("only %d reasons", len(reasons))
	}
	for _, r := range reasons {
		if !regexp.MustCompile("(?m)^\\|.*`" + r[1] + "`.*\\| " + statuses[r[2]] + " \\|").Match(page) {
			t.Errorf("%s is not in the table with %s of %s", r[1], statuses[r[2]], r[2])
		}
	}
	calls := 0
	for _, file := range []string{"event_service", "subscription_service"} {
		text, err := os.ReadFile("../proto/headgate/v1/" + file + ".proto")
		if err != nil {
			t.Fatal(err)
		}
		for _, rpc := range regexp.MustCompile(`(?s)\n  rpc (\w+)\(.*?(?:get|post|delete): "([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
			calls++
			if !regexp.MustCompile("(?m)^\\| `\\w+\\." + rpc[1] + "` \\|.* ?`?" + regexp.QuoteMeta(rpc[2]) + "` \\|").Match(page) {
				t.Errorf("%s at %s is not in the table", rpc[1], rpc[2])
			}
		}
	}
	if calls != 11 {
		t.Errorf("%d calls", calls)
	}
}
