package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/cmd/terminal"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

type statusCommand struct {
	listFlag
	Watch    bool          `short:"w" help:"Show it again and again, in the same place. Not on a terminal, once."`
	Interval time.Duration `default:"2s" placeholder:"DURATION" help:"With --watch: how long to wait in between, such as 500ms or 10s. Default: ${default}."`
}

// snapshot is a gateway at one moment.
type snapshot struct {
	address       string
	at            time.Time
	status        *adminv1.GetStatusResponse
	streams       []*adminv1.Stream
	subscriptions []*adminv1.ReaderSubscription
	lastHour      []*adminv1.HistoryPoint
}

func (g *gateway) snapshot(ctx context.Context, admin adminv1.AdminServiceClient) (*snapshot, error) {
	status, err := admin.GetStatus(ctx, &adminv1.GetStatusRequest{})
	if err != nil {
		return nil, g.explain(client.ErrorOf(err))
	}
	streams, err := admin.ListStreams(ctx, &adminv1.ListStreamsRequest{})
	if err != nil {
		return nil, g.explain(client.ErrorOf(err))
	}
	subscriptions, err := admin.ListSubscriptions(ctx, &adminv1.ListSubscriptionsRequest{})
	if err != nil {
		return nil, g.explain(client.ErrorOf(err))
	}
	history, err := admin.GetHistory(ctx, &adminv1.GetHistoryRequest{})
	if err != nil && grpcstatus.Code(err) != codes.Unimplemented { // by a gateway of an earlier release
		return nil, g.explain(client.ErrorOf(err))
	}
	return &snapshot{g.Address, time.Now(), status, streams.GetStreams(), subscriptions.GetSubscriptions(), history.GetPoints()}, nil
}

// Run shows one screen. A gateway that does not accept webhooks is an error, after the screen.
func (c *statusCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	if c.Interval < 100*time.Millisecond {
		return usagef("--interval %v: want 100ms or more", c.Interval)
	}
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	admin := adminv1.NewAdminServiceClient(connection.Conn())
	if c.Watch && !c.json() && terminal.Is(std.out) {
		return c.watch(ctx, g, admin, std.out)
	}
	if c.json() {
		status, err := admin.GetStatus(ctx, &adminv1.GetStatusRequest{})
		if err != nil {
			return g.explain(client.ErrorOf(err))
		}
		if err := jsonLines(std.out, []*adminv1.GetStatusResponse{status}); err != nil {
			return err
		}
		return notReady(status)
	}
	now, err := g.snapshot(ctx, admin)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(std.out, strings.Join(now.screen(screenOf(std.out)), "\n")); err != nil {
		return err
	}
	return notReady(now.status)
}

func notReady(s *adminv1.GetStatusResponse) error {
	if s.GetReady() {
		return nil
	}
	return fmt.Errorf("the gateway is not ready: %s", printable(s.GetProblem()))
}

// watch shows the screen in one place until ctx ends. A gateway that does not answer may be one that starts again: that is shown, and asked again.
func (c *statusCommand) watch(ctx context.Context, g *gateway, admin adminv1.AdminServiceClient, out io.Writer) error {
	shown := 0
	for {
		size := screenOf(out)
		asked, cancel := context.WithTimeout(ctx, 10*time.Second)
		now, err := g.snapshot(asked, admin)
		cancel()
		if ctx.Err() != nil {
			return nil // the user wanted it
		}
		if _, usage := errors.AsType[usageError](err); usage {
			return err
		}
		lines := []string{size.colour(red, cut("NO ANSWER  "+printable(fmt.Sprint(err)), size.columns)), "asked again every " + c.Interval.String()}
		if err == nil {
			lines = now.screen(size)
		}
		if err := rewrite(out, shown, lines); err != nil {
			return err
		}
		shown = len(lines)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.Interval):
		}
	}
}

// rewrite writes the lines over those that were shown before, in one write, so that nothing flickers.
func rewrite(out io.Writer, shown int, lines []string) error {
	var b strings.Builder
	if shown > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", shown)
	}
	for _, line := range lines {
		b.WriteString(terminal.ClearLine + line + "\n")
	}
	b.WriteString("\x1b[J")
	_, err := io.WriteString(out, b.String())
	return err
}
