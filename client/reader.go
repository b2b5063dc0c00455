package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

const (
	// defaultHeartbeat is the gateway's, in force until Started tells.
	defaultHeartbeat = 15 * time.Second
	// The pause before the nth new connection is a random part of firstPause * 2^n, at most longestPause.
	firstPause   = 200 * time.Millisecond
	longestPause = 20 * time.Second
)

var (
	// errOver ends the iteration without an error to tell.
	errOver = errors.New("over")
	// errCaughtUp does so too, once what was handled is saved.
	errCaughtUp = errors.New("caught up")
	// errSilent is the cause of a stream that is cancelled for its silence.
	errSilent = errors.New("the gateway was silent for two heartbeats")
	// errUnassigned: what comes without a lease could not be saved.
	errUnassigned = errors.New("the gateway sent events without assigning a shard first")
)

// interruption is the end of a stream that another stream can continue.
type interruption struct {
	cause   error
	after   time.Duration // the gateway's wish, 0 when it has none
	inOrder bool          // the gateway said that it ends the stream, and why
}

func (i *interruption) Error() string { return i.cause.Error() }

// byDeadLine tells whether nothing may come any more over the line of the stream: the gateway was silent, or a save was not answered.
func (i *interruption) byDeadLine() bool {
	u, ok := errors.AsType[*unsaved](i.cause)
	return i.cause == errSilent || ok && u.answer.Code == codes.DeadlineExceeded
}

// reader is one iteration. It runs in the goroutine of the loop; beside it runs what saves a shard's position, if it has one.
type reader struct {
	client *Client
	sub    Subscription
	yield  func(Message, error) bool

	cursor   string // after the last message that was handled; empty until there is one, and with a name, as the gateway keeps it then
	failures int    // since the last message after Started
	movedOn  bool   // the stream in hand delivered something after Started

	streamCtx context.Context // of the stream in hand
	interrupt context.CancelCauseFunc
	held      *holding // of a named subscription, nil while it has no shard
}

