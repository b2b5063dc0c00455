package main

import (
	"context"
	"fmt"
	"time"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/cmd/terminal"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

type quarantineCommand struct {
	List      quarantineListCommand      `cmd:"" help:"List the quarantine, newest first."`
	Show      quarantineShowCommand      `cmd:"" help:"Show one quarantined webhook."`
	Reprocess quarantineReprocessCommand `cmd:"" help:"Make events of quarantined webhooks, now that what was wrong has been set right."`
	Discard   quarantineDiscardCommand   `cmd:"" help:"Give quarantined webhooks up: their bodies are gone, the gaps in their places stay."`
}

type quarantineListCommand struct {
	listFlag
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
	switch {
	case c.json():
		return jsonLines(std.out, found)
	case len(found) == 0:
		_, err := fmt.Fprintln(std.out, "the quarantine is empty: every webhook became an event")
		return err
	}
	return quarantineTable(found, time.Now()).write(std.out)
}

func quarantineTable(found []*adminv1.Quarantined, now time.Time) *table {
	t := newTable("ID", "RECEIVED", "SOURCE", "CONTEXT", "EVENT TYPE", "BYTES>", "PROBLEM")
	for _, q := range found {
		t.row(printable(q.GetId()), ago(q.GetReceivedAt(), now), printable(q.GetSource()), known(q.GetContext()), known(q.GetEventType()),
			terminal.Count(uint64(q.GetBodySize())), printable(q.GetProblem()))
	}
	return t
}

// known is what is known of a webhook, "-" when nothing is.
func known(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

type quarantineShowCommand struct {
	listFlag
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
	if c.json() {
		return jsonLines(std.out, []*adminv1.Quarantined{q})
	}
	_, err = fmt.Fprintf(std.out, "id            %s\nproblem       %s\nreceived      %s\nsource        %s\ncontext       %s\nevent type    %s\ncontent type  %s\nbody          %d bytes, see --raw\n",
		printable(q.GetId()), printable(q.GetProblem()), moment(q.GetReceivedAt()), printable(q.GetSource()), known(q.GetContext()),
		known(q.GetEventType()), known(q.GetContentType()), q.GetBodySize())
	return err
}
