//go:build unix

package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHangup: SIGHUP reloads, at once and as often as it comes. It does not end the process.
func TestHangup(t *testing.T) {
	file := configFile(t, "log: {format: json}\n")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "--config", file)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := bufio.NewReader(stderr)
	await := func(text string) {
		t.Helper()
		for {
			line, err := printed.ReadString('\n')
			if err != nil {
				t.Fatalf("it ended before it said %q: %v", text, err)
			}
			if strings.Contains(line, text) {
				return
			}
		}
	}
	hangUp := func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	await(`"msg":"listening"`)
	hangUp()
	await(`"msg":"configuration reloaded"`)
	secretFile := filepath.Join(filepath.Dir(file), "acme.secret")
	if err := os.WriteFile(secretFile, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp()
	await("the one before stays in force")
	if err := os.WriteFile(secretFile, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp()
	await(`"msg":"configuration reloaded"`)
	terminate(t, cmd)
	_, _ = io.Copy(io.Discard, printed)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
