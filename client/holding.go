package client

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

const (
	// shardSpacing times the number of shards is the least time between two saves of one: 50 a second for all of a subscription's together.
	shardSpacing = 20 * time.Millisecond
	// askEvery is how often the lease is presented while one message is being handled. It is less than the gateway's grace, so whoever takes long
	// keeps the shard, and finds out soon when somebody else has been given it.
	askEvery = 2 * time.Second
	// saveTimeout bounds each saving of what was handled, which goes on when the reading is cancelled.
	saveTimeout = 10 * time.Second
	// leaveTimeout bounds the last one of an iteration.
	leaveTimeout = 2 * time.Second
)

// errReleased is the cause of a holding's end that its owner wanted.
var errReleased = errors.New("the shard was released")

// unsaved is what kept a cursor from being saved.
type unsaved struct{ answer *Error }

func (u *unsaved) Error() string { return "save the cursor: " + u.answer.Error() }
func (u *unsaved) Unwrap() error { return u.answer }

// passing tells whether the next stream finds out what holds. Otherwise the failure would return for ever, and what was handled with it.
func (u *unsaved) passing() bool {
	switch u.answer.Reason {
	case ReasonLeaseLost, ReasonCursorBehind, ReasonCursorForeign:
		return true
	}
	return u.answer.temporary(false) || u.answer.Code == codes.Unauthenticated
}

// holding is one shard under one lease. It saves what was handled, beside the handling: one save is under way at a time, always of the newest cursor.
// Its methods are for the goroutine of the loop.
type holding struct {
	gateway   headgatev1.SubscriptionServiceClient
	name      string // the subscription's
	shard     uint32
	lease     string
	spacing   time.Duration // between saves, at least
	begin     string        // the saved cursor when the shard was assigned
	newest    string        // the last that was handled; empty until there is one
	handled   chan string   // newest, for keep
	working   atomic.Bool   // a message is being handled
	interrupt func(error)   // ends the stream
	kept      chan struct{} // closed when keep has ended

	ctx context.Context // ends with the holding
	end context.CancelCauseFunc
}

// hold begins to save. release must be called.
func hold(ctx context.Context, gateway headgatev1.SubscriptionServiceClient, name string, a *headgatev1.Assigned, begin string, interrupt func(error)) *holding {
	h := &holding{
		gateway: gateway, name: name, shard: a.GetShard().GetIndex(), lease: a.GetLease(), spacing: shardSpacing * time.Duration(max(1, a.GetShard().GetCount())),
		begin: begin, handled: make(chan string, 1), kept: make(chan struct{}), interrupt: interrupt,
	}
	h.ctx, h.end = context.WithCancelCause(context.WithoutCancel(ctx))
	go h.keep()
	return h
}

// note has the cursor saved soon.
func (h *holding) note(cursor string) {
	if cursor == "" || cursor == h.newest || cursor == h.begin {
		return
	}
	h.newest = cursor
	select {
	case <-h.handled:
	default:
	}
	h.handled <- cursor // there is room: nobody else sends
}

// lost tells whether somebody else has the shard now, or nobody can save it any more.
func (h *holding) lost() bool {
	cause := context.Cause(h.ctx)
	return cause != nil && cause != errReleased
}

// keep saves until the holding ends.
func (h *holding) keep() {
	defer close(h.kept)
	at, again := h.begin, false
	timer := time.NewTimer(askEvery)
	defer timer.Stop()
	for {
		select {
		case <-h.ctx.Done():
			return
		case at = <-h.handled:
		case <-timer.C:
			if !again && !h.working.Load() {
				timer.Reset(askEvery)
				continue
			}
		}
		pause, next := h.spacing, askEvery
		answer := h.save(h.ctx, at, false)
		if again = answer != nil; again {
			pause, next = h.failed(answer), 0
		}
		select {
		case <-h.ctx.Done():
			return
		case <-time.After(pause):
			timer.Reset(next)
		}
	}
}

// failed decides what a save that failed means, and after how long to try again. Unless the gateway only asks for patience, nothing more is delivered
// before what was handled is saved.
func (h *holding) failed(answer *Error) time.Duration {
	cause := &unsaved{answer}
	switch {
	case h.ctx.Err() != nil:
	case answer.Reason == ReasonLimit:
	case answer.Reason == ReasonCursorForeign: // the position at the assignment may be lost, as the Gap then says
		return askEvery
	case answer.temporary(true) || answer.Code == codes.Unauthenticated:
		h.interrupt(cause)
	default:
		h.interrupt(cause)
		h.end(cause) // second: whoever sees it finds the stream's cause
	}
	return max(answer.retryAfter, 10*h.spacing)
}

// release saves what was handled and gives the shard back. It may be called again when that failed. Under a lease that is lost it saves nothing.
func (h *holding) release(ctx context.Context, options ...grpc.CallOption) *unsaved {
	h.end(errReleased)
	<-h.kept
	if h.lost() {
		return nil
	}
	if answer := h.save(ctx, h.newest, true, options...); answer != nil {
		return &unsaved{answer}
	}
	return nil
}

func (h *holding) save(ctx context.Context, cursor string, release bool, options ...grpc.CallOption) *Error {
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	_, err := h.gateway.SaveCursors(ctx, &headgatev1.SaveCursorsRequest{
		Name: h.name, Saves: []*headgatev1.ShardSave{{Shard: h.shard, Lease: h.lease, Cursor: cursor, Release: release}},
	}, options...)
	return ErrorOf(err)
}