// run reads one stream after the other. It returns nil when there is nothing to tell.
func (r *reader) run(ctx context.Context) error {
	if err := r.sub.check(); err != nil {
		return err
	}
	r.cursor = r.sub.Start.GetAfterCursor()
	if r.sub.Store != nil {
		stored, err := r.sub.Store.Load(ctx)
		if err != nil {
			return fmt.Errorf("load the cursor: %w", err)
		}
		if stored != "" {
			r.cursor, r.sub.Start = stored, After(stored)
		}
	}
	defer r.leave(ctx)
	for {
		err := r.next(ctx)
		broken, again := errors.AsType[*interruption](err)
		switch {
		case err == errOver:
			return nil
		case !again:
			return err
		case r.client.conn.isClosed():
			return broken.cause
		}
		wait := broken.after + pause(r.failures)
		if r.held != nil && broken.after == 0 {
			wait = pause(0) // what was handled is to be saved as soon as the gateway is back: it does not wait long before it gives the shard away
		}
		r.failures++
		r.tellRetry(ctx, broken, wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// tellRetry says that the stream was lost: a reader that waits for its gateway must not do so unseen.
func (r *reader) tellRetry(ctx context.Context, broken *interruption, wait time.Duration) {
	switch {
	case r.sub.OnRetry != nil:
		r.sub.OnRetry(broken.cause, wait)
	case !broken.inOrder:
		slog.WarnContext(ctx, "the gateway's stream is lost; connecting again", "subscription", r.sub.Name, "wait", wait, "error", broken.cause)
	}
}

// next saves what the stream before left to be saved, reads the next one, and saves what was handled of it.
func (r *reader) next(ctx context.Context) error {
	if err := r.settle(ctx, grpc.WaitForReady(true)); err != nil {
		return err
	}
	line := r.client.conn.current()
	err := r.readStream(ctx)
	broken, again := errors.AsType[*interruption](err)
	if !again && err != errCaughtUp {
		return err
	}
	if again && broken.byDeadLine() {
		r.client.conn.abandon(line)
	}
	failed := r.settle(ctx)
	if _, later := errors.AsType[*interruption](failed); failed != nil && (!later || err == errCaughtUp) {
		return failed
	}
	if err == errCaughtUp {
		return errOver
	}
	return err
}

// settle releases the shard of a stream that is over. Nothing new is asked for before the gateway has said whether what was handled is saved: it would
// come again.
func (r *reader) settle(ctx context.Context, options ...grpc.CallOption) error {
	if r.held == nil {
		return nil
	}
	u := r.held.release(ctx, options...)
	switch {
	case u == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case !u.passing():
		return u
	case u.answer.temporary(false):
		return &interruption{cause: u, after: u.answer.retryAfter}
	}
	r.held = nil
	return nil
}

// leave releases the shard at the end of the iteration, even when ctx has ended, so that another member gets it at once. When that fails the gateway finds out
// by itself, and what was not saved comes again.
func (r *reader) leave(ctx context.Context) {
	if r.held == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	for {
		u := r.held.release(ctx, grpc.WaitForReady(true))
		if u == nil || !u.answer.temporary(false) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(firstPause):
		}
	}
}

// readStream reads one stream to its end and says how it ended.
func (r *reader) readStream(ctx context.Context) error {
	r.streamCtx, r.interrupt = context.WithCancelCause(ctx)
	defer r.interrupt(nil)
	// The clock runs only while the gateway is waited for: the loop's body may take as long as it likes.
	limit := 2 * max(defaultHeartbeat, r.sub.Heartbeat)
	clock := time.AfterFunc(limit, func() { r.interrupt(errSilent) })
	defer clock.Stop()

	r.movedOn = false
	stream, err := r.client.events.Subscribe(r.streamCtx, r.request())
	if err != nil {
		return r.judge(ctx, err)
	}
	for {
		clock.Reset(limit)
		resp, err := stream.Recv()
		clock.Stop()
		if err != nil {
			return r.judge(ctx, err)
		}
		if heartbeat := resp.GetStarted().GetHeartbeatInterval().AsDuration(); heartbeat > 0 {
			limit = 2 * heartbeat
		}
		if err := r.deliver(ctx, resp); err != nil {
			return err
		}
		if closing := resp.GetClosing(); closing != nil {
			if closing.GetReason() == headgatev1.Closing_REASON_CAUGHT_UP {
				return errCaughtUp
			}
			return &interruption{cause: closedBecause(closing.GetReason()), after: max(0, closing.GetRetryAfter().AsDuration()), inOrder: true}
		}
	}
}

// request asks for what comes after the last message that was handled.
func (r *reader) request() *headgatev1.SubscribeRequest {
	req := &headgatev1.SubscribeRequest{
		Filter:           r.sub.Filter,
		Start:            r.sub.Start,
		OnLostCursor:     r.sub.OnLostCursor,
		Shard:            r.sub.Shard,
		ClientName:       r.sub.ClientName,
		StopWhenCaughtUp: r.sub.StopWhenCaughtUp,
	}
	if r.sub.Name != "" {
		r.sub.membership(req, r.client.member)
	} else if r.cursor != "" {
		req.Start = After(r.cursor)
	}
	if r.sub.Heartbeat > 0 {
		req.HeartbeatInterval = durationpb.New(r.sub.Heartbeat)
	}
	return req
}

// judge turns the error of a stream into the end of the iteration or an interruption.
func (r *reader) judge(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	cause := context.Cause(r.streamCtx)
	if cause == errSilent {
		return &interruption{cause: errSilent}
	}
	if u, ok := errors.AsType[*unsaved](cause); ok {
		if u.passing() || u.answer.temporary(true) {
			return &interruption{cause: u, after: u.answer.retryAfter}
		}
		return u
	}
	if err == io.EOF {
		return &interruption{cause: errEnded}
	}
	answer := ErrorOf(err)
	if answer.temporary(r.movedOn) {
		return &interruption{cause: answer, after: answer.retryAfter}
	}
	return answer
}

// deliver yields what the response holds and notes its cursor, which covers what the filter left out too.
func (r *reader) deliver(ctx context.Context, resp *headgatev1.SubscribeResponse) error {
	switch {
	case resp.GetStarted() != nil:
		return r.deliverOne(ctx, r.started(resp))
	case resp.GetStandby() != nil:
		return r.deliverOne(ctx, Message{Standby: resp.GetStandby()})
	case resp.GetAssigned() != nil:
		r.held = hold(ctx, r.client.subscriptions, r.sub.Name, resp.GetAssigned(), resp.GetCursor(), r.interrupt)
		return r.deliverOne(ctx, Message{Assigned: resp.GetAssigned(), cursor: resp.GetCursor()})
	case resp.GetClosing() == nil:
		r.movedOn, r.failures = true, 0
	}
	if r.sub.Name != "" && r.held == nil && (len(resp.GetEvents()) > 0 || resp.GetGap() != nil || resp.GetErased() != nil) {
		return errUnassigned
	}
	for _, event := range resp.GetEvents() {
		if err := r.deliverOne(ctx, Message{Event: event, cursor: event.GetCursor()}); err != nil {
			return err
		}
	}
	signal := Message{Gap: resp.GetGap(), Erased: resp.GetErased(), Checkpoint: resp.GetCheckpoint(), cursor: resp.GetCursor()}
	if signal.Gap != nil || signal.Erased != nil || signal.Checkpoint != nil {
		return r.deliverOne(ctx, signal)
	}
	return r.handled(ctx, resp.GetCursor())
}

// started makes the message of a Started. Where the reader has a position already, that one stays: a Gap which says that it was
// lost may come next, and must come again if the connection breaks in between.
func (r *reader) started(resp *headgatev1.SubscribeResponse) Message {
	m := Message{Started: resp.GetStarted(), cursor: resp.GetCursor()}
	if r.cursor != "" {
		m.cursor = r.cursor
	}
	return m
}

// deliverOne yields a message and, once the loop is back, notes that it was handled. Nothing is delivered of a stream that was given up.
func (r *reader) deliverOne(ctx context.Context, m Message) error {
	if r.streamCtx.Err() != nil {
		return r.judge(ctx, r.streamCtx.Err())
	}
	if r.held != nil {
		r.held.working.Store(true)
		defer r.held.working.Store(false)
	}
	if !r.yield(m, nil) {
		return errOver
	}
	return r.handled(ctx, m.cursor)
}

// handled makes cursor the position, in the store or at the gateway too. What was handled is saved even if ctx has ended in the meantime.
func (r *reader) handled(ctx context.Context, cursor string) error {
	if r.sub.Name != "" {
		if r.held != nil { // else nothing was assigned yet
			r.held.note(cursor)
		}
		return nil
	}
	if cursor == "" || cursor == r.cursor {
		return nil
	}
	r.cursor = cursor
	if r.sub.Store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := r.sub.Store.Save(ctx, cursor); err != nil {
		return fmt.Errorf("save the cursor: %w", err)
	}
	return nil
}

// pause is the random wait after so many failures in a row.
func pause(failures int) time.Duration {
	longest := longestPause
	if failures < 20 {
		longest = min(longest, firstPause<<failures)
	}
	return rand.N(longest)
}
