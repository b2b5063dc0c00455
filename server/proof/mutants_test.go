package proof

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var mutantsFlag = flag.String("mutants", "", "run the mutants whose name matches, each with the test that must fail; . runs all")

// mutant is a way to break a promise: a piece of the gateway's code, what stands there instead, and the test that must see it.
type mutant struct {
	name     string
	file     string // from the top of the repository
	old, new string
	pkg, run string
	args     []string
	root     bool // the test needs the rights of root
}

// TestMutantsApply: what the mutants change is still there, once, and so are the tests that must see them.
func TestMutantsApply(t *testing.T) {
	for _, m := range mutants {
		if _, err := m.mutated(); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		files, err := filepath.Glob(filepath.Join("../..", m.pkg, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(m.run, "/")
		found := false
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), "func "+name+"(t *testing.T)")
		}
		if !found {
			t.Errorf("%s: %s has no test %s", m.name, m.pkg, name)
		}
	}
}

// mutated is the file with the mutant in it.
func (m *mutant) mutated() (string, error) {
	text, err := os.ReadFile(filepath.Join("../..", m.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		return "", fmt.Errorf("%s has %d times what it changes, want once: write the mutant anew for what stands there now\n%s", m.file, n, m.old)
	}
	return strings.Replace(string(text), m.old, m.new, 1), nil
}

// TestMutants runs each mutant's test on a gateway with the mutant in it. The files stay as they are: the compiler is given others in their place.
func TestMutants(t *testing.T) {
	if *mutantsFlag == "" {
		t.Skip("run it with -mutants .")
	}
	only, err := regexp.Compile(*mutantsFlag)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, m := range mutants {
		if !only.MatchString(m.name) {
			continue
		}
		said := "not run: its test needs root"
		if !m.root || os.Geteuid() == 0 {
			said, err = m.killed(t.TempDir())
			if err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
		}
		t.Logf("%s: %s", m.name, said)
		fmt.Fprintf(&table, "| %s | %s | %s |\n", m.name, m.run, said)
	}
	t.Logf("\n| mutant | test | |\n|---|---|---|\n%s", table.String())
}

// killed runs the test and says how it failed. The error is for one that did not.
func (m *mutant) killed(dir string) (string, error) {
	text, err := m.mutated()
	if err != nil {
		return "does not apply", err
	}
	original, err := filepath.Abs(filepath.Join("../..", m.file))
	if err != nil {
		return "", err
	}
	mutated, overlay := filepath.Join(dir, filepath.Base(m.file)), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{original: mutated}})
	if err = errors.Join(err, os.WriteFile(mutated, []byte(text), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return "", err
	}
	cmd := exec.Command("go", append([]string{"test", "-count=1", "-timeout=5m", "-run", "^" + m.run + "$", "./" + m.pkg}, m.args...)...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOFLAGS=-overlay="+overlay) // for the builds within the test too
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return "SURVIVED", errors.New("it survived")
	case strings.Contains(string(out), "[build failed]") || strings.Contains(string(out), "building the gateway"):
		return "does not build", fmt.Errorf("it does not build:\n%s", out)
	}
	return "killed: " + firstWords(string(out)), nil
}

var failure = regexp.MustCompile(`(?m)^\s+\w+_test\.go:\d+: (.*)$|^panic: (.*)$`)

// firstWords is the last thing that a failed test said, shortened.
func firstWords(out string) string {
	all := failure.FindAllStringSubmatch(out, -1)
	if len(all) == 0 {
		return "it failed"
	}
	for _, f := range all {
		if said := f[1] + f[2]; !strings.Contains(said, "seed") {
			return said[:min(len(said), 160)]
		}
	}
	return "it failed"
}
