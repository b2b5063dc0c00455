package rest

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"testing"
	"time"
)

func TestPagesOfOtherSitesCannotAsk(t *testing.T) {
	a, base := oneReader(t)
	cookie := []string{"Cookie", sessionCookie + "=" + a.seal.close(token, time.Now().Add(time.Hour))}
	for _, c := range []struct {
		name    string
		headers []string
		allowed bool
	}{
		{"cross-site", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"another port of this host", []string{"Sec-Fetch-Site", "same-site"}, false},
		{"an old browser, another site", []string{"Origin", "http://evil.example"}, false},
		{"an opaque origin", []string{"Origin", "null"}, false},
		{"this gateway", []string{"Sec-Fetch-Site", "same-origin", "Origin", base}, true},
		{"an old browser, this gateway", []string{"Origin", base}, true},
		{"no browser", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp := call(t, "POST", base+"/v1/events:list", "", append(cookie, c.headers...)...)
			if c.allowed {
				if resp.StatusCode != 200 {
					t.Errorf("got %d", resp.StatusCode)
				}
			} else if _, info := wantError(t, resp, 403); info.GetReason() != "CROSS_ORIGIN" {
				t.Errorf("got %v", info)
			}
			// They could not read the answer, but a GET can change something too.
			for _, path := range []string{"/v1/events", "/v1/events:subscribe?subscription=billing", "/openapi.json"} {
				resp = call(t, "GET", base+path, "", append(cookie, c.headers...)...)
				if !c.allowed {
					wantError(t, resp, 403)
				} else if resp.StatusCode != 200 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("GET %s: got %d %v", path, resp.StatusCode, resp.Header)
				}
			}
		})
	}
}

// TestPagesOfOtherSitesTakeNoShard: a page with nothing but an address in it, like an image's, would else subscribe in the name of whoever looks at it.
func TestPagesOfOtherSitesTakeNoShard(t *testing.T) {
	ours := newAuthority(t)
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	s, got := recording()
	a := newTestAPI(t, s, Options{}, stall)
	send := overTLS(t, s, &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool})
	certs := []tls.Certificate{ours.client(t, "spiffe://corp/directory")}
	cookie := sessionCookie + "=" + a.seal.close(token, time.Now().Add(time.Hour))
	image := []string{"Sec-Fetch-Dest", "image", "Sec-Fetch-Mode", "no-cors"}
	for _, c := range []struct {
		name    string
		certs   []tls.Certificate
		headers []string
		allowed bool
	}{
		{"an image of another site, to an open gateway", nil, append(image, "Sec-Fetch-Site", "cross-site"), false},
		{"an image of another port, with the cookie", nil, append(image, "Sec-Fetch-Site", "same-site", "Cookie", cookie), false},
		{"a script of another site, with the certificate", certs, []string{"Origin", "https://evil.example"}, false},
		{"an image of another site, with the certificate", certs, append(image, "Sec-Fetch-Site", "cross-site"), false},
		{"a sandboxed frame, with the certificate", certs, []string{"Origin", "null"}, false},
		{"somebody who types the address", certs, []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, true},
		{"a page of this gateway", certs, []string{"Sec-Fetch-Site", "same-origin"}, true},
		{"a program", certs, nil, true},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			resp := send(method, "/v1/events:subscribe?subscription=billing&start.at=latest", c.certs, c.headers...)
			if (resp.StatusCode != http.StatusForbidden) != c.allowed {
				t.Errorf("%s, %s: answered %d", c.name, method, resp.StatusCode)
			}
			select {
			case <-got:
				if !c.allowed {
					t.Errorf("%s, %s: it subscribes", c.name, method)
				}
			default:
				if c.allowed && method == "GET" {
					t.Errorf("%s: it does not subscribe", c.name)
				}
			}
		}
	}
}
