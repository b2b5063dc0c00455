package webhook

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// rawRequest sends bytes as they are, and returns the status of the answer; 0 when there is none.
func (d *door) rawRequest(text string) int {
	d.t.Helper()
	conn, err := net.Dial("tcp", d.address)
	if err != nil {
		d.t.Fatal(err)
	}
	defer conn.Close()
	if err := errors.Join(conn.SetDeadline(time.Now().Add(30*time.Second)), write(conn, text)); err != nil {
		d.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func write(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

// request is a whole signed request.
func request(method, target, body string) string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		method, target, signature, Sign(testKey, []byte(body)), len(body), body)
}

// TestPathIsExact: any other path is 404, and never a redirect to a cleaned one.
func TestPathIsExact(t *testing.T) {
	d := newDoor(t)
	b := body(t)
	for _, target := range []string{
		"/", "/webhooks", "/webhooks/superoffice", "/webhooks/superoffice/", "/webhooks/superoffice//", "/webhooks/superoffice/unknown",
		"/webhooks/superoffice/acme/", "/webhooks/superoffice/acme//", "/webhooks/superoffice/acme/x", "//webhooks//superoffice//acme", "//webhooks/superoffice/acme",
		"/webhooks//superoffice/acme", "/webhooks/superoffice/./acme", "/webhooks/superoffice/x/../acme", "/x/../webhooks/superoffice/acme",
		"/webhooks/superoffice%2Facme", "/webhooks%2fsuperoffice/acme", "/webhooks/superoffice/%61cme", "/webhooks/superoffice/acme%2F", "/webhooks/superoffice/acme%00",
		"/webhooks/superoffice/Acme", "/WEBHOOKS/superoffice/acme", "/webhooks/superoffice/acme;x", "/webhooks/superoffice/acme%20",
	} {
		for _, method := range []string{"POST", "GET"} {
			if status := d.rawRequest(request(method, target, b)); status != http.StatusNotFound {
				t.Errorf("%s %s: answered %d", method, target, status)
			}
		}
	}
	if n := len(d.stored()); n != 0 {
		t.Errorf("%d records", n)
	}
	for _, target := range []string{"/webhooks/superoffice/acme", "/webhooks/superoffice/acme?x=1", "http://elsewhere/webhooks/superoffice/acme"} {
		if status := d.rawRequest(request("POST", target, b)); status != http.StatusOK {
			t.Errorf("%s: answered %d", target, status)
		}
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	d := newDoor(t)
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "BREW"} {
		req, err := http.NewRequest(method, d.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "POST" {
			t.Errorf("%s: answered %d, Allow %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
}

// chunked hides the length of a body.
type chunked struct{ io.Reader }

func TestTooLarge(t *testing.T) {
	const limit = 10_000
	d := newDoor(t, func(s *setup) { s.opt.MaxBody = limit })
	created := body(t)
	fill := func(n int) []byte { return []byte(created + strings.Repeat(" ", n-len(created))) }
	for _, c := range []struct{ size, want int }{{limit, 200}, {limit + 1, 413}, {3 * limit, 413}, {1 << 20, 413}} {
		b := fill(c.size)
		if status, _ := d.signed(string(b)); status != c.want {
			t.Errorf("%d bytes: answered %d", c.size, status)
		}
		req, err := http.NewRequest(http.MethodPost, d.url, chunked{bytes.NewReader(b)})
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := d.do(req, signature, Sign(testKey, b)); status != c.want {
			t.Errorf("%d bytes in chunks: answered %d", c.size, status)
		}
	}
	if status := d.rawRequest("POST " + Path + "acme HTTP/1.1\r\nHost: x\r\n" + signature + ": " + Sign(testKey, nil) + "\r\nContent-Length: 999999999999\r\n\r\n"); status != 413 {
		t.Errorf("an announced terabyte: answered %d", status)
	}
	if n := len(d.stored()); n != 1 {
		t.Errorf("%d records", n)
	}
}

// TestTooLargeAsAnEvent: what no client could read is put into quarantine.
func TestTooLargeAsAnEvent(t *testing.T) {
	d := newDoor(t, func(s *setup) { s.opt.MaxBody = 8 << 20 })
	b := strings.Replace(body(t), "Relation Webhook", strings.Repeat("x", maxEvent), 1)
	if status, text := d.signed(b); status != 200 || text != quarantined.text+": the encoded event is larger than 3 MiB\n" {
		t.Errorf("answered %d %s", status, text)
	}
	if list := d.stored(); len(list) != 1 || list[0].Kind != eventlog.KindGap || d.raw(1) != b {
		t.Error("it is not in quarantine with its body")
	}
	b = strings.Replace(b, strings.Repeat("x", 2000), "", 1)
	if status, text := d.signed(b); status != 200 || text != stored.text+"\n" {
		t.Errorf("one that is just small enough: answered %d %s", status, text)
	}
}

// TestTooSlow: a body that does not arrive is answered with 408, and not stored.
func TestTooSlow(t *testing.T) {
	d := newDoor(t, func(s *setup) {
		s.server.ReadTimeout, s.server.ReadHeaderTimeout = 300*time.Millisecond, 200*time.Millisecond
	})
	whole := request("POST", Path+"acme", body(t))
	for _, part := range []string{whole[:len(whole)-1], whole[:strings.Index(whole, "\r\n\r\n")+4]} {
		if status := d.rawRequest(part); status != http.StatusRequestTimeout {
			t.Errorf("%d of %d bytes: answered %d", len(part), len(whole), status)
		}
	}
	if n := len(d.stored()); n != 0 {
		t.Errorf("%d records", n)
	}
}

// TestBrokenTransfer: bodies that end early or are framed wrongly are not stored, whatever they look like.
func TestBrokenTransfer(t *testing.T) {
	d := newDoor(t)
	b := body(t)
	head := "POST " + Path + "acme HTTP/1.1\r\nHost: x\r\n" + signature + ": " + Sign(testKey, []byte(b)) + "\r\n"
	for name, text := range map[string]string{
		"bad chunk":    head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		"two lengths":  head + fmt.Sprintf("Content-Length: %d\r\nContent-Length: 5\r\n\r\n%s", len(b), b),
		"negative":     head + "Content-Length: -1\r\n\r\n" + b,
		"odd encoding": head + "Transfer-Encoding: gzip\r\n\r\n" + b,
	} {
		if status := d.rawRequest(text); status < 400 || status == http.StatusGone {
			t.Errorf("%s: answered %d", name, status)
		}
	}
	if n := len(d.stored()); n != 0 {
		t.Errorf("%d records", n)
	}
}

// stub is a log that does as the test says.
type stub func(ctx context.Context, r *eventlog.Record) (bool, error)

func (s stub) Append(ctx context.Context, r *eventlog.Record) (bool, error) { return s(ctx, r) }

// TestLogThatDoesNotTakeIt: whatever its reason, the CRM is asked to try again, for events and for the quarantine alike, and not told the reason.
func TestLogThatDoesNotTakeIt(t *testing.T) {
	for _, cause := range []error{eventlog.ErrFull, eventlog.ErrFailed, eventlog.ErrBusy, context.DeadlineExceeded, errors.New("unheard of")} {
		d := newDoor(t, func(s *setup) {
			s.log = stub(func(context.Context, *eventlog.Record) (bool, error) {
				return true, fmt.Errorf("/var/lib/headgate: %w", cause)
			})
		})
		for _, b := range []string{body(t), "not JSON"} {
			status, text := d.signed(b)
			if status != http.StatusServiceUnavailable || strings.Contains(text, "/var") || strings.Contains(text, cause.Error()) {
				t.Errorf("%v: answered %d %s", cause, status, text)
			}
		}
		if status, _ := d.signed(string(samples(t)["test"])); status != http.StatusOK {
			t.Errorf("%v: the test call was answered %d", cause, status)
		}
		if st := d.handler.Status()[0]; st.Refused != 2 || st.Accepted+st.Duplicates+st.Quarantined != 0 {
			t.Errorf("%v: counted %+v", cause, st)
		}
		if !strings.Contains(d.logged.String(), cause.Error()) {
			t.Errorf("%v is not in the log lines", cause)
		}
	}
}

// TestSenderHangsUp: what was sent whole is stored, also when nobody waits for the answer any more.
func TestSenderHangsUp(t *testing.T) {
	d := newDoor(t)
	requests, appended := make(chan context.Context, 1), make(chan error, 1)
	log := d.handler.log
	d.handler.log = stub(func(ctx context.Context, r *eventlog.Record) (bool, error) {
		<-(<-requests).Done() // the server has noticed
		dup, err := log.Append(ctx, r)
		appended <- err
		return dup, err
	})
	d.serve(&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Context()
		d.handler.ServeHTTP(w, r)
	})})
	conn, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(conn, request("POST", Path+"acme", body(t))), conn.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-appended; err != nil {
		t.Error(err)
	}
	if n := len(d.stored()); n != 1 {
		t.Errorf("%d records", n)
	}
}

// TestNeverRedirectNeverGone posts what nobody would.
func TestNeverRedirectNeverGone(t *testing.T) {
	d := newDoor(t)
	pieces := []string{"/", "//", "webhooks", "superoffice", "acme", "..", ".", "%2F", "%2e%2e", "?", "#", ";", "%", "*", "http://", "x", " ", "\t", "æ"}
	methods := []string{"GET", "POST", "HEAD", "CONNECT", "OPTIONS", "PUT", ""}
	for range 2000 {
		target := ""
		for range rand.IntN(8) {
			target += pieces[rand.IntN(len(pieces))]
		}
		b := body(t)[:rand.IntN(30)]
		switch status := d.rawRequest(request(methods[rand.IntN(len(methods))], target, b)); {
		case status >= 300 && status < 400, status == http.StatusGone:
			t.Errorf("%q: answered %d", target, status)
		case status == http.StatusServiceUnavailable, status >= 500 && status != http.StatusNotImplemented && status != http.StatusHTTPVersionNotSupported:
			t.Errorf("%q: answered %d", target, status)
		}
	}
}
