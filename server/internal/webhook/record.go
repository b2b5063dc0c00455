package webhook

import (
	"errors"
	"slices"
	"strconv"

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

// record turns the body into what is stored. A problem sends the body into quarantine.
func (h *Handler) record(src *source, contentType string, body []byte) (rec *eventlog.Record, isTest bool, wrong *problem) {
	e, err := superoffice.Translate(&src.Source.Source, body)
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
	if !src.speaksFor(e.GetContext()) {
		return refuse("foreign_context", "the source may not speak for this context: add it to the source's contexts if it should")
	}
	if !isJSON(contentType) {
		return refuse("media_type", "the media type is not application/json in UTF-8")
	}
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(e)
	if err != nil {
		return refuse("not_encodable", "the event cannot be encoded")
	}
	if len(encoded) > maxEvent {
		return refuse("too_large", "the encoded event is larger than 3 MiB")
	}
	return &eventlog.Record{
		Kind: eventlog.KindEvent, Keys: keysOf(e), Body: encoded, Raw: body,
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
	const maxContentType = 256
	return &eventlog.Record{
		Kind: eventlog.KindGap, Keys: keys, Body: encoded, Raw: body,
		Duplicate: eventlog.DuplicateKey("quarantine", src.Name, string(body)),
		Quarantine: &eventlog.Quarantine{
			Problem: wrong.Problem, EventType: wrong.EventType, Context: wrong.Context,
			ContentType: contentType[:min(len(contentType), maxContentType)],
		},
	}
}
