package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/superoffice"
)

const (
	// stepTime and stepFound bound one step's search, so that it can be watched and called off.
	stepTime  = 2 * time.Second
	stepFound = 500
	// stepWait is how long a step waits for the disk. The clearing goes on without it.
	stepWait = 10 * time.Second
	// maxCursors bounds what is named one by one.
	maxCursors = 1000
)

// erasure is one step of one.
type erasure struct {
	svc             *Service
	source, context string
	kind            string               // what is to go, for the audit
	subject         *superoffice.Subject // nil: everything
	table           superoffice.Source

	seqs []uint64
	resp *adminv1.EraseResponse
}

// Erase implements AdminService.
func (s *Service) Erase(ctx context.Context, req *adminv1.EraseRequest) (*adminv1.EraseResponse, error) {
	e, err := s.newErasure(req)
	if err != nil {
		return nil, err
	}
	if err := s.log.CatchUp(ctx); err != nil {
		return nil, statusOf(err)
	}
	if req.GetCursors() != nil {
		err = e.lookUp(ctx, req.GetCursors().GetCursors())
	} else {
		err = e.search(ctx, req.GetAfterCursor())
	}
	if err != nil {
		return nil, err
	}
	if !req.GetExecute() {
		return e.resp, nil
	}
	if err := s.log.Erase(ctx, e.seqs); err != nil {
		return nil, status.Error(codes.Unavailable, "nothing of this step was erased, run it again: "+err.Error())
	}
	if !e.resp.GetHasMore() {
		err = e.purge(ctx)
	}
	if len(e.seqs) > 0 || err != nil || !e.resp.GetHasMore() {
		s.gw.Audit(ctx, "erasure", "source", e.source, "context", e.context, "subject", e.kind, "erased", len(e.seqs), "complete", err == nil && !e.resp.GetHasMore())
	}
	return e.resp, err
}

// purge waits until the bytes are gone from the disk, or for the next step.
func (e *erasure) purge(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, stepWait)
	defer cancel()
	err := e.svc.log.Purge(short)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		e.resp.HasMore = true
		return nil
	}
	if err != nil {
		return status.Error(codes.Unavailable, "all of it is erased, but its bytes may still be on the disk; run the erasure again: "+err.Error())
	}
	return nil
}

func (s *Service) newErasure(req *adminv1.EraseRequest) (*erasure, error) {
	e := &erasure{svc: s, source: req.GetSource(), context: req.GetContext(), resp: &adminv1.EraseResponse{}}
	if e.source == "" || e.context == "" {
		return nil, status.Error(codes.InvalidArgument, "source and context must both be given: numbers mean something only within one tenant")
	}
	mention := func(entity string, id int32) error {
		e.kind, e.subject = entity, &superoffice.Subject{Entity: entity, ID: id, Mentions: true}
		if id <= 0 {
			return status.Errorf(codes.InvalidArgument, "%s_id must be above 0: the CRM writes 0 for nobody", entity)
		}
		return nil
	}
	var err error
	switch what := req.GetSubject().(type) {
	case *adminv1.EraseRequest_Everything:
		e.kind = "everything"
		if !what.Everything {
			err = status.Error(codes.InvalidArgument, "everything must be true, or left out for another subject")
		}
	case *adminv1.EraseRequest_Record_:
		e.kind, e.subject = "record", &superoffice.Subject{Entity: what.Record.GetEntity(), ID: what.Record.GetPrimaryKey()}
		if what.Record.GetEntity() == "" || what.Record.PrimaryKey == nil {
			err = status.Error(codes.InvalidArgument, "record needs its entity and its primary_key")
		}
	case *adminv1.EraseRequest_PersonId:
		err = mention("person", what.PersonId)
	case *adminv1.EraseRequest_AssociateId:
		err = mention("associate", what.AssociateId)
	case *adminv1.EraseRequest_Cursors_:
		e.kind = "cursors"
		if n := len(what.Cursors.GetCursors()); n == 0 || n > maxCursors || req.GetAfterCursor() != "" {
			err = status.Errorf(codes.InvalidArgument, "cursors must be 1 to %d, without after_cursor", maxCursors)
		}
	default:
		err = status.Error(codes.InvalidArgument, "say what is to go: everything, record, person_id, associate_id or cursors")
	}
	if err != nil {
		return nil, err
	}
	// A quarantined webhook can be of a tenant that the log knows no events of.
	if !slices.ContainsFunc(s.log.Tenants(), func(t eventlog.Tenant) bool { return e.wants(t.Source, t.Context) }) {
		return nil, status.Errorf(codes.NotFound, "the log has never held anything of source %q and context %q: see headgate sources", e.source, e.context)
	}
	e.table = s.gw.Source(e.source)
	return e, nil
}

// wants takes what is of the tenant, or may be.
func (e *erasure) wants(source, context string) bool {
	return source == e.source && (context == e.context || context == "")
}

// lookUp finds what is named one by one.
func (e *erasure) lookUp(ctx context.Context, cursors []string) error {
	for i, cursor := range cursors {
		seq, err := e.svc.log.Locate(cursor)
		if err != nil {
			return status.Errorf(codes.InvalidArgument, "cursors[%d]: %s", i, err)
		}
		f, err := e.svc.log.Get(ctx, seq)
		if errors.Is(err, eventlog.ErrTrimmed) || f.Kind == eventlog.KindErased {
			continue
		}
		if err != nil && !errors.Is(err, eventlog.ErrNotFound) {
			return statusOf(err)
		}
		own := err == nil && f.Kind == eventlog.KindEvent && f.Keys.Source == e.source && f.Keys.Context == e.context
		if err == nil && f.Kind == eventlog.KindGap && f.Keys.Source == e.source {
			q, _, err := e.quarantined(ctx, seq)
			if err != nil {
				return err
			}
			own = q != nil && (q.Quarantine.Context == "" || q.Quarantine.Context == e.context)
		}
		if !own {
			return status.Errorf(codes.InvalidArgument, "cursors[%d] is of no event and no quarantined webhook of source %q and context %q", i, e.source, e.context)
		}
		e.add(&f)
	}
	return nil
}

// add notes that the record is to go.
func (e *erasure) add(f *eventlog.Frame) {
	e.seqs = append(e.seqs, f.Seq)
	e.resp.Found = append(e.resp.Found, e.erasable(f))
}

func (e *erasure) erasable(f *eventlog.Frame) *adminv1.Erasable {
	return &adminv1.Erasable{
		Cursor: e.svc.log.Cursor(f.Seq), ReceivedAt: timestamppb.New(f.ReceivedAt), Entity: f.Keys.Entity, Quarantined: f.Kind == eventlog.KindGap,
	}
}

// damage says that a part of the log can be neither searched nor erased.
func damage(err error) error {
	if errors.Is(err, eventlog.ErrDamaged) {
		return status.Error(codes.DataLoss, fmt.Sprintf("what is damaged can be neither searched nor erased, and its bytes stay: %s", err))
	}
	return statusOf(err)
}
