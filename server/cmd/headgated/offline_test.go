package main

import (
	"context"
	"errors"
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

// TestVerify: the program says what it looked at, what is damaged, and by its exit code which of the two it is.
func TestVerify(t *testing.T) {
	cmd, printed := process(t)
	listening(t, printed)
	dir := cmd.Args[3]
	verify := func() (string, int) {
		t.Helper()
		out, _, err := program(t, nil, "verify", "--data-dir", dir)
		if err == nil {
			return out, 0
		}
		f, ok := errors.AsType[failure](err)
		if !ok {
			t.Fatal(err)
		}
		return out + err.Error(), f.code
	}
	if said, code := verify(); code != 2 || !strings.Contains(said, "in use") {
		t.Errorf("while it runs: %d, %s", code, said)
	}
	terminate(t, cmd)
	_, _ = io.Copy(io.Discard, printed)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if said, code := verify(); code != 0 || !strings.Contains(said, "looked at  0 records") || !strings.HasSuffix(said, "all is well\n") {
		t.Errorf("of a whole one: %d, %s", code, said)
	}
	manifests, err := filepath.Glob(filepath.Join(dir, "MANIFEST-*"))
	if err != nil || len(manifests) == 0 {
		t.Fatal(manifests, err)
	}
	for _, m := range manifests {
		if err := os.WriteFile(m, []byte("nothing"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if said, code := verify(); code != 1 || !strings.Contains(said, "damaged  the store: ") {
		t.Errorf("of a damaged one: %d, %s", code, said)
	}
	dir = t.TempDir()
	if said, code := verify(); code != 2 || !strings.Contains(said, "there is no log") {
		t.Errorf("of none: %d, %s", code, said)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("shopping list: bread, milk"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := program(t, nil, "verify", "--backup", file); err == nil || !strings.Contains(err.Error(), "no backup that this binary reads") {
		t.Errorf("of no backup: %v", err)
	}
}
