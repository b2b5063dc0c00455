//go:build linux || darwin

package bench

import (
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// startNoLog serves a webhook that forgets: it reads the body, checks the signature and answers.
func startNoLog(string) (*process, error) {
	p := &process{}
	var err error
	p.stop, err = p.servePosts(http.HandlerFunc(forget))
	return p, err
}

func forget(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	status := http.StatusOK
	switch {
	case err != nil:
		status = http.StatusBadRequest
	case subtle.ConstantTimeCompare([]byte(sign(b)), []byte(r.Header.Get("X-Superoffice-Signature"))) == 0:
		status = http.StatusUnauthorized
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "forgotten\n")
}

// perWrite is how many events go into one write of startTCP's in a burst.
const perWrite = 64

// startTCP writes the encoded events to whoever connects and sends a byte.
func startTCP(string) (*process, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &process{addresses: addresses{Readers: l.Addr().String()}, held: newMemory(), stop: l.Close}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.held.writeTo(conn)
		}
	}()
	return p, nil
}

// writeTo ends when the connection does, or the process.
func (m *memory) writeTo(conn net.Conn) {
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		return
	}
	for pos := 0; ; {
		shown, alone, changed := m.visible()
		for pos < shown {
			n := min(perWrite, shown-pos)
			if alone {
				n = 1
			}
			if _, err := conn.Write(m.encoded(pos, n)); err != nil {
				return
			}
			pos += n
		}
		<-changed
	}
}

// subject is what NATS publishes under.
const subject = "events"

func startNATS(string) (*process, error) {
	srv, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		return nil, err
	}
	srv.Start()
	stop := func() error {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil
	}
	if !srv.ReadyForConnections(10 * time.Second) {
		return nil, errors.Join(errors.New("NATS does not start"), stop())
	}
	conn, err := nats.Connect("", nats.InProcessServer(srv))
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	p := &process{addresses: addresses{Readers: srv.Addr().String()}, held: newMemory(), stop: stop}
	go p.held.publishTo(conn)
	return p, nil
}

// publishTo ends with the process.
func (m *memory) publishTo(conn *nats.Conn) {
	for pos := 0; ; {
		shown, _, changed := m.visible()
		for ; pos < shown; pos++ {
			if conn.Publish(subject, m.encoded(pos, 1)) != nil {
				return // readers see that there is nothing more
			}
		}
		<-changed
	}
}
