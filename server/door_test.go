//go:build unix

package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

// caller is a connection to the webhook port, written to by hand.
type caller struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (g *gateway) call() *caller {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.addr.Webhook)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &caller{g.t.(*testing.T), conn, bufio.NewReader(conn)}
}

func (c *caller) write(text string) {
	c.t.Helper()
	if _, err := c.conn.Write([]byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// answered expects 200 and returns whether the connection ends with it.
func (c *caller) answered() (last bool) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		c.t.Errorf("answered %s", resp.Status)
	}
	return resp.Close
}

// post is a whole post; half of it is not.
func post(n int) (text, half string) {
	b := body(n, "relation.created", "Cust1234")
	text = fmt.Sprintf("POST /webhooks/superoffice/acme HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\nX-SuperOffice-Signature: %s\r\n\r\n%s",
		len(b), sign(testSecret, b), b)
	return text, text[:len(text)-20]
}

// leaving waits until the gateway has begun to leave: its readers are told.
func (g *gateway) leaving(stream headgatev1.EventService_SubscribeClient) {
	g.t.Helper()
	for {
		m, err := stream.Recv()
		if err != nil {
			g.t.Fatal(err)
		}
		if m.GetClosing() != nil {
			return
		}
	}
}

func (g *gateway) subscribe() headgatev1.EventService_SubscribeClient {
	g.t.Helper()
	stream, err := g.events().Subscribe(g.t.Context(), &headgatev1.SubscribeRequest{Start: earliest()})
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return stream
}

// TestTheDoorAnswersWhoIsInIt: a gateway that ends, with a successor or without, answers everybody who had connected: who has said nothing yet, who is in
// the middle of a post, and who posts again on a connection that the gateway has not said it would close.
func TestTheDoorAnswersWhoIsInIt(t *testing.T) {
	for _, handing := range []bool{false, true} {
		t.Run(fmt.Sprint("handing over: ", handing), func(t *testing.T) {
			cfg := signedConfig(t.TempDir())
			g := start(t, cfg)
			stream := g.subscribe()
			idle, half, silent := g.call(), g.call(), g.call()
			whole, begun := post(1)
			idle.write(whole)
			if idle.answered() {
				t.Error("the gateway closes a connection for no reason")
			}
			half.write(begun)
			// All three are accepted when one behind them is.
			last := g.call()
			whole, _ = post(2)
			last.write(whole)
			last.answered()

			ended := make(chan struct{})
			go func() {
				defer close(ended)
				if handing {
					takeOver(t, cfg)
				} else {
					g.stop()
				}
			}()
			g.leaving(stream)
			if handing {
				whole, _ = post(3)
				idle.write(whole)
				if !idle.answered() {
					t.Error("the gateway does not say that this was the connection's last answer")
				}
				whole, _ = post(4)
				last.write(whole)
				last.answered()
			}
			whole, begun = post(1)
			half.write(strings.TrimPrefix(whole, begun))
			half.answered()
			whole, _ = post(5)
			silent.write(whole)
			silent.answered()
			<-ended
		})
	}
}

// TestIdleSendersAreWaitedFor: a connection that was not told that it ends is not closed under a sender who may just be posting on it.
func TestIdleSendersAreWaitedFor(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	g := start(t, cfg)
	stream, idle := g.subscribe(), g.call()
	whole, _ := post(1)
	idle.write(whole)
	idle.answered()
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		takeOver(t, cfg)
	}()
	g.leaving(stream)
	_ = idle.conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	if _, err := idle.in.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the connection ended with %v", err)
	}
	_ = idle.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	whole, _ = post(2)
	idle.write(whole)
	if !idle.answered() {
		t.Error("the gateway does not say that this was the connection's last answer")
	}
	<-taken
}

// TestWhoSaysNothingDelaysNobody: somebody who connects and is silent, and a reader who takes nothing, cost those who post no more than a moment.
func TestWhoSaysNothingDelaysNobody(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	cfg.Drain = 3 * time.Second
	g := start(t, cfg)
	for n := range 40 { // more than a stream takes ahead
		b := body(n, "relation.created", "Cust1234")
		b = append(b[:len(b)-1], `,"More":"`+strings.Repeat("x", 60_000)+`"}`...)
		if status, err := tryPost(g.addr.Webhook, b, sign(testSecret, b)); err != nil || status != http.StatusOK {
			t.Fatal(status, err)
		}
	}
	g.subscribe() // and receives no more
	taken := make(chan struct{})
	var is *gateway
	go func() {
		defer close(taken)
		is = takeOver(t, cfg)
	}()
	began, slowest, n := time.Now(), time.Duration(0), 100
	for over := false; !over; n++ {
		select {
		case <-taken:
			over = true
		default:
		}
		if n%100 == 0 {
			g.call() // and says nothing
		}
		c := g.call()
		whole, _ := post(n)
		before := time.Now()
		c.write(whole)
		c.answered()
		slowest = max(slowest, time.Since(before))
	}
	if is == nil {
		t.Fatal("it was not taken over")
	}
	if all := time.Since(began); all < cfg.Drain || slowest > 2500*time.Millisecond {
		t.Errorf("the slowest post of %d took %v, while the gateway was left for %v", n-100, slowest, all)
	}
	t.Logf("the slowest of %d posts took %v", n-100, slowest)
}

// TestReadyWhileTheDoorIsOpen: whoever asks whether webhooks are taken hears yes while another gateway takes over, and no when none does.
func TestReadyWhileTheDoorIsOpen(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	ready := func(at server.Addresses) int {
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + at.Admin + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	g := start(t, cfg)
	stream, idle := g.subscribe(), g.call()
	whole, _ := post(1)
	idle.write(whole)
	idle.answered() // holds the door open, for some seconds
	taken := make(chan *gateway, 1)
	go func() { taken <- takeOver(t, cfg) }()
	g.leaving(stream)
	if got := ready(g.addr); got != http.StatusOK {
		t.Errorf("while another gateway takes over: %d", got)
	}
	_ = idle.conn.Close()
	g = <-taken
	stream, idle = g.subscribe(), g.call()
	_, half := post(2)
	idle.write(half)
	other := g.call()
	whole, _ = post(3)
	other.write(whole)
	other.answered()
	done := make(chan struct{})
	go func() { g.stop(); close(done) }()
	g.leaving(stream)
	if got := ready(g.addr); got != http.StatusServiceUnavailable {
		t.Errorf("while none does: %d", got)
	}
	_ = idle.conn.Close()
	<-done
}
