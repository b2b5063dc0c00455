package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// maxBody is how large the body of a request may be. The largest filter takes 64 KiB.
const maxBody = 128 << 10

// input is what fill makes the gRPC request from. It travels in the context of the HTTP request, which grpc-gateway hands on to conn.
type input struct {
	bad         error // what is wrong with the request as a whole
	query       url.Values
	body        []byte // with POST only
	post        bool
	lastEventID string
	sse         bool
	byCookie    bool // the Authorization header is the session's
	leave       func()
}

type inputKey struct{}

func inputOf(ctx context.Context) *input {
	in, _ := ctx.Value(inputKey{}).(*input)
	return in
}

// take takes from r all that says what is asked, but the body, and returns r without it and without the body: to grpc-gateway every request looks
// empty, so that it has nothing to drop, and nothing to refuse in words of its own. fill does both, once it is known who calls.
func (in *input) take(r *http.Request) (bare *http.Request) {
	in.post = r.Method == http.MethodPost
	in.lastEventID = r.Header.Get("Last-Event-ID")
	in.sse = accepts(r.Header.Values("Accept"), eventStream)
	var err error
	if in.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		// The error is not told: it quotes the query.
		in.bad = invalid("", "the query string cannot be read: write name=value joined by &, and the characters %, &, ; and + as %25, %26, %3B and %2B")
	}
	if !in.post && r.ContentLength != 0 {
		in.bad = invalid("", "the body of a "+r.Method+" request is not read: put the fields into the query string, or use POST")
	}

	bare = r.Clone(context.WithValue(r.Context(), inputKey{}, in))
	bare.URL.RawQuery = ""
	bare.Body, bare.ContentLength = http.NoBody, 0
	// grpc-gateway would choose the form of the answer by the Content-Type, and take a form for a request with another method.
	bare.Header.Del("Content-Type")
	if in.sse {
		bare.Header.Set("Accept", eventStream) // it knows media types by their exact text
	}
	return bare
}

func readBody(w *writer, r *http.Request, stall time.Duration) ([]byte, error) {
	// net/http takes the deadline back when the body is whole.
	w.readWithin(stall)
	body, err := io.ReadAll(http.MaxBytesReader(w.ResponseWriter, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &httpError{http.StatusRequestEntityTooLarge, invalid("", fmt.Sprintf("the body is larger than %d bytes", maxBody))}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &httpError{http.StatusRequestTimeout, invalid("", fmt.Sprintf("the body did not arrive within %v", stall))}
	case err != nil:
		return nil, invalid("", "the body did not arrive whole")
	}
	return bytes.TrimSpace(body), nil
}

// accepts tells whether one of the Accept headers names the media type itself and does not refuse it. A wildcard does not name it.
func accepts(headers []string, mediaType string) bool {
	for part := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		name, params, err := mime.ParseMediaType(part)
		if err != nil || name != mediaType {
			continue
		}
		if q, err := strconv.ParseFloat(params["q"], 64); err != nil || q > 0 {
			return true
		}
	}
	return false
}
