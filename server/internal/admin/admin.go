// Package admin shows operators what a running gateway does and what it could not use: AdminService.
package admin

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// Log is what the service needs of the log.
type Log interface {
	State() eventlog.State
	Epoch() string
	Cursor(seq uint64) string
	Locate(cursor string) (uint64, error)
	Raw(ctx context.Context, seq uint64) ([]byte, error)
	Quarantined(ctx context.Context, before uint64, n int) ([]eventlog.QuarantinedRecord, error)
}

// Gateway is what the service needs of the rest of the gateway.
type Gateway struct {
	Version   string
	StartedAt time.Time
	// Problem returns why the gateway is not ready, nil when it is.
	Problem func() error
	// Sources, Streams and Subscriptions return how they do.
	Sources       func() []*adminv1.SourceStatus
	Streams       func(ctx context.Context) []*adminv1.Stream
	Subscriptions func(ctx context.Context) []*adminv1.ReaderSubscription
	// DeleteSubscription and SkipEvent act on any reader's subscription. Their errors are fit for the caller.
	DeleteSubscription func(ctx context.Context, reader, name string) error
	SkipEvent          func(ctx context.Context, req *adminv1.SkipEventRequest) (*headgatev1.Skip, error)
	// Backup writes one to out, and tells progress meanwhile how much is done. It returns what it is of.
	Backup func(ctx context.Context, out io.Writer, progress func(done float64)) (eventlog.Copied, error)
}

// Service implements headgate.admin.v1.AdminService. It is safe for concurrent use.
type Service struct {
	adminv1.UnimplementedAdminServiceServer
	log Log
	gw  Gateway
}

// New returns the service.
func New(log Log, gw Gateway) *Service { return &Service{log: log, gw: gw} }

// GetStatus implements AdminService.
func (s *Service) GetStatus(ctx context.Context, _ *adminv1.GetStatusRequest) (*adminv1.GetStatusResponse, error) {
	st := s.log.State()
	resp := &adminv1.GetStatusResponse{
		Version:   s.gw.Version,
		StartedAt: timestamppb.New(s.gw.StartedAt),
		Ready:     true,
		Sources:   s.gw.Sources(),
		Streams:   uint32(len(s.gw.Streams(ctx))),
		Log: &adminv1.LogStatus{
			Epoch:        s.log.Epoch(),
			Records:      st.Head + 1 - min(st.Earliest, st.Head+1),
			SizeBytes:    st.SizeBytes,
			FreeBytes:    st.FreeBytes,
			EarliestTime: timestamp(st.EarliestAt),
			LatestTime:   timestamp(st.HeadAt),
			Quarantined:  st.Quarantined,
			Format:       st.Format,
			NewestFormat: st.NewestFormat,
		},
	}
	if err := s.gw.Problem(); err != nil {
		resp.Ready, resp.Problem = false, err.Error()
	}
	return resp, nil
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// ListSubscriptions implements AdminService.
func (s *Service) ListSubscriptions(ctx context.Context, _ *adminv1.ListSubscriptionsRequest) (*adminv1.ListSubscriptionsResponse, error) {
	return &adminv1.ListSubscriptionsResponse{Subscriptions: s.gw.Subscriptions(ctx)}, nil
}

// DeleteSubscription implements AdminService.
func (s *Service) DeleteSubscription(ctx context.Context, req *adminv1.DeleteSubscriptionRequest) (*adminv1.DeleteSubscriptionResponse, error) {
	return &adminv1.DeleteSubscriptionResponse{}, s.gw.DeleteSubscription(ctx, req.GetReader(), req.GetName())
}

// SkipEvent implements AdminService.
func (s *Service) SkipEvent(ctx context.Context, req *adminv1.SkipEventRequest) (*adminv1.SkipEventResponse, error) {
	skip, err := s.gw.SkipEvent(ctx, req)
	return &adminv1.SkipEventResponse{Skip: skip}, err
}

// ListStreams implements AdminService.
func (s *Service) ListStreams(ctx context.Context, _ *adminv1.ListStreamsRequest) (*adminv1.ListStreamsResponse, error) {
	return &adminv1.ListStreamsResponse{Streams: s.gw.Streams(ctx)}, nil
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
	list, err := s.log.Quarantined(ctx, before, n+1)
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
	none := status.Error(codes.NotFound, "nothing of this id is in quarantine")
	seq, err := s.log.Locate(req.GetId())
	if err != nil {
		return nil, none
	}
	list, err := s.log.Quarantined(ctx, seq+1, 1)
	if err != nil {
		return nil, statusOf(err)
	}
	if len(list) == 0 || list[0].Seq != seq {
		return nil, none
	}
	raw, err := s.log.Raw(ctx, seq)
	if err != nil && !errors.Is(err, eventlog.ErrNotFound) { // an empty body is not kept
		return nil, statusOf(err)
	}
	return &adminv1.GetQuarantinedResponse{Quarantined: s.quarantined(&list[0]), RawBody: raw}, nil
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

func statusOf(err error) error {
	if errors.Is(err, eventlog.ErrDamaged) {
		return status.Error(codes.DataLoss, err.Error())
	}
	return status.Error(codes.Unavailable, "the log cannot be read now: "+err.Error())
}
