package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/headgate/headgate/server"
)

// answerWithin is how long the CRM waits for an answer.
const answerWithin = 5 * time.Second

// webhookPath is what stands before a source's name in its webhook's URL.
const webhookPath = "/webhooks/superoffice/"

// checkReach posts the CRM's test call, signed, to the public URL: that of one webhook, or of the gateway, and then for each source.
func checkReach(ctx context.Context, r *report, cfg server.Config, public string) {
	u, err := url.Parse(public)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		r.say(verdictError, "reach", "%q is not a URL that the CRM posts to; write https://hooks.example.com, or all of a webhook's URL", public)
		return
	}
	checkName(ctx, r, u.Hostname())
	base, name, one := strings.Cut(u.Path, webhookPath)
	names := []string{name}
	if !one {
		names = slices.Sorted(maps.Keys(cfg.Sources))
	}
	u.Path = strings.TrimSuffix(base, "/")
	for _, name := range names {
		source, known := cfg.Sources[name]
		if !known {
			r.say(verdictError, "reach", "no source is called %q; the end of the URL is a source's name: %s", name, strings.Join(slices.Sorted(maps.Keys(cfg.Sources)), ", "))
			continue
		}
		to := u.JoinPath(webhookPath, name).String()
		took, err := postTest(ctx, to, source, time.Now())
		if err != nil {
			r.say(verdictError, "reach", "%s: %s", to, err)
			continue
		}
		r.say(verdictOK, "reach", "%s answered the test call with 200 after %v", to, took.Round(time.Millisecond))
	}
}

// checkName warns where the CRM, which is elsewhere, would not find the name as this machine does.
func checkName(ctx context.Context, r *report, host string) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return // the post will say so
	}
	for _, a := range addresses {
		if a = a.Unmap(); a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || netip.MustParsePrefix("100.64.0.0/10").Contains(a) {
			r.say(verdictWarning, "reach", "here %s is %s, which the internet cannot reach; check what its name server tells outside, or check from outside", host, a)
			return
		}
	}
}

// postTest posts as the CRM does: over TLS that public authorities vouch for, without a proxy, following no redirect. It fails with what to do.
func postTest(ctx context.Context, to string, source server.Source, now time.Time) (took time.Duration, err error) {
	tenant := "Default"
	if len(source.Contexts) > 0 {
		tenant = source.Contexts[0]
	}
	body, err := json.Marshal(map[string]any{
		"EventId": "00000000-0000-4000-8000-000000000000", "Timestamp": now.UTC(), "Changes": []string{}, "Event": "test", "PrimaryKey": 0, "Entity": "test",
		"ContextIdentifier": tenant, "ChangedByAssociateId": 0, "WebhookName": "headgated check",
	})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if secret := live(source.Secrets, now); secret != nil {
		mac := hmac.New(sha256.New, secret.Key)
		mac.Write(body)
		req.Header.Set("X-SuperOffice-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{}}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: answerWithin, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	begin := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, explainReach(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return 0, explainReach(err)
	}
	return time.Since(begin), explainAnswer(resp.StatusCode, resp.Header.Get("Location"), strings.TrimSpace(string(text)))
}

// live is a secret that signatures can be made with now, the newest; nil when there is none.
func live(secrets []server.Secret, now time.Time) (found *server.Secret) {
	for i := range secrets {
		if s := &secrets[i]; !now.Before(s.NotBefore) && (s.NotAfter.IsZero() || now.Before(s.NotAfter)) {
			found = s
		}
	}
	return found
}

// explainReach says what to do about a post that got no answer.
func explainReach(err error) error {
	var name *net.DNSError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var other x509.HostnameError
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &name):
		return fmt.Errorf("the name %q is not known: %s; enter it at its name server", name.Name, name.Err)
	case errors.As(err, &authority):
		return errors.New("its certificate leads to no public authority; use one of a public authority, and send the certificates in between too (the full chain)")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("its certificate is not valid now, but from %s to %s; renew it, and check that what answers has loaded it",
			invalid.Cert.NotBefore.UTC().Format(time.RFC3339), invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	case errors.As(err, &other):
		return fmt.Errorf("its certificate is of other names (%q); get one of this name", subjectOf(other.Certificate))
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		return errors.New("what answers there does not speak TLS; configure tls with the webhook listener, or end TLS in a proxy before it")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("nothing listens there; start the gateway, and check what forwards the port to listen.webhook")
	case os.IsTimeout(err):
		return fmt.Errorf("there was no answer within %v, and the CRM does not wait longer; check the firewall, and what forwards the port to listen.webhook", answerWithin)
	}
	return fmt.Errorf("it could not be reached: %w; check what stands between the internet and listen.webhook", err)
}

// explainAnswer says what to do about an answer that is not the gateway's to the test call, nil for that one.
func explainAnswer(status int, location, text string) error {
	does := map[int]string{
		http.StatusUnauthorized:       "the signature is of none of the secrets that the running gateway has; check that it has loaded this configuration, that both clocks are right, and that a proxy changes neither body nor headers",
		http.StatusForbidden:          "the address that the post came from may not post; see the source's allow_addresses, and webhook.trusted_proxies if a proxy stands before",
		http.StatusNotFound:           "it knows no such path; check that what forwards it changes no path, and that the running gateway has loaded this configuration",
		http.StatusServiceUnavailable: "the gateway cannot store anything now, or is not running behind its proxy; see headgate status",
		http.StatusBadGateway:         "the proxy does not reach the gateway; check that it runs, and where the proxy forwards to",
		http.StatusGatewayTimeout:     "the proxy does not reach the gateway; check that it runs, and where the proxy forwards to",
		http.StatusTooManyRequests:    "too many refused posts came from this address; wait a minute",
	}[status]
	switch {
	case status == http.StatusOK && text == "the test call arrived":
		return nil
	case status == http.StatusOK:
		return errors.New("it was answered with 200, but not by a gateway; check what forwards the port to listen.webhook")
	case status >= 300 && status < 400:
		return fmt.Errorf("it was answered with %d, a redirect to %q, which the CRM takes for a failure; register that URL, or forward without a redirect", status, location)
	case does == "":
		does = "the CRM takes anything but 200 for a failure; check what stands between the internet and listen.webhook"
	}
	return fmt.Errorf("it was answered with %d: %s", status, does)
}
