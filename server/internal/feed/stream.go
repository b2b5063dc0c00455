package feed

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/aside"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
	"github.com/headgate/headgate/server/internal/subscription"
)

// stream is one Subscribe call. What it does it does in work, which one goroutine at a time runs.
type stream struct {
	svc     *Service
	out     grpc.ServerStream
	terms   terms
	id      string // for operators
	number  uint64 // in the order in which streams began
	caller  Caller
	sentTo  sentTo // what the caller's streams count
	started time.Time
	oldest  time.Time // when it will have lasted long enough

	seat  *subscription.Seat // nil without subscription
	taken <-chan struct{}    // the seat's
	skips []uint64           // events that the subscription leaves out
	told  uint64             // the last record that was sent
	idle  bool               // a subscription's stream that is not served a shard: it has no position

	waiter   waiter
	ended    chan error // gets how the stream ended, once
	place    place
	read     uint64        // everything up to here has been looked at
	pos      atomic.Uint64 // everything up to here has been looked at, and sent if it matched; what matches between it and read is in batch
	sent     atomic.Uint64 // events
	at       time.Time     // when a record at or before pos was received, of those that the caller may know of
	stopAt   uint64        // with stop_when_caught_up, the head when the stream started; else the largest number
	caughtUp bool          // the checkpoint at the first reaching of the head was sent
	lastSend time.Time
	sending  atomic.Int64 // since when, as uptime, a message waits to be taken; 0 while none does
	woken    bool         // and has sent nothing since
	closing  headgatev1.Closing_Reason
	batch    batch
	erasures uint64 // the log's count, when what is in batch had not been read yet

	timer  *time.Timer // rings when the stream may have been silent for too long, or has lasted long enough; nil before Started
	rang   atomic.Bool // and nobody has looked yet
	silent bool        // for as long as a heartbeat
	old    bool        // it has lasted long enough
}

// Subscribe implements headgate.v1.EventService.
func (s *Service) Subscribe(req *headgatev1.SubscribeRequest, out grpc.ServerStreamingServer[headgatev1.SubscribeResponse]) error {
	st := &stream{svc: s, out: out, started: s.opt.Now(), stopAt: nowhere, ended: make(chan error)}
	err := st.subscribe(req)
	s.metrics.ends.WithLabelValues(st.caller.Reader, endReason(st.closing, err)).Inc()
	return err
}

// subscribe returns when the stream has ended.
func (st *stream) subscribe(req *headgatev1.SubscribeRequest) (err error) {
	st.waiter.sleeper = st
	aside.Do(func() {
		st.caller = st.svc.opt.Caller(st.out.Context())
		st.sentTo = st.svc.metrics.of(st.caller.Reader)
		err = st.open(st.out.Context(), req)
	})
	if err == nil {
		err = st.last(st.out.Context())
	}
	st.leave()
	return st.svc.statusOf(err)
}

// open finds out what the stream is to send, and takes its place among the others. leave must be called afterwards.
func (st *stream) open(ctx context.Context, req *headgatev1.SubscribeRequest) (err error) {
	s := st.svc
	if st.terms, err = s.newTerms(ctx, req); err != nil {
		return err
	}
	st.batch.limit = st.terms.batch
	if s.isDraining() {
		return errDraining()
	}
	if err := s.log.CatchUp(ctx); err != nil {
		return err
	}
	if req.GetSubscription() != "" {
		if st.seat, err = s.join(ctx, req, st); err != nil {
			return err
		}
		st.taken, st.idle = st.seat.Taken(), true
		st.pos.Store(nowhere)
	} else if err := st.begin(ctx, req.GetStart()); err != nil {
		return err
	}
	if !s.streams.add(st, s.opt.MaxStreams) {
		return fault.Retry(codes.ResourceExhausted, fault.Limit, "this server serves as many streams as it is configured to; try again later", 10*time.Second,
			"limit", "streams of the server", "allowed", strconv.Itoa(s.opt.MaxStreams))
	}
	return nil
}

// last returns when the stream has ended. The goroutine that gRPC keeps for the call does nothing else, see aside.
func (st *stream) last(ctx context.Context) error {
	go st.run(ctx)
	select {
	case err := <-st.ended:
		return err
	case <-ctx.Done():
	case <-st.terms.view.grant.Ended():
	case <-st.taken:
	}
	st.svc.index.rouse(&st.waiter)
	return <-st.ended
}

// leave gives up what open took.
func (st *stream) leave() {
	st.svc.streams.remove(st)
	if st.timer != nil {
		st.timer.Stop()
	}
	if st.seat != nil {
		st.seat.Leave(st.told)
	}
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
	st.waiter.setTenants(st.terms.view.predicate.Tenants())
	return nil
}

// run begins the stream.
func (st *stream) run(ctx context.Context) {
	if served, err := st.greet(ctx); err != nil || !served {
		st.ended <- err
		return
	}
	st.timer = time.AfterFunc(st.untilDue(), st.ring)
	st.work(ctx)
}

