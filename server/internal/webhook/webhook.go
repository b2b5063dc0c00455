// Package webhook is the door: it authenticates what the CRM posts, has it translated and stored, and answers.
//
// The CRM tries three times within five seconds and then forgets the event; nine failures in a row switch the feed off, and 410 does at once. So
// whatever is authentic is answered with 200 once it is on stable storage, be it as an event or in quarantine, and with 503 only when it could
// not be stored. What is too large to be read beside all others before its signature can be checked is answered with 503 too.
package webhook

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/refusal"
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
	// AllowAddresses are those that posts may come from. Empty means any.
	AllowAddresses []netip.Prefix
	// AwaitingSecretUntil lets a source be without secrets, for a webhook whose secret the CRM makes up. Until then it answers the CRM's test
	// call, and nothing else.
	AwaitingSecretUntil time.Time
}

// Options say how the door works.
type Options struct {
	// MaxBody is how large a body may be in bytes. Default 1 MiB.
	MaxBody int64
	// TrustedProxies are those whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// RefusedPerSecond is how many refusals an address is told the reason of; beyond that it gets 429. What is authentic is never limited. Default 10.
	RefusedPerSecond int
	// Logger gets refusals and that something went into quarantine, never what stands in a body. Default: none.
	Logger *slog.Logger
	// Metrics gets the door's metrics. Default: none.
	Metrics prometheus.Registerer
	// Stored is told of each authentic post whether it is stored, be it before. Default: nobody is.
	Stored func(ok bool)
	// Tracer makes the spans of authentic posts. Default: none are made.
	Tracer trace.Tracer
	// Now is the clock that secrets are held against. Default time.Now.
	Now func() time.Time
}

// Handler is the door. It is safe for concurrent use.
type Handler struct {
	log     Log
	opt     Options
	sources atomic.Pointer[map[string]*source]
	metrics *metrics
	strikes strikes
	refused refusal.Lines
	held    held
}

type source struct {
	Source
	status *sourceStatus
	codes  []*sync.Pool // by place among the source's Secrets: what computes their codes
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
	if opt.Stored == nil {
		opt.Stored = func(bool) {}
	}
	if opt.RefusedPerSecond == 0 {
		opt.RefusedPerSecond = 10
	}
	h := &Handler{log: log, opt: opt, metrics: newMetrics(), strikes: strikes{perSecond: opt.RefusedPerSecond}}
	h.sources.Store(&map[string]*source{})
	h.SetSources(sources)
	if opt.Metrics != nil {
		h.metrics.register(opt.Metrics, h)
	}
	return h
}

// SetSources replaces the sources. What a source of the same name did so far stays counted; posts under way end under the old ones.
func (h *Handler) SetSources(sources []Source) {
	before, after := *h.sources.Load(), make(map[string]*source, len(sources))
	for _, s := range sources {
		status := &sourceStatus{}
		if old := before[s.Name]; old != nil {
			status = old.status
		}
		src := &source{Source: s, status: status}
		for _, secret := range s.Secrets {
			src.codes = append(src.codes, coders(secret.Key))
		}
		after[s.Name] = src
		h.metrics.begin(&s)
	}
	h.sources.Store(&after)
}

// Source returns what the bodies of the source are translated by, as it is configured now; only the name of one that is not.
func (h *Handler) Source(name string) superoffice.Source {
	if src := (*h.sources.Load())[name]; src != nil {
		return src.Source.Source
	}
	return superoffice.Source{Name: name}
}

// ServeHTTP answers one post. There is no router before it: one that cleans paths would redirect, and what the CRM does then is unknown.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	sender := senderOf(r, h.opt.TrustedProxies)
	src, a := h.answer(w, r, sender, begin)
	if a.status != http.StatusOK && a.status != http.StatusServiceUnavailable && !h.strikes.allow(sender, begin) {
		a = tooMany
		w.Header().Set("Connection", "close")
	}
	w.Header()["Content-Type"], w.Header()["X-Content-Type-Options"] = plainText, noSniff
	switch a.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1") // as soon as the CRM does
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.text) // a sender that has gone away is not told
	_, _ = io.WriteString(w, "\n")
	h.count(src, a, time.Since(begin))
	if a.status == http.StatusOK {
		return
	}
	if more, ok := h.refused.Allow(sender, begin); ok {
		who := []any{"source", src.name(), "status", a.status, "cause", a.outcome, "remote", sender, "problem", a.problem()}
		h.opt.Logger.Warn("webhook refused", append(who, more...)...)
	}
}

