// Package rest shows the gRPC services as a REST API: JSON for single answers, and for streams lines of JSON or Server-Sent Events. It is
// glass before the windows: what is asked and what is answered is the gRPC services' own, and every request goes through them.
//
// grpc-gateway does the routing and the forwarding. Three things it does are replaced, because they lose what the contract promises:
// it drops fields that it does not know (see fill), it fixes the HTTP status before it knows that a stream was refused (see conn), and it
// knows one error body for one code (see fail).
//
// Two routes have no gRPC method. They are for browsers, whose EventSource cannot send an Authorization header:
//
//	POST /v1/session    with "Authorization: Bearer <token>" and no body, answers 204 and sets the cookie __Host-headgate_session, or headgate_session without TLS
//	DELETE /v1/session  clears the cookie and answers 204
//
// The console's page and assets are served to anybody, at /console/: they are the same for all, and what the page shows it asks for over these routes.
//
// A request without Authorization but with the cookie is treated as if it bore the token, for 12 hours from the login or until the gateway
// restarts. The token is sealed in the cookie and kept nowhere else; whether it is still a reader's, the gRPC server finds at each request. A
// stream that began in time goes on. Tokens are never taken from URLs.
package rest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/headgate/headgate/gen"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/console"
)

// stall is how long a client may take none of the bytes that are being written to it, or send none of a body that it announced, before its
// connection is ended.
const stall = 30 * time.Second

// Options say how the API is served.
type Options struct {
	// OpenToAnybody is set when no readers are configured, so that the gRPC server refuses nobody. The API then answers only requests to
	// localhost or a loopback address: any page on the web could read it through a browser on this machine otherwise.
	OpenToAnybody bool
	// Enter is asked who calls before a body is read or an answer is made, with the metadata that the gRPC server would see and a name of what is
	// called, which for a stream is the method's. leave is called when the client has taken the answer. Nil: nobody is asked but the gRPC server, which is after both.
	Enter func(ctx context.Context, what string) (leave func(), err error)
	// Stranger is asked before an answer is made to somebody whom Enter did not let in, with the address and port that the request came from. If he may not
	// have one, he gets its status alone. leave is called when the client has taken the answer. Nil: all may.
	Stranger func(remote string) (leave func(), ok bool)
	// Refused is told of each request that is refused for what it is before anybody is asked who calls, with the address and port that it came from. Nil:
	// nobody is told.
	Refused func(remote, what string, err error)
}

// New returns the REST API over conn, a connection to the gateway's own gRPC server.
//
// Of a request the gRPC server sees Authorization (or the session's), as metadata of the same name, the client certificate if TLS verified one,
// as CertificateHeader, and where the connection came from, as AddressHeader. It sees no header that a client could pass off as the gateway's own.
//
// The http.Server around it may have a WriteTimeout for what it answers by itself: the handler takes that back, for it would end streams that are well, and
// sets deadlines of its own.
func New(ctx context.Context, conn grpc.ClientConnInterface, options Options) (http.Handler, error) {
	return newAPI(ctx, conn, options, stall)
}

type api struct {
	mux         *runtime.ServeMux
	events      headgatev1.EventServiceClient
	options     Options
	crossOrigin http.CrossOriginProtection
	seal        seal
	stall       time.Duration
}

