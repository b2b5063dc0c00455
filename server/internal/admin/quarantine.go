package admin

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// Quarantine is what the service needs of the log's quarantine.
type Quarantine interface {
	Quarantined(ctx context.Context, q eventlog.QuarantineQuery, n int) ([]eventlog.QuarantinedRecord, error)
	QuarantineDropped() uint64
	// Append and Settle end a quarantine; SetQuarantine changes what is known of one.
	Append(ctx context.Context, r *eventlog.Record) (dup bool, err error)
	Holds(ctx context.Context, r *eventlog.Record) (bool, error)
	Settle(ctx context.Context, seqs []uint64) (int, error)
	SetQuarantine(ctx context.Context, seq uint64, q eventlog.Quarantine) error
}

const (
	defaultPage = 100
	maxPage     = 1000
)

// ListQuarantine implements AdminService.
func (s *Service) ListQuarantine(ctx context.Context, req *adminv1.ListQuarantineRequest) (*adminv1.ListQuarantineResponse, error) {
	n := int(req.GetPageSize())
	switch {
	case n == 0:
		n = defaultPage
	case n > maxPage:
		return nil, status.Error(codes.InvalidArgument, "page_size may be at most 1,000")
	}
	var before uint64
	if id := req.GetAfterId(); id != "" {
		var err error
		if before, err = s.log.Locate(id); err != nil || before == 0 { // 0 would list all once more
			return nil, status.Error(codes.InvalidArgument, "after_id is not an id of this quarantine")
		}
	}
	list, err := s.log.Quarantined(ctx, eventlog.QuarantineQuery{Source: req.GetSource(), Before: before}, n+1)
	if err != nil {
		return nil, statusOf(err)
	}
	resp := &adminv1.ListQuarantineResponse{HasMore: len(list) > n}
	for i := range list[:min(n, len(list))] {
		resp.Quarantined = append(resp.Quarantined, s.quarantined(&list[i]))
	}
	return resp, nil
}

// GetQuarantined implements AdminService.
func (s *Service) GetQuarantined(ctx context.Context, req *adminv1.GetQuarantinedRequest) (*adminv1.GetQuarantinedResponse, error) {
	q, err := s.find(ctx, req.GetId())
	if errors.Is(err, eventlog.ErrNotFound) {
		return nil, status.Error(codes.NotFound, "nothing of this id is in quarantine")
	} else if err != nil {
		return nil, statusOf(err)
	}
	raw, err := s.raw(ctx, q.Seq)
	if err != nil {
		return nil, statusOf(err)
	}
	return &adminv1.GetQuarantinedResponse{Quarantined: s.quarantined(q), RawBody: raw}, nil
}

// find returns what lies in quarantine under the id. ErrNotFound.
func (s *Service) find(ctx context.Context, id string) (*eventlog.QuarantinedRecord, error) {
	seq, err := s.log.Locate(id)
	if err != nil || seq == 0 {
		return nil, eventlog.ErrNotFound
	}
	list, err := s.log.Quarantined(ctx, eventlog.QuarantineQuery{After: seq - 1, Before: seq + 1}, 1)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, eventlog.ErrNotFound
	}
	return &list[0], nil
}

func (s *Service) raw(ctx context.Context, seq uint64) ([]byte, error) {
	raw, err := s.log.Raw(ctx, seq)
	if errors.Is(err, eventlog.ErrNotFound) { // an empty body is not kept
		return nil, nil
	}
	return raw, err
}

func (s *Service) quarantined(q *eventlog.QuarantinedRecord) *adminv1.Quarantined {
	return &adminv1.Quarantined{
		Id:          s.log.Cursor(q.Seq),
		Source:      q.Keys.Source,
		Context:     q.Quarantine.Context,
		EventType:   q.Quarantine.EventType,
		ReceivedAt:  timestamppb.New(q.ReceivedAt),
		Problem:     q.Problem,
		BodySize:    uint32(q.BodySize),
		ContentType: q.ContentType,
	}
}
