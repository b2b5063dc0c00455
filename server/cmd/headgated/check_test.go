package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/server"
)

// verdicts checks that the output has exactly these lines, each given as its verdict, name and a part of its text; an empty verdict is any.
func verdicts(t *testing.T, output string, want ...[3]string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(output, "\n"), "\n")
	if len(lines) != len(want) {
		t.Errorf("want %d lines", len(want))
	}
	for i := range min(len(lines), len(want)) {
		words := strings.Fields(lines[i])
		if len(words) < 2 || want[i][0] != "" && words[0] != want[i][0] || words[1] != want[i][1] || !strings.Contains(lines[i], want[i][2]) {
			t.Errorf("want %v, got: %s", want[i], lines[i])
		}
	}
	if t.Failed() {
		t.Logf("output:\n%s", output)
	}
}

// code is the exit code that the program would end with.
func code(err error) int {
	if err == nil {
		return 0
	}
	if f, ok := errors.AsType[failure](err); ok {
		return f.code
	}
	return 1
}

func TestCheckPasses(t *testing.T) {
	file := configFile(t, "")
	stdout, _, err := program(t, nil, "check", "--config", file)
	if code(err) != 1 {
		t.Errorf("with a warning it ends with %v", err)
	}
	verdicts(t, stdout,
		[3]string{"ok", "config", file},
		[3]string{"ok", "secrets", "1, of 1 source, could be read"},
		[3]string{"warning", "readers", "none: everybody on this machine may read everything"},
		[3]string{"ok", "clock", "20"},
		[3]string{"ok", "data_dir", "does not exist yet and can be made"},
		[3]string{"", "file_system", ""},
		[3]string{"", "sync", "a write is on the disk after "},
		[3]string{"ok", "disk", "MiB are free"},
		[3]string{"ok", "open_files", "enough"},
		[3]string{"ok", "listen.webhook", "127.0.0.1:0 is free"},
		[3]string{"ok", "listen.api", "127.0.0.1:0 is free"},
		[3]string{"ok", "listen.grpc", "127.0.0.1:0 is free"},
		[3]string{"ok", "listen.admin", "127.0.0.1:0 is free"},
	)
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 2 {
		t.Errorf("it left something behind: %v, %v", left, err)
	}
}

