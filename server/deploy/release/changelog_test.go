package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestHasEntry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "CHANGELOG.md")
	if err := os.WriteFile(path, []byte("# Changelog\n\n## [Unreleased]\n\n## [1.2.3-rc.1] - 2026-02-03\n\n## [1.2.2] - 2026-01-02\n## [1.2.1]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]bool{
		"v1.2.2": true, "v1.2.3-rc.1": true,
		"v1.2.3": false, "v1.2.1": false, "v1.2.3-rc.2": false, "v11.2.2": false,
		// Nobody chose these.
		"v0.0.0-20261122104617-472e4b866ed1": true, "v1.2.4-0.20261122104617-472e4b866ed1": true, "v1.2.3-rc.2.0.20261122104617-472e4b866ed1": true,
		"v1.2.4-0.20261122104617-472e4b866ed1+dirty": true, "v1.2.2+dirty": true,
	} {
		if err := hasEntry(path, version); (err == nil) != want {
			t.Errorf("%s: %v", version, err)
		}
	}
}
