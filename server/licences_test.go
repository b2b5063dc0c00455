package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/licensecheck"
)

// allowedLicences are those that both binaries may be made of: none asks more than to be named.
var allowedLicences = []string{"Apache-2.0", "BSD-2-Clause", "BSD-2-Clause-Views", "BSD-3-Clause", "ISC", "MIT", "Unlicense", "0BSD"}

func TestLicences(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}{{end}}", "./cmd/headgated", "../client/cmd/headgate").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if path == "" || seen[path] || strings.HasPrefix(path+"/", module) {
			continue
		}
		seen[path] = true
		found, err := licencesIn(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Errorf("%s: no licence that is known stands in its folder", path)
		}
		for _, l := range found {
			if !slices.Contains(allowedLicences, l) {
				t.Errorf("%s is under %s, which is not among those allowed", path, l)
			}
		}
	}
	if len(seen) < 20 {
		t.Fatalf("only %d modules were looked at", len(seen))
	}
}

func licencesIn(dir string) (found []string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		name := strings.ToUpper(f.Name())
		if f.IsDir() || !strings.HasPrefix(name, "LICEN") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		for _, m := range licensecheck.Scan(text).Match {
			if !slices.Contains(found, m.ID) {
				found = append(found, m.ID)
			}
		}
	}
	return found, nil
}
