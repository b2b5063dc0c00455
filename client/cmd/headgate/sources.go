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
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
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
	if gap := status.GetLastNotReady(); gap != nil {
		_, _ = fmt.Fprintf(std.out, "\nof all sources may be missing  %s\n", lost(gap))
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
	line("last heard", "%s", heard(s))
	line("last test call", "%s", momentOr(s.GetLastTestAt(), "none"))
	line("last secret used", "%s", known(s.GetLastSecretId()))
	line("accepted", "%d, %d duplicates, %d quarantined", s.GetAccepted(), s.GetDuplicates(), s.GetQuarantined())
	line("refused", "%d%s", s.GetRefused(), causes(s.GetRefusedByCause()))
	if until := s.GetAwaitingSecretUntil(); until != nil {
		line("awaits its secret", "until %s; answers nothing but the test call", moment(until))
	}
	for _, cause := range s.GetSuspected() {
		if says, ok := suspicions[cause]; ok {
			line("LOSING EVENTS?", "%s", says)
		}
	}
	if gap := s.GetLastSuspected(); gap != nil {
		line("may be missing", "%s; %d gaps since the start", lost(gap), s.GetSuspectedGaps())
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

// heard is when the source was last heard, and by when it should be again.
func heard(s *adminv1.SourceStatus) string {
	text := momentOr(s.GetLastHeardAt(), "never")
	if by := s.GetExpectedBy(); by != nil {
		text += ", expected again by " + moment(by)
	}
	return text
}

// suspicions are what makes the gateway think that events of a source are being lost.
var suspicions = map[headgatev1.Gap_Cause]string{
	headgatev1.Gap_CAUSE_RETRIED:      "the CRM must try some webhooks more than once: look at what stands between it and the gateway",
	headgatev1.Gap_CAUSE_CRM_REPORTED: "the CRM says that it could not deliver, or that it stopped the webhook",
	headgatev1.Gap_CAUSE_SILENCE:      "it is silent when it sends in other weeks: look whether the CRM has stopped the webhook",
}

// causesOfLoss are those of gaps.
var causesOfLoss = map[headgatev1.Gap_Cause]string{
	headgatev1.Gap_CAUSE_NOT_READY:    "the gateway was away, or could not store",
	headgatev1.Gap_CAUSE_RETRIED:      "webhooks came only when the CRM tried again",
	headgatev1.Gap_CAUSE_CRM_REPORTED: "the CRM said that it could not deliver",
	headgatev1.Gap_CAUSE_SILENCE:      "the source was silent",
}

// lost is the window that should be compared with the CRM, and why.
func lost(gap *headgatev1.Gap) string {
	cause, ok := causesOfLoss[gap.GetCause()]
	if !ok {
		cause = gap.GetCause().String()
	}
	return fmt.Sprintf("%s to %s: %s", moment(gap.GetFromTime()), moment(gap.GetToTime()), cause)
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
