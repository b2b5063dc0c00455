package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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
	After        string `xor:"start" placeholder:"CURSOR" help:"Begin after this cursor." group:"From where on:"`
	From         *when  `xor:"start" placeholder:"TIME" help:"Begin with what was received at this time or later; 90m means 90 minutes ago." group:"From where on:"`
	Resume       string `type:"path" placeholder:"FILE" help:"Keep the position in this file, and begin there when it holds one." group:"From where on:"`
	OnLostCursor string `enum:"fail,earliest,latest" default:"fail" placeholder:"fail|earliest|latest" help:"What to do when the position is no longer in the log. Default: fail." group:"From where on:"`

	Shard         *shard `placeholder:"INDEX/COUNT" help:"Only this part of the events, for example 0/4." group:"Which events:"`
	UntilCaughtUp bool   `help:"End once everything that was stored has been read."`
}

// Run follows the events until ctx ends.
func (c *tailCommand) Run(ctx context.Context, g *gateway, io *stdio) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
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
	subscription.OnRetry = func(err error, wait time.Duration) {
		if answer, ok := errors.AsType[*client.Error](err); ok && !connected && noGateway(answer) {
			giveUp(answer) // a person who waits for nothing should know
			return
		}
		_, _ = fmt.Fprintf(io.err, "reconnecting in %v: %s\n", wait.Round(time.Millisecond), printable(err.Error()))
	}
	print := c.printer(io)
	for msg, err := range connection.Subscribe(ctx, subscription) {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return g.explain(cancelled(ctx))
		}
		if err != nil {
			return g.explain(err)
		}
		if msg.Started != nil {
			if connected {
				where = "where it stopped"
			}
			connected = true
			began(io, g.Address, where, msg.Started)
		}
		if err := print.message(msg); err != nil {
			return err
		}
	}
	return nil
}

// cancelled is why ctx was cancelled, nil when its user wanted it.
func cancelled(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func began(io *stdio, address, where string, terms *headgatev1.Started) {
	_, _ = fmt.Fprintf(io.err, "reading from %s, beginning %s\n", address, printable(where))
	for _, name := range terms.GetUnknownNames() {
		_, _ = fmt.Fprintf(io.err, "warning: %s is not a known name; nothing will come if it is misspelt\n", printable(name))
	}
}

// message writes what a stream brings. Checkpoints are not for the eye.
func (p printer) message(msg client.Message) error {
	switch {
	case msg.Event != nil:
		return p.event(msg.Event)
	case msg.Gap != nil:
		return p.gap(msg.Gap)
	case msg.Erased != nil:
		return p.erased(msg.Erased)
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
		s.Start, where = client.After(c.After), "after "+c.After
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

// shard is "INDEX/COUNT" on the command line.
type shard struct{ index, count uint32 }

// UnmarshalText reads the two numbers. Their limits are the gateway's to check.
func (s *shard) UnmarshalText(text []byte) error {
	first, second, _ := strings.Cut(string(text), "/")
	index, err1 := strconv.ParseUint(first, 10, 32)
	count, err2 := strconv.ParseUint(second, 10, 32)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("%q: want INDEX/COUNT, such as 0/4", text)
	}
	s.index, s.count = uint32(index), uint32(count)
	return nil
}
