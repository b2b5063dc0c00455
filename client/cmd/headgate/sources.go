package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/headgate/headgate/client"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

type sourcesCommand struct{}

// Run shows each source in full, and for a feed that seems stopped what starts it again.
func (c *sourcesCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	status, err := adminv1.NewAdminServiceClient(connection.Conn()).GetStatus(ctx, &adminv1.GetStatusRequest{})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	for i, s := range status.GetSources() {
		if i > 0 {
			_, _ = fmt.Fprintln(std.out)
		}
		if err := showSource(std, s); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(std.out, "\ncounts are since %s\n", moment(status.GetStartedAt()))
	return err
}

func showSource(std *stdio, s *adminv1.SourceStatus) error {
	out := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(out, "  %s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	_, _ = fmt.Fprintln(out, printable(s.GetSource()))
	contexts := "any"
	if len(s.GetContexts()) > 0 {
		contexts = printable(strings.Join(s.GetContexts(), " "))
	}
	line("contexts", "%s", contexts)
	line("last event", "%s", momentOr(s.GetLastAcceptedAt(), "none"))
	line("last test call", "%s", momentOr(s.GetLastTestAt(), "none"))
	line("last secret used", "%s", known(s.GetLastSecretId()))
	line("accepted", "%d, %d duplicates, %d quarantined", s.GetAccepted(), s.GetDuplicates(), s.GetQuarantined())
	line("refused", "%d%s", s.GetRefused(), causes(s.GetRefusedByCause()))
	if until := s.GetAwaitingSecretUntil(); until != nil {
		line("awaits its secret", "until %s; answers nothing but the test call", moment(until))
	}
	if s.GetStopped() {
		line("STOPPED", "the CRM has switched the feed off, or will have. When the cause is mended, send it, with the webhook's id:")
		line("", "PATCH /api/v1/Webhook/{id}")
		line("", "Content-Type: application/merge-patch+json")
		line("", `{"State": "Active"}`)
		line("", "What happened in between is not sent again: compare with the CRM.")
	}
	return out.Flush()
}

func momentOr(t *timestamppb.Timestamp, none string) string {
	if t == nil {
		return none
	}
	return moment(t)
}

func causes(by map[string]uint64) string {
	var list []string
	for _, cause := range slices.Sorted(maps.Keys(by)) {
		list = append(list, fmt.Sprintf("%s %d", printable(cause), by[cause]))
	}
	if len(list) == 0 {
		return ""
	}
	return ": " + strings.Join(list, ", ")
}
