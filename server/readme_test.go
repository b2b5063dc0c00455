package server_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestReadmePaths: a path that the README names must be there.
func TestReadmePaths(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`\]\(([^)#:]+)\)|go run (\./\S+)`).FindAllStringSubmatch(string(text), -1)
	if len(links) < 8 {
		t.Fatalf("only %d paths found", len(links))
	}
	for _, l := range links {
		path := l[1] + l[2]
		if _, err := os.Stat(filepath.Join("..", path)); err != nil {
			t.Errorf("the README names %s: %v", path, err)
		}
	}
}
