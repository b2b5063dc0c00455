package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// running starts a server of a test with its own folder of files, and returns both.
func running(t *testing.T, top string) (*Server, string) {
	t.Helper()
	dir := folder(t, testFile(top))
	return serve(t, dir), dir
}

// serve starts a server with the file in the folder.
func serve(t *testing.T, dir string) *Server {
	t.Helper()
	s, _ := serving(t, dir)
	return s
}

// serving is serve with what ends the server; it may be called before the test's end, and more than once.
func serving(t *testing.T, dir string) (s *Server, stop func()) {
	t.Helper()
	path := filepath.Join(dir, "headgate.yaml")
	read := func() (Config, error) { return Load(path, environ(nil)) }
	cfg, err := read()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Reload = read
	s, err = New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

func testFile(top string) string {
	return good(map[string]string{"data_dir": "log", "top": `
listen: {webhook: "127.0.0.1:0", api: "127.0.0.1:0", grpc: "127.0.0.1:0", admin: "127.0.0.1:0"}
retention: {max_size: 16MiB, disk_reserve: 1MiB}
` + top})
}

// pki puts certificates into a server's folder.
type pki struct {
	dir     string
	servers *certificate
	clients *certificate
}

func newPKI(t *testing.T, dir string) *pki {
	p := &pki{dir: dir, servers: newAuthority(t, "servers"), clients: newAuthority(t, "clients")}
	p.rotate(t, "one")
	p.trust(t, p.clients)
	return p
}

func (p *pki) path(name string) string { return filepath.Join(p.dir, "tls", name) }

// rotate gives the server another certificate.
func (p *pki) rotate(t *testing.T, name string) {
	p.servers.issue(t, name).write(t, p.path("cert.pem"), p.path("key.pem"))
}

// trust has the server believe another authority of clients.
func (p *pki) trust(t *testing.T, ca *certificate) { ca.write(t, p.path("ca.pem")) }

// client is how a client of the server connects, with a certificate if there is one.
func (p *pki) client(own *certificate) *tls.Config {
	c := &tls.Config{RootCAs: p.servers.pool(), NextProtos: []string{"h2", "http/1.1"}}
	if own != nil {
		// Even when the server does not ask for one of this authority.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { cert := own.forTLS(); return &cert, nil }
	}
	return c
}

// served returns the name of the certificate that a new connection gets.
func served(t *testing.T, address string, c *tls.Config) (string, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", address, c)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

// eventually waits for what a reload does soon. It asks often rather than sleep for the longest that it may take.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(20 * time.Second)
	for !is() {
		select {
		case <-end:
			t.Fatalf("it never happened: %s", what)
		case <-tick.C:
		}
	}
}

// mustTLS is a server with TLS on all listeners.
func mustTLS(t *testing.T) (*Server, *pki) {
	t.Helper()
	s, dir := running(t, tlsLine)
	p := newPKI(t, dir)
	s.Reload()
	eventually(t, "the first certificate is in force", func() bool {
		name, err := served(t, s.Addresses().API, p.client(nil))
		return err == nil && name == "one"
	})
	return s, p
}

func httpClient(t *testing.T, c *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func TestEveryListenerSpeaksTLS(t *testing.T) {
	s, p := mustTLS(t)
	at := s.Addresses()
	client := httpClient(t, p.client(nil))
	for url, want := range map[string]int{
		"https://" + at.Admin + "/healthz":                       200,
		"https://" + at.API + "/openapi.json":                    200,
		"https://" + at.API + "/v1/log":                          200, // through the inner connection, which has no TLS
		"https://" + at.Webhook + "/webhooks/superoffice/nobody": 404,
	} {
		resp, err := client.Get(url)
		if err != nil {
			t.Error(err)
			continue
		}
		resp.Body.Close()
		major := 1 // those for the CRM and for operators speak nothing newer
		if strings.Contains(url, at.API) {
			major = 2
		}
		if resp.StatusCode != want || resp.ProtoMajor != major {
			t.Errorf("%s: HTTP/%d answers %d, want HTTP/%d and %d", url, resp.ProtoMajor, resp.StatusCode, major, want)
		}
	}
	checkHealth(t, at.GRPC, p.client(nil), codes.OK)

	for _, address := range []string{at.Webhook, at.API, at.GRPC, at.Admin} {
		old := p.client(nil)
		old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		if _, err := served(t, address, old); err == nil || !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("TLS 1.1 at %s: %v", address, err)
		}
		old.MaxVersion = tls.VersionTLS12
		if _, err := served(t, address, old); err != nil {
			t.Errorf("TLS 1.2 at %s: %v", address, err)
		}
	}
}

// checkHealth calls gRPC and checks how that went. A client that is not let in may see its connection break before it reads why.
func checkHealth(t *testing.T, address string, c *tls.Config, want codes.Code) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(c)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if status.Code(err) != want {
		t.Errorf("gRPC at %s: want %v, got %v", address, want, err)
	}
}

