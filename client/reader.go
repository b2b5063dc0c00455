package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

const (
	// defaultHeartbeat is the gateway's, in force until Started tells.
	defaultHeartbeat = 15 * time.Second
	// The pause before the nth new connection is a random part of firstPause * 2^n, at most longestPause.
	firstPause   = 200 * time.Millisecond
	longestPause = 20 * time.Second
	// saveTimeout bounds the saving of what was handled, which goes on when the reading is cancelled.
	saveTimeout = 10 * time.Second
)

var (
	// errOver ends the iteration without an error to tell.
	errOver = errors.New("over")
	// errSilent is the cause of a stream that is cancelled for its silence.
	errSilent = errors.New("the gateway was silent for two heartbeats")
	errEnded  = errors.New("the gateway ended the stream")
	// What a gateway says when it ends a stream that can be continued.
	errDraining          = errors.New("the gateway is stopping")
	errGrantChanged      = errors.New("what this reader may read has changed")
	errCredentialExpired = errors.New("the credential has expired")
	errMaxAge            = errors.New("the stream was as old as one may get")
)

// interruption is the end of a stream that another stream can continue.
type interruption struct {
	cause error
	after time.Duration // the gateway's wish, 0 when it has none
}

func (i *interruption) Error() string { return i.cause.Error() }

// reader is one iteration. It runs in the goroutine of the loop and starts no other.
type reader struct {
	events headgatev1.EventServiceClient
	sub    Subscription
	yield  func(Message, error) bool

	cursor   string // after the last message that was handled; empty until there is one
	failures int    // since the last message after Started
	movedOn  bool   // the stream in hand delivered something after Started
}

// run reads one stream after the other. It returns nil when there is nothing to tell.
func (r *reader) run(ctx context.Context) error {
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
	for {
		err := r.readStream(ctx)
		broken, again := errors.AsType[*interruption](err)
		switch {
		case err == errOver:
			return nil
		case !again:
			return err
		}
		wait := broken.after + pause(r.failures)
		r.failures++
		if r.sub.OnRetry != nil {
			r.sub.OnRetry(broken.cause, wait)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// readStream reads one stream to its end and says how it ended.
func (r *reader) readStream(ctx context.Context) error {
	streamCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The clock runs only while the gateway is waited for: the loop's body may take as long as it likes.
	limit := 2 * max(defaultHeartbeat, r.sub.Heartbeat)
	clock := time.AfterFunc(limit, func() { cancel(errSilent) })
	defer clock.Stop()

	r.movedOn = false
	stream, err := r.events.Subscribe(streamCtx, r.request())
	if err != nil {
		return r.judge(ctx, streamCtx, err)
	}
	for {
		clock.Reset(limit)
		resp, err := stream.Recv()
		clock.Stop()
		if err != nil {
			return r.judge(ctx, streamCtx, err)
		}
		if heartbeat := resp.GetStarted().GetHeartbeatInterval().AsDuration(); heartbeat > 0 {
			limit = 2 * heartbeat
		}
		if err := r.deliver(ctx, resp); err != nil {
			return err
		}
		if closing := resp.GetClosing(); closing != nil {
			if closing.GetReason() == headgatev1.Closing_REASON_CAUGHT_UP {
				return errOver
			}
			return &interruption{cause: closedBecause(closing.GetReason()), after: max(0, closing.GetRetryAfter().AsDuration())}
		}
	}
}

// closedBecause is why the gateway ended a stream.
func closedBecause(reason headgatev1.Closing_Reason) error {
	switch reason {
	case headgatev1.Closing_REASON_UNSPECIFIED:
		return errEnded
	case headgatev1.Closing_REASON_DRAINING:
		return errDraining
	case headgatev1.Closing_REASON_GRANT_CHANGED:
		return errGrantChanged
	case headgatev1.Closing_REASON_CREDENTIAL_EXPIRED:
		return errCredentialExpired
	case headgatev1.Closing_REASON_MAX_AGE:
		return errMaxAge
	default: // of a newer gateway
		return fmt.Errorf("%w for reason %d", errEnded, reason)
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
	if r.cursor != "" {
		req.Start = After(r.cursor)
	}
	if r.sub.Heartbeat > 0 {
		req.HeartbeatInterval = durationpb.New(r.sub.Heartbeat)
	}
	return req
}

// judge turns the error of a stream into the end of the iteration or an interruption.
func (r *reader) judge(ctx, streamCtx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if context.Cause(streamCtx) == errSilent {
		return &interruption{cause: errSilent}
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
	if resp.GetStarted() != nil {
		return r.deliverOne(ctx, r.started(resp))
	}
	if resp.GetClosing() == nil {
		r.movedOn, r.failures = true, 0
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

// deliverOne yields a message and, once the loop is back, notes that it was handled.
func (r *reader) deliverOne(ctx context.Context, m Message) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !r.yield(m, nil) {
		return errOver
	}
	return r.handled(ctx, m.cursor)
}

// handled makes cursor the position, in the store too. What was handled is saved even if ctx has ended in the meantime.
func (r *reader) handled(ctx context.Context, cursor string) error {
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
