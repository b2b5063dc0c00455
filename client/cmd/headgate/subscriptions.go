package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/headgate/headgate/client"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

type subscriptionsCommand struct {
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
			return subscriptionsTable(std.out, all.GetSubscriptions(), true)
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
	return subscriptionsTable(std.out, list, false)
}

// endangered is what to do about a subscription that the retention comes close to.
const endangered = "ENDANGERED: the retention will soon remove events that were not handled. Start its service, or give the log more room."

func subscriptionsTable(out io.Writer, list []*adminv1.ReaderSubscription, readers bool) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "there are no subscriptions")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(reader string, cells ...string) {
		if readers {
			cells = append([]string{reader}, cells...)
		}
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	row("READER", "SUBSCRIPTION", "SHARDS", "SERVED", "STANDING BY", "LAG", "LAST SAVED")
	danger := false
	for _, r := range list {
		s := r.GetSubscription()
		saved := momentOr(s.GetSavedAt(), "never")
		if s.GetEndangered() {
			danger = true
			saved += "  ENDANGERED"
		}
		row(printable(r.GetReader()), printable(s.GetName()), fmt.Sprint(s.GetShardCount()), fmt.Sprint(s.GetServed()), fmt.Sprint(s.GetStandingBy()), lag(s.GetLag()), saved)
	}
	if danger {
		_, _ = fmt.Fprintf(table, "\n%s\n", endangered)
	}
	return table.Flush()
}

// lag is how far behind something is, "-" when it is not.
func lag(d *durationpb.Duration) string {
	if d == nil {
		return "-"
	}
	return short(d.AsDuration())
}

// short is a duration in its two largest units.
func short(d time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	for i, u := range units[:3] {
		if d < u.size {
			continue
		}
		text := fmt.Sprintf("%d%s", d/u.size, u.name)
		if rest := d % u.size / units[i+1].size; rest > 0 {
			text += fmt.Sprintf("%d%s", rest, units[i+1].name)
		}
		return text
	}
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second / 10).String()
}

// showSubscription writes one subscription with its shards and skips.
func showSubscription(out io.Writer, got *headgatev1.GetSubscriptionResponse) error {
	s := got.GetSubscription()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "name\t%s\nmade\t%s\nshards\t%d, %d served, %d standing by\nlag\t%s\nlast saved\t%s\n", printable(s.GetName()), moment(s.GetCreatedAt()),
		s.GetShardCount(), s.GetServed(), s.GetStandingBy(), lag(s.GetLag()), momentOr(s.GetSavedAt(), "never"))
	if s.GetEndangered() {
		_, _ = fmt.Fprintln(table, endangered)
	}
	_, _ = fmt.Fprintln(table, "\nSHARD\tLAG\tLAST SAVED\tMEMBER\tCLIENT\tCURSOR")
	leaving := false
	for _, sh := range got.GetShards() {
		leaving = leaving || holder(sh) == nobodyYet
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", sh.GetIndex(), lag(sh.GetLag()), momentOr(sh.GetSavedAt(), "never"), holder(sh), known(sh.GetClientName()),
			printable(sh.GetCursor()))
	}
	if leaving {
		_, _ = fmt.Fprintf(table, "%s: whoever had the shard may still save what it handled, for five seconds\n", nobodyYet)
	}
	if len(got.GetSkips()) > 0 {
		_, _ = fmt.Fprintln(table, "\nSKIPPED\tSHARD\tCURSOR\tBY\tREASON")
	}
	for _, k := range got.GetSkips() {
		_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", moment(k.GetSkippedAt()), k.GetShard(), printable(k.GetCursor()), printable(k.GetSkippedBy()), printable(k.GetReason()))
	}
	return table.Flush()
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