func newAPI(ctx context.Context, cc grpc.ClientConnInterface, options Options, stall time.Duration) (*api, error) {
	none := func(string) (string, bool) { return "", false }
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &lines{}),
		runtime.WithMarshalerOption(eventStream, &sse{}),
		runtime.WithErrorHandler(fail),
		runtime.WithRoutingErrorHandler(failRouting),
		runtime.WithForwardResponseOption(streamHeaders),
		runtime.WithIncomingHeaderMatcher(none),
		runtime.WithMetadata(connection),
		runtime.WithOutgoingHeaderMatcher(none),
		runtime.WithOutgoingTrailerMatcher(none),
	)
	seal, err := newSeal()
	if err != nil {
		return nil, err
	}
	through := conn{cc, options.Enter}
	a := &api{mux: mux, events: headgatev1.NewEventServiceClient(through), options: options, seal: seal, stall: stall}
	if err := headgatev1.RegisterEventServiceHandlerClient(ctx, mux, a.events); err != nil {
		return nil, fmt.Errorf("register EventService: %w", err)
	}
	if err := headgatev1.RegisterSubscriptionServiceHandlerClient(ctx, mux, headgatev1.NewSubscriptionServiceClient(through)); err != nil {
		return nil, fmt.Errorf("register SubscriptionService: %w", err)
	}
	if err := adminv1.RegisterAdminServiceHandlerClient(ctx, mux, adminv1.NewAdminServiceClient(through)); err != nil {
		return nil, fmt.Errorf("register AdminService: %w", err)
	}
	for _, route := range []struct {
		method, path string
		answer       runtime.HandlerFunc
	}{
		{http.MethodGet, "/openapi.json", serveOpenAPI},
		{http.MethodPost, sessionPath, a.logIn},
		{http.MethodDelete, sessionPath, a.logOut},
	} {
		if err := mux.HandlePath(route.method, route.path, route.answer); err != nil {
			return nil, fmt.Errorf("register %s %s: %w", route.method, route.path, err)
		}
	}
	return a, nil
}

// ServeHTTP reads the request whole, once it knows who sends a body, then lets grpc-gateway route it.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in, remote := &input{}, r.RemoteAddr // r is nil once it is refused
	out := newWriter(w, r, a.stall, func() (leave func(), ok bool) {
		if in.leave != nil || a.options.Stranger == nil {
			return nil, true
		}
		return a.options.Stranger(remote)
	})
	setHeaders(out.Header())
	// Deferred first of all: what is left of the answer goes out before.
	defer in.left()
	defer out.done()
	// The console may be opened by a link of another site: it has no data, and what it then asks for is asked as by any page of this gateway.
	if a.admitHost(r) == nil && console.Serve(out, r) {
		return
	}
	r, err := a.prepare(out, r, in)
	if err != nil || in.bad != nil {
		// net/http reads what is left of a body before it sends the answer. It takes the deadline back afterwards.
		out.readWithin(a.stall)
	}
	if err != nil {
		writeError(out, err)
		return
	}
	a.mux.ServeHTTP(out, r)
}

// prepare returns r as grpc-gateway gets it.
func (a *api) prepare(w *writer, r *http.Request, in *input) (*http.Request, error) {
	if err := a.admit(r); err != nil {
		return nil, a.refused(r, err)
	}
	if hasHiddenSlash(r.URL.EscapedPath()) {
		return nil, &httpError{http.StatusNotFound, nothingAt(r.URL.EscapedPath())}
	}
	bare := in.take(r)
	if err := a.authorize(w, bare); err != nil {
		return nil, a.refused(r, err)
	}
	if !in.post || r.ContentLength == 0 {
		return bare, nil
	}
	ctx, err := runtime.AnnotateContext(bare.Context(), a.mux, bare, "")
	if err != nil {
		return nil, err
	}
	if err := in.enter(ctx, a.options.Enter, "REST "+r.Method); err != nil {
		return nil, err
	}
	if in.bad != nil {
		return nil, in.bad
	}
	in.body, err = readBody(w, r, a.stall)
	return bare, err
}

// hasHiddenSlash says whether the path is another one before it is decoded, to a proxy that lets some paths through. No name or cursor has a slash.
func hasHiddenSlash(escaped string) bool {
	return strings.Contains(escaped, "%2f") || strings.Contains(escaped, "%2F")
}

// setHeaders tells browsers and proxies how to treat an answer. A stream's Cache-Control is another one.
func setHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

// streamHeaders sets the headers of a stream's answer. grpc-gateway calls it without a message only when a stream begins.
func streamHeaders(_ context.Context, w http.ResponseWriter, m proto.Message) error {
	if m == nil {
		setStreamHeaders(w.Header())
	}
	return nil
}

// setStreamHeaders keeps proxies from holding events back or changing them.
func setStreamHeaders(h http.Header) {
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no")
}

func serveOpenAPI(w http.ResponseWriter, _ *http.Request, _ map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(gen.OpenAPI) // a client that went away needs no answer
}
