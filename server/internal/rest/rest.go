// Package rest shows the gRPC services as a REST API: JSON for single answers, and for streams lines of JSON or Server-Sent Events. It is
// glass before the windows: what is asked and what is answered is the gRPC services' own, and every request goes through them.
//
// grpc-gateway does the routing and the forwarding. Three things it does are replaced, because they lose what the contract promises:
// it drops fields that it does not know (see fill), it fixes the HTTP status before it knows that a stream was refused (see conn), and it
// knows one error body for one code (see fail).
package rest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/headgate/headgate/gen"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// stall is how long a client may take none of the bytes that are being written to it, or send none of a body that it announced, before its
// connection is ended.
const stall = 30 * time.Second

// New returns the REST API over conn, a connection to the gateway's own gRPC server.
//
// Of a request's headers the gRPC server sees Authorization, as metadata of the same name, and the addresses of X-Forwarded-For, of which the
// last one is always the one that the connection came from. It sees none that a client could pass off as the gateway's own.
//
// The http.Server around it must leave WriteTimeout at 0, for it would end streams that are well. The handler sets deadlines of its own, and
// takes them back when it is done.
func New(ctx context.Context, conn grpc.ClientConnInterface) (http.Handler, error) {
	return newAPI(ctx, conn, stall)
}

type api struct {
	mux   *runtime.ServeMux
	stall time.Duration
}

func newAPI(ctx context.Context, cc grpc.ClientConnInterface, stall time.Duration) (*api, error) {
	none := func(string) (string, bool) { return "", false }
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &lines{}),
		runtime.WithMarshalerOption(eventStream, &sse{}),
		runtime.WithErrorHandler(fail),
		runtime.WithRoutingErrorHandler(failRouting),
		runtime.WithForwardResponseOption(streamHeaders),
		runtime.WithIncomingHeaderMatcher(none),
		runtime.WithOutgoingHeaderMatcher(none),
		runtime.WithOutgoingTrailerMatcher(none),
	)
	through := conn{cc}
	if err := headgatev1.RegisterEventServiceHandlerClient(ctx, mux, headgatev1.NewEventServiceClient(through)); err != nil {
		return nil, fmt.Errorf("register EventService: %w", err)
	}
	if err := adminv1.RegisterAdminServiceHandlerClient(ctx, mux, adminv1.NewAdminServiceClient(through)); err != nil {
		return nil, fmt.Errorf("register AdminService: %w", err)
	}
	if err := mux.HandlePath(http.MethodGet, "/openapi.json", serveOpenAPI); err != nil {
		return nil, fmt.Errorf("register /openapi.json: %w", err)
	}
	return &api{mux: mux, stall: stall}, nil
}

// ServeHTTP reads the request whole, then lets grpc-gateway route it.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := newWriter(w, a.stall)
	defer out.done()
	in, err := read(out, r, a.stall)
	if err != nil {
		writeError(out, err)
		return
	}
	a.mux.ServeHTTP(out, in)
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
