package feed

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
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
	"github.com/headgate/headgate/server/internal/subscription"
)

// stream is one Subscribe call.
type stream struct {
	svc     *Service
	out     grpc.ServerStream
	terms   terms
	id      uint64
	caller  Caller
	started time.Time
	oldest  time.Time // when it has lasted long enough

	seat  *subscription.Seat // nil without subscription
	taken <-chan struct{}    // the seat's
	skips []uint64           // events that the subscription leaves out
	told  uint64             // the last record that was sent
	idle  bool               // a subscription's stream that is not served a shard: it has no position

	waiter   *waiter
	place    place
	read     uint64        // everything up to here has been looked at
	pos      atomic.Uint64 // everything up to here has been looked at, and sent if it matched; what matches between it and read is in batch
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
	st := &stream{svc: s, out: out, terms: terms, started: s.opt.Now(), batch: batch{limit: terms.batch}, stopAt: nowhere, waiter: newWaiter()}
	st.caller = s.opt.Caller(ctx)
	if s.isDraining() {
		return errDraining()
	}
	if err := s.log.CatchUp(ctx); err != nil {
		return s.statusOf(err)
	}
	if req.GetSubscription() != "" {
		if st.seat, err = s.join(ctx, req, st); err != nil {
			return s.statusOf(err)
		}
		st.taken, st.idle = st.seat.Taken(), true
		st.pos.Store(nowhere)
		defer func() { st.seat.Leave(st.told) }()
	} else if err := st.begin(ctx, req.GetStart()); err != nil {
		return s.statusOf(err)
	}
	if !s.streams.add(st, s.opt.MaxStreams) {
		return fault.Retry(codes.ResourceExhausted, fault.Limit, "this server serves as many streams as it is configured to; try again later", 10*time.Second,
			"limit", "streams of the server", "allowed", strconv.Itoa(s.opt.MaxStreams))
	}
	defer s.streams.remove(st)
	return s.statusOf(st.run(ctx))
}

// nowhere is the position of an idle stream, behind which nothing waits to be sent.
const nowhere = math.MaxUint64

// begin finds where the stream begins.
func (st *stream) begin(ctx context.Context, start *headgatev1.Start) (err error) {
	if st.place, err = st.svc.locate(ctx, start, st.terms.onLost, &st.terms.view); err != nil {
		return err
	}
	if st.terms.stopWhenCaughtUp {
		st.stopAt = max(st.svc.log.Head(), st.place.pos)
	}
	st.read = st.place.pos
	st.pos.Store(st.read)
	st.waiter.tenants = st.terms.view.predicate.Tenants()
	st.waiter.matches = func(f *eventlog.Frame) bool { return st.terms.view.Match(f.Kind, &f.Keys) }
	return nil
}

// run says Started, waits for a shard if it is to have one, then reads, filters and sends until something ends the stream.
func (st *stream) run(ctx context.Context) error {
	st.oldest = time.Now().Add(time.Duration((0.9 + 0.2*rand.Float64()) * float64(st.svc.opt.MaxAge)))
	started := &headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Started{Started: st.terms.started(st.svc)}}
	if err := st.signalFrom(st.place.lost, started); err != nil {
		return err
	}
	if st.idle {
		if served, err := st.await(ctx); err != nil || !served {
			return err
		}
	}
	if st.place.gap != nil {
		if err := st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Gap{Gap: st.place.gap}}); err != nil {
			return err
		}
	}
	timer := time.NewTimer(st.terms.heartbeat)
	defer timer.Stop()
	for {
		if over, err := st.over(); over {
			return err
		}
		if st.read >= st.stopAt {
			return st.endCaughtUp()
		}
		atHead, err := st.advance(ctx)
		if errors.Is(err, errEnded) {
			continue
		} else if err != nil {
			return err
		}
		if !atHead || !st.svc.index.wait(st.waiter, st.read) {
			continue
		}
		timer.Reset(min(time.Until(st.lastSend.Add(st.terms.heartbeat)), time.Until(st.oldest)))
		select {
		case <-ctx.Done():
			st.svc.index.goOn(st.waiter)
			return ctx.Err()
		case <-st.waiter.wake:
		case <-timer.C:
		case <-st.svc.draining:
		case <-st.terms.view.grant.Ended():
		case <-st.taken:
		}
		st.read = st.svc.index.goOn(st.waiter)
		st.pos.Store(st.read)
	}
}

