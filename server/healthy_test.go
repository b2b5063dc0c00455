package server

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHealthyAsksTheListener: with TLS whatever the certificate's names are, and at loopback what listens everywhere.
func TestHealthyAsksTheListener(t *testing.T) {
	s, _ := mustTLS(t)
	cfg := s.cfg
	_, port, err := net.SplitHostPort(s.Addresses().Admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "", "0.0.0.0"} {
		cfg.Listen.Admin = net.JoinHostPort(host, port)
		if err := Healthy(t.Context(), cfg); err != nil {
			t.Errorf("at %q: %v", cfg.Listen.Admin, err)
		}
	}
	cfg.TLS.Listeners = []string{listenAPI, listenGRPC}
	if err := Healthy(t.Context(), cfg); err == nil {
		t.Error("it is well without TLS where there is TLS")
	}
}

func TestHealthyTellsWhatIsWrong(t *testing.T) {
	answer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			http.NotFound(w, r)
			return
		}
		http.Error(w, "the log has failed; restart", http.StatusServiceUnavailable)
	}))
	cfg := Default()
	cfg.Listen.Admin = answer.Listener.Addr().String()
	if err := Healthy(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "the log has failed; restart") {
		t.Errorf("of a failed gateway: %v", err)
	}
	answer.Close()
	if err := Healthy(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "look whether it runs") {
		t.Errorf("of no gateway: %v", err)
	}
}

func TestReachable(t *testing.T) {
	for address, want := range map[string]string{
		":9100": "127.0.0.1:9100", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "[::1]:1", "10.0.0.5:1": "10.0.0.5:1", "localhost:1": "localhost:1",
	} {
		if got := reachable(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
