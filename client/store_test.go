package client_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
)

func TestFileStoreKeepsTheLastCursor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billing.cursor")
	store := client.FileStore(path)
	if cursor, err := store.Load(t.Context()); cursor != "" || err != nil {
		t.Fatalf("a missing file holds %q, %v", cursor, err)
	}
	for _, want := range cursors(1, 3) {
		if err := store.Save(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		if got, err := client.FileStore(path).Load(t.Context()); got != want || err != nil {
			t.Fatalf("loaded %q, %v; want %q", got, err, want)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v; want the file alone", entries, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFileStoreSurvivesWhatAKillLeaves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billing.cursor")
	store := client.FileStore(path)
	if err := store.Save(t.Context(), scripted.Cursor(1)); err != nil {
		t.Fatal(err)
	}
	// Killed before the rename: half a new file beside the old one, with whatever rights.
	if err := os.WriteFile(path+".new", []byte("ccc"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Load(t.Context()); got != scripted.Cursor(1) || err != nil {
		t.Errorf("loaded %q, %v; want the old cursor", got, err)
	}
	if err := store.Save(t.Context(), scripted.Cursor(2)); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Load(t.Context()); got != scripted.Cursor(2) || err != nil {
		t.Errorf("loaded %q, %v; want the new cursor", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFileStoreReadsNothingIntoADamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "billing.cursor")
	store := client.FileStore(path)
	for content, ok := range map[string]bool{
		"":                                    true,
		"\n":                                  true,
		scripted.Cursor(1):                    true,
		scripted.Cursor(1) + "\r\n":           true,
		scripted.Cursor(1)[:21] + "\n":        false,
		scripted.Cursor(1) + "c":              false,
		scripted.Cursor(1)[:21] + "=":         false,
		strings.Repeat("\x00", 22):            false,
		scripted.Cursor(1) + "\n" + "another": false,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := store.Load(t.Context())
		if (err == nil) != ok {
			t.Errorf("%q: loaded %q, %v", content, got, err)
		}
		if err != nil && (!strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "ccc")) {
			t.Errorf("%q: the error does not name the file, or shows its contents: %v", content, err)
		}
	}
}

func TestFileStoreTellsWhatItCannotDo(t *testing.T) {
	dir := t.TempDir()
	if _, err := client.FileStore(dir).Load(t.Context()); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("loading a folder: %v", err)
	}
	missing := filepath.Join(dir, "missing", "billing.cursor")
	if err := client.FileStore(missing).Save(t.Context(), scripted.Cursor(1)); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("saving into a missing folder: %v", err)
	}
	path := filepath.Join(dir, "billing.cursor")
	if err := client.FileStore(path).Save(t.Context(), "no cursor"); err == nil {
		t.Error("saved what could not be loaded again")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a refused cursor left a file")
	}
}
