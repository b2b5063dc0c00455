package server_test

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/headgate/headgate/"

// arrows is the house's plan: which package may import which others of this module. "gen" stands for all generated packages. What is not here
// is not allowed; a package that is not here has no place in the house yet.
var arrows = map[string][]string{
	"server/cmd/headgated": {"server", "client/cmd/commandline", "client/cmd/terminal"},
	"server": {
		"gen", "server/internal/access", "server/internal/admin", "server/internal/backup", "server/internal/eventlog", "server/internal/eventlog/pebblestore", "server/internal/feed",
		"server/internal/grpcenv", "server/internal/rest", "server/internal/subscription", "server/internal/superoffice", "server/internal/tracing", "server/internal/upstream",
		"server/internal/webhook",
	},
	// The door and the windows meet in the log, and nowhere else: of eventlog they take the record and its errors.
	"server/internal/webhook": {"gen", "server/internal/eventlog", "server/internal/refusal", "server/internal/superoffice"},
	"server/internal/feed":    {"gen", "server/internal/aside", "server/internal/eventlog", "server/internal/fault", "server/internal/filter", "server/internal/subscription"},
	// What may be missing upstream is read out of the log as well, and told there.
	"server/internal/upstream":     {"gen", "server/internal/eventlog"},
	"server/internal/subscription": {},
	"server/internal/filter":       {"gen", "server/internal/eventlog"},
	"server/internal/backup":       {"server/internal/eventlog"},
	"server/internal/admin":        {"gen", "server/internal/eventlog", "server/internal/superoffice"},
	"server/internal/superoffice":  {"gen"},
	"server/internal/rest":         {"gen", "server/internal/console"},
	"server/internal/console":      {},
	"server/internal/access":       {"server/internal/aside", "server/internal/fault", "server/internal/refusal"},
	"server/internal/aside":        {},
	"server/internal/fault":        {},
	"server/internal/grpcenv":      {},
	"server/internal/refusal":      {},
	// It holds the exporter; whoever makes spans knows OpenTelemetry's interface alone.
	"server/internal/tracing": {},

	"server/internal/eventlog":              {"gen"},
	"server/internal/eventlog/pebblestore":  {"server/internal/eventlog"},
	"server/internal/eventlog/eventlogtest": {"server/internal/eventlog"},

	// What both binaries need of a terminal and of their command lines.
	"client/cmd/commandline": {},
	"client/cmd/terminal":    {},

	// The fault suite is tests alone, of the binary.
	"server/proof": {},

	"client":                   {"gen"},
	"client/internal/scripted": {"gen"},
	"client/cmd/headgate":      {"gen", "client", "client/cmd/commandline", "client/cmd/terminal"},
	// The kit knows clients by their adapters, and the gateway by its binary.
	"client/conformance":           {},
	"client/conformance/goadapter": {"client", "gen"},
}

func TestImportGraph(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		from := room(words[0])
		if from == "gen" {
			continue
		}
		seen[from] = true
		allowed, known := arrows[from]
		if !known {
			t.Errorf("package %s has no place in the plan: add it to arrows, or put its code into a room that exists", from)
			continue
		}
		for _, path := range words[1:] {
			if to := room(path); to != "" && !slices.Contains(allowed, to) {
				t.Errorf("%s must not import %s", from, to)
			}
		}
	}
	for from := range maps.Keys(arrows) {
		if !seen[from] {
			t.Errorf("the plan has a room %s that is gone", from)
		}
	}
}

// room is a package's path in this module, "gen" for generated code, "" for other modules.
func room(path string) string {
	rest, ok := strings.CutPrefix(path, module)
	if !ok {
		return ""
	}
	if rest == "gen" || strings.HasPrefix(rest, "gen/") {
		return "gen"
	}
	return rest
}

// TestTopLevel: whoever opens the repository sees these, and finds everything else behind one of them.
func TestTopLevel(t *testing.T) {
	out, err := exec.Command("git", "-C", "..", "ls-files").Output()
	if err != nil {
		t.Skip("this is no git repository: ", err)
	}
	known := []string{"proto", "gen", "server", "client", "buf.yaml", "buf.gen.yaml", "go.mod", "go.sum", "README.md", "LICENSE"}
	for line := range strings.Lines(string(out)) {
		if top, _, _ := strings.Cut(strings.TrimSpace(line), "/"); !strings.HasPrefix(top, ".") && !slices.Contains(known, top) {
			t.Errorf("%s has no place at the top: put it into one of %v", strings.TrimSpace(line), known)
		}
	}
}
