//go:build unix

package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/headgate/headgate/server/internal/access"
)

// walk is somebody who does what a page says, in a folder of their own, with a gateway: the one that the page has them start, or else one that runs before they begin.
type walk struct {
	t         *testing.T
	bin, page string
	dir       string
	env       []string
	addresses *strings.Replacer // those of the gateway, for the usual ones
	tokens    []string          // that were made
	open      []*opened
	stop      []func()
}

// opened is a command that goes on, as in a terminal of its own.
type opened struct {
	line         string
	mu           sync.Mutex
	wrote, lease string
	sawEvent     bool
}

var (
	serves = regexp.MustCompile(`^([A-Z_]+=\S+ )?headgated --(config|dev)`)
	stays  = regexp.MustCompile(`^curl -N|^headgate tail `)

	someStream = regexp.MustCompile(`(?m)^headgate_streams\{.*\} [1-9]`)
)

// do runs one command. It must end well, or, if it goes on, show an event before the page ends.
func (w *walk) do(line string) {
	w.t.Helper()
	if w.t.Failed() {
		return
	}
	line = strings.NewReplacer("go run ./client/cmd/headgate ", "headgate ", "go run ./server/cmd/headgated ", "headgated ").Replace(line)
	if w.dir == "" {
		w.begin()
	}
	if serves.MatchString(line) {
		w.serve(line)
		return
	}
	if w.addresses == nil && !strings.Contains(line, " new") && !strings.HasPrefix(line, "headgated ") {
		w.prepare()
	}
	line = w.fill(line)
	cmd := w.command(line)
	if stays.MatchString(line) && !strings.Contains(line, "--until-caught-up") {
		w.leaveOpen(line, cmd)
		return
	}
	out, err := cmd.CombinedOutput()
	if err != nil || strings.HasPrefix(line, "curl") && strings.HasPrefix(string(out), `{"code":`) {
		w.t.Fatalf("%s\n%s%v", line, out, err)
	}
	if line == "headgate token new" {
		w.keep(regexp.MustCompile(`hg_\S+`).FindString(string(out)))
	}
}

func (w *walk) begin() {
	w.t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("CONFORMANCE") == "all" {
			w.t.Fatal("there is no curl")
		}
		w.t.Skip("there is no curl")
	}
	w.dir = w.t.TempDir()
	w.env = append(os.Environ(), "PATH="+w.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+w.dir,
		"HEADGATE_RETENTION_MAX_SIZE=64MiB", "HEADGATE_RETENTION_DISK_RESERVE=16MiB") // this disk may have no room for the usual ones
	for _, name := range []string{"WEBHOOK", "API", "GRPC", "ADMIN"} {
		w.env = append(w.env, "HEADGATE_LISTEN_"+name+"=127.0.0.1:0")
	}
	if forOperators[w.page] {
		w.operators()
	}
}

// keep does with a new token what the guide says: the first is billing's, the second one the operators'.
func (w *walk) keep(token string) {
	w.t.Helper()
	w.tokens = append(w.tokens, token)
	name := []string{"billing.token", "operations.token"}[len(w.tokens)-1]
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(token+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// write writes a file that the page shows, if its first line names one, with the hashes of the tokens in it.
func (w *walk) write(block string) {
	w.t.Helper()
	name, _, _ := strings.Cut(strings.TrimPrefix(block, "# "), "\n")
	if w.dir == "" || name != "headgate.yaml" {
		return
	}
	for _, token := range w.tokens {
		block = strings.Replace(block, "sha256:…", access.HashToken(token), 1)
	}
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(block), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// command is the line as a shell runs it.
func (w *walk) command(line string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env, cmd.WaitDelay = w.dir, w.env, 10*time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	if !serves.MatchString(strings.TrimPrefix(line, "exec env ")) { // that one is asked to end, once
		w.stop = append(w.stop, cancel)
	} else {
		w.t.Cleanup(cancel)
	}
	return cmd
}

// serve starts a gateway, and learns where it listens.
func (w *walk) serve(line string) {
	w.t.Helper()
	cmd := w.command("exec env " + regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(line, "127.0.0.1:0"))
	var said bytes.Buffer
	in, out, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	_ = out.Close()
	read := bufio.NewReader(io.TeeReader(in, &said))
	at := map[string]string{}
	for len(at) < 4 {
		text, err := read.ReadString('\n')
		for _, found := range regexp.MustCompile(`\b(webhook|api|grpc|admin)"?[ :]+"?(127\.0\.0\.1:[1-9]\d*)`).FindAllStringSubmatch(text, -1) {
			at[found[1]] = found[2]
		}
		if err != nil {
			w.t.Fatalf("%s\n%s%v", line, said.String(), errors.Join(err, cmd.Wait()))
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, in)
	}()
	w.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			w.t.Errorf("%s ended with %v", line, err)
		}
		<-done
		_ = in.Close()
	})
	w.addresses = strings.NewReplacer("127.0.0.1:8080", at["webhook"], "127.0.0.1:8081", at["api"], "127.0.0.1:9090", at["grpc"], "127.0.0.1:9100", at["admin"])
	w.env = append(w.env, "HEADGATE_ADDRESS="+at["grpc"])
	if strings.Contains(line, "--dev") {
		w.env = append(w.env, "HEADGATE_URL=http://"+at["webhook"]+"/webhooks/superoffice/dev")
	}
}

// leaveOpen starts a command that goes on, and reads what it says.
func (w *walk) leaveOpen(line string, cmd *exec.Cmd) {
	w.t.Helper()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	o := &opened{line: line}
	w.open = append(w.open, o)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			o.take(lines.Text())
		}
	}()
	w.stop = append(w.stop, func() {
		<-read
		_ = cmd.Wait()
	})
	// One that begins with what is stored is waited for, so that commands after it find what it has.
	if !strings.HasPrefix(line, "headgate tail --entity") {
		w.wait("an event from "+line, o.event)
		return
	}
	metrics := w.addresses.Replace("curl -s http://127.0.0.1:9100/metrics")
	w.wait("a stream for "+line, func() bool { return someStream.MatchString(w.say("%s", metrics)) })
}

func (o *opened) take(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wrote += text + "\n"
	if found := regexp.MustCompile(`"lease":"([^"]+)"`).FindStringSubmatch(text); found != nil {
		o.lease = found[1]
	}
	o.sawEvent = o.sawEvent || strings.Contains(text, `"event_id":`) || strings.HasPrefix(text, "relation.")
}

func (o *opened) event() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sawEvent
}

// wait looks until it is so.
func (w *walk) wait(what string, is func() bool) {
	w.t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	late := time.After(30 * time.Second)
	for !is() {
		select {
		case <-look.C:
		case <-late:
			w.t.Fatalf("never: %s", what)
		}
	}
}

// end: what was left open has shown an event, and is closed.
func (w *walk) end() {
	w.t.Helper()
	for _, o := range w.open {
		w.wait("an event from "+o.line, o.event)
	}
	for _, stop := range w.stop {
		stop()
	}
}

// say runs a command of the test's own, and returns what it writes.
func (w *walk) say(format string, args ...any) string {
	w.t.Helper()
	line := fmt.Sprintf(format, args...)
	out, err := w.command(line).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s\n%s%v", line, out, err)
	}
	return string(out)
}
