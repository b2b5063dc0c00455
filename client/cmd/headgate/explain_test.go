package main

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/client"
)

// serveTLS is serve over TLS. It returns the file with the root too.
func (h *hook) serveTLS(t *testing.T) (url, roots string) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, write(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
}

// answering listens, and does with each connection what it is told, then closes it. It returns the address.
func answering(t *testing.T, answer func(*net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1024))
			answer(conn.(*net.TCPConn))
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn) // what is not read would reset the connection
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

func TestSendChecksTheCertificate(t *testing.T) {
	h := &hook{status: 200}
	url, roots := h.serveTLS(t)
	if out, _, err := headgate(t, nil, "send", "test", "--url", url, "--ca-file", roots); err != nil || out != "200 test #0\n" {
		t.Errorf("wrote %q, %v", out, err)
	}
	_, _, err := headgate(t, nil, "send", "test", "--url", url)
	if err == nil || !strings.HasPrefix(err.Error(), "the certificate of "+url+" fails the check: set --ca-file") || len(h.bodies) != 1 {
		t.Errorf("ended with %v after %d requests", err, len(h.bodies))
	}
}

func TestSendTellsAWrongProtocolFromNoGateway(t *testing.T) {
	_, roots := (&hook{}).serveTLS(t)
	plain := (&hook{status: 200}).serve(t)
	garbage := answering(t, func(c *net.TCPConn) { _, _ = c.Write([]byte{0x15, 3, 1, 0, 2, 2, 70, '\n'}) })
	for url, want := range map[string]string{
		strings.Replace(plain, "http:", "https:", 1): "is not encrypted: begin --url with http://",
		"https://" + garbage:                         "refuses the encrypted connection",
		"http://" + garbage:                          "does not speak HTTP, or only encrypted",
		"http://" + answering(t, func(c *net.TCPConn) { _, _ = c.SetLinger(0), c.Close() }):                "does not speak HTTP, or only encrypted",
		"http://" + answering(t, func(*net.TCPConn) {}):                                                    "does not speak HTTP, or only encrypted",
		"https://" + answering(t, func(c *net.TCPConn) { _, _ = c.Write([]byte("220 mail is here\r\n")) }): "is not encrypted",
	} {
		_, _, err := headgate(t, nil, "send", "test", "--url", url, "--ca-file", roots)
		if err == nil || exitCode(err) != 1 || !strings.HasPrefix(err.Error(), "what answers at "+url) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", url, err, want)
		}
	}
}

func TestTailTellsAWrongProtocolFromNoGateway(t *testing.T) {
	encrypted, roots := (&hook{status: 200}).serveTLS(t)
	encrypted = strings.TrimPrefix(encrypted, "https://")
	plain := strings.TrimSuffix(strings.TrimPrefix((&hook{status: 200}).serve(t), "http://"), "/webhooks/superoffice/dev")
	for _, c := range []struct{ args, want string }{
		{"--address " + plain, "what answers at " + plain + " speaks HTTP: set --address to the gateway's gRPC address, usually of port 9090"},
		{"--address " + plain + " --ca-file " + roots, "what answers at " + plain + " is not encrypted: leave --ca-file"},
		{"--address " + encrypted + " --ca-file " + roots, "no encrypted connection to " + encrypted}, // it does not offer gRPC's HTTP/2
		{"--address " + answering(t, func(*net.TCPConn) {}), "does not speak gRPC, or only encrypted"},
	} {
		_, _, err := headgate(t, nil, append([]string{"tail"}, strings.Fields(c.args)...)...)
		if err == nil || exitCode(err) != 1 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", c.args, err, c.want)
		}
	}
}

func TestABrokenPipeOfTheNetworkIsToldToo(t *testing.T) {
	if err := unreachable("http://x", &net.OpError{Op: "write", Err: syscall.EPIPE}); errors.Is(err, syscall.EPIPE) {
		t.Error("run takes it for an output that nobody reads any more")
	}
}

func TestLastCauseIsShort(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{client.ErrorOf(status.Error(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`)), "connection refused"},
		{client.ErrorOf(status.Error(codes.Unavailable, "proxy: away")), "Unavailable: proxy: away"},
		{errors.New("the gateway: is stopping"), "the gateway: is stopping"},
	} {
		if got := lastCause(c.err); got != c.want {
			t.Errorf("%v is told as %q, want %q", c.err, got, c.want)
		}
	}
}
