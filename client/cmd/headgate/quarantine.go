package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/headgate/headgate/client"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

type quarantineCommand struct {
	List      quarantineListCommand      `cmd:"" help:"List the quarantine, newest first."`
	Show      quarantineShowCommand      `cmd:"" help:"Show one quarantined webhook."`
	Reprocess quarantineReprocessCommand `cmd:"" help:"Make events of quarantined webhooks, now that what was wrong has been set right."`
	Discard   quarantineDiscardCommand   `cmd:"" help:"Give quarantined webhooks up: their bodies are gone, the gaps in their places stay."`
}

type quarantineListCommand struct {
	Limit  uint32 `placeholder:"N" help:"How many at the most. Default: all of them."`
	Source string `placeholder:"NAME" help:"Only those of this source."`
}

// Run lists page after page.
func (c *quarantineListCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	admin := adminv1.NewAdminServiceClient(connection.Conn())
	var found []*adminv1.Quarantined
	request := &adminv1.ListQuarantineRequest{PageSize: pageSize, Source: c.Source}
	for more := true; more; {
		if c.Limit > 0 {
			request.PageSize = min(pageSize, c.Limit-uint32(len(found)))
		}
		page, err := admin.ListQuarantine(ctx, request)
		if err != nil {
			return g.explain(client.ErrorOf(err))
		}
		found = append(found, page.GetQuarantined()...)
		more = page.GetHasMore() && len(page.GetQuarantined()) > 0 && (c.Limit == 0 || uint32(len(found)) < c.Limit)
		if more {
			request.AfterId = found[len(found)-1].GetId()
		}
	}
	if len(found) == 0 {
		_, err := fmt.Fprintln(std.out, "the quarantine is empty")
		return err
	}
	return quarantineTable(std.out, found)
}

func quarantineTable(out io.Writer, found []*adminv1.Quarantined) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tRECEIVED\tSOURCE\tCONTEXT\tEVENT TYPE\tBYTES\tPROBLEM")
	for _, q := range found {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", printable(q.GetId()), moment(q.GetReceivedAt()), printable(q.GetSource()),
			known(q.GetContext()), known(q.GetEventType()), q.GetBodySize(), printable(q.GetProblem()))
	}
	return table.Flush()
}

// known is what is known of a webhook, "-" when nothing is.
func known(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

type quarantineShowCommand struct {
	ID  string `arg:"" name:"id" help:"The id, as listed."`
	Raw bool   `help:"Write the webhook's body, byte for byte as it was received."`
}

// Run shows what is known of one webhook.
func (c *quarantineShowCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	answer, err := adminv1.NewAdminServiceClient(connection.Conn()).GetQuarantined(ctx, &adminv1.GetQuarantinedRequest{Id: c.ID})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	if c.Raw {
		_, err := std.out.Write(answer.GetRawBody())
		return err
	}
	q := answer.GetQuarantined()
	_, err = fmt.Fprintf(std.out, "id            %s\nproblem       %s\nreceived      %s\nsource        %s\ncontext       %s\nevent type    %s\ncontent type  %s\nbody          %d bytes, see --raw\n",
		printable(q.GetId()), printable(q.GetProblem()), moment(q.GetReceivedAt()), printable(q.GetSource()), known(q.GetContext()),
		known(q.GetEventType()), known(q.GetContentType()), q.GetBodySize())
	return err
}
