// Package webhook is the door: it authenticates what the CRM posts, has it translated and stored, and answers.
//
// The CRM tries three times within five seconds and then forgets the event; nine failures in a row switch the feed off, and 410 does at once. So
// whatever is authentic is answered with 200 once it is on stable storage, be it as an event or in quarantine, and with 503 only when it could
// not be stored.
package webhook

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/superoffice"
)

// Path is where sources are posted to: the source's name follows.
const Path = "/webhooks/superoffice/"

// Log is what the door needs of the log.
type Log interface {
	// Append makes the record durable, or reports that it already was.
	Append(ctx context.Context, r *eventlog.Record) (dup bool, err error)
}

// Source is one configured webhook endpoint.
type Source struct {
	superoffice.Source
	// Contexts are the tenants that the source may speak for. Empty means any; only a development source has that.
	Contexts []string
	// Secrets are those that a signature may be made with.
	Secrets []Secret
	// Unsigned accepts posts without a signature. Only a development source has that.
	Unsigned bool
}

// Options say how the door works.
type Options struct {
	// MaxBody is how large a body may be in bytes. Default 1 MiB.
	MaxBody int64
	// Logger gets refusals and what went into quarantine, never a body. Default: none.
	Logger *slog.Logger
	// Metrics gets the door's metrics. Default: none.
	Metrics prometheus.Registerer
	// Now is the clock that secrets are held against. Default time.Now.
	Now func() time.Time
}

// Handler is the door. It is safe for concurrent use.
type Handler struct {
	log     Log
	opt     Options
	sources map[string]*source
	metrics *metrics
	refused rate.Sometimes // keeps a flood of refusals out of the log lines
}

type source struct {
	Source
	status sourceStatus
}

// New returns the door for the sources.
func New(log Log, sources []Source, opt Options) *Handler {
	if opt.MaxBody == 0 {
		opt.MaxBody = 1 << 20
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	h := &Handler{log: log, opt: opt, sources: make(map[string]*source), metrics: newMetrics(opt.Metrics)}
	h.refused = rate.Sometimes{First: 20, Interval: time.Second}
	for _, s := range sources {
		h.sources[s.Name] = &source{Source: s}
	}
	return h
}

// ServeHTTP answers one post. There is no router before it: one that cleans paths would redirect, and what the CRM does then is unknown.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	src, a := h.answer(w, r)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if a.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.text+"\n") // a sender that has gone away is not told
	h.count(src, a, time.Since(begin))
	if a.status != http.StatusOK {
		h.refused.Do(func() {
			h.opt.Logger.Warn("webhook refused", "source", src.name(), "status", a.status, "cause", a.outcome, "remote", r.RemoteAddr, "problem", a.problem())
		})
	}
}

// answer is what the sender is told. The CRM shows its text to an administrator.
type answer struct {
	status  int
	outcome string // the label of the metric
	text    string
	err     error // for the log, not for the sender
}

func (a answer) problem() string {
	if a.err != nil {
		return a.err.Error()
	}
	return a.text
}

var (
	stored        = answer{status: http.StatusOK, outcome: "accepted", text: "stored"}
	duplicate     = answer{status: http.StatusOK, outcome: "duplicate", text: "already stored"}
	tested        = answer{status: http.StatusOK, outcome: "test", text: "the test call arrived"}
	quarantined   = answer{status: http.StatusOK, outcome: "quarantined", text: "stored in quarantine"}
	unknownSource = answer{status: http.StatusNotFound, outcome: "unknown_source", text: "no source of this name: check the webhook's URL"}
	badMethod     = answer{status: http.StatusMethodNotAllowed, outcome: "bad_method", text: "webhooks are posted"}
	tooLarge      = answer{status: http.StatusRequestEntityTooLarge, outcome: "too_large", text: "the body is larger than this server accepts"}
	tooSlow       = answer{status: http.StatusRequestTimeout, outcome: "too_slow", text: "the body did not arrive in time"}
	broken        = answer{status: http.StatusBadRequest, outcome: "broken", text: "the body could not be read"}
	unauthentic   = answer{status: http.StatusUnauthorized, outcome: "unauthenticated", text: "the signature is missing or wrong: check the webhook's secret"}
	unavailable   = answer{status: http.StatusServiceUnavailable, outcome: "unavailable", text: "the event could not be stored; try again"}
)

// answer handles the post up to the answer. The source is nil while it is not known.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request) (*source, answer) {
	name, ok := strings.CutPrefix(r.URL.Path, Path)
	src := h.sources[name]
	if !ok || src == nil {
		return nil, unknownSource
	}
	if r.Method != http.MethodPost {
		return src, badMethod
	}
	body, a := h.readBody(w, r)
	if a.status != 0 {
		return src, a
	}
	if !src.Unsigned {
		if err := src.verify(r.Header.Values(signatureHeader), body, h.opt.Now()); err != nil {
			a := unauthentic
			a.err = err
			return src, a
		}
	}
	return src, h.accept(r.Context(), src, r.Header.Get("Content-Type"), body)
}

// readBody reads the whole body within its bounds.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, answer) {
	if r.ContentLength > h.opt.MaxBody {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.opt.MaxBody))
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return body, answer{}
	case errors.As(err, &large):
		return nil, tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, tooSlow
	}
	a := broken
	a.err = err
	return nil, a
}

// accept stores an authentic body, as an event or in quarantine.
func (h *Handler) accept(ctx context.Context, src *source, contentType string, body []byte) answer {
	rec, isTest, problem := h.record(src, contentType, body)
	if isTest {
		return tested
	}
	done := stored
	if problem != nil {
		rec, done = h.quarantine(src, contentType, body, problem), quarantined
	}
	// The sender may hang up; what it sent is stored all the same, for it would not send it again.
	dup, err := h.log.Append(context.WithoutCancel(ctx), rec)
	if err != nil {
		a := unavailable
		a.err = err
		return a
	}
	if dup {
		return duplicate
	}
	if problem != nil {
		h.opt.Logger.Warn("webhook quarantined", "source", src.Name, "event_type", rec.Quarantine.EventType, "problem", problem.Problem, "bytes", len(body))
	}
	return done
}

func isJSON(contentType string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	charset, given := params["charset"]
	return err == nil && media == "application/json" && (!given || strings.EqualFold(charset, "utf-8"))
}
