// Package admin shows operators what a running gateway does and what it could not use, and lets them set that right: AdminService.
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
	"github.com/headgate/headgate/server/internal/superoffice"
)

// Log is what the service needs of the log.
type Log interface {
	State() eventlog.State
	Epoch() string
	Cursor(seq uint64) string
	Locate(cursor string) (uint64, error)
	Raw(ctx context.Context, seq uint64) ([]byte, error)
	Quarantine

	// What an erasure needs.
	CatchUp(ctx context.Context) error
	Tenants() []eventlog.Tenant
	ReadStored(ctx context.Context, after uint64, wants func(source, context string) bool) (eventlog.Chunk, error)
	Get(ctx context.Context, seq uint64) (eventlog.Frame, error)
	Position(seq uint64) string
	Erase(ctx context.Context, seqs []uint64) error
	Purge(ctx context.Context) error
}

// Gateway is what the service needs of the rest of the gateway.
type Gateway struct {
	Version   string
	StartedAt time.Time
	// Problem returns why the gateway is not ready, nil when it is.
	Problem func() error
	// NotReady returns the newest gap that the gateway itself is the cause of, nil when there was none.
	NotReady func() *headgatev1.Gap
	// Sources, Streams and Subscriptions return how they do.
	Sources func() []*adminv1.SourceStatus
	Streams func(ctx context.Context) []*adminv1.Stream
	// Sent is how many events were sent to readers since the start, and how many a second in the last minute.
	Sent          func() (events uint64, perSecond float64)
	Subscriptions func(ctx context.Context) []*adminv1.ReaderSubscription
	// CertificateEnds returns when the certificate in force does, zero where no listener speaks TLS.
	CertificateEnds func() time.Time
	// History returns how the last hour was, oldest first.
	History func() []*adminv1.HistoryPoint
	// EndStream ends one stream and returns it as it stood, nil when none of the id is being served.
	EndStream func(ctx context.Context, id string) *adminv1.Stream
	// DeleteSubscription and SkipEvent act on any reader's subscription. Their errors are fit for the caller.
	DeleteSubscription func(ctx context.Context, reader, name string) error
	SkipEvent          func(ctx context.Context, req *adminv1.SkipEventRequest) (*headgatev1.Skip, error)
	// Backup writes one to out, and tells progress meanwhile how much is done. It returns what it is of.
	Backup func(ctx context.Context, out io.Writer, progress func(done float64)) (eventlog.Copied, error)
	// Retry turns a quarantined body into the event that it is by now, or tells that it is a test call, or why it stays. It stores nothing.
	Retry func(q *eventlog.QuarantinedRecord, body []byte) (rec *eventlog.Record, isTest bool, stays *eventlog.Quarantine)
	// Source is what the source of the name, or one that is no longer configured, is translated by.
	Source func(name string) superoffice.Source
	// Audit writes down what the caller did.
	Audit func(ctx context.Context, what string, more ...any)
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
		Sources:   s.gw.Sources(), LastNotReady: s.gw.NotReady(), CertificateNotAfter: timestamp(s.gw.CertificateEnds()),
		Streams: uint32(len(s.gw.Streams(ctx))),
		Log: &adminv1.LogStatus{
			Epoch:        s.log.Epoch(),
			Records:      st.Head + 1 - min(st.Earliest, st.Head+1),
			SizeBytes:    st.SizeBytes,
			FreeBytes:    st.FreeBytes,
			EarliestTime: timestamp(st.EarliestAt),
			LatestTime:   timestamp(st.HeadAt),
			Quarantined:  st.Quarantined, QuarantinedBytes: st.QuarantinedBytes, QuarantineDropped: s.log.QuarantineDropped(),
			Format:       st.Format,
			NewestFormat: st.NewestFormat,
		},
	}
	resp.EventsSent, resp.EventsSentPerSecond = s.gw.Sent()
	if err := s.gw.Problem(); err != nil {
		resp.Ready, resp.Problem = false, err.Error()
	}
	return resp, nil
}

// GetHistory implements AdminService.
func (s *Service) GetHistory(context.Context, *adminv1.GetHistoryRequest) (*adminv1.GetHistoryResponse, error) {
	return &adminv1.GetHistoryResponse{Points: s.gw.History()}, nil
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

// EndStream implements AdminService.
func (s *Service) EndStream(ctx context.Context, req *adminv1.EndStreamRequest) (*adminv1.EndStreamResponse, error) {
	st := s.gw.EndStream(ctx, req.GetId())
	if st == nil {
		return nil, status.Error(codes.NotFound, "no stream of this id is being served: it may have ended; list the streams again")
	}
	s.gw.Audit(ctx, "stream ended", "stream", st.GetId(), "reader", st.GetReader(), "of_credential", st.GetCredential(), "of_remote", st.GetPeer())
	return &adminv1.EndStreamResponse{Stream: st}, nil
}

func statusOf(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	if errors.Is(err, eventlog.ErrDamaged) {
		return status.Error(codes.DataLoss, err.Error())
	}
	return status.Error(codes.Unavailable, "the log cannot do this now: "+err.Error())
}
