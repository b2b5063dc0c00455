package upstream

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// take learns from one record, and notes the gaps that it is the end of. The caller holds mu.
func (w *Watch) take(f *eventlog.Frame) {
	switch {
	case f.Kind == eventlog.KindGap:
		gap := new(headgatev1.Gap)
		if proto.Unmarshal(f.Bytes(), gap) != nil {
			return
		}
		if gap.GetReason() == headgatev1.Gap_REASON_QUARANTINED {
			w.takePost(f)
		} else if gap.GetCause() == headgatev1.Gap_CAUSE_NOT_READY {
			for _, s := range w.state.Sources {
				s.Quiet = gap.GetToTime().AsTime() // nobody could be heard before
			}
		}
	case f.Kind == eventlog.KindEvent && !f.Reprocessed:
		w.takePost(f)
	}
}

// takePost learns from what the CRM posted.
func (w *Watch) takePost(f *eventlog.Frame) {
	name, at := f.Keys.Source, f.ReceivedAt
	zone, ok := w.zones[name]
	if !ok {
		return
	}
	s := w.state.Sources[name]
	if s == nil {
		s = &source{zone: zone, Quiet: at}
		w.state.Sources[name] = s
	}
	judged := f.Seq > w.state.JudgeAfter
	if isReport(&f.Keys) {
		if judged && s.Reported.IsZero() {
			s.Reported = at
			w.opt.Logger.Warn("the CRM says that it could not deliver, or that it stopped the webhook", "source", name, "last_heard", s.Last)
		}
		return
	}
	before := s.Last
	w.suspect(name, s.heard(at), judged)
	if f.Retries > 0 && judged && !w.explained(at) {
		w.suspect(name, s.retried(before, at), true)
	}
}

// isReport says whether the event is one of the webhooks' own that tell of failed deliveries.
func isReport(k *eventlog.Keys) bool {
	number, ok := strings.CutPrefix(k.Entity, "webhook")
	return ok && strings.Trim(number, "0123456789") == "" && (k.Action == "errors" || k.Action == "stopped")
}

// explained says whether the CRM must have tried again what came at the time because the gateway was not ready: a short time of that loses nothing, and for a
// long one there is a gap.
func (w *Watch) explained(at time.Time) bool {
	for _, away := range w.state.Away {
		if at.After(away.From) && at.Sub(away.To) < explainedFor {
			return true
		}
	}
	return w.ready.explains(at)
}

// suspect notes a gap that is to be appended.
func (w *Watch) suspect(name string, what *suspicion, judged bool) {
	if what == nil || !judged {
		return
	}
	what.Source = name
	w.state.Pending = append(w.state.Pending, *what)
	w.dirty = true
}

// check looks for what no record tells of: that there was none.
func (w *Watch) check(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, s := range w.state.Sources {
		w.suspect(name, s.retriedOver(now), true)
		by := s.expectedBy()
		if silent := !by.IsZero() && now.After(by); silent && !s.silent {
			s.silent = true
			w.opt.Logger.Warn("a source is silent: its CRM may have stopped the webhook", "source", name, "last_heard", s.Last, "expected_by", by)
		}
	}
}

// appendPending appends the gaps that wait. What cannot be appended waits on.
func (w *Watch) appendPending(ctx context.Context) {
	for {
		w.mu.Lock()
		if len(w.state.Pending) == 0 {
			w.mu.Unlock()
			return
		}
		next := w.state.Pending[0]
		w.mu.Unlock()
		if w.append(ctx, &next) != nil {
			return
		}
		w.mu.Lock()
		w.state.Pending = w.state.Pending[1:]
		w.mu.Unlock()
	}
}

// append puts the gap into the log. The same one is a duplicate: after a crash the log is read again from a place before it.
func (w *Watch) append(ctx context.Context, what *suspicion) error {
	rec, err := what.record()
	if err != nil {
		return err
	}
	dup, err := w.log.Append(ctx, rec)
	if err != nil {
		if ctx.Err() == nil {
			w.opt.Logger.Error("a gap could not be appended yet", "source", what.Source, "cause", what.Cause, "error", err)
		}
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dirty = true
	if s := w.state.Sources[what.Source]; s != nil {
		s.Suspected = what
	} else if what.Source == "" {
		w.state.NotReady = what
	}
	if dup {
		return nil
	}
	if w.gaps[what.Source] == nil {
		w.gaps[what.Source] = make(map[headgatev1.Gap_Cause]uint64)
	}
	w.gaps[what.Source][what.Cause]++
	w.opt.Logger.Warn("events may have been lost before they arrived: a gap tells the readers which window to reconcile", "source", what.Source,
		"cause", causeName(what.Cause), "from", what.From, "to", what.To)
	return nil
}

// gap is the suspicion as readers see it.
func (s *suspicion) gap() *headgatev1.Gap {
	return &headgatev1.Gap{
		Reason: headgatev1.Gap_REASON_UPSTREAM_SUSPECTED, Cause: s.Cause, Source: s.Source, FromTime: timestamppb.New(s.From), ToTime: timestamppb.New(s.To),
	}
}

func (s *suspicion) record() (*eventlog.Record, error) {
	body, err := proto.Marshal(s.gap())
	return &eventlog.Record{
		Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: s.Source}, Body: body,
		Duplicate: eventlog.DuplicateKey("upstream", s.Cause.String(), s.Source, fmt.Sprint(s.From.UnixNano()), fmt.Sprint(s.To.UnixNano())),
	}, err
}

// causeName is a cause in a word, as in metrics and log lines.
func causeName(c headgatev1.Gap_Cause) string {
	return strings.ToLower(strings.TrimPrefix(c.String(), "CAUSE_"))
}
