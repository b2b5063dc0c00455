package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// retryUntold is when a browser reconnects after a refusal that does not say when.
const retryUntold = 5 * time.Second

// httpError is an error whose HTTP status does not follow from its code.
type httpError struct {
	status int
	error
}

func (e *httpError) Unwrap() error { return e.error }

// refusal is an error as the services give it. field may be empty.
func refusal(code codes.Code, reason, message, field string) error {
	info := &errdetails.ErrorInfo{Reason: reason, Domain: "headgate"}
	if field != "" {
		info.Metadata = map[string]string{"field": field}
	}
	st, err := status.New(code, message).WithDetails(info)
	if err != nil {
		return status.Error(code, message)
	}
	return st.Err()
}

// invalid refuses a request for what stands in it. field may be empty.
func invalid(field, message string) error {
	return refusal(codes.InvalidArgument, "FILTER_INVALID", message, field)
}

// unauthenticated refuses a request for the credentials that it came with.
func unauthenticated(message string) error {
	return refusal(codes.Unauthenticated, "UNAUTHENTICATED", message, "")
}

// fail answers a request that failed before its answer began.
func fail(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, _ *http.Request, err error) {
	method, _ := runtime.RPCMethod(ctx)
	if in := inputOf(ctx); in != nil && in.sse && method == headgatev1.EventService_Subscribe_FullMethodName {
		if st := status.Convert(err); st.Code() == codes.Unavailable || retryAfter(st.Proto()) != nil {
			askToReturn(w, st)
			return
		}
	}
	writeError(w, err)
}

// askToReturn ends an SSE stream before it began and asks to try again. EventSource gives up for ever on any answer but 200, so a refusal
// that will pass must not look like one.
func askToReturn(w http.ResponseWriter, st *status.Status) {
	wait := retryUntold
	if d := retryAfter(st.Proto()); d != nil {
		wait = d.AsDuration()
	}
	w.Header().Set("Content-Type", eventStream)
	setStreamHeaders(w.Header())
	// The comment is for people; the quotes keep it on one line.
	_, _ = fmt.Fprintf(w, ": %q\nretry: %d\n\n", st.Message(), milliseconds(wait))
}

// failRouting answers a request that no method takes.
func failRouting(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, httpStatus int) {
	err := status.Error(codes.InvalidArgument, "the path must begin with /")
	switch httpStatus {
	case http.StatusNotFound:
		err = nothingAt(r.URL.Path)
	case http.StatusMethodNotAllowed:
		err = status.Errorf(codes.Unimplemented, "%s does not take this method: see /openapi.json", quote(r.URL.Path))
	}
	writeError(w, &httpError{httpStatus, err})
}

func nothingAt(path string) error {
	return status.Errorf(codes.NotFound, "there is nothing at %s: see /openapi.json", quote(path))
}

// quote repeats what a client wrote, but not all of a long text.
func quote(text string) string {
	const most = 100
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strconv.Quote(text)
}

// writeError answers with err as google.rpc.Status in JSON.
func writeError(w http.ResponseWriter, err error) {
	st := status.Convert(err)
	code := httpStatus(st)
	var special *httpError
	if errors.As(err, &special) {
		st, code = status.Convert(special.error), special.status
	}

	h := w.Header()
	h.Set("Content-Type", "application/json")
	if d := retryAfter(st.Proto()); d != nil {
		seconds := (d.AsDuration() + time.Second - 1) / time.Second
		h.Set("Retry-After", strconv.FormatInt(int64(max(0, seconds)), 10))
	}
	if code == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	body, err := toJSON.Marshal(st.Proto())
	if err != nil {
		// A detail of a type that is not linked in: better without than not at all.
		body, _ = toJSON.Marshal(&spb.Status{Code: int32(st.Code()), Message: st.Message()})
	}
	w.WriteHeader(code)
	_, _ = w.Write(body) // a client that went away needs no answer
}

// httpStatus is the usual one of the code, but 410 Gone for a cursor whose events are no longer kept.
func httpStatus(st *status.Status) int {
	if st.Code() == codes.OutOfRange {
		for _, d := range st.Details() {
			if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetReason() == "CURSOR_EXPIRED" {
				return http.StatusGone
			}
		}
	}
	return runtime.HTTPStatusFromCode(st.Code())
}

// retryAfter returns what the google.rpc.Status m says about when to try again, nil if nothing.
func retryAfter(m proto.Message) *durationpb.Duration {
	st, ok := m.(*spb.Status)
	if !ok {
		return nil
	}
	for _, d := range status.FromProto(st).Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay()
		}
	}
	return nil
}
