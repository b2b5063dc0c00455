package client

import (
	"maps"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The reasons that a gateway gives. EventService's comment says what each means.
const (
	ReasonStartRequired   = "START_REQUIRED"
	ReasonFilterInvalid   = "FILTER_INVALID"
	ReasonCursorMalformed = "CURSOR_MALFORMED"
	ReasonCursorExpired   = "CURSOR_EXPIRED"
	ReasonCursorForeign   = "CURSOR_FOREIGN"
	ReasonEventNotFound   = "EVENT_NOT_FOUND"

	ReasonSubscriptionNotFound = "SUBSCRIPTION_NOT_FOUND"
	ReasonSubscriptionExists   = "SUBSCRIPTION_EXISTS"
	ReasonSubscriptionMismatch = "SUBSCRIPTION_MISMATCH"
	ReasonLeaseLost            = "LEASE_LOST"
	ReasonCursorBehind         = "CURSOR_BEHIND"

	ReasonUnauthenticated  = "UNAUTHENTICATED"
	ReasonContextForbidden = "CONTEXT_FORBIDDEN"
	ReasonRawBodyForbidden = "RAW_BODY_FORBIDDEN"
	ReasonOperatorOnly     = "OPERATOR_ONLY"

	ReasonDraining    = "DRAINING"
	ReasonUnavailable = "UNAVAILABLE"
	ReasonLimit       = "LIMIT"
	ReasonDataLoss    = "DATA_LOSS"
)

// Error is what a gateway, or the way to it, answered instead of what was asked for.
type Error struct {
	// Reason is one of the Reason constants, or one of a newer gateway. Empty when the answer was not a gateway's own.
	Reason string
	// Code is the status code of grpc.
	Code codes.Code
	// Message says in words what was wrong.
	Message string
	// Metadata are the particulars, for example "earliest_cursor" of CURSOR_EXPIRED, or "field" of
	// FILTER_INVALID. May be nil.
	Metadata map[string]string

	status     *status.Status
	retryAfter time.Duration
}

// Error returns the reason, or else the code, and the message.
func (e *Error) Error() string {
	if e.Reason != "" {
		return e.Reason + ": " + e.Message
	}
	return e.Code.String() + ": " + e.Message
}

// GRPCStatus returns the status as it was received, so that status.Code and status.Convert read an *Error too.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// ErrorOf reads the error of a call that was made over Conn. It returns nil for nil.
func ErrorOf(err error) *Error {
	if err == nil {
		return nil
	}
	st := status.Convert(err)
	e := &Error{Code: st.Code(), Message: st.Message(), status: st}
	for _, detail := range st.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			if d.GetDomain() == "headgate" {
				e.Reason, e.Metadata = d.GetReason(), maps.Clone(d.GetMetadata())
			}
		case *errdetails.RetryInfo:
			e.retryAfter = max(0, d.GetRetryDelay().AsDuration())
		}
	}
	return e
}

// temporary tells whether asking again can help. That is never so for what a gateway refuses. An INTERNAL or UNKNOWN of the way, such as
// a proxy's reset, is taken for a broken connection only when the stream had moved on: the same failure at the same place
// would return for ever.
func (e *Error) temporary(movedOn bool) bool {
	switch e.Reason {
	case ReasonDraining, ReasonUnavailable, ReasonLimit:
		return true
	case "":
	default:
		return e.Code == codes.Unavailable
	}
	switch e.Code {
	case codes.Unavailable, codes.Aborted, codes.Canceled, codes.DeadlineExceeded:
		return true
	case codes.ResourceExhausted:
		return e.retryAfter > 0
	case codes.Internal, codes.Unknown:
		return movedOn
	default:
		return false
	}
}
