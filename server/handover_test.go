//go:build unix

package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

// takeOver starts a gateway that takes over from the one with the same data directory, and returns when it serves.
func takeOver(t *testing.T, cfg server.Config) *gateway {
	t.Helper()
	http.DefaultClient.CloseIdleConnections() // or it waits for them
	return startWith(t, func() (*server.Server, error) { return server.TakeOver(t.Context(), cfg) })
}

// successor is a process that takes over by hand.
type successor struct {
	t    *testing.T
	conn *net.UnixConn
	in   *bufio.Reader
}

func newSuccessor(t *testing.T, dir string) *successor {
	t.Helper()
	http.DefaultClient.CloseIdleConnections() // or it waits for them
	path := filepath.Join(dir, "take-over.sock")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v: others can take over", info, err)
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &successor{t, conn, bufio.NewReader(conn)}
}

func (s *successor) say(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.conn, text+"\n"); err != nil {
		s.t.Fatal(err)
	}
}

// hear waits for the message of a step. The sockets that come along are closed by the system.
func (s *successor) hear(step string) (m struct{ Step, Why string }) {
	s.t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	line, err := s.in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &m)
	}
	if err != nil || m.Step != step {
		s.t.Fatalf("the gateway says %q, %v; want %s", line, err, step)
	}
	return m
}

const asks = `{"step":"take-over","version":1}`

// TestSuccessorThatFails: a gateway whose successor goes away, whenever that is, serves again. Nobody who posts meanwhile is refused.
func TestSuccessorThatFails(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	g := start(t, cfg)
	n := 0
	reader := startLedger(t, g.addr.GRPC)
	defer reader.stop()
	acked := make(map[int32]bool)
	post := func() {
		g.post(body(n, "relation.created", "Cust1234"))
		acked[int32(n)] = true
		n++
	}
	for _, c := range []struct {
		gone string
		fail func(*successor)
	}{
		{"at once", func(*successor) {}},
		{"speaking of something else", func(s *successor) { s.say("GET / HTTP/1.1") }},
		{"of another time", func(s *successor) {
			s.say(`{"step":"take-over","version":2}`)
			if m := s.hear("sockets"); !strings.Contains(m.Why, "stop it and start this one") {
				t.Errorf("it is told %q", m.Why)
			}
		}},
		{"with the sockets", func(s *successor) { s.say(asks); s.hear("sockets") }},
		{"when ready", func(s *successor) {
			stream := g.subscribe()
			s.say(asks)
			s.hear("sockets")
			s.say(`{"step":"ready"}`)
			_ = s.conn.Close()
			g.leaving(stream) // what is posted from now on is read when the gateway serves again
		}},
		{"with the log closed", func(s *successor) {
			s.say(asks)
			s.hear("sockets")
			s.say(`{"step":"ready"}`)
			s.hear("closed")
			// Nobody has the log now. Who posts must wait, and be answered in the end.
			posted := make(chan error, 1)
			late := body(1000, "relation.created", "Cust1234")
			go func() {
				status, err := tryPost(g.addr.Webhook, late, sign(testSecret, late))
				if err == nil && status != http.StatusOK {
					err = errors.New(http.StatusText(status))
				}
				posted <- err
			}()
			_ = s.conn.Close()
			if err := <-posted; err != nil {
				t.Error(err)
			}
			acked[1000] = true
		}},
	} {
		t.Log(c.gone)
		s := newSuccessor(t, cfg.DataDir)
		c.fail(s)
		_ = s.conn.Close()
		for range 3 {
			post()
		}
		reader.await(acked)
	}
	takeOver(t, cfg)
	post()
	reader.await(acked)
	if len(reader.got) != len(acked) {
		t.Errorf("the reader got %d events of %d", len(reader.got), len(acked))
	}
}

// TestTakeOverThatCannotBe: whoever could not serve is told so, and the gateway that runs does not notice: not even its readers.
func TestTakeOverThatCannotBe(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	g := start(t, cfg)
	stream, err := g.events().Subscribe(t.Context(), &headgatev1.SubscribeRequest{Start: earliest()})
	if err != nil {
		t.Fatal(err)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	unusable := map[string]func(*server.Config){
		"listen.admin: listen tcp":   func(c *server.Config) { c.Listen.Admin = busy.Addr().String() },
		"sources: is missing":        func(c *server.Config) { c.Sources = nil },
		"tls.cert_file: there is no": func(c *server.Config) { c.TLS = server.TLS{CertFile: "none", KeyFile: "none"} },
	}
	for want, change := range unusable {
		bad := cfg
		change(&bad)
		if _, err := server.TakeOver(t.Context(), bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	g.post(body(1, "relation.created", "Cust1234"))
	for {
		m, err := stream.Recv()
		if err != nil || m.GetClosing() != nil {
			t.Fatalf("the reader got %v, %v", m, err)
		}
		if len(m.GetEvents()) > 0 {
			break
		}
	}
	// One that is told to end while it waits for the log leaves it to the one that had it.
	if _, err := server.TakeOver(cancelled, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	g.post(body(2, "relation.created", "Cust1234"))
}

// TestTakeOverOfNobody: with nobody there, the gateway starts as usual, whatever was left behind.
func TestTakeOverOfNobody(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(cfg.DataDir, "take-over.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	_ = left.Close()
	takeOver(t, cfg).post(body(1, "relation.created", "Cust1234"))
	g := takeOver(t, cfg)
	g.post(body(2, "relation.created", "Cust1234"))
	g.stop()
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "take-over.sock")); err == nil {
		t.Error("a stopped gateway leaves its socket behind")
	}
}

// TestTakeOverKeepsAndChangesAddresses: a port that was chosen stays; where the configuration names another address, that one is new.
func TestTakeOverKeepsAndChangesAddresses(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	was := start(t, cfg).addr
	cfg.Listen.Admin = "localhost:0"
	cfg.Listen.API = was.API
	is := takeOver(t, cfg).addr
	if is.Webhook != was.Webhook || is.GRPC != was.GRPC || is.API != was.API {
		t.Errorf("%v became %v", was, is)
	}
	if is.Admin == was.Admin {
		t.Errorf("the admin port is still %s", is.Admin)
	}
	for end := time.Now().Add(20 * time.Second); ; { // the old gateway's last act
		conn, err := net.Dial("tcp", was.Admin)
		if err != nil {
			break
		}
		_ = conn.Close()
		if time.Now().After(end) {
			t.Fatal("nobody serves the old admin port, and it still listens")
		}
	}
}
