package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// maxAnswer is how much of an answer is shown, as much as the CRM shows its administrator.
const maxAnswer = 4000

// poster posts webhooks as the CRM does.
type poster struct {
	url    string
	secret []byte // nil: unsigned
	client *http.Client
}

func newPoster(url string, secret []byte, certificates *tls.Config, concurrency int) *poster {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = certificates // nil: the system's
	transport.MaxIdleConnsPerHost = concurrency
	return &poster{url: url, secret: secret, client: &http.Client{
		Transport: transport,
		Timeout:   10 * time.Second,
		// What the CRM does with a redirect is not known: the gateway must not send one.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (p *poster) close() { p.client.CloseIdleConnections() }

// post sends one webhook and returns the status and the answer's text.
func (p *poster) post(ctx context.Context, load payload) (status int, text string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(load.body))
	if err != nil {
		return 0, "", err
	}
	header := request.Header
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("User-Agent", "NetServer-Webhook/"+version()+" (headgate send)")
	if event := load.text("Event"); event != "" && printable(event) == event {
		header.Set("X-SuperOffice-Event", event)
		if event == "test" {
			header.Set("X-Hook-Test", "true")
		}
	}
	header.Set("X-SuperOffice-EventId", newGUID()) // the CRM's often differs from the body's too
	if p.secret != nil {
		header.Set("X-SuperOffice-Signature", sign(p.secret, load.body))
	}
	response, err := p.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, strings.TrimSpace(string(body)), errors.Join(err, response.Body.Close())
}

// sign is the signature of a body: base64 of HMAC-SHA256 over its bytes.
func sign(secret, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// hint is what to do about an answer, "" when that is not known.
func hint(status int, signed bool) string {
	switch status {
	case http.StatusUnauthorized:
		if signed {
			return "the secret is not the source's: check --secret-file or HEADGATE_SECRET"
		}
		return "the source wants a signature: give its secret in --secret-file or HEADGATE_SECRET"
	case http.StatusNotFound:
		return "there is no such source: check the end of --url"
	case http.StatusMethodNotAllowed:
		return "this is not the webhook's path: check --url"
	case http.StatusRequestEntityTooLarge:
		return "the body is larger than the gateway takes"
	case http.StatusServiceUnavailable:
		return "the gateway cannot store anything now: see headgate status"
	}
	return ""
}

// unreachable explains why there was no answer at all. It does not wrap err: a broken pipe of the network is not one of the output.
func unreachable(url string, err error) error {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	operation, _ := errors.AsType[*net.OpError](err)
	switch {
	case untrusted:
		return fmt.Errorf("the certificate of %s fails the check: set --ca-file to the roots it comes from (%v)", url, err)
	case notTLS || errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Errorf("what answers at %s is not encrypted: begin --url with http:// (%v)", url, err)
	case operation != nil && operation.Op == "remote error": // an alert of TLS
		return fmt.Errorf("what answers at %s refuses the encrypted connection: check --cert-file (%v)", url, err)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		strings.Contains(err.Error(), "malformed HTTP response"):
		return fmt.Errorf("what answers at %s does not speak HTTP, or only encrypted: check the port, or begin --url with https:// (%v)", url, err)
	}
	return fmt.Errorf("no gateway at %s: start one with `go run ./server/cmd/headgated --dev` or set --url (%v)", url, err)
}
