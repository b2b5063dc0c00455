package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/server"
)

// outside is where the CRM posts to: a name, an authority that everybody believes, and what stands before the gateway.
type outside struct {
	t       *testing.T
	config  string // the gateway's
	webhook string // its listener
	roots   string // the authority's file
	ca      *x509.Certificate
	key     *ecdsa.PrivateKey
}

func newOutside(t *testing.T) *outside {
	t.Helper()
	was := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(was) })
	o := &outside{t: t, config: configFile(t, ""), roots: filepath.Join(t.TempDir(), "roots.pem")}
	cfg, err := server.Load(o.config, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	o.webhook = s.Addresses().Webhook
	if o.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "everybody's"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, o.key.Public(), o.key)
	if err != nil {
		t.Fatal(err)
	}
	if o.ca, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(o.roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// front is what answers outside, with a certificate of the address that ends so.
func (o *outside) front(ip string, until time.Duration, handler http.Handler) string {
	o.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), IPAddresses: []net.IP{net.ParseIP(ip)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(until),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, o.ca, o.key.Public(), o.key)
	if err != nil {
		o.t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: o.key}}}
	s.StartTLS()
	o.t.Cleanup(s.Close)
	return s.URL
}

// check runs the program, which believes the authority, and returns its lines about what is reached.
func (o *outside) check(args ...string) (lines string, code int) {
	self, err := os.Executable()
	if err != nil {
		return err.Error(), -1
	}
	cmd := exec.Command(self, append([]string{"check", "--config", o.config}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "SSL_CERT_FILE="+o.roots, "SSL_CERT_DIR="+filepath.Dir(o.roots))
	out, _ := cmd.Output()
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); fields[1] == "reach" || fields[1] == "clock" {
			lines += line
		}
	}
	return lines, cmd.ProcessState.ExitCode()
}

// TestCheckReaches: the test call goes through what stands before the gateway to each source, and each thing that can stand in its way is named with what to do.
func TestCheckReaches(t *testing.T) {
	o := newOutside(t)
	to, err := url.Parse("http://" + o.webhook)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	good := o.front("127.0.0.1", time.Hour, proxy)
	answer := func(status int, text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		})
	}
	hangs := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see who goes away
		<-r.Context().Done()
	})
	spoils := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-SuperOffice-Signature", strings.Repeat("A", 43)+"=")
		proxy.ServeHTTP(w, r)
	})
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	self := httptest.NewTLSServer(http.NotFoundHandler())
	self.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	defer self.Close()
	var all sync.WaitGroup
	for url, want := range map[string]string{
		good:                                             "ok       reach           " + good + "/webhooks/superoffice/acme answered the test call with 200 after ",
		good + "/":                                       "ok       reach           " + good + "/webhooks/superoffice/acme answered",
		good + "/webhooks/superoffice/acme":              "ok       reach           " + good + "/webhooks/superoffice/acme answered",
		good + "/webhooks/superoffice/b":                 `no source is called "b"`,
		good + "/below":                                  "404: it knows no such path",
		"http://hooks.example.com":                       "is not a URL that the CRM posts to",
		o.front("127.0.0.1", time.Hour, spoils):          "401: the signature is of none of the secrets",
		o.front("127.0.0.1", time.Hour, hangs):           "there was no answer within 5s",
		o.front("127.0.0.1", time.Hour, answer(301, "")): `301, a redirect to "https://elsewhere.example/"`,
		o.front("127.0.0.1", time.Hour, answer(200, "")): "not by a gateway",
		o.front("127.0.0.1", time.Hour, answer(502, "")): "the proxy does not reach the gateway",
		o.front("127.0.0.1", time.Hour, answer(418, "")): "418: the CRM takes anything but 200 for a failure",
		o.front("127.0.0.2", time.Hour, proxy):           "its certificate is of other names (\"127.0.0.2\")",
		o.front("127.0.0.1", -time.Minute, proxy):        "its certificate is not valid now",
		self.URL: "leads to no public authority",
		"https" + strings.TrimPrefix(plain.URL, "http"): "does not speak TLS",
		"https://127.0.0.1:1":                           "nothing listens there; start the gateway",
		"https://none.invalid":                          "none.invalid",
	} {
		all.Go(func() {
			lines, code := o.check("--reach", url)
			wantCode := 2
			if strings.HasPrefix(want, "ok") {
				wantCode = 1 // that this is a machine's own address is a warning
			}
			if !strings.Contains(lines, want) || code != wantCode {
				t.Errorf("%s: ended with %d, want %q in\n%s", url, code, want, lines)
			}
		})
	}
	all.Wait()
}

// TestCheckComparesTheClock with that of another machine, when it is told to.
func TestCheckComparesTheClock(t *testing.T) {
	ahead := time.Duration(0)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
	}))
	defer s.Close()
	var out strings.Builder
	r := &report{out: &out}
	for _, ahead = range []time.Duration{0, 10 * time.Second, -2 * time.Minute} {
		checkClockOnline(t.Context(), r, s.Client(), s.URL)
	}
	checkClockOnline(t.Context(), r, s.Client(), "http://127.0.0.1")
	checkClockOnline(t.Context(), r, s.Client(), "https://127.0.0.1:1")
	verdicts(t, out.String(),
		[3]string{"ok", "clock", "from that of " + s.URL},
		[3]string{"warning", "clock", "have it set by NTP"},
		[3]string{"error", "clock", "set it"},
		[3]string{"error", "clock", "not an https URL"},
		[3]string{"error", "clock", "could not be asked for"},
	)
}
