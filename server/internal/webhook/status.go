package webhook

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the door's figures.
type metrics struct {
	requests *prometheus.CounterVec
	duration prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "headgate_webhook_requests_total", Help: "Webhook posts answered, by source (empty when unknown) and outcome.",
		}, []string{"source", "outcome"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "headgate_webhook_duration_seconds", Help: "Time from the request's header to the answer, body, commit and fsync included.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5},
		}),
	}
	if r != nil {
		r.MustRegister(m.requests, m.duration)
	}
	return m
}

// SourceStatus is what a source did since the process started.
type SourceStatus struct {
	Name     string
	Contexts []string

	Accepted, Duplicates, Quarantined, Refused, Tests uint64
	// LastAccepted and LastTest are zero when there was none.
	LastAccepted, LastTest time.Time
}

type sourceStatus struct {
	mu sync.Mutex
	SourceStatus
}

// name of a source that may not be known.
func (s *source) name() string {
	if s == nil {
		return ""
	}
	return s.Name
}

func (h *Handler) count(src *source, a answer, took time.Duration) {
	h.metrics.requests.WithLabelValues(src.name(), a.outcome).Inc()
	h.metrics.duration.Observe(took.Seconds())
	if src == nil {
		return
	}
	now := h.opt.Now()
	st := &src.status
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case a.status != http.StatusOK:
		st.Refused++
	case a.outcome == tested.outcome:
		st.Tests, st.LastTest = st.Tests+1, now
	case a.outcome == duplicate.outcome:
		st.Duplicates++
	case a.outcome == quarantined.outcome:
		st.Quarantined++
	default:
		st.Accepted, st.LastAccepted = st.Accepted+1, now
	}
}

// Status returns how the sources do, in alphabetical order.
func (h *Handler) Status() []SourceStatus {
	list := make([]SourceStatus, 0, len(h.sources))
	for _, src := range h.sources {
		src.status.mu.Lock()
		st := src.status.SourceStatus
		src.status.mu.Unlock()
		st.Name, st.Contexts = src.Name, src.Contexts
		list = append(list, st)
	}
	slices.SortFunc(list, func(a, b SourceStatus) int { return cmp.Compare(a.Name, b.Name) })
	return list
}
