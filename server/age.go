package server

import (
	"context"
	"net"
	"net/http"
	"time"
)

// sinceKey is where the context of a request has the time of its connection's beginning.
type sinceKey struct{}

// aging makes the server's connections take new requests for connectionAge, as those of gRPC do, or until the gateway leaves: the answer to the first one after
// that ends the connection with itself, and says so, so that nobody sends a request that meets a closed connection. HTTP/2 lets what else is under way go on.
func (s *Server) aging(srv *http.Server) {
	srv.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, sinceKey{}, time.Now())
	}
	next := srv.Handler
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if since, ok := r.Context().Value(sinceKey{}).(time.Time); s.leaving.Load() || ok && time.Since(since) > connectionAge {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
