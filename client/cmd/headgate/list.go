package main

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// pageSize is how many events are asked for at a time, the gateway's most.
const pageSize = 1000

type listCommand struct {
	filterFlags
	outputFlag

	After   text   `xor:"start" placeholder:"CURSOR" help:"Begin after this cursor. Default: with the oldest event." group:"From where on:"`
	From    *when  `xor:"start" placeholder:"TIME" help:"Begin with what was received at this time or later; 90m means 90 minutes ago." group:"From where on:"`
	EventID text   `name:"event-id" xor:"start" placeholder:"ID" help:"Only the events with this identifier of the CRM's." group:"Which events:"`
	Limit   uint32 `placeholder:"N" help:"How many events at the most. Default: all of them."`
}

// Run lists page after page.
func (c *listCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	events := headgatev1.NewEventServiceClient(connection.Conn())
	request := &headgatev1.ListEventsRequest{Filter: c.filter(), AfterCursor: string(c.After), EventId: string(c.EventID)}
	if c.From != nil {
		request.FromTime = timestamppb.New(c.From.Time)
	}
	lines := c.printer(std).counted("list")
	defer lines.done()
	for listed := uint32(0); ; {
		request.PageSize = pageSize
		if c.Limit > 0 {
			request.PageSize = min(pageSize, c.Limit-listed)
		}
		page, err := events.ListEvents(ctx, request)
		if err != nil {
			return g.explain(client.ErrorOf(err))
		}
		if err := lines.page(page); err != nil {
			return err
		}
		listed += uint32(len(page.GetEvents()))
		switch {
		case !page.GetHasMore():
			return nil
		case c.Limit > 0 && listed >= c.Limit:
			lines.done()
			_, err := fmt.Fprintf(std.err, "there is more: go on with --after=%s\n", printable(page.GetNextCursor()))
			return err
		case page.GetNextCursor() == request.GetAfterCursor():
			return fmt.Errorf("the gateway has more, but does not come nearer to it: %s", printable(page.GetNextCursor()))
		}
		request.AfterCursor, request.FromTime = page.GetNextCursor(), nil
	}
}

func (p printer) page(page *headgatev1.ListEventsResponse) error {
	for _, e := range page.GetEvents() {
		if err := p.event(e); err != nil {
			return err
		}
	}
	switch { // the page ends with its signal
	case page.GetGap() != nil:
		return p.gap(page.GetNextCursor(), page.GetGap())
	case page.GetErased() != nil:
		return p.erased(page.GetNextCursor(), page.GetErased())
	}
	return nil
}
