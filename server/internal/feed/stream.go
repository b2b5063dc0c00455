package feed

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
)

// stream is one Subscribe call.
type stream struct {
	svc     *Service
	out     grpc.ServerStream
	terms   terms
	id      uint64
	reader  string
	remote  string
	started time.Time

	place    place
	pos      atomic.Uint64 // everything up to here has been looked at, and sent if it matched
	sent     atomic.Uint64 // events
	at       time.Time     // when a record at or before pos was received, of those that the caller may know of
	stopAt   uint64        // with stop_when_caught_up, the head when the stream started; else the largest number
	caughtUp bool          // the checkpoint at the first reaching of the head was sent
	lastSend time.Time
	batch    batch
}

// Subscribe implements headgate.v1.EventService.
func (s *Service) Subscribe(req *headgatev1.SubscribeRequest, out grpc.ServerStreamingServer[headgatev1.SubscribeResponse]) error {
	err := s.subscribe(req, out)
	s.metrics.ends.WithLabelValues(status.Code(err).String()).Inc()
	return err
}

func (s *Service) subscribe(req *headgatev1.SubscribeRequest, out grpc.ServerStream) error {
	ctx := out.Context()
	terms, err := s.newTerms(ctx, req)
	if err != nil {
		return s.statusOf(err)
	}
	st := &stream{svc: s, out: out, terms: terms, started: s.opt.Now(), batch: batch{limit: terms.batch}, stopAt: ^uint64(0)}
	st.reader, st.remote = s.opt.Caller(ctx)
	if s.isDraining() {
		return errDraining()
	}
	if err := s.log.CatchUp(ctx); err != nil {
		return s.statusOf(err)
	}
	if st.place, err = s.locate(ctx, req.GetStart(), terms.onLost, &st.terms.view); err != nil {
		return s.statusOf(err)
	}
	if req.GetStopWhenCaughtUp() {
		st.stopAt = max(s.log.Head(), st.place.pos)
	}
	st.pos.Store(st.place.pos)
	if !s.streams.add(st, s.opt.MaxStreams) {
		return fault.Retry(codes.ResourceExhausted, fault.Limit, "this server serves as many streams as it is configured to; try again later", 10*time.Second,
			"limit", "streams of the server", "allowed", strconv.Itoa(s.opt.MaxStreams))
	}
	defer s.streams.remove(st)
	return s.statusOf(st.run(ctx))
}

// run says Started, then reads, filters and sends until something ends the stream.
func (st *stream) run(ctx context.Context) error {
	started := &headgatev1.SubscribeResponse{Cursor: st.place.lost, Signal: &headgatev1.SubscribeResponse_Started{Started: st.terms.started(st.svc)}}
	if err := st.signal(started); err != nil {
		return err
	}
	if st.place.gap != nil {
		if err := st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Gap{Gap: st.place.gap}}); err != nil {
			return err
		}
	}
	timer := time.NewTimer(st.terms.heartbeat)
	defer timer.Stop()
	oldest := time.Now().Add(time.Duration((0.9 + 0.2*rand.Float64()) * float64(st.svc.opt.MaxAge)))
	for {
		// Taken before the read: what comes after the read closes it.
		changed := st.svc.log.Changed()
		if st.svc.isDraining() {
			return st.close(headgatev1.Closing_REASON_DRAINING, durationpb.New(drainRetry))
		}
		if st.terms.view.ended() {
			return st.close(st.terms.view.endReason(), nil)
		}
		if !time.Now().Before(oldest) {
			return st.close(headgatev1.Closing_REASON_MAX_AGE, durationpb.New(0))
		}
		pos := st.pos.Load()
		if pos >= st.stopAt {
			return st.close(headgatev1.Closing_REASON_CAUGHT_UP, nil)
		}
		chunk, err := st.svc.log.Read(ctx, pos, st.terms.view.Wants)
		if err != nil {
			if err = st.lost(err); err != nil {
				return err
			}
			continue
		}
		st.place.earliest = false
		if err := st.send(chunk); errors.Is(err, errEnded) {
			continue
		} else if err != nil {
			return err
		}
		atHead := chunk.Through == pos
		if due := st.lastSend.Add(st.terms.heartbeat); (atHead && !st.caughtUp) || !time.Now().Before(due) {
			st.caughtUp = st.caughtUp || atHead
			if err := st.checkpoint(atHead); err != nil {
				return err
			}
		}
		if !atHead {
			continue
		}
		timer.Reset(min(time.Until(st.lastSend.Add(st.terms.heartbeat)), time.Until(oldest)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-timer.C:
		case <-st.svc.draining:
		case <-st.terms.view.grant.Ended():
		}
	}
}

