package webhook

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// SourceStatus is what a source did since the process started.
type SourceStatus struct {
	Name     string
	Contexts []string

	Accepted, Duplicates, Quarantined, Refused, Tests uint64
	// LastAccepted and LastTest are zero when there was none.
	LastAccepted, LastTest time.Time
	// RefusedBy counts the refusals by outcome.
	RefusedBy map[string]uint64
	// Unauthenticated counts posts with a missing or wrong signature since the last authentic one.
	Unauthenticated uint64
	// LastSecret is the id of the secret that the last signature was made with.
	LastSecret string
	// AwaitingSecretUntil is set while the source has no secret.
	AwaitingSecretUntil time.Time
	// Stopped: the CRM said that it stopped the feed, or will have, after so many failures in a row.
	Stopped bool
}

type sourceStatus struct {
	mu sync.Mutex
	SourceStatus
	failures int // authentic posts that could not be stored, in a row
}

func (s *sourceStatus) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Stopped
}

// failuresToStop is after how many failed attempts in a row the CRM switches a webhook off.
const failuresToStop = 9

// heard takes note of what the CRM sent: the webhooks' own state events tell of a stopped feed, any other event of one that goes on.
func (s *sourceStatus) heard(eventType string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch eventType {
	case "webhook.errors", "webhook.stopped":
		s.Stopped = true
	default:
		s.Stopped = false
	}
}

// name of a source that may not be known.
func (s *source) name() string {
	if s == nil {
		return ""
	}
	return s.Name
}

func (h *Handler) count(src *source, a answer, took time.Duration) {
	h.metrics.count(src, a, took)
	if src == nil {
		return
	}
	now := h.opt.Now()
	st := src.status
	st.mu.Lock()
	defer st.mu.Unlock()
	if a.secret != "" {
		st.LastSecret, st.Unauthenticated = a.secret, 0
	} else if a.outcome == unauthentic.outcome {
		st.Unauthenticated++
	}
	switch {
	case a.outcome == unavailable.outcome: // to an authentic post; what is told to be busy can be anybody's
		st.failures++
		st.Stopped = st.Stopped || st.failures >= failuresToStop
	case a.status == http.StatusOK:
		st.failures = 0
	}
	switch {
	case a.status != http.StatusOK:
		st.Refused++
		if st.RefusedBy == nil {
			st.RefusedBy = make(map[string]uint64)
		}
		st.RefusedBy[a.outcome]++
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
	sources := *h.sources.Load()
	list := make([]SourceStatus, 0, len(sources))
	for _, src := range sources {
		src.status.mu.Lock()
		st := src.status.SourceStatus
		st.RefusedBy = maps.Clone(st.RefusedBy)
		src.status.mu.Unlock()
		st.Name, st.Contexts = src.Name, src.Contexts
		if src.awaits(h.opt.Now()) {
			st.AwaitingSecretUntil = src.AwaitingSecretUntil
		}
		list = append(list, st)
	}
	slices.SortFunc(list, func(a, b SourceStatus) int { return cmp.Compare(a.Name, b.Name) })
	return list
}
