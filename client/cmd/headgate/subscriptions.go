package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/cmd/terminal"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

type subscriptionsCommand struct {
	listFlag
	Own bool `help:"Only this reader's own. That is also what whoever is no operator gets."`
}

// Run lists the subscriptions of all readers, as operators may, or else the caller's own.
func (c *subscriptionsCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	if !c.Own {
		all, err := adminv1.NewAdminServiceClient(connection.Conn()).ListSubscriptions(ctx, &adminv1.ListSubscriptionsRequest{})
		if err == nil {
			return c.show(std.out, all.GetSubscriptions(), true)
		}
		if answer := client.ErrorOf(err); answer.Reason != client.ReasonOperatorOnly {
			return g.explain(answer)
		}
		if _, err := fmt.Fprintln(std.err, "only this reader's own: the others are for operators"); err != nil {
			return err
		}
	}
	own, err := headgatev1.NewSubscriptionServiceClient(connection.Conn()).ListSubscriptions(ctx, &headgatev1.ListSubscriptionsRequest{})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	var list []*adminv1.ReaderSubscription
	for _, s := range own.GetSubscriptions() {
		list = append(list, &adminv1.ReaderSubscription{Subscription: s})
	}
	return c.show(std.out, list, false)
}

// endangered is what to do about a subscription that the retention comes close to.
const endangered = "ENDANGERED: the retention will soon remove events that were not handled. Start its service, or give the log more room."

func (c *subscriptionsCommand) show(out io.Writer, list []*adminv1.ReaderSubscription, readers bool) error {
	if c.json() {
		return jsonLines(out, list)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "there are no subscriptions: headgate subscription create makes one, and so does the first reader that names one")
		return err
	}
	if err := subscriptionsTable(list, readers, time.Now()).write(out); err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(r *adminv1.ReaderSubscription) bool { return r.GetSubscription().GetEndangered() }) {
		return nil
	}
	_, err := fmt.Fprintf(out, "\n%s\n", endangered)
	return err
}

func subscriptionsTable(list []*adminv1.ReaderSubscription, readers bool, now time.Time) *table {
	heads := []string{"SUBSCRIPTION", "SERVED>", "STANDBY>", "LAG>", "LAST SAVED"}
	if readers {
		heads = slices.Insert(heads, 0, "READER")
	}
	t := newTable(heads...)
	for _, r := range list {
		s := r.GetSubscription()
		saved := ago(s.GetSavedAt(), now)
		if s.GetEndangered() {
			saved += "  ENDANGERED"
		}
		cells := []string{printable(s.GetName()), servedOf(s), fmt.Sprint(s.GetStandingBy()), lag(s.GetLag()), saved}
		if readers {
			cells = slices.Insert(cells, 0, printable(r.GetReader()))
		}
		t.row(cells...)
	}
	return t
}

// lag is how far behind something is, "-" when it is not.
func lag(d *durationpb.Duration) string {
	if d == nil {
		return "-"
	}
	return terminal.Short(d.AsDuration())
}

// showSubscription writes one subscription with its shards and skips.
func showSubscription(out io.Writer, got *headgatev1.GetSubscriptionResponse, now time.Time) error {
	s := got.GetSubscription()
	_, err := fmt.Fprintf(out, "name        %s\nmade        %s\nshards      %d, %d served, %d standing by\nlag         %s\nlast saved  %s\n", printable(s.GetName()), ago(s.GetCreatedAt(), now),
		s.GetShardCount(), s.GetServed(), s.GetStandingBy(), lag(s.GetLag()), ago(s.GetSavedAt(), now))
	if s.GetEndangered() {
		_, _ = fmt.Fprintln(out, endangered)
	}
	_, _ = fmt.Fprintln(out)
	t, leaving := newTable("SHARD>", "LAG>", "LAST SAVED", "MEMBER", "CLIENT", "CURSOR"), false
	for _, sh := range got.GetShards() {
		leaving = leaving || holder(sh) == nobodyYet
		t.row(fmt.Sprint(sh.GetIndex()), lag(sh.GetLag()), ago(sh.GetSavedAt(), now), holder(sh), known(sh.GetClientName()), printable(sh.GetCursor()))
	}
	err = errors.Join(err, t.write(out))
	if leaving {
		_, _ = fmt.Fprintf(out, "%s: whoever had the shard may still save what it handled, for five seconds\n", nobodyYet)
	}
	if len(got.GetSkips()) > 0 {
		_, _ = fmt.Fprintln(out)
		t = newTable("SKIPPED", "SHARD>", "CURSOR", "BY", "REASON")
		for _, k := range got.GetSkips() {
			t.row(ago(k.GetSkippedAt(), now), fmt.Sprint(k.GetShard()), printable(k.GetCursor()), printable(k.GetSkippedBy()), printable(k.GetReason()))
		}
		err = errors.Join(err, t.write(out))
	}
	return err
}

// nobodyYet is the holder of a shard whose stream has ended and whose lease is in force.
const nobodyYet = "nobody yet"

// holder is to whom a shard is served.
func holder(sh *headgatev1.SubscriptionShard) string {
	if sh.GetMember() == "" && sh.GetLease() != "" {
		return nobodyYet
	}
	return known(sh.GetMember())
}

// explainSubscription knows what to do about a name that there is not, and says what to do about a lost cursor.
func explainSubscription(ctx context.Context, g *gateway, connection *client.Client, name, lost string, err error) error {
	answer, ok := errors.AsType[*client.Error](err)
	if !ok {
		return g.explain(err)
	}
	switch answer.Reason {
	case client.ReasonSubscriptionNotFound:
		return noSubscription(ctx, connection, name)
	case client.ReasonCursorExpired:
		return fmt.Errorf("%s: the events at this place are no longer kept (%s)", answer.Reason, lost)
	case client.ReasonCursorForeign:
		return fmt.Errorf("%s: the cursor was not made by this log (%s)", answer.Reason, lost)
	}
	return g.explain(err)
}

// noSubscription tells an operator whose the subscription is, as it can be reached by its own reader only.
func noSubscription(ctx context.Context, connection *client.Client, name string) error {
	var owners []string
	all, err := adminv1.NewAdminServiceClient(connection.Conn()).ListSubscriptions(ctx, &adminv1.ListSubscriptionsRequest{})
	if err == nil { // else the caller is no operator, and is not told of others
		for _, r := range all.GetSubscriptions() {
			if r.GetSubscription().GetName() == name {
				owners = append(owners, printable(r.GetReader()))
			}
		}
	}
	if len(owners) > 0 {
		return fmt.Errorf("the subscription %s belongs to the reader %s: use the token of that reader; to skip and to delete, an operator names it with --reader", printable(name), strings.Join(owners, " or "))
	}
	return fmt.Errorf("this reader has no subscription %s: see headgate subscriptions --own, or make it with headgate subscription create", printable(name))
}
