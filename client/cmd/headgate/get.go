package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

type getCommand struct {
	Cursor string `arg:"" help:"The event's cursor."`
	Raw    bool   `help:"Write the webhook's body, byte for byte as it was received."`
}

// Run shows one event.
func (c *getCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	answer, err := headgatev1.NewEventServiceClient(connection.Conn()).
		GetEvent(ctx, &headgatev1.GetEventRequest{Cursor: c.Cursor, IncludeRawBody: c.Raw})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	if c.Raw {
		if answer.RawBody == nil {
			return errors.New("the gateway did not keep the body of this event")
		}
		_, err := std.out.Write(answer.GetRawBody())
		return err
	}
	line, err := jsonLine(answer.GetEvent())
	if err != nil {
		return err
	}
	indented, err := json.MarshalIndent(json.RawMessage(line), "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s\n", indented)
	return err
}
