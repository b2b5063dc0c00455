package main

import (
	"context"
	"log/slog"
	"regexp"
	"testing"

	"github.com/headgate/headgate/server"
)

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
