package rest

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/console"
)

// recording is an EventService that tells nothing and hands over the metadata of each call.
func recording() (*script, <-chan metadata.MD) {
	got := make(chan metadata.MD, 1)
	record := func(ctx context.Context) {
		md, _ := metadata.FromIncomingContext(ctx)
		got <- md
	}
	return &script{
		describe: func(ctx context.Context) (*headgatev1.DescribeLogResponse, error) {
			record(ctx)
			return &headgatev1.DescribeLogResponse{}, nil
		},
		list: func(ctx context.Context, _ *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
			record(ctx)
			return &headgatev1.ListEventsResponse{}, nil
		},
		subscribe: func(_ *headgatev1.SubscribeRequest, out subscribeStream) error {
			record(out.Context())
			return out.Send(started("c0"))
		},
	}, got
}

// authority signs client certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{}
	made := a.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.cert, a.key = made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// client returns the certificate of a client.
func (a *authority) client(t *testing.T, id string) tls.Certificate {
	t.Helper()
	uri, err := url.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	return a.sign(t, &x509.Certificate{URIs: []*url.URL{uri}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

// sign signs a certificate, that of an authority which has none yet by itself.
func (a *authority) sign(t *testing.T, c *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(1), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// overTLS serves s over TLS, and returns a way to send requests with client certificates.
func overTLS(t *testing.T, s *script, config *tls.Config) func(method, path string, certs []tls.Certificate, headers ...string) *http.Response {
	t.Helper()
	h := httptest.NewUnstartedServer(newTestAPI(t, s, Options{}, stall))
	h.EnableHTTP2, h.TLS = true, config
	h.StartTLS()
	t.Cleanup(h.Close)
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	return func(method, path string, certs []tls.Certificate, headers ...string) *http.Response {
		t.Helper()
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: certs}, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), method, h.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			req.Header.Add(headers[i], headers[i+1])
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp
	}
}

// forgeries are ways to send a certificate without having one.
var forgeries = []string{
	"Headgate-Client-Certificate-Bin", "Zm9yZ2Vk",
	"Grpc-Metadata-Headgate-Client-Certificate-Bin", "Zm9yZ2Vk",
	"Grpc-Metadata-Grpc-Metadata-Headgate-Client-Certificate-Bin", "Zm9yZ2Vk",
	"Grpcgateway-Headgate-Client-Certificate-Bin", "Zm9yZ2Vk",
	"Grpc-Trailer-Headgate-Client-Certificate-Bin", "Zm9yZ2Vk",
}

func TestTheServerSeesVerifiedCertificatesOnly(t *testing.T) {
	ours, foreign := newAuthority(t), newAuthority(t)
	reader, stranger := ours.client(t, "spiffe://corp/directory"), foreign.client(t, "spiffe://corp/directory")
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	for _, c := range []struct {
		name   string
		config *tls.Config
		certs  []tls.Certificate
		want   string
	}{
		{"verified", &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool}, []tls.Certificate{reader}, string(reader.Leaf.Raw)},
		{"none given", &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool}, nil, ""},
		{"given but not verified", &tls.Config{ClientAuth: tls.RequireAnyClientCert}, []tls.Certificate{stranger}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, got := recording()
			send := overTLS(t, s, c.config)
			for _, path := range []string{"/v1/log", "/v1/events", "/v1/events:subscribe?start.at=latest"} {
				if resp := send("GET", path, c.certs, forgeries...); resp.StatusCode != 200 || resp.ProtoMajor != 2 {
					t.Errorf("%s: got %s %d", path, resp.Proto, resp.StatusCode)
				}
				md := <-got
				if v := md.Get(CertificateHeader); strings.Join(v, ",") != c.want {
					t.Errorf("%s: got %d certificates %q", path, len(v), v)
				}
			}
		})
	}
}

func TestNoHeaderPassesForACertificate(t *testing.T) {
	s, got := recording()
	resp := call(t, "GET", serve(t, s)+"/v1/log", "", append(forgeries, "Connection", "Headgate-Client-Certificate-Bin")...)
	if resp.StatusCode != 200 {
		t.Errorf("got %d", resp.StatusCode)
	}
	for name, v := range <-got {
		if strings.Contains(name, "certificate") {
			t.Errorf("%s: %q", name, v)
		}
	}
}

