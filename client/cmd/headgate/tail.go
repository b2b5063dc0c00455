package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

type tailCommand struct {
	filterFlags
	outputFlag

	Earliest     bool   `xor:"start" help:"Begin with the oldest event." group:"From where on:"`
	Latest       bool   `xor:"start" help:"Begin with what comes from now on, the default." group:"From where on:"`
	After        text   `xor:"start" placeholder:"CURSOR" help:"Begin after this cursor." group:"From where on:"`
	From         *when  `xor:"start" placeholder:"TIME" help:"Begin with what was received at this time or later; 90m means 90 minutes ago." group:"From where on:"`
	Resume       string `type:"path" placeholder:"FILE" help:"Keep the position in this file, and begin there when it holds one." group:"From where on:"`
	OnLostCursor string `enum:"fail,earliest,latest" default:"fail" placeholder:"fail|earliest|latest" help:"What to do when the position is no longer in the log. Default: fail." group:"From where on:"`

	Shard         *shard `placeholder:"INDEX/COUNT" help:"Only this part of the events, for example 0/4." group:"Which events:"`
	UntilCaughtUp bool   `help:"End once everything that was stored has been read."`
}

// Run follows the events until ctx ends.
func (c *tailCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	subscription, where, err := c.subscription(ctx)
	if err != nil {
		return err
	}
	connected := false
	var absent *client.Error
	subscription.OnRetry = func(err error, wait time.Duration) {
		if answer, ok := errors.AsType[*client.Error](err); ok && !connected && noGateway(answer) {
			absent = answer // a person who waits for nothing should know
			giveUp()
			return
		}
		_, _ = fmt.Fprintf(std.err, "reconnecting in %v: %s\n", wait.Round(time.Millisecond), printable(lastCause(err)))
	}
	lines := c.printer(std)
	for msg, err := range connection.Subscribe(ctx, subscription) {
		switch {
		case absent != nil:
			return g.explain(absent)
		case err != nil && err == ctx.Err():
			return nil // the user wanted it
		case err != nil:
			return c.explain(g, err)
		}
		if msg.Started != nil {
			if connected {
				where = "where it stopped"
			}
			connected = true
			began(std, g.Address, where, msg.Started)
		}
		if err := lines.message(msg); err != nil {
			return err
		}
	}
	return nil
}

// explain knows the flags with which a lost position is answered.
func (c *tailCommand) explain(g *gateway, err error) error {
	explained := g.explain(err)
	answer, ok := errors.AsType[*client.Error](err)
	if ok && (answer.Reason == client.ReasonCursorExpired || answer.Reason == client.ReasonCursorForeign) {
		return fmt.Errorf("%w (begin elsewhere, for example with --earliest, or say so with --on-lost-cursor)", explained)
	}
	return explained
}

func began(std *stdio, address, where string, terms *headgatev1.Started) {
	_, _ = fmt.Fprintf(std.err, "reading from %s, beginning %s\n", address, printable(where))
	for _, name := range terms.GetUnknownNames() {
		_, _ = fmt.Fprintf(std.err, "warning: %s is not a known name; nothing will come if it is misspelt\n", printable(name))
	}
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
	switch {
	case c.Earliest:
		s.Start, where = client.Earliest(), "with the oldest event"
	case c.After != "":
		s.Start, where = client.After(string(c.After)), "after "+string(c.After)
	case c.From != nil:
		s.Start, where = client.FromTime(c.From.Time), "with what was received from "+c.From.UTC().Format(time.RFC3339)+" on"
	default:
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
