package server_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/server"
)

// TestCollectorThatSendsElsewhere: the traces and the headers go to the collector that is named, or nowhere. OpenTelemetry's own variables count all the same.
func TestCollectorThatSendsElsewhere(t *testing.T) {
	other := newCollector(t, server.TracingHTTP)
	run := func(t *testing.T, at string) string {
		log := captureLog(t)
		cfg := traced(t, at, server.TracingHTTP, 1)
		cfg.Tracing.Headers = server.SecretKey("authorization=Bearer%20of-the-collector,x-api-key=of-the-collector")
		g := start(t, cfg)
		if got := g.post(body(1, "relation.created", "Cust1234")); got != http.StatusOK {
			t.Fatalf("answered %d", got)
		}
		g.stop()
		return log.String()
	}
	secured := func(t *testing.T, h http.Handler) *httptest.Server {
		srv := httptest.NewTLSServer(h)
		t.Cleanup(srv.Close)
		certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
		path := filepath.Join(t.TempDir(), "collector.pem")
		if err := os.WriteFile(path, certificate, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", path)
		return srv
	}
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		away := http.RedirectHandler(other.url+"/v1/traces", status)
		for name, begin := range map[string]func(*testing.T) *httptest.Server{
			"http":  func(t *testing.T) *httptest.Server { srv := httptest.NewServer(away); t.Cleanup(srv.Close); return srv },
			"https": func(t *testing.T) *httptest.Server { return secured(t, away) },
		} {
			t.Run(fmt.Sprint(status, " of ", name), func(t *testing.T) {
				log := run(t, begin(t).URL)
				if !strings.Contains(log, "name that place in tracing.endpoint") || strings.Contains(log, "of-the-collector") {
					t.Errorf("the log says %s", log)
				}
				if n := len(other.spans()); n != 0 {
					t.Errorf("%d spans went to the other place", n)
				}
			})
		}
	}
	t.Run("one that takes them, over TLS", func(t *testing.T) {
		c := &collector{}
		if log := run(t, secured(t, c).URL); len(c.spans()) == 0 {
			t.Errorf("no spans came: %s", log)
		}
	})
}