// greet says Started, waits for a shard if the stream is to have one, and says what is missing before its first event. The stream is not served, without
// an error, when something ended it before.
func (st *stream) greet(ctx context.Context) (served bool, err error) {
	st.oldest = time.Now().Add(time.Duration((0.9 + 0.2*rand.Float64()) * float64(st.svc.opt.MaxAge)))
	started := &headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Started{Started: st.terms.started(st.svc)}}
	if err := st.signalFrom(st.place.lost, started); err != nil {
		return false, err
	}
	if st.idle {
		if served, err := st.await(ctx); err != nil || !served {
			return false, err
		}
	}
	if st.place.gap != nil {
		return true, st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Gap{Gap: st.place.gap}})
	}
	return true, nil
}

// work reads, filters and sends until the stream waits, when resume goes on, or has ended.
func (st *stream) work(ctx context.Context) {
	for {
		st.look()
		if over, err := st.over(ctx); over {
			st.ended <- err
			return
		}
		if st.read >= st.stopAt {
			if err := st.endCaughtUp(); !errors.Is(err, errEnded) {
				st.ended <- err
				return
			}
			continue
		}
		atHead, err := st.advance(ctx)
		if errors.Is(err, errEnded) {
			continue
		} else if err != nil {
			st.ended <- err
			return
		}
		if atHead && st.svc.index.wait(&st.waiter, st.read) {
			return // by now somebody else may be at work
		}
	}
}

// wake is part of sleeper.
func (st *stream) wake() { go st.resume() }

func (st *stream) resume() {
	st.read = st.waiter.passed
	st.pos.Store(st.read)
	st.woken = true
	st.work(st.out.Context())
}

// wants is part of sleeper.
func (st *stream) wants(f *eventlog.Frame) bool { return st.terms.view.Match(f.Kind, &f.Keys) }

// ring is what the timer does.
func (st *stream) ring() {
	st.rang.Store(true)
	st.svc.index.rouse(&st.waiter)
}

// untilDue is after how long the timer must ring. Sending does not set it again: that it rang too early costs less.
func (st *stream) untilDue() time.Duration {
	return min(time.Until(st.lastSend.Add(st.terms.heartbeat)), time.Until(st.oldest))
}

// advance reads on and sends what matches. A batch that is not full waits for what the next read finds, unless there is nothing more or the stream was
// silent for long: how the log is cut into pieces, which are everybody's, does not show in a stream.
func (st *stream) advance(ctx context.Context) (atHead bool, err error) {
	st.reread()
	chunk, err := st.next(ctx)
	if errors.Is(err, errEnded) {
		return false, err
	}
	if err != nil {
		if err := st.settle(); err != nil {
			return false, err
		}
		return false, st.lost(err)
	}
	st.place.earliest = false
	if err := st.send(chunk); err != nil {
		return false, err
	}
	atHead = chunk.AtHead && st.read < st.stopAt
	if !atHead && !st.silent {
		return false, nil
	}
	if err := st.settle(); err != nil {
		return false, err
	}
	if (atHead && !st.caughtUp) || st.silent {
		st.caughtUp = st.caughtUp || atHead
		return atHead, st.checkpoint(atHead)
	}
	return atHead, nil
}

// reread forgets what was read and not sent yet if something was erased since: it may be among that. It says whether it did.
func (st *stream) reread() bool {
	now := st.svc.log.Erasures()
	if now == st.erasures {
		return false
	}
	st.erasures = now
	if len(st.batch.run) == 0 {
		return false
	}
	st.batch.reset()
	st.read = st.pos.Load()
	return true
}

// endCaughtUp ends a stream that was to stop at the head.
func (st *stream) endCaughtUp() error {
	if err := st.settle(); err != nil {
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
func (st *stream) over(ctx context.Context) (bool, error) {
	switch {
	case ctx.Err() != nil:
		return true, ctx.Err()
	case st.svc.isDraining():
		return true, st.close(headgatev1.Closing_REASON_DRAINING, durationpb.New(drainRetry))
	case st.terms.view.ended():
		reason := st.terms.view.endReason()
		if reason == headgatev1.Closing_REASON_OPERATOR {
			return true, st.close(reason, durationpb.New(fault.OperatorRetry))
		}
		return true, st.close(reason, nil)
	case st.isTaken():
		if cause := st.seat.Cause(); cause != nil {
			return true, cause
		}
		return true, st.close(headgatev1.Closing_REASON_HANDED_OVER, durationpb.New(0))
	case st.old:
		return true, st.close(headgatev1.Closing_REASON_MAX_AGE, durationpb.New(0))
	}
	return false, nil
}

// look finds out, when the timer rang, whether the stream has lasted long enough, and whether it is silent.
func (st *stream) look() {
	if !st.rang.Swap(false) {
		return
	}
	now := time.Now()
	st.old, st.silent = !now.Before(st.oldest), !now.Before(st.lastSend.Add(st.terms.heartbeat))
	if !st.old && !st.silent {
		st.timer.Reset(st.untilDue())
	}
}

func (st *stream) isTaken() bool {
	select {
	case <-st.taken:
		return true
	default:
		return false
	}
}
