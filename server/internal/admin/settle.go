package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

const (
	// maxAtOnce is how many webhooks one call tries again, and how many ids a call names.
	maxAtOnce = 100
	// settleChunk is how many a write gives up.
	settleChunk = 1000
	maxReason   = 256
)

// ReprocessQuarantined implements AdminService. A call that fails on the way has settled some; calling again goes on with the others.
func (s *Service) ReprocessQuarantined(ctx context.Context, req *adminv1.ReprocessQuarantinedRequest) (*adminv1.ReprocessQuarantinedResponse, error) {
	if err := checkChosen(req.GetIds(), req.GetSource()); err != nil {
		return nil, err
	}
	resp := &adminv1.ReprocessQuarantinedResponse{}
	list, missing, err := s.chosen(ctx, req.GetIds())
	if err == nil && req.GetSource() != "" {
		list, err = s.page(ctx, req)
		if len(list) > maxAtOnce {
			resp.HasMore, list = true, list[:maxAtOnce]
		}
	}
	for i := range list {
		if err != nil {
			break
		}
		var one *adminv1.Reprocessed
		one, err = s.reprocess(ctx, &list[i], req.GetDryRun())
		resp.Reprocessed = append(resp.Reprocessed, one)
	}
	if !req.GetDryRun() && (err == nil || len(resp.GetReprocessed()) > 0) {
		s.auditReprocessed(ctx, req, resp.GetReprocessed())
	}
	if err != nil {
		return nil, statusOf(err)
	}
	for _, id := range missing {
		resp.Reprocessed = append(resp.Reprocessed, &adminv1.Reprocessed{Id: id, Outcome: adminv1.Reprocessed_OUTCOME_NOT_FOUND})
	}
	return resp, nil
}

func checkChosen(ids []string, source string) error {
	switch {
	case (len(ids) == 0) == (source == ""):
		return status.Error(codes.InvalidArgument, "say either ids or source")
	case len(ids) > maxAtOnce:
		return status.Error(codes.InvalidArgument, "ids may be at most 100")
	}
	return nil
}

// chosen returns those of the ids, oldest first, and the ids of which there is nothing.
func (s *Service) chosen(ctx context.Context, ids []string) (list []eventlog.QuarantinedRecord, missing []string, err error) {
	for _, id := range ids {
		q, err := s.find(ctx, id)
		switch {
		case errors.Is(err, eventlog.ErrNotFound):
			missing = append(missing, id)
		case err != nil:
			return nil, nil, err
		default:
			list = append(list, *q)
		}
	}
	slices.SortFunc(list, func(a, b eventlog.QuarantinedRecord) int { return cmp.Compare(a.Seq, b.Seq) })
	list = slices.CompactFunc(list, func(a, b eventlog.QuarantinedRecord) bool { return a.Seq == b.Seq })
	return list, missing, nil
}

// page returns the next ones of a source, and one more if there are more.
func (s *Service) page(ctx context.Context, req *adminv1.ReprocessQuarantinedRequest) ([]eventlog.QuarantinedRecord, error) {
	var after uint64
	if id := req.GetAfterId(); id != "" {
		var err error
		if after, err = s.log.Locate(id); err != nil {
			return nil, status.Error(codes.InvalidArgument, "after_id is not an id of this quarantine")
		}
	}
	return s.log.Quarantined(ctx, eventlog.QuarantineQuery{Source: req.GetSource(), After: after, OldestFirst: true}, maxAtOnce+1)
}

// reprocess tries one again.
func (s *Service) reprocess(ctx context.Context, q *eventlog.QuarantinedRecord, dryRun bool) (*adminv1.Reprocessed, error) {
	one := &adminv1.Reprocessed{
		Id: s.log.Cursor(q.Seq), Source: q.Keys.Source, Context: q.Quarantine.Context, EventType: q.Quarantine.EventType,
		Outcome: adminv1.Reprocessed_OUTCOME_NOT_FOUND,
	}
	raw, err := s.raw(ctx, q.Seq)
	if err != nil {
		return one, err
	}
	if len(raw) != q.BodySize { // it has been settled meanwhile
		return one, nil
	}
	rec, isTest, stays := s.gw.Retry(q, raw)
	switch {
	case stays != nil:
		one.Outcome, one.Problem = adminv1.Reprocessed_OUTCOME_STAYS, stays.Problem
		if !dryRun && *stays != q.Quarantine {
			err = s.log.SetQuarantine(ctx, q.Seq, *stays)
		}
	case isTest:
		one.Outcome = adminv1.Reprocessed_OUTCOME_TEST_CALL
		if !dryRun {
			_, err = s.log.Settle(ctx, []uint64{q.Seq})
		}
	default:
		one.Context, one.EventType = rec.Keys.Context, rec.Keys.EventType
		one.Outcome, err = s.append(ctx, rec, dryRun)
	}
	if errors.Is(err, eventlog.ErrNotFound) {
		one.Outcome, err = adminv1.Reprocessed_OUTCOME_NOT_FOUND, nil
	}
	return one, err
}