// The values of headers that every answer has. They are shared, and never changed.
var (
	plainText = []string{"text/plain; charset=utf-8"}
	noSniff   = []string{"nosniff"}
)

// answer is what the sender is told. The CRM shows its text to an administrator.
type answer struct {
	status  int
	outcome string // the label of the metric
	text    string
	secret  string // the id of the one that the signature was made with
	err     error  // for the log, not for the sender
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
	forbidden     = answer{status: http.StatusForbidden, outcome: "forbidden_address", text: "posts of this source are not taken from this address"}
	tooMany       = answer{status: http.StatusTooManyRequests, outcome: "rate_limited", text: "too many refused posts from this address"}
	fromPage      = answer{status: http.StatusForbidden, outcome: "web_page", text: "this source needs no signature, so web pages cannot post to it: use a program, like curl"}
	awaiting      = answer{status: http.StatusUnauthorized, outcome: "awaiting_secret", text: "the source has no secret yet and takes nothing but the test call"}
	unavailable   = answer{status: http.StatusServiceUnavailable, outcome: "unavailable", text: "the event could not be stored; try again"}
	busy          = answer{status: http.StatusServiceUnavailable, outcome: "busy", text: "too many large bodies arrive at once; try again"}
)

// answer handles the post, which began to arrive at begin, up to the answer. The source is nil while it is not known.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, sender netip.Addr, begin time.Time) (*source, answer) {
	// As it was sent: what is only equal after decoding is another path.
	name, ok := strings.CutPrefix(r.URL.EscapedPath(), Path)
	src := (*h.sources.Load())[name]
	if !ok || src == nil {
		return nil, unknownSource
	}
	if r.Method != http.MethodPost {
		return src, badMethod
	}
	if !src.allows(sender) {
		return src, forbidden
	}
	signatures := r.Header.Values(signatureHeader)
	now := h.opt.Now()
	waits := src.awaits(now)
	switch { // what is known before the body is read
	case src.Unsigned && isFromPage(r.Header):
		return src, fromPage
	case !src.Unsigned && !waits:
		if err := checkSignatures(signatures); err != nil {
			return src, unauthentic.because(err)
		}
	}
	most := h.opt.MaxBody
	if waits {
		most = min(most, maxTestCall) // unsigned: anybody may have sent it
	}
	body, free, a := h.readBody(w, r, sender, most)
	if a.status != 0 {
		return src, a
	}
	defer free()
	if waits {
		if _, isTest, _ := src.record(body, origin{}); isTest {
			return src, tested
		}
		return src, awaiting
	}
	secret := ""
	if !src.Unsigned {
		var err error
		if secret, err = src.verify(signatures[0], body, now); err != nil {
			return src, unauthentic.because(err)
		}
	}
	t := h.begin(src, r, begin, len(body))
	a = h.accept(src, r.Header, body, t)
	t.end(a)
	a.secret = secret
	return src, a
}

func (a answer) because(err error) answer {
	a.err = err
	return a
}

// maxTestCall is how large a body may be while the source waits for its secret. The CRM's test call has a few hundred bytes.
const maxTestCall = 4 << 10

// accept stores an authentic body, as an event or in quarantine.
func (h *Handler) accept(src *source, header http.Header, body []byte, t *trip) answer {
	translated := t.step("translate")
	rec, isTest, wrong := src.record(body, origin{traceparent: t.parent()})
	translated(nil)
	if isTest {
		return tested
	}
	done := stored
	if wrong != nil {
		rec, done = h.quarantine(src, header.Get("Content-Type"), body, wrong), quarantined
		done.text += ": " + wrong.Problem
	}
	t.carries(&rec.Keys)
	rec.Retries = retriesOf(header)
	committed := t.step("commit")
	// The sender may hang up; what it sent is stored all the same, for it would not send it again.
	dup, err := h.log.Append(context.Background(), rec)
	committed(err)
	h.opt.Stored(err == nil)
	if err != nil {
		return unavailable.because(err)
	}
	src.status.heard(rec.Keys.EventType)
	if dup {
		return duplicate
	}
	if wrong != nil {
		h.opt.Logger.Warn("webhook quarantined", "source", src.Name, "cause", wrong.cause, "bytes", len(body))
	}
	return done
}

// retriesOf is how often the CRM says that it had tried to deliver the post before. It is not signed, so it is a hint like all headers: nothing but a
// suspicion comes of it.
func retriesOf(header http.Header) uint8 {
	n, err := strconv.ParseUint(header.Get("X-SuperOffice-Retry"), 10, 32)
	if err != nil {
		return 0
	}
	return uint8(min(n, eventlog.MaxRetries))
}
