package main

import (
	"bufio"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/server"
)

// TestPages runs every command of the pages, and every curl of the README, against a gateway. CURSOR and LEASE are what a reader would put there. A stream stays
// open, as in a terminal of its own.
func TestPages(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here")
	}
	for _, page := range []struct {
		path     string
		commands *regexp.Regexp
		atLeast  int
	}{
		{"../../subscriptions.md", regexp.MustCompile(`(?m)^(go run ./client/cmd/headgate|curl) (.*)$`), 18},
		{"../../rest.md", regexp.MustCompile(`(?m)^(curl) (.*)$`), 10},
		{"../../../README.md", regexp.MustCompile(`(?m)^(curl) (.*)$`), 2},
	} {
		t.Run(filepath.Base(page.path), func(t *testing.T) {
			text, err := os.ReadFile(page.path)
			if err != nil {
				t.Fatal(err)
			}
			commands := page.commands.FindAllStringSubmatch(string(text), -1)
			if len(commands) < page.atLeast {
				t.Fatalf("only %d commands", len(commands))
			}
			follow(t, commands)
		})
	}
}

// follow runs the commands one after the other, at a gateway that has two events and a subscription.
func follow(t *testing.T, commands [][]string) {
	api := startServer(t)
	for _, args := range []string{"send relation.created", "send relation.changed", "subscription create billing --earliest"} {
		if _, _, err := headgate(t, nil, strings.Fields(args)...); err != nil {
			t.Fatalf("%s: %v", args, err)
		}
	}
	listed, _, err := headgate(t, nil, "list", "-v")
	if err != nil {
		t.Fatal(err)
	}
	cursors := regexp.MustCompile(`(?m)^\S+ (\S+) `).FindAllStringSubmatch(listed, -1)
	if len(cursors) != 2 {
		t.Fatalf("%d events", len(cursors))
	}
	lease := ""
	for _, c := range commands {
		cursor := cursors[0][1]
		if strings.Contains(c[2], "release") {
			cursor = cursors[1][1]
		}
		line := strings.NewReplacer("CURSOR", cursor, "LEASE", lease, "127.0.0.1:8081", api).Replace(c[2])
		if c[1] != "curl" {
			line, _, _ = strings.Cut(line, " | ")
			if _, errs, err := headgate(t, nil, words(line)...); err != nil {
				t.Errorf("headgate %s: %v %s", line, err, errs)
			}
			continue
		}
		if strings.HasPrefix(line, "-N") {
			lease = openStream(t, line)
			continue
		}
		out, err := curl(t.Context(), line).Output()
		if err != nil || strings.Contains(string(out), `"code":`) {
			t.Errorf("curl %s: %s, %v", line, out, err)
		}
	}
}

func curl(ctx context.Context, line string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", "-c", "exec curl -sS "+line)
}

// openStream starts curl, reads until events come, and leaves it open. It returns the stream's lease.
func openStream(t *testing.T, line string) (lease string) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	cmd := curl(ctx, line)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := regexp.MustCompile(`"lease":"([^"]+)"`).FindStringSubmatch(lines.Text()); found != nil {
			lease = found[1]
		}
		if strings.Contains(lines.Text(), `"event_id":`) {
			return lease
		}
	}
	t.Fatalf("curl %s ended without an event", line)
	return ""
}

// words takes a command line apart as a shell does that knows only single quotes.
func words(line string) (all []string) {
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		all = append(all, m[1]+m[2])
	}
	return all
}

// startServer starts a gateway and has the commands find it. It returns the address of its REST API.
func startServer(t *testing.T) string {
	t.Helper()
	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(before) })
	cfg := server.Dev()
	cfg.DataDir, cfg.Retention.DiskReserve = t.TempDir(), 1<<20
	cfg.Listen = server.Listen{Webhook: "127.0.0.1:0", API: "127.0.0.1:0", GRPC: "127.0.0.1:0", Admin: "127.0.0.1:0"}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
	})
	t.Setenv("HEADGATE_ADDRESS", s.Addresses().GRPC)
	t.Setenv("HEADGATE_URL", "http://"+s.Addresses().Webhook+"/webhooks/superoffice/dev")
	return s.Addresses().API
}
