package server

import (
	"net/http"
	"testing"
)

// TestMetricsAreForThisMachine: without readers, a page that gives its own name this machine's address reads nothing. Who asks for its health may call it as he likes.
func TestMetricsAreForThisMachine(t *testing.T) {
	s, _ := running(t, "")
	admin := s.Addresses().Admin
	for path, want := range map[string]map[string]int{
		"/metrics": {admin: 200, "localhost:9100": 200, "evil.example": 403},
		"/healthz": {admin: 200, "evil.example": 200},
	} {
		for host, want := range want {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+admin+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = host
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("%s of %s: got %d, want %d", path, host, resp.StatusCode, want)
			}
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
