package client

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
)

// finishWithin is how long a handling may go on when Consume is to end.
const finishWithin = 10 * time.Second

// Consume has the events of a named subscription handled, until ctx ends. It serves up to as many shards at once as the subscription has: those that are this
// member's share. handle gets the messages of a shard one after the other, those of different shards at the same time. They are events, gaps and erased
// ones; all else Consume does by itself, as Subscribe does.
//
// A message counts as handled when handle returns nil, and its cursor is saved. When it returns an error it is called again for the same message, after
// growing pauses, for as long as it takes: that stops this shard, and no other. OnFailure is told of each failure; without it a warning goes to
// [slog.Default], with the subscription, the shard, the cursor, the attempt, the wait and the error, and nothing of the event. An event that can never be
// handled is left out by SkipEvent or `headgate subscription skip`, with the token of this reader; an operator does it with AdminService.SkipEvent.
//
// A gap and an erased one go to every shard, so handle gets each once per shard, at different times.
//
// The context that handle gets ends when the shard is lost: to another member, because its position was moved, or because the message was left out. What handle
// then returns does not matter, and another stream begins. It also ends ten seconds after ctx, which handle otherwise may use to finish.
//
// Messages come again when the process dies, or is cut off for longer than the gateway's grace, before they are saved: handle must be able to take a
// message twice.
//
// Consume returns nil when ctx ends, once what runs is finished and its shards are given back, and when StopWhenCaughtUp is reached; an error when the gateway
// refuses (an *Error).
func (c *Client) Consume(ctx context.Context, s Subscription, handle func(ctx context.Context, m Message) error) error {
	switch {
	case s.Name == "":
		return errors.New("subscription: Consume needs a Name")
	case handle == nil:
		return errors.New("subscription: Consume needs a function that handles the messages")
	}
	streams := max(1, s.Shards)
	if s.Shard != nil {
		streams = 1
	}
	g, ctx := errgroup.WithContext(ctx)
	for range streams {
		g.Go(func() error {
			r := &reader{client: c, sub: s}
			r.yield = func(m Message, _ error) bool { return r.work(ctx, m, handle) }
			if err := r.run(ctx); err != nil && err != ctx.Err() {
				return err
			}
			return nil
		})
	}
	return g.Wait()
}

// work has a message handled. It returns false when it was not, because ctx ended. That the shard was lost meanwhile the reader sees by itself.
func (r *reader) work(ctx context.Context, m Message, handle func(context.Context, Message) error) bool {
	if m.Event == nil && m.Gap == nil && m.Erased == nil {
		return true
	}
	for failures := 0; ; failures++ {
		err := finish(ctx, r.held.ctx, m, handle)
		if err == nil || r.held.lost() {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		wait := pause(failures)
		r.tell(ctx, m, failures+1, err, wait)
		select {
		case <-ctx.Done():
			return false
		case <-r.held.ctx.Done():
			return true
		case <-time.After(wait):
		}
	}
}

// tell says that a handling failed: a shard that stands still must not do so unseen.
func (r *reader) tell(ctx context.Context, m Message, attempt int, err error, wait time.Duration) {
	if r.sub.OnFailure != nil {
		r.sub.OnFailure(m, err, wait)
		return
	}
	slog.WarnContext(ctx, "a message could not be handled and is tried again; its shard waits",
		"subscription", r.sub.Name, "shard", r.held.shard, "cursor", m.cursor, "attempt", attempt, "wait", wait, "error", err)
}

// finish calls handle once, with a context of the shard that ends some time after ctx too.
func finish(ctx, shard context.Context, m Message, handle func(context.Context, Message) error) error {
	shard, cancel := context.WithCancel(shard)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-shard.Done():
		case <-time.After(finishWithin):
			cancel()
		}
	})()
	return handle(shard, m)
}
