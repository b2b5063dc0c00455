package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/http2"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

func aShared() *shared {
	return &shared{open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "open"})}
}

// TestNoWriteIsWithoutEnd: whoever sets no deadline, or takes it away, waits for a client that takes nothing no longer than writeWithin. One that is set is kept.
func TestNoWriteIsWithoutEnd(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(net.Conn) error
		want time.Duration
	}{
		"none": {func(net.Conn) error { return nil }, writeWithin},
		"taken away": {func(c net.Conn) error {
			return errors.Join(c.SetDeadline(time.Now().Add(time.Second)), c.SetDeadline(time.Time{}))
		}, writeWithin},
		"of writes, taken away": {func(c net.Conn) error {
			return errors.Join(c.SetWriteDeadline(time.Now().Add(time.Second)), c.SetWriteDeadline(time.Time{}))
		}, writeWithin},
		"set":                    {func(c net.Conn) error { return c.SetWriteDeadline(time.Now().Add(time.Minute)) }, time.Minute},
		"set, and that of reads": {func(c net.Conn) error { return c.SetDeadline(time.Now().Add(time.Second)) }, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer theirs.Close()
			conn := aShared().keep(ours, func() {})
			defer conn.Close()
			if err := c.set(conn); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			if _, err := conn.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != c.want {
				t.Errorf("%s: %v after %v, want %v", name, err, time.Since(begin), c.want)
			}
		})
	}
}

// lingering is a connection that closes no sooner than the one below it, as one of TLS whose write a client does not take.
type lingering struct {
	net.Conn
	below <-chan struct{}
}

func (l lingering) Close() error {
	<-l.below
	return l.Conn.Close()
}

// telling tells when it is closed.
type telling struct {
	net.Conn
	closed context.CancelFunc
}

func (c telling) Close() error {
	c.closed()
	return c.Conn.Close()
}

// TestAStopWaitsForNoClosing: that of connections which take their time with it lasts no longer than the stop may.
func TestAStopWaitsForNoClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		closed, tell := context.WithCancel(t.Context())
		one := aShared()
		conn := one.keep(telling{ours, tell}, func() {})
		s := &Server{http: map[string]*http.Server{listenWebhook: {}}, shared: map[string]*shared{listenWebhook: one}}
		_ = s.http[listenWebhook].Serve(&listenOnce{conn: lingering{conn, closed.Done()}}) // there is no other connection
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		s.shutdown(ctx, listenWebhook)
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
		synctest.Wait()
	})
}

// TestSettingsCountByTheirSize: gRPC keeps each that a frame has until it has answered.
func TestSettingsCountByTheirSize(t *testing.T) {
	for frames, want := range map[int]error{5: nil, 25: errEmptyFrames} {
		sent := bytes.NewBufferString(http2.ClientPreface)
		f := http2.NewFramer(sent, nil)
		for range frames {
			if err := f.WriteSettings(make([]http2.Setting, 2_700)...); err != nil {
				t.Fatal(err)
			}
		}
		conn, _, err := calm{insecure.NewCredentials(), func(credentials.AuthInfo) bool { return true }, nil, newUnknown()}.ServerHandshake(sinkConn{readConn{Reader: sent}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, conn); !errors.Is(err, want) {
			t.Errorf("%d frames: %v, want %v", frames, err, want)
		}
	}
}

// TestStrangersWritesEndEach: until the client is known each write has its own deadline, as gRPC takes the first ones' away.
func TestStrangersWritesEndEach(t *testing.T) {
	conn := stuckConn{deadlines: make(chan time.Time, 10), closed: make(chan struct{})}
	_ = conn.Close() // its writes end at once
	c := &calmConn{Conn: conn, gone: make(chan struct{}), known: make(chan struct{}), patience: refusedWithin}
	for range 3 {
		_, _ = c.Write(nil)
	}
	if n := len(conn.deadlines); n != 3 {
		t.Errorf("3 writes have %d deadlines", n)
	}
}

// TestFewCertificates: a client that sends more than a few beside its own is not let in.
func TestFewCertificates(t *testing.T) {
	h := newHouse(t)
	for n, want := range map[int]bool{maxChain: true, maxChain + 1: false} {
		config, own := h.pki.client(nil), h.machine.forTLS()
		for len(own.Certificate) < n {
			own.Certificate = append(own.Certificate, own.Certificate[0])
		}
		config.Certificates = []tls.Certificate{own}
		by := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+h.s.Addresses().API+"/v1/log", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := by.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if got := err == nil && resp.StatusCode == http.StatusOK; got != want {
			t.Errorf("with %d certificates: let in %t, %v", n, got, err)
		}
		by.CloseIdleConnections()
	}
}
