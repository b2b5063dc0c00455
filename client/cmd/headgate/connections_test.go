package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/headgate/headgate/client"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// reads begins a stream and returns what its iteration meets: nil for each message, and why it connects again.
func reads(t *testing.T) <-chan error {
	t.Helper()
	c, err := client.Dial(os.Getenv("HEADGATE_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	met, done := make(chan error, 100), make(chan struct{})
	tell := func(err error) {
		select {
		case met <- err:
		case <-ctx.Done():
		}
	}
	go func() {
		defer close(done)
		for range c.Subscribe(ctx, client.Subscription{
			Start: client.Earliest(), ClientName: "night shift", Filter: &headgatev1.Filter{Entities: []string{"relation", "associate"}, Actions: []string{"created"}},
			OnRetry: func(err error, wait time.Duration) {
				if wait < 30*time.Second {
					err = errors.New("too soon")
				}
				tell(err)
			},
		}) {
			tell(nil)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-done
		_ = c.Close()
	})
	return met
}

// TestConnectionsAreShownAndEnded, of a real gateway: a stream is listed, is ended by how its id begins, and its client hears of it.
func TestConnectionsAreShownAndEnded(t *testing.T) {
	startServer(t)
	out, _, err := headgate(t, nil, "connections")
	if err != nil || out != "nobody reads: try headgate tail, or make a reader's token with headgate token new\n" {
		t.Errorf("wrote %q, %v", out, err)
	}
	met := reads(t)
	if err := <-met; err != nil {
		t.Fatal(err)
	}
	out, _, err = headgate(t, nil, "connections")
	want := regexp.MustCompile(`^STREAM    STATE  LAG  SENT  SINCE   CLIENT       FILTER
\S.* at 127\.0\.0\.1:\d+, \S.*
([A-Z2-7]{8})  live     -     0  \ds ago  night shift  entities=relation,associate actions=created
$`)
	found := want.FindStringSubmatch(out)
	if found == nil || err != nil {
		t.Fatalf("wrote\n%s%v", out, err)
	}
	out, _, err = headgate(t, nil, "connections", "--output", "json", "--reader", "somebody")
	if err != nil || out != "" {
		t.Errorf("of nobody: wrote %q, %v", out, err)
	}
	out, _, err = headgate(t, nil, "connections", "--output", "json")
	var stream map[string]any
	if json.Unmarshal([]byte(out), &stream) != nil || err != nil || stream["state"] != "STATE_LIVE" || stream["client_name"] != "night shift" {
		t.Errorf("wrote %q, %v", out, err)
	}
	if _, _, err := headgate(t, nil, "connections", "end", "0"); err == nil || exitCode(err) != 1 || !strings.Contains(err.Error(), "see headgate connections") {
		t.Errorf("of a stream that is not there: %v", err)
	}
	out, _, err = headgate(t, nil, "connections", "end", strings.ToLower(found[1]))
	if err != nil || !strings.HasPrefix(out, "ended "+found[1]) || !strings.Contains(out, "night shift") {
		t.Errorf("wrote %q, %v", out, err)
	}
	for err = range met {
		if err != nil {
			break
		}
	}
	if err.Error() != "an operator ended the stream" {
		t.Errorf("the client met %v", err)
	}
}

func TestTheStreamThatIsMeant(t *testing.T) {
	streams := []*adminv1.Stream{{Id: "ABCD"}, {Id: "ABEF"}}
	for given, want := range map[string]string{"abc": "ABCD", "ABEF": "ABEF", "AB": "", "X": ""} {
		if got, err := (&connectionsEndCommand{ID: text(given)}).find(streams); got != want || (err == nil) != (want != "") {
			t.Errorf("%s is %s, %v", given, got, err)
		}
	}
}

// TestStatusIsWatched on a terminal: it is written over in place, in as many columns and lines as there are, until it is interrupted.
func TestStatusIsWatched(t *testing.T) {
	startServer(t)
	for n := range 3 {
		if _, _, err := headgate(t, nil, "send", "relation.created", "--count", "2"); err != nil {
			t.Fatal(n, err)
		}
	}
	cmd := program(t, "status", "--watch", "--interval", "100ms")
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var first, second []string
	in := bufio.NewScanner(terminal)
	for in.Scan() && !strings.HasPrefix(strings.TrimPrefix(in.Text(), "\x1b[J"), "\x1b[") {
		first = append(first, in.Text())
	}
	second = append(second, in.Text())
	for len(second) < len(first) && in.Scan() {
		second = append(second, in.Text())
	}
	if len(first) < 5 || len(first) > 23 || len(second) != len(first) {
		t.Fatalf("%d lines, then %d:\n%s", len(first), len(second), strings.Join(first, "\n"))
	}
	codes := regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)
	for _, line := range first {
		if n := len([]rune(codes.ReplaceAllString(strings.TrimRight(line, "\r"), ""))); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if !strings.Contains(second[0], "A\r\x1b[K\x1b[1mheadgate ") || !strings.Contains(strings.Join(second, ""), "6 accepted") {
		t.Errorf("it is not written over: %q", second)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, terminal)
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted, it ended with %v", err)
	}
}

// TestStatusIsNotWatchedElsewhere: in a pipe --watch is one look, without anything but text.
func TestStatusIsNotWatchedElsewhere(t *testing.T) {
	startServer(t)
	var out bytes.Buffer
	cmd := program(t, "status", "--watch")
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil || strings.Contains(out.String(), "\x1b") || strings.Count(out.String(), "accepting webhooks") != 1 {
		t.Errorf("wrote %q, %v", out.String(), err)
	}
}
