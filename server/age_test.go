package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"testing"
	"time"
)

// TestOldConnectionsEnd: a connection that is older than an hour answers what it is asked, and is asked nothing more, by a client of HTTP/1.1 or 2. A younger one
// is kept.
func TestOldConnectionsEnd(t *testing.T) {
	for _, two := range []bool{false, true} {
		for since, kept := range map[time.Duration]bool{connectionAge - time.Minute: true, connectionAge + time.Minute: false} {
			site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
			new(Server).aging(site.Config)
			site.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
				return context.WithValue(ctx, sinceKey{}, time.Now().Add(-since))
			}
			requestsOneByOne(site.Config)
			site.EnableHTTP2 = two
			site.StartTLS()
			ask := func() (proto string, reused bool) {
				ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }})
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, site.URL, nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := site.Client().Do(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Fatal(err)
				}
				return string(text), reused
			}
			if proto, _ := ask(); (proto == "HTTP/2.0") != two {
				t.Fatalf("it speaks %s", proto)
			}
			again := func() bool { _, reused := ask(); return reused }
			if kept != again() {
				eventually(t, "the client makes another connection", func() bool { return !kept && !again() }) // HTTP/2 says so beside the answer
			}
			site.Close()
		}
	}
}

// TestEveryHTTPServerIsAging: none of the three is forgotten.
func TestEveryHTTPServerIsAging(t *testing.T) {
	s, _ := running(t, reader("one"))
	for name, srv := range s.http {
		if srv.IdleTimeout == 0 || srv.IdleTimeout > connectionIdle {
			t.Errorf("%s: connections without a call end after %v", name, srv.IdleTimeout)
		}
		young := srv.ConnContext(t.Context(), nil)
		old := context.WithValue(young, sinceKey{}, time.Now().Add(-connectionAge-time.Minute))
		for ctx, want := range map[context.Context]string{young: "", old: "close"} {
			w := httptest.NewRecorder()
			srv.Handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
			if got := w.Header().Get("Connection"); got != want {
				t.Errorf("%s: Connection is %q, want %q", name, got, want)
			}
		}
	}
}
