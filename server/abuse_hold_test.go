package server_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// call writes a whole call with one message.
func (a *abuser) call(method string, m proto.Message) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	framed := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...)
	return errors.Join(a.open(method, false), a.WriteData(a.stream, true, framed), a.out.Flush())
}

// TestEventsNobodyTakes: a client opens as many streams as it may and leaves no room for a single byte of the events. It is a slow reader, and so
// not cut off while it answers pings; but what waits for it is bounded.
func TestEventsNobodyTakes(t *testing.T) {
	t.Parallel()
	p := startProcess(t, t.TempDir(), nil)
	t.Cleanup(func() { _ = p.kill() })
	for n := range 40 { // more than one stream's room
		post := body(n, "relation.created", "Cust1234")
		post = []byte(strings.Replace(string(post), `"WebhookName":"test"`, `"WebhookName":"`+strings.Repeat("x", 60_000)+`"`, 1))
		if got := postTo(t, p.listen.Webhook, post, sign(testSecret, post)); got != http.StatusOK {
			t.Fatalf("answered %d", got)
		}
	}
	before := vitalsOf(t, p.listen.Admin)
	b := startBeside(t, p.listen)
	a, err := abuse(p.listen.GRPC, nil, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	if err != nil {
		t.Fatal(err)
	}
	const most = 500 // a connection has no more
	for range most {
		err = errors.Join(err, a.call(headgatev1.EventService_Subscribe_FullMethodName, &headgatev1.SubscribeRequest{Start: earliest()}))
	}
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < *abuseFor || figures(t, p.listen.Admin)["headgate_streams"] < most+1; {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("the streams never began")
		}
	}
	b.served()
	before.unharmed(t, p.listen.Admin)
	a.close()
	before.recovered(t, p.listen.Admin)

	// Pages are answered whole and wait for the client in memory: at most 64 a reader, of 128 KiB each.
	pages, err := abuse(p.listen.GRPC, nil, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	for range most {
		err = errors.Join(err, pages.call(headgatev1.EventService_ListEvents_FullMethodName, &headgatev1.ListEventsRequest{PageSize: 1000}))
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "most are refused", func() bool { return pages.calls.Load() == most-64 })
	before.unharmed(t, p.listen.Admin)
	pages.close()
}

// TestHalfOpen: whoever connects and then says nothing, or not all of the beginning, is gone after ten seconds.
func TestHalfOpen(t *testing.T) {
	t.Parallel()
	const each = 100
	p := startProcess(t, t.TempDir(), nil)
	t.Cleanup(func() { _ = p.kill() })
	before := vitalsOf(t, p.listen.Admin)
	var conns []net.Conn
	for _, at := range []struct{ address, said string }{
		{p.listen.GRPC, ""},
		{p.listen.GRPC, http2.ClientPreface},
		{p.listen.GRPC, http2.ClientPreface[:10]},
		{p.listen.Webhook, ""},
		{p.listen.Webhook, "POST"},
		{p.listen.API, "GET /v1/log HTTP/1.1\r\n"},
		{p.listen.Admin, ""},
	} {
		for range each {
			c, err := net.Dial("tcp", at.address)
			if err == nil {
				_, err = io.WriteString(c, at.said)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			conns = append(conns, c)
		}
	}
	begun := time.Now()
	b := startBeside(t, p.listen)
	for _, c := range conns {
		_ = c.SetReadDeadline(begun.Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, c); isTimeout(err) {
			t.Errorf("%s: it is still open", c.RemoteAddr())
		}
	}
	t.Logf("all were gone after %v", time.Since(begun).Round(time.Millisecond))
	b.served()
	before.unharmed(t, p.listen.Admin)
	before.recovered(t, p.listen.Admin)
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// TestIdleConnections: thousands of clients that are connected and do nothing cost little.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	const many = 2000
	p := startProcess(t, t.TempDir(), nil)
	t.Cleanup(func() { _ = p.kill() })
	before := vitalsOf(t, p.listen.Admin)
	b := startBeside(t, p.listen)
	var idle []*abuser
	for range many {
		a, err := abuse(p.listen.GRPC, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(a.WritePing(false, [8]byte{}), a.out.Flush()); err != nil {
			t.Fatal(err)
		}
		idle = append(idle, a)
	}
	now := vitalsOf(t, p.listen.Admin)
	b.served()
	t.Logf("%d KB resident, %d KB mapped, %.1f goroutines for each", (now.resident-before.resident)>>10/many, (now.mapped-before.mapped)>>10/many,
		float64(now.goroutines-before.goroutines)/many)
	before.unharmed(t, p.listen.Admin)
	for _, a := range idle {
		a.close()
		if a.goAway != "" {
			t.Errorf("one was sent away with %s", a.goAway)
		}
	}
	before.recovered(t, p.listen.Admin)
}

// TestKeepalivePings: clients may ask every 10 s whether the gateway is there, with or without a stream, also over a network that brings two such
// pings closer together.
func TestKeepalivePings(t *testing.T) {
	t.Parallel()
	const jitter = 4500 * time.Millisecond
	g := start(t, signedConfig(t.TempDir()))
	var clients []*abuser
	for _, stream := range []bool{false, true} {
		a, err := abuse(g.addr.GRPC, nil)
		if err == nil && stream {
			err = errors.Join(a.open("/grpc.health.v1.Health/Watch", false), a.WriteData(a.stream, true, make([]byte, 5)))
		}
		if err != nil {
			t.Fatal(err)
		}
		defer a.close()
		clients = append(clients, a)
	}
	tick := time.NewTicker(10*time.Second - jitter)
	defer tick.Stop()
	for range 4 { // the fourth would be one too many
		for i, a := range clients {
			if err := errors.Join(a.WritePing(false, [8]byte{}), a.out.Flush()); err != nil {
				t.Fatalf("client %d: %v", i, err)
			}
		}
		<-tick.C // the interval itself is what is tested
		for i, a := range clients {
			select {
			case <-a.over:
				t.Fatalf("client %d was sent away: %s", i, a.goAway)
			default:
			}
		}
	}
}
