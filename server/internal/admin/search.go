package admin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/superoffice"
)

// search looks through a part of the log, from the cursor on or from the beginning.
func (e *erasure) search(ctx context.Context, cursor string) error {
	log := e.svc.log
	after := log.State().Earliest - 1
	if cursor != "" {
		var err error
		if after, err = log.Locate(cursor); err != nil {
			return status.Error(codes.InvalidArgument, "after_cursor: "+err.Error())
		}
	}
	e.resp.HasMore = true
	for begin := time.Now(); e.resp.HasMore && len(e.seqs) < stepFound && time.Since(begin) < stepTime; {
		chunk, err := log.ReadStored(ctx, after, e.wants)
		if errors.Is(err, eventlog.ErrTrimmed) { // it has gone meanwhile, and goes from the disk with the rest
			after = log.State().Earliest - 1
			continue
		}
		if err != nil {
			return damage(err)
		}
		for i := range chunk.Frames {
			if f := &chunk.Frames[i]; e.wants(f.Keys.Source, f.Keys.Context) {
				e.resp.Searched++
				if err := e.judge(ctx, f); err != nil {
					return err
				}
			}
		}
		after, e.resp.HasMore = chunk.Through, !chunk.AtHead
	}
	e.resp.NextCursor = log.Position(after)
	return nil
}

// judge decides about one record.
func (e *erasure) judge(ctx context.Context, f *eventlog.Frame) error {
	switch f.Kind {
	case eventlog.KindEvent:
		own, err := e.isOwn(f)
		if own {
			e.add(f)
		}
		return err
	case eventlog.KindGap:
		q, body, err := e.quarantined(ctx, f.Seq)
		if err != nil || q == nil { // a gap that tells of nothing but a loss
			return err
		}
		switch own, open := e.isOwnBody(q, body); {
		case open:
			e.resp.Undecided = append(e.resp.Undecided, e.erasable(f))
		case own:
			e.add(f)
		}
	}
	return nil
}

// isOwn says whether the event is what is looked for.
func (e *erasure) isOwn(f *eventlog.Frame) (bool, error) {
	switch {
	case f.Keys.Context != e.context:
		return false, nil
	case e.subject == nil:
		return true, nil
	case !e.subject.Mentions && !strings.EqualFold(f.Keys.Entity, e.subject.Entity):
		return false, nil
	}
	ev := &headgatev1.Event{}
	if err := proto.Unmarshal(f.Event(), ev); err != nil {
		return false, damage(&eventlog.DamageError{From: f.Seq, To: f.Seq, Cause: "an event is unreadable"})
	}
	own, err := e.subject.Of(ev, &e.table)
	if err != nil {
		return false, damage(&eventlog.DamageError{From: f.Seq, To: f.Seq, Cause: "an event has no JSON form"})
	}
	return own, nil
}

// isOwnBody says whether a quarantined webhook is what is looked for, or whether that is for somebody to decide who looks at it.
func (e *erasure) isOwnBody(q *eventlog.QuarantinedRecord, body []byte) (own, open bool) {
	contexts := []string{q.Quarantine.Context}
	if q.Quarantine.Context == "" {
		contexts = superoffice.Contexts(body)
	}
	named := slices.Contains(contexts, e.context)
	if len(contexts) > 0 && !named {
		return false, false // another tenant's
	}
	found, whole := true, true
	if e.subject != nil {
		found, whole = e.subject.OfBody(body, &e.table)
	}
	return found && named, found && !named || !found && !whole
}

// quarantined returns the quarantined webhook at the sequence with its body, nil when there is none.
func (e *erasure) quarantined(ctx context.Context, seq uint64) (*eventlog.QuarantinedRecord, []byte, error) {
	list, err := e.svc.log.Quarantined(ctx, eventlog.QuarantineQuery{After: seq - 1, Before: seq + 1}, 1)
	if err != nil {
		return nil, nil, damage(err)
	}
	if len(list) == 0 {
		return nil, nil, nil
	}
	body, err := e.svc.raw(ctx, seq)
	if err != nil {
		return nil, nil, damage(err)
	}
	return &list[0], body, nil
}
