package server_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

const testSecret = "a secret of the tests, long enough"

// signedConfig is a configuration as operators write it, on free ports of loopback.
func signedConfig(dir string) server.Config {
	cfg := server.Default()
	cfg.DataDir = dir
	cfg.Listen = server.Listen{Webhook: "127.0.0.1:0", API: "127.0.0.1:0", GRPC: "127.0.0.1:0", Admin: "127.0.0.1:0"}
	cfg.Retention.DiskReserve = 16 << 20
	cfg.Sources = map[string]server.Source{"acme": {
		Contexts: []string{"Cust26759", "Cust1234", "Cust31038", "Default"},
		Location: time.UTC,
		Secrets:  []server.Secret{{ID: "a", Key: server.SecretKey(testSecret)}},
	}}
	return cfg
}

// gateway is a running server of a test.
type gateway struct {
	t    testing.TB
	addr server.Addresses
	stop func() // ends it gracefully and fails the test if that does not work; may be called more than once
	conn *grpc.ClientConn
}

func start(t testing.TB, cfg server.Config) *gateway {
	t.Helper()
	return startWith(t, func() (*server.Server, error) { return server.New(cfg) })
}

func startWith(t testing.TB, open func() (*server.Server, error)) *gateway {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	g := &gateway{t: t, addr: s.Addresses()}
	if g.conn, err = grpc.NewClient(g.addr.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		t.Fatal(err)
	}
	g.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		_ = g.conn.Close()
	})
	t.Cleanup(g.stop)
	return g
}

func (g *gateway) events() headgatev1.EventServiceClient {
	return headgatev1.NewEventServiceClient(g.conn)
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// post posts a signed body to the source acme and returns the answer's status.
func (g *gateway) post(body []byte) int {
	return postTo(g.t, g.addr.Webhook, body, sign(testSecret, body))
}

func postTo(t testing.TB, address string, body []byte, signature string) int {
	t.Helper()
	status, err := tryPost(address, body, signature)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// deliver posts a signed body as the CRM does: it tries twice more where a busy disk did not store it within the gateway's second.
func deliver(address string, body []byte) error {
	for try := 0; ; try++ {
		status, err := tryPost(address, body, sign(testSecret, body))
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			return nil
		case status != http.StatusServiceUnavailable || try == 2:
			return fmt.Errorf("a post was answered %d", status)
		}
	}
}

func tryPost(address string, body []byte, signature string) (int, error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+address+"/webhooks/superoffice/acme", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("X-SuperOffice-Signature", signature)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// samples are the vendor's documented payloads, by name.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../client/cmd/headgate/samples/*.json")
	if err != nil || len(files) < 11 {
		t.Fatalf("samples: %d files, %v", len(files), err)
	}
	all := make(map[string][]byte)
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".json")] = body
	}
	return all
}

// body makes a distinct webhook body.
func body(n int, event, tenant string) []byte {
	entity, _, _ := strings.Cut(event, ".")
	b, err := json.Marshal(map[string]any{
		"EventId": fmt.Sprintf("00000000-0000-4000-8000-%012d", n), "Timestamp": "2026-01-02T03:04:05.6789Z", "Changes": []string{"updated"},
		"Event": event, "PrimaryKey": n, "Entity": entity, "ContextIdentifier": tenant, "ChangedByAssociateId": 5, "WebhookName": "test",
	})
	if err != nil {
		panic(err)
	}
	return b
}

// get returns status and body of a GET from the REST API.
func (g *gateway) get(path string, header ...string) (int, string) {
	g.t.Helper()
	resp := g.open(path, header...)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (g *gateway) open(path string, header ...string) *http.Response {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, "http://"+g.addr.API+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp
}
