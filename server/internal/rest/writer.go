package rest

import (
	"net/http"
	"time"
)

const (
	// piece is how many bytes must get through within the time that a client may stall.
	piece = 64 << 10
	// held is how much net/http may keep until the handler returns.
	held = 2 << 10
	// strangerStall is how long a client may stall of which nobody knows who it is.
	strangerStall = 10 * time.Second
)

// writer gives every write a deadline of its own. http.Server.WriteTimeout counts from the start of the answer and would end a stream that
// is well; without any deadline a client that reads no more holds its stream for ever.
type writer struct {
	http.ResponseWriter
	rc    *http.ResponseController
	stall time.Duration
	large bool
	multi bool // several answers may share the connection at a time

	stranger func() (leave func(), ok bool) // asks for an answer's place, which known callers need not; nil: they have one
	leave    func()
	begun    bool
	silent   bool // there was no place: the answer is its status alone, for which nobody has to wait
}

// newWriter returns the writer of the answer to r. Over HTTP/2 an answer of any size counts as large: a client that opens no window for it takes nothing.
func newWriter(w http.ResponseWriter, r *http.Request, stall time.Duration, stranger func() (leave func(), ok bool)) *writer {
	out := &writer{ResponseWriter: w, rc: http.NewResponseController(w), stall: stall, large: r.ProtoMajor > 1, multi: r.ProtoMajor > 1, stranger: stranger}
	if out.multi {
		_ = out.rc.SetWriteDeadline(time.Time{}) // see FlushError
	} else {
		out.writeWithin(stall) // of the answer before there may be one left that has passed
	}
	return out
}

// begin settles whether there is to be an answer with a body. Many that nobody takes, one client could otherwise have the gateway keep, with their requests.
func (w *writer) begin() {
	if w.begun {
		return
	}
	if w.begun = true; w.stranger == nil {
		return
	}
	leave, ok := w.stranger()
	w.leave, w.silent = leave, !ok
	if w.silent {
		w.Header().Del("Content-Type")
		w.Header().Del("Content-Length")
		w.Header().Set("Cache-Control", "no-store") // also where the answer would have been kept for ever
		w.large = false
	} else if leave != nil {
		w.stall = min(w.stall, strangerStall)
	}
}

// WriteHeader begins the answer.
func (w *writer) WriteHeader(code int) {
	w.begin()
	if w.silent && code < http.StatusBadRequest {
		w.Header().Set("Retry-After", "1")
		code = http.StatusTooManyRequests
	}
	w.ResponseWriter.WriteHeader(code)
}

// Write writes piece by piece, so that a large answer to a slow client is not taken for a stalled one.
func (w *writer) Write(p []byte) (n int, err error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	if w.silent {
		return len(p), nil
	}
	w.large = w.large || len(p) > held
	for {
		part := p[n:min(len(p), n+piece)]
		w.writeWithin(w.stall)
		k, err := w.ResponseWriter.Write(part)
		n += k
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// FlushError sends what was written, and takes the deadline back: HTTP/2 ends a stream when a deadline passes, even if nothing is being
// written.
func (w *writer) FlushError() error {
	w.writeWithin(w.stall)
	err := w.rc.Flush()
	_ = w.rc.SetWriteDeadline(time.Time{})
	return err
}

// done sends the rest of a large answer within the deadline. What net/http sends when the handler has returned gets one too where it is that of nothing
// else: over HTTP/1, where the next answer sets its own.
func (w *writer) done() {
	if w.large {
		_ = w.FlushError() // whether the client got it is nobody's business any more
	}
	if !w.multi {
		w.writeWithin(2 * w.stall) // before it writes, net/http may wait for what is left of the request
	}
	if w.leave != nil {
		w.leave()
	}
}

// writeWithin sets the deadline of what is written next. A ResponseWriter that has no deadlines has no connection that could stall either.
func (w *writer) writeWithin(d time.Duration) {
	_ = w.rc.SetWriteDeadline(time.Now().Add(d))
}

// readWithin does the same for what is read next.
func (w *writer) readWithin(d time.Duration) {
	_ = w.rc.SetReadDeadline(time.Now().Add(d))
}
