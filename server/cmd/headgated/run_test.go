package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/headgate/headgate/server"
)

// anyPorts makes the program take free ports.
var anyPorts = []string{
	"--listen-webhook=127.0.0.1:0", "--listen-api=127.0.0.1:0", "--listen-grpc=127.0.0.1:0", "--listen-admin=127.0.0.1:0",
}

var (
	webhookLine = regexp.MustCompile(`^webhook (127\.0\.0\.1:[1-9]\d*)/webhooks/superoffice/dev   <- tunnel only this port$`)
	othersLine  = regexp.MustCompile(`^api (127\.0\.0\.1:[1-9]\d*)   grpc (127\.0\.0\.1:[1-9]\d*)   admin (127\.0\.0\.1:[1-9]\d*)   data (.+)$`)
)

// listening reads what the program prints first and returns where it listens.
func listening(t *testing.T, printed *bufio.Reader) server.Addresses {
	t.Helper()
	var found []string
	for _, want := range []*regexp.Regexp{webhookLine, othersLine} {
		line, err := printed.ReadString('\n')
		match := want.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if match == nil {
			t.Fatalf("printed %q, %v; want %s", line, err, want)
		}
		found = append(found, match[1:]...)
	}
	return server.Addresses{Webhook: found[0], API: found[1], GRPC: found[2], Admin: found[3]}
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
	dir := t.TempDir()
	go func() {
		err := run(ctx, append([]string{"--dev", "--data-dir", dir}, anyPorts...), out, io.Discard, environ(nil))
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
	admin := listening(t, printed).Admin
	go io.Copy(io.Discard, printed)
	wantHealthy(t, admin)
	for at, want := range map[string]string{admin: "", "127.0.0.1:1": "nobody says at 127.0.0.1:1"} {
		_, _, err := program(t, nil, "healthy", "--dev", "--listen-admin", at)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("healthy at %s: %v", at, err)
		}
	}
	wantPrivate(t, dir)
}

// wantPrivate looks at the files in a folder that was made for everybody.
func wantPrivate(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		if info, err := d.Info(); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Errorf("%d files, %v", files, err)
	}
}

// process starts the program as a process of its own and returns it with what it prints.
func process(t *testing.T) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], append([]string{"--dev", "--data-dir", t.TempDir()}, anyPorts...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "HEADGATE_SHUTDOWN_TIMEOUT=1m")
	cmd.Stderr = new(bytes.Buffer)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewReader(stdout)
}

func terminate(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// TestSignal: the process ends by itself, and well, when it is told to.
func TestSignal(t *testing.T) {
	cmd, printed := process(t)
	wantHealthy(t, listening(t, printed).Admin)
	terminate(t, cmd)
	rest, _ := io.ReadAll(printed)
	if !strings.Contains(string(rest), "/v1/events:subscribe?start.at=earliest'") {
		t.Errorf("it does not say what to type next: %q", rest)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// TestSecondSignal: whoever does not want to wait for what is under way tells it twice.
func TestSecondSignal(t *testing.T) {
	cmd, printed := process(t)
	logged := cmd.Stderr.(*bytes.Buffer)
	at := listening(t, printed)
	slow, err := net.Dial("tcp", at.Webhook)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if _, err := io.WriteString(slow, "POST /webhooks/superoffice/dev HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// The body is being waited for once the server says so.
	if line, err := bufio.NewReader(slow).ReadString('\n'); !strings.Contains(line, "100 Continue") {
		t.Fatalf("the server answers %q, %v", line, err)
	}
	terminate(t, cmd)
	for { // until the API is closed: the first signal has arrived then
		conn, err := net.Dial("tcp", at.API)
		if err != nil {
			break
		}
		conn.Close()
	}
	terminate(t, cmd)
	io.Copy(io.Discard, printed)
	err = cmd.Wait()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(logged.String(), "headgated: a second signal ended it at once") {
		t.Errorf("it did not end at once, but with %v, having said:\n%s", err, logged)
	}
}
