package feed

import (
	"context"
	"fmt"

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
	Concerns(source, context, entity string) bool
	// Everything says whether all events of all tenants may be read.
	Everything() bool
	// Ended is closed when what is read under the grant must end; Expired then says whether that is for its credential's age.
	Ended() <-chan struct{}
	Expired() bool
}

// everything is the grant where readers are not told apart.
type everything struct{}

func (everything) Allows(_, _, _, _ string) bool    { return true }
func (everything) AllowsRaw(_, _, _, _ string) bool { return true }
func (everything) Concerns(_, _, _ string) bool     { return true }
func (everything) Everything() bool                 { return true }
func (everything) Ended() <-chan struct{}           { return nil }
func (everything) Expired() bool                    { return false }

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

// refuseForbidden refuses a filter that names what may not be read, in the same words whether that exists or not. Left to silence, it would look
// like a quiet tenant.
func (v *view) refuseForbidden(f *headgatev1.Filter) error {
	sources := f.GetSources()
	if len(sources) == 0 {
		sources = []string{""}
	}
	for _, source := range sources {
		if !v.grant.Concerns(source, "", "") {
			return forbidden("filter.sources", source)
		}
	}
	for _, context := range f.GetContexts() {
		if !v.anySource(sources, context, "") {
			return forbidden("filter.contexts", context)
		}
	}
	for _, entity := range f.GetEntities() {
		if !v.anySource(sources, "", entity) {
			return forbidden("filter.entities", entity)
		}
	}
	return nil
}

func (v *view) anySource(sources []string, context, entity string) bool {
	for _, source := range sources {
		if v.grant.Concerns(source, context, entity) {
			return true
		}
	}
	return false
}

func forbidden(field, value string) error {
	return fault.New(codes.PermissionDenied, fault.ContextForbidden, fmt.Sprintf("%s: this reader may not read %q", field, value), "field", field, "value", value)
}

// Match says whether the record is seen.
func (v *view) Match(kind eventlog.Kind, k *eventlog.Keys) bool {
	if !v.predicate.Match(kind, k) {
		return false
	}
	if kind == eventlog.KindEvent {
		return v.grant.Allows(k.Source, k.Context, k.Entity, k.Action)
	}
	return v.grant.Concerns(k.Source, k.Context, k.Entity)
}

// Wants says whether any record of the tenant can be seen.
func (v *view) Wants(source, context string) bool {
	return v.predicate.Wants(source, context) && v.grant.Concerns(source, context, "")
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
	if v.grant.Expired() {
		return headgatev1.Closing_REASON_CREDENTIAL_EXPIRED
	}
	return headgatev1.Closing_REASON_GRANT_CHANGED
}
