package feed

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
	"github.com/headgate/headgate/server/internal/filter"
)

// drainRetry is after how long whoever meets a stopping server should try again.
const drainRetry = time.Second

func invalid(field, problem string) error {
	return fault.New(codes.InvalidArgument, fault.FilterInvalid, field+": "+problem, "field", field)
}

func errDraining() error {
	return fault.Retry(codes.Unavailable, fault.Draining, "the server is stopping; reconnect with your last cursor", drainRetry)
}

// statusOf is the one table from the errors of the rooms below to what a caller sees. Nothing internal leaves through it.
func (s *Service) statusOf(err error) error {
	var bad *filter.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &bad):
		return invalid(bad.Field, bad.Problem)
	case errors.Is(err, eventlog.ErrCursorMalformed):
		return fault.New(codes.InvalidArgument, fault.CursorMalformed, err.Error())
	case errors.Is(err, eventlog.ErrCursorForeign):
		return fault.New(codes.FailedPrecondition, fault.CursorForeign,
			err.Error()+"; begin at earliest, latest or a time, and reconcile what may be missing")
	case errors.Is(err, eventlog.ErrTrimmed):
		return s.expired()
	case errors.Is(err, eventlog.ErrNotFound):
		return fault.New(codes.NotFound, fault.EventNotFound, "no event stands at this cursor")
	case errors.Is(err, eventlog.ErrDamaged):
		return fault.New(codes.DataLoss, fault.DataLoss, "the log is damaged at this place; nothing is skipped, and the server's operator must act")
	case errors.Is(err, context.Canceled):
		return status.FromContextError(context.Canceled).Err()
	case errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(context.DeadlineExceeded).Err()
	}
	if f := faultOf(err); f != nil {
		return f
	}
	if _, ok := err.(interface{ GRPCStatus() *status.Status }); ok { // this package's own, or the transport's; a wrapped one is neither
		return err
	}
	return fault.Retry(codes.Unavailable, fault.Unavailable, "the log cannot be read now; try again", drainRetry)
}

// expired does not say when the oldest event was received: it may be another tenant's.
func (s *Service) expired() error {
	return fault.New(codes.OutOfRange, fault.CursorExpired,
		"the events after this cursor are no longer kept; begin at earliest_cursor, and reconcile what may be missing",
		"earliest_cursor", s.log.Position(s.log.State().Earliest-1))
}