// advance reads on and sends what matches. A batch that is not full waits for what the next read finds, unless there is nothing more or the stream was
// silent for long: how the log is cut into pieces, which are everybody's, does not show in a stream.
func (st *stream) advance(ctx context.Context) (atHead bool, err error) {
	chunk, err := st.svc.log.Read(ctx, st.read, st.terms.view.Wants)
	if err != nil {
		if err := st.settle(); err != nil {
			return false, err
		}
		return false, st.lost(err)
	}
	st.place.earliest = false
	atHead = chunk.Through == st.read
	if err := st.send(chunk); err != nil {
		return false, err
	}
	silent := func() bool { return !time.Now().Before(st.lastSend.Add(st.terms.heartbeat)) }
	if !atHead && !silent() {
		return false, nil
	}
	if err := st.settle(); err != nil {
		return false, err
	}
	if (atHead && !st.caughtUp) || silent() {
		st.caughtUp = st.caughtUp || atHead
		return atHead, st.checkpoint(atHead)
	}
	return atHead, nil
}

// endCaughtUp ends a stream that was to stop at the head.
func (st *stream) endCaughtUp() error {
	if err := st.settle(); errors.Is(err, errEnded) {
		_, err := st.over()
		return err
	} else if err != nil {
		return err
	}
	return st.close(headgatev1.Closing_REASON_CAUGHT_UP, nil)
}

// settle sends what is gathered. Then everything that was read has been sent.
func (st *stream) settle() error {
	if err := st.flush(); err != nil {
		return err
	}
	st.pos.Store(st.read)
	return nil
}

// over says whether something other than the reader ends the stream, and if so tells the reader.
func (st *stream) over() (bool, error) {
	switch {
	case st.svc.isDraining():
		return true, st.close(headgatev1.Closing_REASON_DRAINING, durationpb.New(drainRetry))
	case st.terms.view.ended():
		return true, st.close(st.terms.view.endReason(), nil)
	case st.isTaken():
		if cause := st.seat.Cause(); cause != nil {
			return true, cause
		}
		return true, st.close(headgatev1.Closing_REASON_HANDED_OVER, durationpb.New(0))
	case !time.Now().Before(st.oldest):
		return true, st.close(headgatev1.Closing_REASON_MAX_AGE, durationpb.New(0))
	}
	return false, nil
}

func (st *stream) isTaken() bool {
	select {
	case <-st.taken:
		return true
	default:
		return false
	}
}

// send gathers what matches of the chunk, sends it where a message is full, and moves on over the chunk.
func (st *stream) send(chunk eventlog.Chunk) error {
	through := min(chunk.Through, st.stopAt)
	for i := range chunk.Frames {
		f := &chunk.Frames[i]
		if f.Seq > through {
			break
		}
		if !st.terms.view.Match(f.Kind, &f.Keys) || slices.Contains(st.skips, f.Seq) {
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
		if err := st.sendRecord(f); err != nil {
			return err
		}
	}
	st.read = through
	if len(st.batch.run) == 0 {
		st.pos.Store(through)
	}
	if at := st.terms.view.passed(&chunk, through); !at.IsZero() {
		st.at = at
	}
	return nil
}

// errEnded stops the sending of a chunk whose reader's grant has ended, or whose shard is another's; the loop then says so.
var errEnded = errors.New("the grant has ended, or the shard is another's")

// flush sends the gathered batch, unless the stream has lost the right to it.
func (st *stream) flush() error {
	n := len(st.batch.run)
	if n == 0 {
		return nil
	}
	// A stalled reader comes here long after it was read for.
	if st.terms.view.ended() || st.isTaken() {
		return errEnded
	}
	last := st.batch.run[n-1].Seq
	st.told = last // even when the sending fails: it may have arrived
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
	if st.terms.view.ended() || st.isTaken() {
		return errEnded
	}
	st.told = f.Seq
	st.pos.Store(f.Seq)
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
		st.read = st.svc.log.State().Earliest - 1
		st.pos.Store(st.read)
		return nil
	}
	place, err := st.svc.relocate(err, "", st.terms.onLost, &st.terms.view) // the messages before carried the lost place's cursor
	if err != nil {
		return err
	}
	place.gap.FromTime = timestamp(st.at)
	st.place, st.read = place, place.pos
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

// signal sends a message that is no batch of events, with a cursor of the position.
func (st *stream) signal(m *headgatev1.SubscribeResponse) error { return st.signalFrom("", m) }

// signalFrom is signal with another cursor for the position, unless it is empty.
func (st *stream) signalFrom(cursor string, m *headgatev1.SubscribeResponse) error {
	if st.idle {
		return st.say(m)
	}
	if m.Cursor = cursor; cursor == "" {
		m.Cursor = st.svc.log.Position(st.pos.Load())
	}
	return st.say(m)
}

// say sends a message as it is.
func (st *stream) say(m *headgatev1.SubscribeResponse) error {
	if err := st.out.SendMsg(m); err != nil {
		return err
	}
	st.lastSend = time.Now()
	st.svc.metrics.messages.Inc()
	return nil
}
