package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// lastWords is how long those who are not known get, once the server leaves, to be answered or to become known.
const lastWords = time.Second

// unknown are the connections of readers' listeners on which nobody known has called yet: the server's end does not wait for them. A nil one has none.
type unknown struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
	ended bool
}

func newUnknown() *unknown { return &unknown{conns: make(map[net.Conn]bool)} }

func (u *unknown) add(conn net.Conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.conns[conn] = true; u.ended {
		hangUp(conn)
	}
}

// remove is for a connection that is known now, or closed.
func (u *unknown) remove(conn net.Conn) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.conns, conn)
}

// end closes all, and those that come.
func (u *unknown) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
	for conn := range u.conns {
		hangUp(conn)
	}
}

// hangUp closes a connection and says no goodbye by TLS, for which it could have to wait.
func hangUp(conn net.Conn) {
	if c, ok := conn.(*tls.Conn); ok {
		conn = c.NetConn()
	}
	_ = conn.Close() // who used it learns it
}

// unknownKey is where the context of a request has its connection.
type unknownKey struct{}

// of keeps account of the server's, which is about to begin to serve. It must be told who becomes known.
func (u *unknown) of(srv *http.Server) {
	next := srv.ConnContext
	srv.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(next(ctx, conn), unknownKey{}, conn)
	}
	srv.ConnState = func(conn net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			u.add(conn)
		case http.StateClosed, http.StateHijacked:
			u.remove(conn)
		}
	}
}

// isKnown says that the request of that context is a known caller's.
func (u *unknown) isKnown(ctx context.Context) {
	if conn, ok := ctx.Value(unknownKey{}).(net.Conn); ok {
		u.remove(conn)
	}
}
