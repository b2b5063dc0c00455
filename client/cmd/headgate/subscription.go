package main

import (
	"context"
	"fmt"
	"time"

	"github.com/headgate/headgate/client"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

type subscriptionCommand struct {
	Create subscriptionCreateCommand `cmd:"" help:"Make a subscription."`
	Get    subscriptionGetCommand    `cmd:"" help:"Show a subscription with its shards, and what was skipped."`
	Seek   subscriptionSeekCommand   `cmd:"" help:"Move the saved position, forward or back, whatever is being read."`
	Skip   subscriptionSkipCommand   `cmd:"" help:"Leave out one event that cannot be handled."`
	Delete subscriptionDeleteCommand `cmd:"" help:"Delete a subscription with its positions."`
}

// subscriptionName is which of the reader's own.
type subscriptionName struct {
	Name string `arg:"" help:"The subscription's name."`
}

// What to do about a lost cursor that was given, and about one that should be an event's.
const (
	elsewhere = "say --earliest, --latest or a later --from, and reconcile what may be missing"
	noEvent   = "so there is no event to leave out; headgate subscription get shows where each shard stands"
)

// call dials, calls, and explains what went wrong. lost is what to do when a cursor is.
func (n *subscriptionName) call(ctx context.Context, g *gateway, lost string, call func(headgatev1.SubscriptionServiceClient) error) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	if err := call(headgatev1.NewSubscriptionServiceClient(connection.Conn())); err != nil {
		return explainSubscription(ctx, g, connection, n.Name, lost, client.ErrorOf(err))
	}
	return nil
}

// ofReader is for operators: whose the subscription is.
type ofReader struct {
	Reader string `placeholder:"NAME" help:"The subscription of this reader, for operators. Default: the caller's own."`
}

// callAdmin is call for another reader's subscription.
func (n *subscriptionName) callAdmin(ctx context.Context, g *gateway, lost string, call func(adminv1.AdminServiceClient) error) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	if err := call(adminv1.NewAdminServiceClient(connection.Conn())); err != nil {
		return explainSubscription(ctx, g, connection, n.Name, lost, client.ErrorOf(err))
	}
	return nil
}

type subscriptionCreateCommand struct {
	subscriptionName
	startFlags
	Shards shardCount `placeholder:"N" default:"1" help:"How many shards it has for its life, 1 to 128. Default: 1."`
}

// Run makes the subscription.
func (c *subscriptionCreateCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	start, where, err := c.required()
	if err != nil {
		return err
	}
	err = c.call(ctx, g, elsewhere, func(s headgatev1.SubscriptionServiceClient) error {
		_, err := s.CreateSubscription(ctx, &headgatev1.CreateSubscriptionRequest{Name: c.Name, ShardCount: uint32(c.Shards), Start: start})
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "made %s with %s, beginning %s\n", printable(c.Name), c.Shards, printable(where))
	return err
}

type subscriptionGetCommand struct {
	subscriptionName
	listFlag
}

// Run shows the subscription.
func (c *subscriptionGetCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	var got *headgatev1.GetSubscriptionResponse
	err := c.call(ctx, g, "", func(s headgatev1.SubscriptionServiceClient) (err error) {
		got, err = s.GetSubscription(ctx, &headgatev1.GetSubscriptionRequest{Name: c.Name})
		return err
	})
	if err != nil {
		return err
	}
	if c.json() {
		return jsonLines(std.out, []*headgatev1.GetSubscriptionResponse{got})
	}
	return showSubscription(std.out, got, time.Now())
}

type subscriptionSeekCommand struct {
	subscriptionName
	startFlags
	Shard *uint32 `placeholder:"INDEX" help:"Only this shard. Default: all of them."`
}

// Run moves the position.
func (c *subscriptionSeekCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	start, where, err := c.required()
	if err != nil {
		return err
	}
	err = c.call(ctx, g, elsewhere, func(s headgatev1.SubscriptionServiceClient) error {
		_, err := s.SeekSubscription(ctx, &headgatev1.SeekSubscriptionRequest{Name: c.Name, Shard: c.Shard, Start: start})
		return err
	})
	if err != nil {
		return err
	}
	what := printable(c.Name)
	if c.Shard != nil {
		what = fmt.Sprintf("shard %d of %s", *c.Shard, what)
	}
	_, err = fmt.Fprintf(std.out, "moved %s: it begins %s\n", what, printable(where))
	return err
}

type subscriptionSkipCommand struct {
	subscriptionName
	ofReader
	Cursor text `required:"" placeholder:"CURSOR" help:"The event's cursor."`
	Reason text `required:"" placeholder:"TEXT" help:"Why, for whoever looks at the list later."`
}

// Run leaves the event out.
func (c *subscriptionSkipCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	skip, err := c.skip(ctx, g)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "left out of shard %d of %s; the event stays in the log: headgate get -- %s\n", skip.GetShard(), printable(c.Name), printable(string(c.Cursor)))
	return err
}

func (c *subscriptionSkipCommand) skip(ctx context.Context, g *gateway) (skip *headgatev1.Skip, err error) {
	if c.Reader == "" {
		err = c.call(ctx, g, noEvent, func(s headgatev1.SubscriptionServiceClient) error {
			answer, err := s.SkipEvent(ctx, &headgatev1.SkipEventRequest{Name: c.Name, Cursor: string(c.Cursor), Reason: string(c.Reason)})
			skip = answer.GetSkip()
			return err
		})
		return skip, err
	}
	err = c.callAdmin(ctx, g, noEvent, func(s adminv1.AdminServiceClient) error {
		answer, err := s.SkipEvent(ctx, &adminv1.SkipEventRequest{Reader: c.Reader, Name: c.Name, Cursor: string(c.Cursor), Reason: string(c.Reason)})
		skip = answer.GetSkip()
		return err
	})
	return skip, err
}

type subscriptionDeleteCommand struct {
	subscriptionName
	ofReader
}

// Run deletes the subscription.
func (c *subscriptionDeleteCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	if err := c.delete(ctx, g); err != nil {
		return err
	}
	_, err := fmt.Fprintf(std.out, "deleted %s\n", printable(c.Name))
	return err
}

func (c *subscriptionDeleteCommand) delete(ctx context.Context, g *gateway) error {
	if c.Reader == "" {
		return c.call(ctx, g, "", func(s headgatev1.SubscriptionServiceClient) error {
			_, err := s.DeleteSubscription(ctx, &headgatev1.DeleteSubscriptionRequest{Name: c.Name})
			return err
		})
	}
	return c.callAdmin(ctx, g, "", func(s adminv1.AdminServiceClient) error {
		_, err := s.DeleteSubscription(ctx, &adminv1.DeleteSubscriptionRequest{Reader: c.Reader, Name: c.Name})
		return err
	})
}
