package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOfflineNeedsADirectory(t *testing.T) {
	for _, args := range [][]string{{"restore", "x"}, {"restore", "x", "--data-dir", ""}} {
		if _, _, err := program(t, nil, args...); err == nil || !strings.Contains(err.Error(), "--data-dir DIR") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestRestoreOfNoBackup(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("shopping list: bread, milk"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, to, want string }{
		{filepath.Join(dir, "none"), filepath.Join(dir, "data"), "none"},
		{file, filepath.Join(dir, "data"), "no backup that this binary reads"},
		{file, dir, "is not empty"},
	} {
		if _, _, err := program(t, nil, "restore", "--data-dir", c.to, c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestUpgradeStore(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := program(t, nil, "upgrade-store", "--data-dir", dir); err == nil || !strings.Contains(err.Error(), "there is no log in "+dir) {
		t.Errorf("of nothing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // it makes the log, and ends
	if err := run(ctx, append([]string{"--dev", "--data-dir", dir}, anyPorts...), io.Discard, io.Discard, nil); err != nil {
		t.Fatal(err)
	}
	out, _, err := program(t, nil, "upgrade-store", "--data-dir", dir)
	if err != nil || !strings.Contains(out, "already in format 2") {
		t.Errorf("printed %q, %v", out, err)
	}
}
