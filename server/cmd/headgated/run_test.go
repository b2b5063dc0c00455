package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// anyPorts makes the program take free ports.
var anyPorts = []string{
	"--listen-webhook=127.0.0.1:0", "--listen-api=127.0.0.1:0", "--listen-grpc=127.0.0.1:0", "--listen-admin=127.0.0.1:0",
}

var (
	webhookLine = regexp.MustCompile(`^webhook (127\.0\.0\.1:[1-9]\d*)/webhooks/superoffice/dev   <- tunnel only this port$`)
	othersLine  = regexp.MustCompile(`^api (127\.0\.0\.1:[1-9]\d*)   grpc (127\.0\.0\.1:[1-9]\d*)   admin (127\.0\.0\.1:[1-9]\d*)   data (.+)$`)
)

// adminAddress reads what the program prints first and returns where admin listens.
func adminAddress(t *testing.T, printed *bufio.Reader) string {
	t.Helper()
	var found []string
	for _, want := range []*regexp.Regexp{webhookLine, othersLine} {
		line, err := printed.ReadString('\n')
		if found = want.FindStringSubmatch(strings.TrimSuffix(line, "\n")); found == nil {
			t.Fatalf("printed %q, %v; want %s", line, err, want)
		}
	}
	return found[3]
}

func wantHealthy(t *testing.T, admin string) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + admin + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz answers %s", resp.Status)
	}
}

func TestRunUntilCancelled(t *testing.T) {
	defer slog.SetDefault(slog.Default())
	ctx, cancel := context.WithCancel(t.Context())
	stdout, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"--dev", "--data-dir", t.TempDir()}, anyPorts...), out, io.Discard, environ(nil))
		out.CloseWithError(io.EOF)
		done <- err
	}()
	// Whatever happens, the program has ended before its data directory is removed.
	defer func() {
		cancel()
		stdout.Close()
		if err := <-done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	}()
	printed := bufio.NewReader(stdout)
	admin := adminAddress(t, printed)
	go io.Copy(io.Discard, printed)
	wantHealthy(t, admin)
}

// TestSignal: the process ends by itself, and well, when it is told to.
func TestSignal(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], append([]string{"--dev", "--data-dir", t.TempDir()}, anyPorts...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := bufio.NewReader(stdout)
	wantHealthy(t, adminAddress(t, printed))
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(printed)
	if !strings.Contains(string(rest), "/v1/events:subscribe?start.at=earliest'") {
		t.Errorf("it does not say what to type next: %q", rest)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