func TestACertificateDoesNotVouchForAToken(t *testing.T) {
	ours := newAuthority(t)
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	s, got := recording()
	send := overTLS(t, s, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool})
	certs := []tls.Certificate{ours.client(t, "spiffe://corp/directory")}

	resp := send("POST", "/v1/session", certs, "Authorization", "Bearer "+token)
	md := <-got
	if v := md.Get(CertificateHeader); v != nil || strings.Join(md.Get("authorization"), ",") != "Bearer "+token {
		t.Errorf("the token was checked with %v", md)
	}
	c := sessionOf(t, resp)
	if !c.Secure || !c.HttpOnly {
		t.Errorf("got %s", c.Raw)
	}
	if c := sessionOf(t, send("DELETE", "/v1/session", certs)); !c.Secure {
		t.Errorf("got %s", c.Raw)
	}
	// What cannot be passed on is refused: without it the request would be the certificate's.
	if resp := send("GET", "/v1/log", certs, "Authorization", "Bearer \u00e5"); resp.StatusCode != 401 {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func TestNobodyHidesWhereHeComesFrom(t *testing.T) {
	s, got := recording()
	base := serve(t, s)
	c := dial(t, base)
	for _, header := range []string{"X-Forwarded-For", "Headgate-Client-Address", "Grpc-Metadata-Headgate-Client-Address", "Grpcgateway-Headgate-Client-Address"} {
		for _, value := range []string{"192.0.2.1:1", "192.0.2.1\u00e5"} {
			if _, err := io.WriteString(c, "GET /v1/log HTTP/1.1\r\nHost: x\r\n"+header+": "+value+"\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			if v := (<-got).Get(AddressHeader); strings.Join(v, ",") != c.LocalAddr().String() {
				t.Errorf("%s: %s: got %q", header, value, v)
			}
		}
	}
}

func TestAGatewayThatIsOpenAnswersThisMachineOnly(t *testing.T) {
	api := newTestAPI(t, &script{describe: func(context.Context) (*headgatev1.DescribeLogResponse, error) {
		return &headgatev1.DescribeLogResponse{}, nil
	}}, Options{OpenToAnybody: true}, stall)
	open := serveAPI(t, api)
	_, guarded := oneReader(t)
	ask := func(base, host string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", base+"/v1/log", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set("X-Forwarded-Host", "localhost")
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	for _, host := range []string{"localhost", "LocalHost:1", "localhost:8081", "127.0.0.1", "127.0.0.1:8081", "127.9.9.9:80", "[::1]", "[::1]:8081", "[::ffff:127.0.0.1]:1"} {
		if resp := ask(open, host); resp.StatusCode != 200 {
			t.Errorf("%s: got %d", host, resp.StatusCode)
		}
	}
	for _, host := range []string{
		"evil.example", "evil.example:8081", "localhost.evil.example", "127.0.0.1.evil.example:8081", "127.0.0.1.", "2130706433", "0x7f.1", "127.1",
		"10.0.0.5:8081", "192.0.2.1", "[2001:db8::1]:8081", "0.0.0.0:8081", "[::]:8081", "mylocalhost",
	} {
		st, info := wantError(t, ask(open, host), 403)
		if info.GetReason() != "HOST_REFUSED" || !strings.Contains(st.GetMessage(), "localhost") || !strings.Contains(st.GetMessage(), "configure readers") {
			t.Errorf("%s: got %v", host, st)
		}
		if resp := ask(guarded, host); resp.StatusCode != 200 {
			t.Errorf("%s, with readers: got %d", host, resp.StatusCode)
		}
	}
	// A request of HTTP/1.0 may name no host at all.
	c := dial(t, open)
	if _, err := io.WriteString(c, "GET /v1/log HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	wantError(t, resp, 403)
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	authorization := "Bearer " + token
	s := guarded(t, &authorization)
	s.get = func(*headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) {
		return nil, failure(t, codes.Unavailable, "stopping")
	}
	base := serve(t, s)
	bearer := []string{"Authorization", "Bearer " + token}
	for _, c := range []struct {
		name, method, path string
		headers            []string
		cache              string
	}{
		{"data", "GET", "/v1/log", bearer, "no-store"},
		{"list", "GET", "/v1/events", bearer, "no-store"},
		{"openapi", "GET", "/openapi.json", nil, "no-store"},
		{"lines", "GET", "/v1/events:subscribe", bearer, "no-cache, no-transform"},
		{"event stream", "GET", "/v1/events:subscribe", append([]string{"Accept", "text/event-stream"}, bearer...), "no-cache, no-transform"},
		{"log in", "POST", "/v1/session", bearer, "no-store"},
		{"log out", "DELETE", "/v1/session", nil, "no-store"},
		{"not authenticated", "GET", "/v1/log", nil, "no-store"},
		{"refused stream", "GET", "/v1/events:subscribe", nil, "no-store"},
		{"server's error", "GET", "/v1/events/c", nil, "no-store"},
		{"bad request", "GET", "/v1/log?x=1", nil, "no-store"},
		{"nothing there", "GET", "/nothing", nil, "no-store"},
		{"another site's", "POST", "/v1/events:list", []string{"Sec-Fetch-Site", "cross-site"}, "no-store"},
		{"another site's image", "GET", "/v1/log", []string{"Sec-Fetch-Site", "cross-site"}, "no-store"},
	} {
		h := call(t, c.method, base+c.path, "", c.headers...).Header
		for name, want := range map[string]string{
			"Cache-Control":           c.cache,
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Referrer-Policy":         "no-referrer",
			"X-Content-Type-Options":  "nosniff",
		} {
			if got := h.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s %q, want %q", c.name, name, got, want)
			}
		}
	}
}

func TestErrorsDoNotRepeatWhatWasGiven(t *testing.T) {
	base := serve(t, refusingScript(t))
	for _, name := range []string{"access_token", "token", "authorization", "Authorization", "bearer", "x", "filter.x", "start.at", "page_size", "heartbeat_interval", "filter"} {
		for _, path := range []string{"/v1/log", "/v1/events", "/v1/events:subscribe", "/v1/events/c", "/admin/v1/quarantine"} {
			for _, value := range []string{token, token + "%zz", token + ";", "%zz" + token} {
				text := body(t, call(t, "GET", base+path+"?"+name+"="+value, "", "Accept", "text/event-stream"))
				if strings.Contains(text, token) || strings.Contains(text, "zz") || !strings.Contains(text, "FILTER_INVALID") {
					t.Errorf("%s?%s=%s: got %s", path, name, value, text)
				}
			}
		}
		for _, text := range []string{
			body(t, call(t, "POST", base+"/v1/events:list?"+name+"="+token, "")),
			body(t, call(t, "POST", base+"/v1/events:list", `{"`+name+`":"`+token+`"}`)),
			body(t, call(t, "POST", base+"/v1/events:list", name+"="+token)),
		} {
			if strings.Contains(text, token) || !strings.Contains(text, "FILTER_INVALID") {
				t.Errorf("POST %s: got %s", name, text)
			}
		}
	}
}

func TestWhatAReaderMayNotIsTold(t *testing.T) {
	err := failure(t, codes.PermissionDenied, "this is not yours",
		&errdetails.ErrorInfo{Reason: "CONTEXT_FORBIDDEN", Domain: "headgate", Metadata: map[string]string{"context": "Cust1"}})
	base := serve(t, &script{
		get:       func(*headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) { return nil, err },
		subscribe: func(*headgatev1.SubscribeRequest, subscribeStream) error { return err },
	})
	for _, path := range []string{"/v1/events/c", "/v1/events:subscribe?start.at=latest"} {
		for _, accept := range []string{"application/json", "text/event-stream"} {
			resp := call(t, "GET", base+path, "", "Accept", accept)
			st, info := wantError(t, resp, 403)
			if st.GetCode() != int32(codes.PermissionDenied) || info.GetReason() != "CONTEXT_FORBIDDEN" || info.GetMetadata()["context"] != "Cust1" {
				t.Errorf("%s: got %v", path, st)
			}
			if got := resp.Header.Get("WWW-Authenticate"); got != "" {
				t.Errorf("%s: WWW-Authenticate %q", path, got)
			}
		}
	}
}

// TestRefusedAssetIsNotKept: browsers keep the console's files for ever, but not that one could not be had.
func TestRefusedAssetIsNotKept(t *testing.T) {
	api := newTestAPI(t, &script{}, Options{Stranger: func(string) (func(), bool) { return nil, false }}, stall)
	for _, path := range console.Files() {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if got := w.Header().Get("Cache-Control"); w.Code != http.StatusTooManyRequests || got != "no-store" || w.Body.Len() > 0 {
			t.Errorf("%s: %d, %q, %d bytes", path, w.Code, got, w.Body.Len())
		}
	}
}

// TestConsoleIsServed: to whoever follows a link to it, without credentials; but where nobody is asked who calls, only under this machine's own names.
func TestConsoleIsServed(t *testing.T) {
	for _, c := range []struct {
		open bool
		host string
		want int
	}{
		{true, "localhost", 200},
		{true, "gateway.corp", 403},
		{false, "gateway.corp", 200},
	} {
		api := newTestAPI(t, &script{}, Options{OpenToAnybody: c.open}, stall)
		for _, site := range []string{"none", "cross-site"} {
			req := httptest.NewRequest("GET", "/console/", nil)
			req.Host = c.host
			req.Header.Set("Sec-Fetch-Site", site)
			w := httptest.NewRecorder()
			if api.ServeHTTP(w, req); w.Code != c.want {
				t.Errorf("open to anybody %v, host %s, from %s: %d, want %d", c.open, c.host, site, w.Code, c.want)
			}
		}
	}
}

// TestHiddenSlash: a path that is another one once it is decoded leads nowhere, and a long one is not repeated.
func TestHiddenSlash(t *testing.T) {
	api := newTestAPI(t, &script{describe: func(context.Context) (*headgatev1.DescribeLogResponse, error) {
		return &headgatev1.DescribeLogResponse{}, nil
	}}, Options{}, stall)
	for _, path := range []string{"/v1%2flog", "/v1%2Flog", "/v1/events%2fc", "/" + strings.Repeat("%ff", 5000)} {
		w := httptest.NewRecorder()
		if api.ServeHTTP(w, httptest.NewRequest("GET", path, nil)); w.Code != http.StatusNotFound || w.Body.Len() > 1000 {
			t.Errorf("%.20s: %d, %d bytes", path, w.Code, w.Body.Len())
		}
	}
	w := httptest.NewRecorder()
	if api.ServeHTTP(w, httptest.NewRequest("GET", "/v1/log", nil)); w.Code != http.StatusOK {
		t.Errorf("the path itself: %d", w.Code)
	}
}
