package webhook

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/superoffice"
)

const (
	// maxEvent is how large an encoded event may be: gRPC clients refuse messages over 4 MiB unless told otherwise, and could never read past it.
	maxEvent = 3 << 20
	// testEvent is what the CRM sends when a webhook is saved. It is answered and not stored.
	testEvent = "test"
)

// problem is why a body is no event.
type problem struct {
	// cause is for the log lines. What RuleError says besides can name keys of the body, and is for those who may see the body.
	cause string
	superoffice.RuleError
}

// origin is what an event says of how its body came. The zero value is of a post that is not traced.
type origin struct {
	first       time.Time // when a body was received that was there before, zero for others
	traceparent string
}

// record turns the body into what is stored. A problem sends the body into quarantine. What the request's header calls the body does not matter: the signature
// does not cover it, so that whoever has captured a post could send it again under another name.
func (s *source) record(body []byte, from origin) (rec *eventlog.Record, isTest bool, wrong *problem) {
	e, err := superoffice.Translate(&s.Source.Source, body)
	if err != nil {
		wrong = &problem{cause: "rules"}
		var rule *superoffice.RuleError
		if errors.As(err, &rule) {
			wrong.RuleError = *rule
		} else {
			wrong.Problem = err.Error()
		}
		return nil, false, wrong
	}
	if e.GetEventType() == testEvent {
		return nil, true, nil
	}
	refuse := func(cause, why string) (*eventlog.Record, bool, *problem) {
		return nil, false, &problem{cause, superoffice.RuleError{Problem: why, Context: e.GetContext(), EventType: e.GetEventType()}}
	}
	if !s.speaksFor(e.GetContext()) {
		return refuse("foreign_context", "the source may not speak for this context: add it to the source's contexts if it should")
	}
	if !from.first.IsZero() {
		e.FirstReceivedAt = timestamppb.New(from.first)
	}
	e.Traceparent = from.traceparent
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
	if err != nil {
		return refuse("not_encodable", "the event cannot be encoded")
	}
	if len(encoded) > maxEvent {
		return refuse("too_large", "the encoded event is larger than 3 MiB")
	}
	return &eventlog.Record{
		Kind: eventlog.KindEvent, Keys: keysOf(e), Body: encoded, Raw: body, Traced: from.traceparent != "",
		Duplicate: eventlog.DuplicateKey(e.GetSource(), e.GetContext(), e.GetEventType(), primaryKeyOf(e)),
	}, false, nil
}

func (s *Source) speaksFor(context string) bool {
	return len(s.Contexts) == 0 || slices.Contains(s.Contexts, context)
}

func keysOf(e *headgatev1.Event) eventlog.Keys {
	return eventlog.Keys{
		Source: e.GetSource(), Context: e.GetContext(), Entity: e.GetEntity(), EventType: e.GetEventType(), Action: e.GetAction(),
		EventID:    e.GetEventId(),
		PrimaryKey: e.GetPrimaryKey(), HasPrimaryKey: e.PrimaryKey != nil,
		ChangedBy: e.GetChangedByAssociateId(), HasChangedBy: e.ChangedByAssociateId != nil,
		Changed: eventlog.JoinChanged(e.GetChangedFields()),
	}
}

// primaryKeyOf tells 0 and absent apart.
func primaryKeyOf(e *headgatev1.Event) string {
	if e.PrimaryKey == nil {
		return ""
	}
	return strconv.Itoa(int(e.GetPrimaryKey()))
}

// quarantine returns the gap that stands in the log for a body that gave no event. The body is stored with it, in the same write. The gap names
// a context only where the source may speak for it.
func (h *Handler) quarantine(src *source, contentType string, body []byte, wrong *problem) *eventlog.Record {
	now := timestamppb.New(h.opt.Now())
	gap := &headgatev1.Gap{Reason: headgatev1.Gap_REASON_QUARANTINED, Source: src.Name, FromTime: now, ToTime: now}
	keys := eventlog.Keys{Source: src.Name}
	if wrong.Context != "" && src.speaksFor(wrong.Context) {
		keys.Context = wrong.Context
		gap.Contexts = []string{wrong.Context}
	}
	encoded, err := proto.Marshal(gap)
	if err != nil {
		encoded = nil // a gap without words is still a gap
	}
	return &eventlog.Record{
		Kind: eventlog.KindGap, Keys: keys, Body: encoded, Raw: body,
		Duplicate:  eventlog.DuplicateKey("quarantine", src.Name, string(body)),
		Quarantine: wrong.note(contentType),
	}
}

// note is what is kept of the problem beside the body.
func (p *problem) note(contentType string) *eventlog.Quarantine {
	const maxContentType = 256
	return &eventlog.Quarantine{
		Problem: p.Problem, EventType: p.EventType, Context: p.Context, ContentType: contentType[:min(len(contentType), maxContentType)],
	}
}

// Retry turns a quarantined body into the event that it is to the source of today, with all rules of the door but that of the signature, which was right when
// the body came. Nothing is stored: the event says whose quarantine it ends. What is a test call, or why the body is still no event, is told instead.
func (h *Handler) Retry(q *eventlog.QuarantinedRecord, body []byte) (rec *eventlog.Record, isTest bool, stays *eventlog.Quarantine) {
	src := (*h.sources.Load())[q.Keys.Source]
	if src == nil {
		note := q.Quarantine
		note.Problem = "no source of this name is configured any more"
		return nil, false, &note
	}
	rec, isTest, wrong := src.record(body, origin{first: q.ReceivedAt})
	if wrong != nil {
		return nil, false, wrong.note(q.ContentType)
	}
	if rec != nil {
		rec.Settles = q.Seq
	}
	return rec, isTest, nil
}
