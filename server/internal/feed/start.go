package feed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
)

const (
	defaultHeartbeat = 15 * time.Second
	minHeartbeat     = time.Second
	maxHeartbeat     = 5 * time.Minute
	maxClientName    = 128
)

// terms are a checked SubscribeRequest.
type terms struct {
	filter     string // as asked for, encoded: of the message a stream would keep many empty fields
	view       view
	onLost     headgatev1.OnLostCursor
	heartbeat  time.Duration
	batch      int
	clientName string

	subscription string // its name, empty without

	stopWhenCaughtUp bool
}

func (s *Service) newTerms(ctx context.Context, req *headgatev1.SubscribeRequest) (t terms, err error) {
	t = terms{onLost: req.GetOnLostCursor(), heartbeat: defaultHeartbeat, batch: maxBatchEvents, clientName: req.GetClientName(), subscription: req.GetSubscription(), stopWhenCaughtUp: req.GetStopWhenCaughtUp()}
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(req.GetFilter())
	if err != nil {
		return t, err
	}
	t.filter = string(text)
	if t.view, err = s.viewOf(ctx, req.GetFilter(), req.GetShard()); err != nil {
		return t, err
	}
	if err := checkMembership(req); err != nil {
		return t, err
	}
	if err := t.view.refuseNothing(); err != nil {
		return t, err
	}
	if _, known := headgatev1.OnLostCursor_name[int32(t.onLost)]; !known {
		return t, invalid("on_lost_cursor", "not a known value; say fail, earliest or latest")
	}
	if h := req.GetHeartbeatInterval(); h != nil {
		t.heartbeat = h.AsDuration()
		if !h.IsValid() || t.heartbeat < minHeartbeat || t.heartbeat > maxHeartbeat {
			return t, invalid("heartbeat_interval", "it must be between 1 s and 5 min")
		}
	}
	if n := int(req.GetMaxBatchSize()); n > 0 {
		t.batch = min(n, maxBatchEvents)
	}
	return t, checkPrintable("client_name", t.clientName, maxClientName)
}

func checkPrintable(field, text string, most int) error {
	if utf8.RuneCountInString(text) > most {
		return invalid(field, fmt.Sprintf("it may have at most %d characters", most))
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return invalid(field, "it may hold printable characters only")
	}
	return nil
}

// place is where a stream begins.
type place struct {
	pos uint64
	gap *headgatev1.Gap // what the stream must say first, if its start was lost
	// lost is a cursor of the lost start. Started carries it, so that whoever is cut off before the gap meets the gap again.
	lost string
	// earliest: the oldest record was asked for, whichever that is when reading begins.
	earliest bool
}

// locate finds where the request wants to begin.
func (s *Service) locate(ctx context.Context, start *headgatev1.Start, onLost headgatev1.OnLostCursor, v *view) (place, error) {
	st := s.log.State()
	switch p := start.GetPosition().(type) {
	case *headgatev1.Start_At:
		switch p.At {
		case headgatev1.Start_EDGE_EARLIEST:
			return place{pos: st.Earliest - 1, earliest: true}, nil
		case headgatev1.Start_EDGE_LATEST:
			return place{pos: s.log.Head()}, nil
		}
		return place{}, fault.New(codes.InvalidArgument, fault.StartRequired, "start.at: say earliest or latest", "field", "start.at")
	case *headgatev1.Start_AfterCursor:
		pos, err := s.log.Locate(p.AfterCursor)
		if last, _ := s.log.Trimmed(v.Wants); err == nil && pos < last {
			err = eventlog.ErrTrimmed
		}
		if err != nil {
			return s.relocate(err, p.AfterCursor, onLost, v)
		}
		return place{pos: pos}, nil
	case *headgatev1.Start_FromTime:
		return s.locateTime(ctx, p.FromTime, "start.from_time", onLost, v)
	case *headgatev1.Start_Saved:
		return place{}, invalid("start.saved", "here it has no meaning; say earliest or latest, after_cursor, or from_time")
	}
	return place{}, fault.New(codes.InvalidArgument, fault.StartRequired,
		"start: say where to begin: at earliest or latest, after_cursor, or from_time; a lost cursor must not mean latest by accident", "field", "start")
}

// locateTime finds the first record that was received at the time or later.
func (s *Service) locateTime(ctx context.Context, ts *timestamppb.Timestamp, field string, onLost headgatev1.OnLostCursor, v *view) (place, error) {
	if err := ts.CheckValid(); err != nil {
		return place{}, invalid(field, "not a valid time")
	}
	t := ts.AsTime()
	if t.After(s.opt.Now()) {
		return place{}, invalid(field, "it lies in the future, by the server's clock; to read only what comes from now on, begin at latest")
	}
	pos, err := s.log.SeekTime(ctx, t)
	if err != nil {
		return place{}, err
	}
	// After the search, which passes over what is trimmed meanwhile.
	if last, at := s.log.Trimmed(v.Wants); last > 0 && !t.After(at) {
		return s.relocate(eventlog.ErrTrimmed, s.log.Position(0), onLost, v)
	}
	return place{pos: pos}, nil
}

// relocate does with a lost position, which the cursor lost stands for, what the reader asked for. It returns the error itself when that was to
// fail.
func (s *Service) relocate(err error, lost string, onLost headgatev1.OnLostCursor, v *view) (place, error) {
	gap := &headgatev1.Gap{}
	switch {
	case errors.Is(err, eventlog.ErrTrimmed):
		gap.Reason = headgatev1.Gap_REASON_CURSOR_EXPIRED
	case errors.Is(err, eventlog.ErrCursorForeign):
		gap.Reason = headgatev1.Gap_REASON_CURSOR_FOREIGN
	default:
		return place{}, err
	}
	st := s.log.State()
	switch onLost {
	case headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST:
		_, at := s.log.Trimmed(v.Wants)
		gap.ToTime = timestamp(at)
		return place{pos: st.Earliest - 1, gap: gap, lost: lost}, nil
	case headgatev1.OnLostCursor_ON_LOST_CURSOR_LATEST:
		// Not when the newest record was received: it may be one that the caller may not know of.
		gap.ToTime = timestamppb.New(s.opt.Now())
		return place{pos: st.Head, gap: gap, lost: lost}, nil
	}
	return place{}, err
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// asked is the filter as asked for.
func (t *terms) asked() *headgatev1.Filter {
	f := new(headgatev1.Filter)
	_ = proto.Unmarshal([]byte(t.filter), f) // it was encoded here
	return f
}

func (t *terms) started(s *Service) *headgatev1.Started {
	return &headgatev1.Started{
		Filter:            t.asked(),
		Epoch:             s.log.Epoch(),
		EarliestCursor:    s.log.Position(s.log.State().Earliest - 1),
		HeartbeatInterval: durationpb.New(t.heartbeat),
		UnknownNames:      t.view.predicate.Unknown(),
	}
}