// send sends what matches of the chunk and moves the position over it.
func (st *stream) send(chunk eventlog.Chunk) error {
	through := min(chunk.Through, st.stopAt)
	st.batch.reset()
	for i := range chunk.Frames {
		f := &chunk.Frames[i]
		if f.Seq > through {
			break
		}
		if !st.terms.view.Match(f.Kind, &f.Keys) {
			continue
		}
		if f.Kind == eventlog.KindEvent && st.batch.add(f) {
			continue
		}
		if err := st.flush(); err != nil {
			return err
		}
		if f.Kind == eventlog.KindEvent {
			st.batch.add(f)
			continue
		}
		st.pos.Store(f.Seq)
		if err := st.sendRecord(f); err != nil {
			return err
		}
	}
	if err := st.flush(); err != nil {
		return err
	}
	st.pos.Store(through)
	if at := st.terms.view.passed(&chunk, through); !at.IsZero() {
		st.at = at
	}
	return nil
}

// errEnded stops the sending of a chunk whose reader's grant has ended; the loop then says so.
var errEnded = errors.New("the grant has ended")

// flush sends the gathered batch, unless the grant has ended.
func (st *stream) flush() error {
	n := len(st.batch.run)
	if n == 0 {
		return nil
	}
	// A stalled reader comes here long after it was read for.
	if st.terms.view.ended() {
		return errEnded
	}
	last := st.batch.run[n-1].Seq
	if err := st.out.SendMsg(st.batch.message()); err != nil {
		return err
	}
	st.pos.Store(last)
	st.sent.Add(uint64(n))
	st.lastSend = time.Now()
	st.svc.metrics.events.Add(float64(n))
	st.svc.metrics.messages.Inc()
	st.batch.reset()
	return nil
}

// sendRecord sends a gap or an erased record.
func (st *stream) sendRecord(f *eventlog.Frame) error {
	if f.Kind == eventlog.KindErased {
		return st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Erased{Erased: erasedOf(f)}})
	}
	gap, err := gapOf(f)
	if err != nil {
		return err
	}
	return st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Gap{Gap: gap}})
}

func erasedOf(f *eventlog.Frame) *headgatev1.Erased {
	return &headgatev1.Erased{Source: f.Keys.Source, Context: f.Keys.Context, Entity: f.Keys.Entity}
}

func gapOf(f *eventlog.Frame) (*headgatev1.Gap, error) {
	gap := new(headgatev1.Gap)
	if err := proto.Unmarshal(f.Bytes(), gap); err != nil {
		return nil, &eventlog.DamageError{From: f.Seq, To: f.Seq, Cause: "a gap record is unreadable"}
	}
	return gap, nil
}

// lost is asked when a read fails. Whoever stood still for longer than the retention goes on where on_lost_cursor says, and says so.
func (st *stream) lost(err error) error {
	if !errors.Is(err, eventlog.ErrTrimmed) {
		return err
	}
	if st.place.earliest { // the oldest record moved before the first read; nothing that was asked for is lost
		st.pos.Store(st.svc.log.State().Earliest - 1)
		return nil
	}
	place, err := st.svc.relocate(err, "", st.terms.onLost, &st.terms.view) // the messages before carried the lost place's cursor
	if err != nil {
		return err
	}
	place.gap.FromTime = timestamp(st.at)
	st.place = place
	st.pos.Store(place.pos)
	return st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Gap{Gap: place.gap}})
}

func (st *stream) checkpoint(caughtUp bool) error {
	return st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Checkpoint{Checkpoint: &headgatev1.Checkpoint{
		Through:  timestamp(st.at.Truncate(time.Second)),
		CaughtUp: caughtUp,
	}}})
}

func (st *stream) close(reason headgatev1.Closing_Reason, retry *durationpb.Duration) error {
	return st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Closing{Closing: &headgatev1.Closing{Reason: reason, RetryAfter: retry}}})
}

// signal sends a message that is no batch of events, with the cursor of the position unless it has one.
func (st *stream) signal(m *headgatev1.SubscribeResponse) error {
	if m.Cursor == "" {
		m.Cursor = st.svc.log.Position(st.pos.Load())
	}
	if err := st.out.SendMsg(m); err != nil {
		return err
	}
	st.lastSend = time.Now()
	st.svc.metrics.messages.Inc()
	return nil
}
