package feed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/filter"
)

// Reasons of google.rpc.ErrorInfo, as EventService documents them.
const (
	domain          = "headgate"
	startRequired   = "START_REQUIRED"
	filterInvalid   = "FILTER_INVALID"
	cursorMalformed = "CURSOR_MALFORMED"
	cursorExpired   = "CURSOR_EXPIRED"
	cursorForeign   = "CURSOR_FOREIGN"
	eventNotFound   = "EVENT_NOT_FOUND"
	draining        = "DRAINING"
	unavailable     = "UNAVAILABLE"
	limit           = "LIMIT"
	dataLoss        = "DATA_LOSS"
)

// drainRetry is after how long whoever meets a stopping server should try again.
const drainRetry = time.Second

// failure makes a status with its ErrorInfo. kv are metadata in pairs.
func failure(code codes.Code, reason, message string, kv ...string) error {
	return failureWith(code, reason, message, nil, kv...)
}

func failureWith(code codes.Code, reason, message string, retry *errdetails.RetryInfo, kv ...string) error {
	info := &errdetails.ErrorInfo{Reason: reason, Domain: domain}
	for i := 0; i+1 < len(kv); i += 2 {
		if info.Metadata == nil {
			info.Metadata = make(map[string]string)
		}
		info.Metadata[kv[i]] = kv[i+1]
	}
	details := []protoadapt.MessageV1{info}
	if retry != nil {
		details = append(details, retry)
	}
	st, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		return status.Error(code, message)
	}
	return st.Err()
}

func invalid(field, problem string) error {
	return failure(codes.InvalidArgument, filterInvalid, field+": "+problem, "field", field)
}

func errDraining() error {
	return failureWith(codes.Unavailable, draining, "the server is stopping; reconnect with your last cursor",
		&errdetails.RetryInfo{RetryDelay: durationpb.New(drainRetry)})
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
		return failure(codes.InvalidArgument, cursorMalformed, err.Error())
	case errors.Is(err, eventlog.ErrCursorForeign):
		return failure(codes.FailedPrecondition, cursorForeign,
			err.Error()+"; begin at earliest, latest or a time, and reconcile what may be missing")
	case errors.Is(err, eventlog.ErrTrimmed):
		return s.expired()
	case errors.Is(err, eventlog.ErrNotFound):
		return failure(codes.NotFound, eventNotFound, "no event stands at this cursor")
	case errors.Is(err, eventlog.ErrDamaged):
		return failure(codes.DataLoss, dataLoss, "the log is damaged at this place; nothing is skipped, and the server's operator must act")
	case errors.Is(err, context.Canceled):
		return status.FromContextError(err).Err()
	case errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return failureWith(codes.Unavailable, unavailable, "the log cannot be read now; try again",
		&errdetails.RetryInfo{RetryDelay: durationpb.New(drainRetry)})
}

func (s *Service) expired() error {
	st := s.log.State()
	kv := []string{"earliest_cursor", s.log.Cursor(st.Earliest - 1)}
	message := "the events after this cursor are no longer kept"
	if !st.EarliestAt.IsZero() {
		at := st.EarliestAt.Format(time.RFC3339Nano)
		kv = append(kv, "earliest_time", at)
		message += fmt.Sprintf("; the oldest one kept was received at %s", at)
	}
	return failure(codes.OutOfRange, cursorExpired, message+"; begin at earliest_cursor, and reconcile what may be missing", kv...)
}
