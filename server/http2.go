package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/http2"
)

// forgotten is for how long a request is waited for that its client called off: net/http does not call for one that it had no room for yet.
const forgotten = time.Second

// requestsOneByOne has the requests of HTTP/2 come to the server one by one. net/http decrypts before it can be shown a connection, so another server takes what
// is decrypted; srv goes on to count the connection until that one is done with it.
func requestsOneByOne(srv *http.Server) {
	two := &http.Server{
		ErrorLog: srv.ErrorLog, MaxHeaderBytes: srv.MaxHeaderBytes, ReadHeaderTimeout: srv.ReadHeaderTimeout, ReadTimeout: srv.ReadTimeout,
		WriteTimeout: srv.WriteTimeout, IdleTimeout: srv.IdleTimeout, HTTP2: srv.HTTP2, Protocols: &http.Protocols{},
	}
	two.Protocols.SetUnencryptedHTTP2(true)
	two.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		c := conn.(*oneByOne)
		return srv.ConnContext(context.WithValue(ctx, oneByOneKey{}, c), c.Conn)
	}
	two.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := r.Context().Value(oneByOneKey{}).(*oneByOne)
		c.arrived()
		encrypted := *r
		state := c.Conn.(*tls.Conn).ConnectionState()
		encrypted.TLS = &state
		srv.Handler.ServeHTTP(w, &encrypted)
	})
	srv.RegisterOnShutdown(func() { _ = two.Shutdown(context.Background()) }) // srv's connections end, and these are the same
	srv.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		http2.NextProtoTLS: func(_ *http.Server, conn *tls.Conn, _ http.Handler) {
			c := newOneByOne(conn, forgotten)
			one := &listenOnce{conn: c}
			_ = two.Serve(one) // it says that there are no more
			if one.taken {
				<-c.gone
			}
		},
	}
}

type oneByOneKey struct{}

// listenOnce is a listener that has one connection.
type listenOnce struct {
	conn  net.Conn
	taken bool
}

// Accept is part of the interface.
func (l *listenOnce) Accept() (net.Conn, error) {
	if l.taken {
		return nil, net.ErrClosed
	}
	l.taken = true
	return l.conn, nil
}

// Close is part of the interface.
func (l *listenOnce) Close() error { return nil }

// Addr is part of the interface.
func (l *listenOnce) Addr() net.Addr { return l.conn.LocalAddr() }
