package main

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/headgate/headgate/server"
)

// TestPageOfSubscriptions runs every command of the page against a gateway. CURSOR and LEASE are what a reader would put there.
func TestPageOfSubscriptions(t *testing.T) {
	page, err := os.ReadFile("../../subscriptions.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here")
	}
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
	commands := regexp.MustCompile(`(?m)^(go run ./client/cmd/headgate|curl) (.*)$`).FindAllStringSubmatch(string(page), -1)
	if len(commands) < 12 || len(cursors) != 2 {
		t.Fatalf("%d commands, %d events", len(commands), len(cursors))
	}
	lease := ""
	for _, c := range commands {
		cursor := cursors[0][1]
		if strings.Contains(c[2], "release") {
			cursor = cursors[1][1]
		}
		line := strings.NewReplacer("CURSOR", cursor, "LEASE", lease, "127.0.0.1:8081", api).Replace(c[2])
		if c[1] != "curl" {
			if _, errs, err := headgate(t, nil, words(line)...); err != nil {
				t.Errorf("headgate %s: %v %s", line, err, errs)
			}
			continue
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "curl -sS "+line).Output()
		endless := strings.Contains(line, "--max-time")
		if err != nil && !endless || strings.Contains(string(out), `"code":`) || endless && !strings.Contains(string(out), `"events":`) {
			t.Errorf("curl %s: %s, %v", line, out, err)
		}
		if found := regexp.MustCompile(`"lease":"([^"]+)"`).FindSubmatch(out); found != nil {
			lease = string(found[1])
		}
	}
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
