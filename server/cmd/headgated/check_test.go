package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/server"
)

// verdicts checks that the output has exactly these lines, each given as its verdict, name and a part of its text.
func verdicts(t *testing.T, output string, want ...[3]string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(output, "\n"), "\n")
	if len(lines) != len(want) {
		t.Errorf("want %d lines", len(want))
	}
	for i := range min(len(lines), len(want)) {
		words := strings.Fields(lines[i])
		if len(words) < 2 || words[0] != want[i][0] || words[1] != want[i][1] || !strings.Contains(lines[i], want[i][2]) {
			t.Errorf("want %v, got: %s", want[i], lines[i])
		}
	}
	if t.Failed() {
		t.Logf("output:\n%s", output)
	}
}

func TestCheckPasses(t *testing.T) {
	file := configFile(t, "")
	stdout, _, err := program(t, nil, "check", "--config", file)
	if err != nil {
		t.Error(err)
	}
	verdicts(t, stdout,
		[3]string{"ok", "config", file},
		[3]string{"ok", "secrets", "1, of 1 sources, could be read"},
		[3]string{"warn", "readers", "none: everybody on this machine may read everything"},
		[3]string{"ok", "clock", "20"},
		[3]string{"ok", "data_dir", "does not exist yet and can be made"},
		[3]string{"ok", "disk", "MiB are free"},
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
	if err != nil {
		t.Errorf("a warning is no failure: %v", err)
	}
	if !strings.Contains(stdout, "\nwarn  config          sources.acme.secrets[0].file: every user of this machine can read") {
		t.Errorf("printed %s", stdout)
	}
	stdout, _, err = program(t, nil, "check", "--dev", "--listen-webhook=127.0.0.1:0", "--listen-api=127.0.0.1:0",
		"--listen-grpc=127.0.0.1:0", "--listen-admin=127.0.0.1:0", "--data-dir", t.TempDir())
	if err != nil || !strings.Contains(stdout, "warn  secrets         --dev takes webhooks without a signature") {
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
	if err == nil || err.Error() != "2 checks failed" {
		t.Errorf("got %v", err)
	}
	verdicts(t, stdout,
		[3]string{"ok", "config", file},
		[3]string{"ok", "secrets", ""},
		[3]string{"warn", "readers", ""},
		[3]string{"ok", "clock", ""},
		[3]string{"fail", "data_dir", "make it a folder that the server's user may write to"},
		[3]string{"fail", "listen.webhook", "choose an address of this machine"},
		[3]string{"warn", "listen.api", busy.Addr().String() + " is in use: by a gateway"},
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
	if err == nil || err.Error() != "3 checks failed" {
		t.Errorf("got %v", err)
	}
	verdicts(t, stdout,
		[3]string{"fail", "config", "sources.acme.secrets[0].file (line 6): "},
		[3]string{"fail", "config", "readers (line 7): names no reader"},
		[3]string{"fail", "config", `shutdown_timeout (line 8): is not a duration`},
	)
	stdout, _, err = program(t, nil, "check", "--config", filepath.Join(t.TempDir(), "none.yaml"))
	if err == nil || err.Error() != "1 check failed" {
		t.Errorf("got %v", err)
	}
	verdicts(t, stdout, [3]string{"fail", "config", "cannot read the configuration"})
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
		[3]string{"fail", "clock", "it says 1970-01-01T00:00:09Z; set it"},
		[3]string{"ok", "clock", "2025-01-01"},
		[3]string{"fail", "disk", "9MiB are free, less than retention.disk_reserve, 10MiB; make room or lower it"},
		[3]string{"warn", "disk", "10MiB are free, but retention.max_size and disk_reserve make 110MiB"},
		[3]string{"ok", "disk", "10MiB are free"},
	)
	if r.failed != 2 {
		t.Errorf("%d failures counted", r.failed)
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
