//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// limited starts the program with so many files that it may have open.
func limited(t *testing.T, files int) (cmd *exec.Cmd, printed *bufio.Reader, logged *bytes.Buffer) {
	t.Helper()
	args := append([]string{"-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, files), os.Args[0], "--dev", "--data-dir", t.TempDir()}, anyPorts...)
	cmd = exec.CommandContext(t.Context(), "/bin/sh", args...)
	logged = new(bytes.Buffer)
	cmd.Env, cmd.Stderr = append(os.Environ(), asProgram+"=1"), logged
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewReader(stdout), logged
}

// TestTooManyOpenFiles: however many connections there are, the log can open the files that it needs, and takes events.
func TestTooManyOpenFiles(t *testing.T) {
	cmd, printed, logged := limited(t, 640)
	at := listening(t, printed).Webhook
	conn := &http.Client{Timeout: 20 * time.Second} // keeps one connection
	defer conn.CloseIdleConnections()
	text := strings.Repeat("x", 200<<10)
	post := func(n int) {
		t.Helper()
		body := fmt.Sprintf(`{"EventId":"%d","Event":"sale.sold","PrimaryKey":%d,"ContextIdentifier":"Cust1","FieldValues":{"text":"%s"}}`, n, n, text)
		resp, err := conn.Post("http://"+at+"/webhooks/superoffice/dev", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body) // to its end, so that the connection is kept
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable { // a busy disk
			t.Fatalf("post %d: %s", n, resp.Status)
		}
	}
	post(0)
	for range 1000 { // more than there may be files; most of them wait
		c, err := net.DialTimeout("tcp", at, 10*time.Second)
		if err != nil {
			break
		}
		defer c.Close()
	}
	for n := range 150 { // 60 MB: the log begins several files
		post(n + 1)
	}
	if tables, err := filepath.Glob(filepath.Join(cmd.Args[6], "*.sst")); err != nil || len(tables) == 0 {
		t.Errorf("the log opened no file: %d tables, %v", len(tables), err)
	}
	terminate(t, cmd)
	if err := cmd.Wait(); err != nil || !strings.Contains(logged.String(), "the limit of open files bounds the connections") {
		t.Errorf("it ended with %v: %s", err, logged)
	}
}

func TestFarTooFewFiles(t *testing.T) {
	cmd, _, logged := limited(t, 300)
	if err := cmd.Wait(); err == nil || !strings.Contains(logged.String(), "this process may have 300 files open") {
		t.Errorf("it ended with %v: %s", err, logged)
	}
}