func TestListenersWithoutTLS(t *testing.T) {
	s, _ := running(t, "tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, listeners: [api, grpc]}")
	at := s.Addresses()
	for _, url := range []string{"http://" + at.Admin + "/healthz", "http://" + at.Webhook} {
		resp, err := httpClient(t, nil).Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	for _, address := range []string{at.API, at.GRPC} {
		if _, err := served(t, address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestCertificateRotation: who connects gets the new certificate, who is connected stays.
func TestCertificateRotation(t *testing.T) {
	s, p := mustTLS(t)
	old, err := tls.Dial("tcp", s.Addresses().Admin, &tls.Config{RootCAs: p.servers.pool(), NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	answers := bufio.NewReader(old)
	ask := func() {
		t.Helper()
		fmt.Fprintf(old, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != 200 {
			t.Errorf("got %s, %v", resp.Status, err)
		}
	}
	ask()
	p.rotate(t, "two")
	s.Reload()
	for _, address := range []string{s.Addresses().Admin, s.Addresses().API, s.Addresses().GRPC, s.Addresses().Webhook} {
		eventually(t, "the second certificate at "+address, func() bool {
			name, err := served(t, address, p.client(nil))
			return err == nil && name == "two"
		})
	}
	ask()

	// Half of a rotation, as when the certificate is written before its key: the pair before stays.
	p.servers.issue(t, "three").write(t, p.path("cert.pem"))
	s.Reload()
	eventually(t, "the pair is refused", func() bool { return gauge(t, s, "headgate_config_reload_ok") == 0 })
	if name, err := served(t, s.Addresses().GRPC, p.client(nil)); err != nil || name != "two" {
		t.Errorf("got %q, %v", name, err)
	}
	ask()
}

// TestClientCertificates: only those of the authority in force are taken, and only where readers come in.
func TestClientCertificates(t *testing.T) {
	s, p := mustTLS(t)
	at := s.Addresses()
	first, second := p.clients, newAuthority(t, "others")
	ours, theirs := first.issue(t, "billing"), second.issue(t, "billing")

	checkHealth(t, at.GRPC, p.client(nil), codes.OK)
	checkHealth(t, at.GRPC, p.client(ours), codes.OK)
	checkHealth(t, at.GRPC, p.client(theirs), codes.Unavailable)
	get := func(address string, own *certificate) error {
		resp, err := httpClient(t, p.client(own)).Get("https://" + address + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	for name, c := range map[string]struct {
		address string
		own     *certificate
		good    bool
	}{
		"api":               {at.API, ours, true},
		"api, not ours":     {at.API, theirs, false},
		"webhook, not ours": {at.Webhook, theirs, true},
	} {
		if err := get(c.address, c.own); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}

	p.trust(t, second)
	s.Reload()
	eventually(t, "the other authority is in force", func() bool { return get(at.API, theirs) == nil })
	checkHealth(t, at.GRPC, p.client(theirs), codes.OK)
	checkHealth(t, at.GRPC, p.client(ours), codes.Unavailable)
}

// TestNoResumption: with a session of before, a client cannot come back under an authority that is none any more.
func TestNoResumption(t *testing.T) {
	s, p := mustTLS(t)
	c := p.client(p.clients.issue(t, "billing"))
	c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	client := httpClient(t, c)
	for range 2 {
		resp, err := client.Get("https://" + s.Addresses().API + "/openapi.json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.TLS.DidResume {
			t.Error("the session was resumed")
		}
		client.CloseIdleConnections()
	}
}
