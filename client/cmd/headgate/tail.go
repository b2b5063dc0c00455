package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

type tailCommand struct {
	filterFlags
	outputFlag
	startFlags

	Resume       string     `type:"path" xor:"position" placeholder:"FILE" help:"Keep the position in this file, and begin there when it holds one." group:"From where on:"`
	Subscription text       `xor:"position" placeholder:"NAME" help:"Read as a member of this subscription, and save what was written: its other members do not get that any more. If it is new, say where it begins." group:"From where on:"`
	Shards       shardCount `placeholder:"N" help:"How many shards the subscription has. Default: 1." group:"From where on:"`
	OnLostCursor string     `enum:"fail,earliest,latest" default:"fail" placeholder:"fail|earliest|latest" help:"What to do when the position is no longer in the log. Default: fail." group:"From where on:"`

	Shard         *shard `placeholder:"INDEX/COUNT" help:"Only this part of the events, for example 0/4." group:"Which events:"`
	UntilCaughtUp bool   `help:"End once everything that was stored has been read."`
}

// Run follows the events until ctx ends: those of a subscription as a service does, with a stream for each shard.
func (c *tailCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	if c.Shards > 0 && c.Subscription == "" {
		return usagef("--shards needs --subscription")
	}
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	subscription, where, err := c.subscription(ctx)
	if err != nil {
		return err
	}
	streams := max(1, int(c.Shards))
	if c.Shard != nil {
		streams = 1
	}
	shared := &stdio{out: &sharedWriter{Writer: std.out}, err: &sharedWriter{Writer: std.err}}
	group, running := errgroup.WithContext(ctx)
	for range streams {
		f := follower{gateway: g, std: shared, lines: c.printer(shared), where: where}
		group.Go(func() error { return f.follow(running, connection, subscription) })
	}
	return c.explain(ctx, g, connection, group.Wait())
}

// sharedWriter is one that several streams write to.
type sharedWriter struct {
	mu sync.Mutex
	io.Writer
}

// Write writes while nobody else does.
func (w *sharedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Writer.Write(p)
}

// follower writes what one stream after the other brings.
type follower struct {
	gateway   *gateway
	std       *stdio
	lines     printer
	where     string // it begins, in words
	connected bool
	waits     bool // for a shard
}

func (f *follower) follow(ctx context.Context, connection *client.Client, s client.Subscription) error {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var absent *client.Error
	s.OnRetry = func(err error, wait time.Duration) {
		if answer, ok := errors.AsType[*client.Error](err); ok && !f.connected && noGateway(answer) {
			absent = answer // a person who waits for nothing should know
			giveUp()
			return
		}
		_, _ = fmt.Fprintf(f.std.err, "reconnecting in %v: %s\n", wait.Round(time.Millisecond), printable(lastCause(err)))
	}
	for msg, err := range connection.Subscribe(ctx, s) {
		switch {
		case absent != nil:
			return absent
		case err != nil && err == ctx.Err():
			return nil // the user wanted it
		case err != nil:
			return err
		}
		f.tell(s.Name, msg)
		if err := f.lines.message(msg); err != nil {
			return err
		}
	}
	return nil
}

// tell writes on what terms the stream is.
func (f *follower) tell(name string, msg client.Message) {
	switch {
	case msg.Started != nil:
		if f.connected {
			f.where = "where it stopped"
		}
		f.connected = true
		if name == "" {
			_, _ = fmt.Fprintf(f.std.err, "reading from %s, beginning %s\n", f.gateway.Address, printable(f.where))
		}
		for _, name := range msg.Started.GetUnknownNames() {
			_, _ = fmt.Fprintf(f.std.err, "warning: %s is not a known name; nothing will come if it is misspelt\n", printable(name))
		}
	case msg.Standby != nil && !f.waits:
		f.waits = true
		_, _ = fmt.Fprintf(f.std.err, "standing by: the shards of %s are served to others\n", printable(name))
	case msg.Assigned != nil:
		f.waits = false
		shard := msg.Assigned.GetShard()
		_, _ = fmt.Fprintf(f.std.err, "reading shard %d/%d of %s from %s, beginning where it is saved\n", shard.GetIndex(), shard.GetCount(), printable(name), f.gateway.Address)
	}
}

// explain knows the flags with which a lost position is answered.
func (c *tailCommand) explain(ctx context.Context, g *gateway, connection *client.Client, err error) error {
	if c.Subscription != "" {
		lost := "move the position with headgate subscription seek, or say --on-lost-cursor"
		if start, _ := c.start(); start != nil { // perhaps there was no position yet
			lost = "if the subscription is new, begin elsewhere, for example with --earliest; else " + lost
		}
		return explainSubscription(ctx, g, connection, string(c.Subscription), lost, err)
	}
	explained := g.explain(err)
	answer, ok := errors.AsType[*client.Error](err)
	if ok && (answer.Reason == client.ReasonCursorExpired || answer.Reason == client.ReasonCursorForeign) {
		return fmt.Errorf("%w (begin elsewhere, for example with --earliest, or say so with --on-lost-cursor)", explained)
	}
	return explained
}

// message writes what a stream brings. Checkpoints are not for the eye.
func (p printer) message(msg client.Message) error {
	switch {
	case msg.Event != nil:
		return p.event(msg.Event)
	case msg.Gap != nil:
		return p.gap(msg.Cursor(), msg.Gap)
	case msg.Erased != nil:
		return p.erased(msg.Cursor(), msg.Erased)
	}
	return nil
}

// subscription is what the flags ask for, and in words where it begins.
func (c *tailCommand) subscription(ctx context.Context) (s client.Subscription, where string, err error) {
	s = client.Subscription{
		Filter:           c.filter(),
		OnLostCursor:     headgatev1.OnLostCursor(headgatev1.OnLostCursor_value["ON_LOST_CURSOR_"+strings.ToUpper(c.OnLostCursor)]),
		ClientName:       "headgate tail",
		StopWhenCaughtUp: c.UntilCaughtUp,
	}
	if c.Shard != nil {
		s.Shard = &headgatev1.Shard{Index: c.Shard.index, Count: c.Shard.count}
	}
	if s.Start, where = c.start(); c.Subscription != "" {
		s.Name, s.Shards = string(c.Subscription), int(c.Shards)
		return s, where, nil
	}
	if s.Start == nil {
		s.Start, where = client.Latest(), "with what comes from now on"
	}
	if c.Resume == "" {
		return s, where, nil
	}
	s.Store = client.FileStore(c.Resume)
	cursor, err := s.Store.Load(ctx)
	if cursor != "" {
		where = "where " + c.Resume + " says"
	}
	return s, where, err
}
