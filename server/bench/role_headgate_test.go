//go:build linux || darwin

package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/headgate/headgate/server"
	"github.com/headgate/headgate/server/internal/access"
)

const (
	source = "acme"
	secret = "a secret of the benchmarks, long enough"
	token  = "a token of the benchmarks"
	tenant = "Cust26759" // whose events are posted where it does not matter whose
)

// scattered is how many tenants there are where events are of many.
const scattered = 64

// contextOf is the tenant that event n is of, where there are so many. They come in a mixed order.
func contextOf(n, contexts int) string {
	if contexts <= 1 {
		return tenant
	}
	return fmt.Sprint("Cust", mixed(n)%uint64(contexts))
}

// mixed is a number that depends on n and looks random.
func mixed(n int) uint64 {
	x := uint64(n) * 0x9E3779B97F4A7C15
	return (x ^ x>>29) * 0xBF58476D1CE4E5B9 >> 16
}

// configuration is as an operator writes it, on free ports of loopback. Its reader is known by a token and may read less than everything, so that
// every event is held against its grant.
func configuration(dir string) server.Config {
	cfg := server.Default()
	cfg.DataDir = dir
	cfg.Listen = server.Listen{Webhook: "127.0.0.1:0", API: "127.0.0.1:0", GRPC: "127.0.0.1:0", Admin: "127.0.0.1:0"}
	cfg.Retention.DiskReserve = 16 << 20
	cfg.Limits.MaxStreams = 100_000
	contexts := []string{tenant}
	for i := range scattered {
		contexts = append(contexts, fmt.Sprint("Cust", i))
	}
	cfg.Sources = map[string]server.Source{source: {
		Contexts: contexts, Location: time.UTC, Secrets: []server.Secret{{ID: "a", Key: server.SecretKey(secret)}},
	}}
	cfg.Readers = map[string]server.Reader{"bench": {
		Tokens: []string{access.HashToken(token)},
		Allow:  []server.Allow{{Sources: []string{source}, Contexts: []string{"Cust*"}, Entities: []string{"relation"}}},
		Limits: server.ReaderLimits{Streams: 100_000, Connections: 10_000, RequestsPerSecond: 1_000_000},
	}}
	return cfg
}

// startHeadgate runs the real thing.
func startHeadgate(dir string) (*process, error) {
	s, err := server.New(configuration(dir))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return &process{
		addresses: addresses{Posts: s.Addresses().Webhook, Readers: s.Addresses().GRPC},
		stop: func() error {
			cancel()
			return <-done
		},
	}, nil
}
