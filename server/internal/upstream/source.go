package upstream

import (
	"slices"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

const (
	// retriedApart is how long no webhook must have been retried for an incident to be over, retriedMost how long one lasts at most.
	retriedApart = 5 * time.Minute
	retriedMost  = time.Hour
)

// source is what is known of one. Its exported fields are the stored form; all of it follows from the log.
type source struct {
	First time.Time `json:"first"`
	// Last is when it was last heard, Quiet since when it could have been: the gateway may have been away.
	Last  time.Time `json:"last"`
	Quiet time.Time `json:"quiet"`
	// Weeks are in order. The last one is that of Last, and not learned from yet.
	Weeks []week `json:"weeks"`
	// Reported is since when the CRM says that it failed to deliver, zero while it does not.
	Reported time.Time `json:"reported"`
	// Retried is the incident that retried webhooks tell of.
	Retried incident `json:"retried"`
	// Suspected is the newest gap that was made of it.
	Suspected *suspicion `json:"suspected,omitempty"`

	zone   *time.Location
	silent bool // it was told that the source is
	// by is by when it should be heard again, if it was heard last at byOf: it is worked out once.
	by, byOf time.Time
}

// window is a stretch of time.
type window struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// incident is a time in which webhooks came only when the CRM tried again. From is when the source was heard before it.
type incident struct {
	window
	Since time.Time `json:"since"`
}

// suspicion is that something was lost in a window. Without a source it concerns all.
type suspicion struct {
	window
	Source string               `json:"source,omitempty"`
	Cause  headgatev1.Gap_Cause `json:"cause"`
}

// pattern is what is expected of the source.
func (s *source) pattern() (pattern, bool) {
	known := s.Weeks[:max(0, len(s.Weeks)-1)]
	if len(known) > 0 && s.First.Sub(known[0].Start) >= day {
		known = known[1:] // it began in mid-week
	}
	return patternOf(known)
}

const day = 24 * time.Hour

// expectedBy is by when the source should be heard again, zero while that is not known.
func (s *source) expectedBy() time.Time {
	if s.byOf.IsZero() || !s.byOf.Equal(s.Quiet) {
		s.by, s.byOf = time.Time{}, s.Quiet
		if p, ok := s.pattern(); ok {
			s.by = p.expectedBy(s.Quiet, s.zone)
		}
	}
	return s.by
}

// heard takes note of a sign of the source and returns the gap that the time before it makes, if any.
func (s *source) heard(at time.Time) *suspicion {
	loss, odd := s.judge(at)
	if s.First.IsZero() {
		s.First = at
	}
	s.learn(at, odd)
	s.Last, s.Quiet, s.Reported, s.silent = at, at, time.Time{}, false
	return loss
}

// judge looks at what a sign ends. odd: the time before it is nothing to learn from.
func (s *source) judge(at time.Time) (loss *suspicion, odd bool) {
	if !s.Reported.IsZero() {
		from := s.Last
		if from.IsZero() {
			from = s.Reported
		}
		return &suspicion{window: window{from, at}, Cause: headgatev1.Gap_CAUSE_CRM_REPORTED}, true
	}
	if at.Sub(s.Quiet) < busyMissed*time.Hour { // as nearly always: the pattern need not be looked at
		return nil, s.Quiet.After(s.Last)
	}
	p, ok := s.pattern()
	if !ok {
		return nil, s.Quiet.After(s.Last)
	}
	if !at.After(p.expectedBy(s.Quiet, s.zone)) {
		return nil, s.Quiet.After(s.Last)
	}
	if p.isLoss(s.Quiet, at, s.zone) {
		loss = &suspicion{window: window{s.Quiet, at}, Cause: headgatev1.Gap_CAUSE_SILENCE}
	}
	return loss, true
}

// learn counts the sign. Whole weeks without one count too, if there was nothing odd about them.
func (s *source) learn(at time.Time, odd bool) {
	monday := mondayOf(at, s.zone)
	for n := len(s.Weeks); n == 0 || s.Weeks[n-1].Start.Before(monday); n = len(s.Weeks) {
		next := monday
		if n > 0 && !odd {
			next = mondayOf(s.Weeks[n-1].Start.AddDate(0, 0, 8), s.zone)
		}
		s.Weeks = append(s.Weeks, week{Start: next})
	}
	s.Weeks = slices.Delete(s.Weeks, 0, max(0, len(s.Weeks)-weeksKept-1))
	w := &s.Weeks[len(s.Weeks)-1]
	if hour := &w.Hours[hourOf(at, s.zone)]; *hour < 255 {
		*hour++
	}
	if !odd && !s.Last.IsZero() {
		w.Longest = max(w.Longest, at.Sub(s.Last))
	}
}

// retried takes note that a webhook came only when the CRM tried again. before is when the source was heard before it. It returns what an incident that this
// ends was.
func (s *source) retried(before, at time.Time) *suspicion {
	over := s.retriedOver(at)
	if s.Retried.From.IsZero() {
		if before.IsZero() {
			before = at.Add(-lostAfter) // so long ago the CRM tried first
		}
		s.Retried = incident{window{From: before}, at}
	}
	s.Retried.To = at
	return over
}

// retriedOver returns the incident if it is over by the time.
func (s *source) retriedOver(at time.Time) *suspicion {
	r := s.Retried
	if r.From.IsZero() || at.Sub(r.To) < retriedApart && r.To.Sub(r.Since) < retriedMost {
		return nil
	}
	s.Retried = incident{}
	return &suspicion{window: r.window, Cause: headgatev1.Gap_CAUSE_RETRIED}
}