func TestCheckWarns(t *testing.T) {
	file := configFile(t, "")
	if err := os.Chmod(filepath.Join(filepath.Dir(file), "acme.secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := program(t, nil, "check", "--config", file)
	if code(err) != 1 {
		t.Errorf("with warnings it ends with %v", err)
	}
	if !strings.Contains(stdout, "\nwarning  config          sources.acme.secrets[0].file: every user of this machine can read") {
		t.Errorf("printed %s", stdout)
	}
	stdout, _, err = program(t, nil, "check", "--dev", "--listen-webhook=127.0.0.1:0", "--listen-api=127.0.0.1:0",
		"--listen-grpc=127.0.0.1:0", "--listen-admin=127.0.0.1:0", "--data-dir", t.TempDir())
	if code(err) != 1 || !strings.Contains(stdout, "warning  secrets         --dev takes webhooks without a signature") {
		t.Errorf("printed %s, %v", stdout, err)
	}
}

func TestCheckFails(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	file := configFile(t, "")
	stdout, _, err := program(t, nil, "check", "--config", file, "--listen-webhook", "192.0.2.1:0", "--listen-api", busy.Addr().String(),
		"--data-dir", filepath.Join(file, "log"))
	if code(err) != 2 || err.Error() != "2 checks failed" {
		t.Errorf("got %v", err)
	}
	verdicts(t, stdout,
		[3]string{"ok", "config", file},
		[3]string{"ok", "secrets", ""},
		[3]string{"warning", "readers", ""},
		[3]string{"ok", "clock", ""},
		[3]string{"error", "data_dir", "make it a folder that the server's user may write to"},
		[3]string{"ok", "open_files", ""},
		[3]string{"error", "listen.webhook", "choose an address of this machine"},
		[3]string{"warning", "listen.api", busy.Addr().String() + " is in use; by a gateway"},
		[3]string{"ok", "listen.grpc", ""},
		[3]string{"ok", "listen.admin", ""},
	)
}

func TestCheckTellsEveryProblemOfTheConfiguration(t *testing.T) {
	file := configFile(t, "readers: {}\nshutdown_timeout: soon\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "acme.secret"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := program(t, nil, "check", "--config", file)
	if code(err) != 2 || err.Error() != "3 checks failed" {
		t.Errorf("got %v", err)
	}
	verdicts(t, stdout,
		[3]string{"error", "config", "sources.acme.secrets[0].file (line 6): "},
		[3]string{"error", "config", "readers (line 7): names no reader"},
		[3]string{"error", "config", `shutdown_timeout (line 8): is not a duration`},
	)
	stdout, _, err = program(t, nil, "check", "--config", filepath.Join(t.TempDir(), "none.yaml"))
	if code(err) != 2 || err.Error() != "1 check failed" {
		t.Errorf("got %v", err)
	}
	verdicts(t, stdout, [3]string{"error", "config", "cannot read the configuration"})
}

func TestCheckAsJSON(t *testing.T) {
	stdout, _, err := program(t, nil, "check", "--output", "json", "--config", configFile(t, ""))
	var worst int
	for line := range strings.Lines(stdout) {
		var f finding
		if err := json.Unmarshal([]byte(line), &f); err != nil || f.Check == "" || f.Text == "" {
			t.Errorf("%s: %v", line, err)
		}
		worst = max(worst, map[string]int{verdictOK: 0, verdictWarning: 1, verdictError: 2}[f.Verdict])
	}
	if strings.Count(stdout, "\n") < 8 || worst != code(err) {
		t.Errorf("ended with %v, printed\n%s", err, stdout)
	}
}

func TestCheckOfFileSystemAndSync(t *testing.T) {
	var out bytes.Buffer
	r := &report{out: &out}
	checkKind(r, "ext4")
	checkKind(r, "nfs")
	checkKind(r, "overlayfs")
	checkSync(r, 2*time.Millisecond)
	checkSync(r, slowSync)
	checkSync(r, tooSlowSync)
	verdicts(t, out.String(),
		[3]string{"ok", "file_system", "ext4"},
		[3]string{"warning", "file_system", "put it on a local disk"},
		[3]string{"warning", "file_system", "the layer of a container"},
		[3]string{"ok", "sync", "after 2ms"},
		[3]string{"warning", "sync", "use a faster disk"},
		[3]string{"error", "sync", "webhooks are refused"},
	)
}

func TestCheckOfSecrets(t *testing.T) {
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for want, secrets := range map[string][]server.Secret{
		"":                          {{NotAfter: now.Add(day)}, {NotBefore: now.Add(-day)}},
		"takes the test call only":  nil,
		"all its webhooks are":      {{NotAfter: now}, {NotBefore: now.Add(day)}},
		"none after 2026-07-14":     {{NotAfter: now.Add(13 * day)}},
		"sources.acme has none tha": {{NotBefore: now.Add(time.Second)}},
	} {
		var out bytes.Buffer
		r := &report{out: &out}
		checkSecrets(r, server.Config{Sources: map[string]server.Source{"acme": {Secrets: secrets}}}, now)
		if !strings.Contains(out.String(), want) || (want == "") != (r.warnings+r.errors == 0) {
			t.Errorf("want %q, printed\n%s", want, out.String())
		}
	}
}

func TestClockAndDisk(t *testing.T) {
	const mib = 1 << 20
	retention := server.Retention{MaxSize: 100 * mib, DiskReserve: 10 * mib}
	var out bytes.Buffer
	r := &report{out: &out}
	checkClock(r, time.Date(1970, 1, 1, 0, 0, 9, 0, time.UTC))
	checkClock(r, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
	checkDisk(r, retention, 9*mib, 200*mib)
	checkDisk(r, retention, 10*mib, 99*mib)
	checkDisk(r, retention, 10*mib, 100*mib)
	verdicts(t, out.String(),
		[3]string{"error", "clock", "it says 1970-01-01T00:00:09Z; set it"},
		[3]string{"ok", "clock", "2025-01-01"},
		[3]string{"error", "disk", "9MiB are free, less than retention.disk_reserve, 10MiB; make room or lower it"},
		[3]string{"warning", "disk", "10MiB are free, but retention.max_size and disk_reserve make 110MiB"},
		[3]string{"ok", "disk", "10MiB are free"},
	)
	if r.errors != 2 || r.warnings != 1 || code(r.err()) != 2 || code((&report{warnings: 1}).err()) != 1 || (&report{}).err() != nil {
		t.Errorf("%d errors and %d warnings counted", r.errors, r.warnings)
	}
}

func TestCheckCountsWhatTheLogHasTaken(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a/b"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "a/b/y"} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := folderSize(dir); got != 2000 {
		t.Errorf("got %d", got)
	}
	if got := folderSize(filepath.Join(dir, "none")); got != 0 {
		t.Errorf("got %d for a folder that is not there", got)
	}
}
