package feed

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
	"github.com/headgate/headgate/server/internal/filter"
)

// Grant is what a caller may read. It does not change: when the caller's does, this one ends.
type Grant interface {
	// Allows says whether an event may be read, AllowsRaw whether its request body may be.
	Allows(source, context, entity, action string) bool
	AllowsRaw(source, context, entity, action string) bool
	// Concerns says whether any event of these may be read; an empty one stands for all there are.
	Concerns(source, context, entity, action string) bool
	// Within is Concerns for any of the sources, or for all there are when none is named.
	Within(sources []string) func(context, entity, action string) bool
	// Everything says whether all events of all tenants may be read.
	Everything() bool
	// Ended is closed when what is read under the grant must end; Expired then says whether that is for its credential's age, Dismissed whether it is for
	// Dismiss.
	Ended() <-chan struct{}
	Expired() bool
	Dismissed() bool
	// Dismiss ends what is read under the grant, on an operator's behalf.
	Dismiss()
}

// everything is the grant where readers are not told apart.
type everything struct{}

func (everything) Allows(_, _, _, _ string) bool    { return true }
func (everything) AllowsRaw(_, _, _, _ string) bool { return true }
func (everything) Concerns(_, _, _, _ string) bool  { return true }
func (everything) Everything() bool                 { return true }
func (everything) Within([]string) func(_, _, _ string) bool {
	return func(_, _, _ string) bool { return true }
}
func (everything) Ended() <-chan struct{} { return nil }
func (everything) Expired() bool          { return false }
func (everything) Dismissed() bool        { return false }
func (everything) Dismiss()               {}

// view is what one request sees: what its filter asks for, of what its caller may read.
type view struct {
	predicate *filter.Predicate
	grant     Grant
}

// viewOf compiles the filter and holds it against the caller's grant.
func (s *Service) viewOf(ctx context.Context, f *headgatev1.Filter, shard *headgatev1.Shard) (v view, err error) {
	if v.grant = s.opt.Grant(ctx); v.grant == nil {
		return v, fault.New(codes.Unauthenticated, fault.Unauthenticated, "the caller is not known")
	}
	if v.predicate, err = filter.Compile(f, shard); err != nil {
		return v, err
	}
	return v, v.refuseForbidden(f)
}

// refuseNothing refuses a reader that may read no event at all: what it gets would look like a quiet log.
func (v *view) refuseNothing() error {
	if v.grant.Concerns("", "", "", "") {
		return nil
	}
	return fault.New(codes.PermissionDenied, fault.ContextForbidden, "this reader may read no events: its configuration allows none")
}

// refuseForbidden refuses a filter that names what may not be read, in the same words whether that exists or not. Left to silence, it would look
// like a quiet tenant.
func (v *view) refuseForbidden(f *headgatev1.Filter) error {
	for _, source := range f.GetSources() {
		if !v.grant.Concerns(source, "", "", "") {
			return forbidden("filter.sources", source)
		}
	}
	anySource := v.grant.Within(f.GetSources())
	for _, context := range f.GetContexts() {
		if !anySource(context, "", "") {
			return forbidden("filter.contexts", context)
		}
	}
	for _, entity := range f.GetEntities() {
		if !anySource("", entity, "") {
			return forbidden("filter.entities", entity)
		}
	}
	for _, action := range f.GetActions() {
		if !anySource("", "", action) {
			return forbidden("filter.actions", action)
		}
	}
	for _, name := range f.GetEventTypes() {
		entity, action := name, ""
		if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
			entity, action = name[:dot], name[dot+1:]
		}
		if !anySource("", entity, action) {
			return forbidden("filter.event_types", name)
		}
	}
	return nil
}

func forbidden(field, value string) error {
	return fault.New(codes.PermissionDenied, fault.ContextForbidden, fmt.Sprintf("%s: this reader may not read %q", field, value), "field", field, "value", value)
}

// Match says whether the record is seen.
func (v *view) Match(kind eventlog.Kind, k *eventlog.Keys) bool {
	return v.predicate.Match(kind, k) && v.allows(kind, k)
}

// allows says whether the caller may know of the record.
func (v *view) allows(kind eventlog.Kind, k *eventlog.Keys) bool {
	if kind == eventlog.KindEvent {
		return v.grant.Allows(k.Source, k.Context, k.Entity, k.Action)
	}
	return v.grant.Concerns(k.Source, k.Context, k.Entity, "")
}

// Wants says whether any record of the tenant can be seen.
func (v *view) Wants(source, context string) bool {
	return v.predicate.Wants(source, context) && v.grant.Concerns(source, context, "", "")
}

// passed returns when the last record of the chunk was received that the caller may know of, zero when there is none. Of others it must not learn when
// something happened. As records are received in order, it is a lower bound for all that follows.
func (v *view) passed(chunk *eventlog.Chunk, through uint64) time.Time {
	if v.grant.Everything() && through == chunk.Through {
		return chunk.At
	}
	for i := len(chunk.Frames) - 1; i >= 0; i-- {
		if f := &chunk.Frames[i]; f.Seq <= through && v.allows(f.Kind, &f.Keys) {
			return f.ReceivedAt
		}
	}
	return time.Time{}
}

// nextOwn returns the sequence of the next record behind pos that the caller may know of, or, if it comes first, how far it looked: through, the head, or
// as far as the budget reaches.
func (s *Service) nextOwn(ctx context.Context, v *view, pos, through uint64, left *budget) (seq uint64, found bool) {
	for pos < through && left.reads > 0 && left.frames > 0 {
		chunk, err := s.readStored(ctx, pos, v)
		if err != nil || chunk.Through == pos { // who reads on meets the error
			break
		}
		left.reads--
		left.frames -= len(chunk.Frames)
		for i := range chunk.Frames {
			f := &chunk.Frames[i]
			if f.Seq > through {
				return through, false
			}
			if v.allows(f.Kind, &f.Keys) {
				return f.Seq, true
			}
		}
		pos = chunk.Through
	}
	return min(pos, through), false
}

func (v *view) ended() bool {
	select {
	case <-v.grant.Ended():
		return true
	default:
		return false
	}
}

func (v *view) endReason() headgatev1.Closing_Reason {
	switch {
	case v.grant.Expired():
		return headgatev1.Closing_REASON_CREDENTIAL_EXPIRED
	case v.grant.Dismissed():
		return headgatev1.Closing_REASON_OPERATOR
	}
	return headgatev1.Closing_REASON_GRANT_CHANGED
}