func (s *Service) append(ctx context.Context, rec *eventlog.Record, dryRun bool) (outcome adminv1.Reprocessed_Outcome, err error) {
	var dup bool
	if dryRun {
		dup, err = s.log.Holds(ctx, rec)
	} else {
		dup, err = s.log.Append(ctx, rec)
	}
	switch {
	case err != nil:
		return adminv1.Reprocessed_OUTCOME_UNSPECIFIED, err
	case dup:
		return adminv1.Reprocessed_OUTCOME_DUPLICATE, nil
	}
	return adminv1.Reprocessed_OUTCOME_APPENDED, nil
}

func (s *Service) auditReprocessed(ctx context.Context, req *adminv1.ReprocessQuarantinedRequest, list []*adminv1.Reprocessed) {
	count := make(map[adminv1.Reprocessed_Outcome]int)
	for _, one := range list {
		count[one.GetOutcome()]++
	}
	s.gw.Audit(ctx, "quarantine reprocessed", "source", req.GetSource(), "ids", req.GetIds(), "appended", count[adminv1.Reprocessed_OUTCOME_APPENDED],
		"duplicates", count[adminv1.Reprocessed_OUTCOME_DUPLICATE], "test_calls", count[adminv1.Reprocessed_OUTCOME_TEST_CALL],
		"stayed", count[adminv1.Reprocessed_OUTCOME_STAYS])
}

// DiscardQuarantined implements AdminService.
func (s *Service) DiscardQuarantined(ctx context.Context, req *adminv1.DiscardQuarantinedRequest) (*adminv1.DiscardQuarantinedResponse, error) {
	if err := checkChosen(req.GetIds(), req.GetSource()); err != nil {
		return nil, err
	}
	reason := req.GetReason()
	if reason == "" || utf8.RuneCountInString(reason) > maxReason || strings.ContainsFunc(reason, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return nil, status.Error(codes.InvalidArgument, "reason: say why, in 1 to 256 printable characters")
	}
	n, err := s.discard(ctx, req)
	if n > 0 || err == nil {
		s.gw.Audit(ctx, "quarantine discarded", "source", req.GetSource(), "ids", req.GetIds(), "discarded", n, "reason", reason)
	}
	if err != nil {
		return nil, statusOf(err)
	}
	return &adminv1.DiscardQuarantinedResponse{Discarded: uint64(n)}, nil
}

func (s *Service) discard(ctx context.Context, req *adminv1.DiscardQuarantinedRequest) (n int, err error) {
	if req.GetSource() == "" {
		list, _, err := s.chosen(ctx, req.GetIds())
		if err != nil {
			return 0, err
		}
		return s.settle(ctx, list)
	}
	// Those that come meanwhile stay.
	query := eventlog.QuarantineQuery{Source: req.GetSource(), Before: s.log.State().Head + 1, OldestFirst: true}
	for {
		list, err := s.log.Quarantined(ctx, query, settleChunk)
		if err = cmp.Or(err, ctx.Err()); err != nil || len(list) == 0 {
			return n, err
		}
		settled, err := s.settle(ctx, list)
		if n += settled; err != nil {
			return n, err
		}
		query.After = list[len(list)-1].Seq
	}
}

func (s *Service) settle(ctx context.Context, list []eventlog.QuarantinedRecord) (int, error) {
	seqs := make([]uint64, len(list))
	for i := range list {
		seqs[i] = list[i].Seq
	}
	return s.log.Settle(ctx, seqs)
}
