package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// reloaded has the server read its files again, and returns when it has.
func (h *house) reloaded() {
	h.t.Helper()
	at := gauge(h.t, h.s, "headgate_config_reload_timestamp_seconds")
	h.s.Reload()
	eventually(h.t, "the files are read again", func() bool {
		return gauge(h.t, h.s, "headgate_config_reload_timestamp_seconds") > at && gauge(h.t, h.s, "headgate_config_reload_ok") == 1
	})
}

// asks returns how calls go that a client makes with the certificate, over one connection each of gRPC and of REST.
func (h *house) asks(config *tls.Config) map[string]func() codes.Code {
	h.t.Helper()
	conn, err := grpc.NewClient(h.s.Addresses().GRPC, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	client, first := httpClient(h.t, config), true
	return map[string]func() codes.Code{
		"grpc": func() codes.Code {
			_, err := headgatev1.NewEventServiceClient(conn).DescribeLog(h.t.Context(), &headgatev1.DescribeLogRequest{})
			return status.Code(err)
		},
		"rest": func() codes.Code {
			ctx := httptrace.WithClientTrace(h.t.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
				if info.Reused == first {
					h.t.Errorf("the connection is another one")
				}
				first = false
			}})
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+h.s.Addresses().API+"/v1/log", nil)
			if err != nil {
				h.t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				h.t.Fatal(err)
			}
			defer resp.Body.Close()
			_, _ = io.Copy(io.Discard, resp.Body)
			return map[int]codes.Code{http.StatusOK: codes.OK, http.StatusUnauthorized: codes.Unauthenticated}[resp.StatusCode]
		},
	}
}

// TestWithdrawnAuthority: when the authority of a client's certificate is none any more, its streams end with the reason, over every way, and the
// connections that it has open serve it no longer. Those of others go on.
func TestWithdrawnAuthority(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	asks := h.asks(h.pki.client(h.machine))
	streams := h.followAll(ctx, "machine", "all")
	want := func(when string, code codes.Code) {
		t.Helper()
		for way, ask := range asks {
			if got := ask(); got != code {
				t.Errorf("%s, %s: %v, want %v", when, way, got, code)
			}
		}
	}
	want("at first", codes.OK)
	h.reloaded()
	want("after a reload that changes nothing", codes.OK)

	h.pki.trust(t, newAuthority(t, "clients")) // the same name, another key
	since := time.Now()
	h.reloaded()
	want("withdrawn", codes.Unauthenticated)
	for way, readers := range streams {
		m, err := readers["machine"]()
		if m.GetClosing().GetReason() != headgatev1.Closing_REASON_GRANT_CHANGED || m.GetCursor() == "" {
			t.Errorf("%s: %v, %v", way, m, err)
		}
		if _, err := readers["machine"](); err != io.EOF {
			t.Errorf("%s: after Closing comes %v", way, err)
		}
	}
	if took := time.Since(since); took > soon {
		t.Errorf("it took %v", took)
	}
	h.post("acme", webhookBody(1, "Cust1234", "contact", "created", ""))
	for way, readers := range streams {
		if m, err := readers["all"](); err != nil || len(m.GetEvents()) != 1 {
			t.Errorf("%s: another reader got %v, %v", way, m, err)
		}
	}
	h.pki.trust(t, h.pki.clients)
	h.reloaded()
	want("believed again", codes.OK)
}

// TestIntermediateAuthority: a client whose certificate leads to its authority by others that it sends is served over every way, and only as long as
// its authority is one.
func TestIntermediateAuthority(t *testing.T) {
	h := newHouse(t)
	between := newCertificate(t, "between", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, h.pki.clients)
	own := between.issue(t, "machine").forTLS()
	own.Certificate = append(own.Certificate, between.cert.Raw)
	config := h.pki.client(nil)
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil }
	for way, ask := range h.asks(config) {
		if got := ask(); got != codes.OK {
			t.Errorf("%s: %v", way, got)
		}
		h.pki.trust(t, newAuthority(t, "others"))
		h.reloaded()
		if got := ask(); got != codes.Unauthenticated {
			t.Errorf("%s, withdrawn: %v", way, got)
		}
		h.pki.trust(t, between)
		h.reloaded()
		if got := ask(); got != codes.OK {
			t.Errorf("%s, its own issuer is believed: %v", way, got)
		}
		h.pki.trust(t, h.pki.clients)
		h.reloaded()
	}
}
