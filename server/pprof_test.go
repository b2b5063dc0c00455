package server

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// askProfile returns status and text of the answer.
func askProfile(t *testing.T, client *http.Client, method, url string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// shortest makes a profile that takes time take little.
func shortest(path string) string {
	if path == pprofIndex+"profile" || path == pprofIndex+"trace" {
		return path + "?seconds=1"
	}
	return path
}

// TestProfilesAreForOperators: where the listener is not on loopback, each of its pages is for operators alone.
func TestProfilesAreForOperators(t *testing.T) {
	config := strings.NewReplacer(`admin: "127.0.0.1:0"}`, `admin: "127.0.0.1:0", pprof: "0.0.0.0:0"}`, "listeners: [api, grpc]", "listeners: [api, grpc, pprof]")
	h := newHouseOf(t, config.Replace(houseFile(houseReaders)))
	_, port, err := net.SplitHostPort(h.s.Addresses().PProf)
	if err != nil {
		t.Fatal(err)
	}
	log := logged(t)
	for path := range profiles {
		for who, want := range map[string]int{
			"nobody": 401, "unknown": 401, "expired": 401, "cust1": 403, "associates": 403, "globex": 403, "created": 403, "all": 403, "machine": 403, "auditor": 403, "chief": 200,
		} {
			var header []string
			if token := h.token(who); token != "" {
				header = []string{"Authorization", "Bearer " + token}
			}
			if got, text := askProfile(t, h.httpOf[who == "machine"], http.MethodGet, "https://127.0.0.1:"+port+shortest(path), header...); got != want {
				t.Errorf("%s: %s is answered with %d: %.200s", path, who, got, text)
			}
		}
	}
	if text := log.String(); !strings.Contains(text, pprofIndex+"heap") || !strings.Contains(text, "reader=chief") || strings.Contains(text, "token of") {
		t.Errorf("the audit says %s", text)
	}
	if resp, err := http.Get("http://127.0.0.1:" + port + pprofIndex); err == nil {
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS it is answered with %d", resp.StatusCode)
		}
	}
}

// TestProfilesOnLoopback are for whoever is on the machine, and for no page of a browser's; one at a time, for a minute at most.
func TestProfilesOnLoopback(t *testing.T) {
	off, _ := running(t, "")
	if at := off.Addresses().PProf; at != "" {
		t.Errorf("by default it listens at %s", at)
	}
	dir := folder(t, strings.Replace(testFile(""), `admin: "127.0.0.1:0"}`, `admin: "127.0.0.1:0", pprof: "127.0.0.1:0"}`, 1))
	s, stop := serving(t, dir)
	base := "http://" + s.Addresses().PProf
	client := httpClient(t, nil)
	for _, c := range []struct {
		method, path string
		header       []string
		want         int
	}{
		{"GET", pprofIndex, nil, 200},
		{"GET", pprofIndex + "heap", nil, 200},
		{"GET", pprofIndex + "heap", []string{"Host", "localhost:6060"}, 200},
		{"GET", pprofIndex + "heap", []string{"Sec-Fetch-Site", "none"}, 200},
		{"GET", pprofIndex + "heap", []string{"Host", "rebound.example"}, 403},
		{"GET", pprofIndex + "heap", []string{"Origin", "https://page.example"}, 403},
		{"GET", pprofIndex + "heap", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"GET", pprofIndex + "heap", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"POST", pprofIndex + "heap", nil, 405},
		{"GET", pprofIndex + "cmdline", nil, 404},
		{"GET", pprofIndex + "heap/", nil, 404},
		{"GET", "/debug/pprof", nil, 404},
		{"GET", "/metrics", nil, 404},
		{"GET", pprofIndex + "profile?seconds=61", nil, 400},
		{"GET", pprofIndex + "profile?seconds=0", nil, 400},
		{"GET", pprofIndex + "profile?seconds=-1", nil, 400},
		{"GET", pprofIndex + "profile?seconds=1e1", nil, 400},
		{"GET", pprofIndex + "profile?seconds=1&seconds=99", nil, 400},
		{"GET", pprofIndex + "trace?seconds=100", nil, 400},
		{"GET", pprofIndex + "heap?seconds=3600", nil, 400},
	} {
		if got, text := askProfile(t, client, c.method, base+c.path, c.header...); got != c.want {
			t.Errorf("%s %s %q is answered with %d: %.200s", c.method, c.path, c.header, got, text)
		}
	}
	// A profile that takes a minute keeps others from theirs, but not the gateway from its end.
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		for code := http.StatusTooManyRequests; code == http.StatusTooManyRequests; { // beside those that ask whether it has begun
			resp, err := client.Get(base + pprofIndex + "heap?seconds=60")
			if err != nil {
				return // cut off
			}
			code = resp.StatusCode
			_ = resp.Body.Close()
		}
	}()
	eventually(t, "a profile is being made", func() bool {
		code, _ := askProfile(t, client, "GET", base+pprofIndex+"heap")
		return code == http.StatusTooManyRequests
	})
	stopped := time.Now()
	stop()
	<-begun
	if took := time.Since(stopped); took > 15*time.Second {
		t.Errorf("the gateway waited %s for the profile", took)
	}
}

// TestSocketOfProfiles: one that is passed is used, whatever the configuration says of it.
func TestSocketOfProfiles(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := Default()
	if err := cfg.TakeSockets([]*os.File{copyOf(t, l.(*net.TCPListener), listenPProf)}); err != nil {
		t.Fatal(err)
	}
	defer cfg.Sockets[listenPProf].Close()
	if cfg.Listen.PProf != l.Addr().String() {
		t.Errorf("it listens at %q", cfg.Listen.PProf)
	}
}
