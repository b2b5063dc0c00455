package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/cmd/terminal"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

type sourcesCommand struct {
	listFlag
	Names []string `arg:"" optional:"" name:"name" help:"Only these sources."`
}

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
	sources, err := c.chosen(status.GetSources())
	switch {
	case err != nil:
		return err
	case c.json():
		return jsonLines(std.out, sources)
	case len(sources) == 0:
		_, err := fmt.Fprintln(std.out, "no source is configured: headgate source new makes one")
		return err
	}
	log, err := headgatev1.NewEventServiceClient(connection.Conn()).DescribeLog(ctx, &headgatev1.DescribeLogRequest{})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	now := time.Now()
	for _, s := range sources {
		if err := showSource(std, s, log.GetTenants(), now); err != nil {
			return err
		}
	}
	if gap := status.GetLastNotReady(); gap != nil {
		_, _ = fmt.Fprintf(std.out, "of all sources may be missing\n  %s\n\n", lost(gap))
	}
	_, err = fmt.Fprintf(std.out, "counts are since the start, %s\n", ago(status.GetStartedAt(), now))
	return err
}

// chosen are the sources that were named, or all.
func (c *sourcesCommand) chosen(all []*adminv1.SourceStatus) (list []*adminv1.SourceStatus, err error) {
	var there []string
	for _, s := range all {
		there = append(there, printable(s.GetSource()))
		if len(c.Names) == 0 || slices.Contains(c.Names, s.GetSource()) {
			list = append(list, s)
		}
	}
	for _, name := range c.Names {
		if !slices.ContainsFunc(all, func(s *adminv1.SourceStatus) bool { return s.GetSource() == name }) {
			return nil, fmt.Errorf("no source is called %s; there are: %s", printable(name), cmp.Or(strings.Join(there, ", "), "none"))
		}
	}
	return list, nil
}

func showSource(std *stdio, s *adminv1.SourceStatus, tenants []*headgatev1.DescribeLogResponse_Tenant, now time.Time) error {
	t := newTable(printable(s.GetSource()))
	t.right = make([]bool, 2)
	line := func(name, format string, args ...any) { t.row("  "+name, fmt.Sprintf(format, args...)) }
	line("contexts", "%s", contextsOf(s, tenants))
	line("last event", "%s", ago(s.GetLastAcceptedAt(), now))
	line("last heard", "%s", heard(s, now))
	line("last test call", "%s", ago(s.GetLastTestAt(), now))
	line("last secret used", "%s", known(s.GetLastSecretId()))
	line("accepted", "%s/s, %s, %s, %s quarantined", terminal.Rate(s.GetAcceptedPerSecond()), terminal.Count(s.GetAccepted()), some(s.GetDuplicates(), "duplicate"),
		terminal.Count(s.GetQuarantined()))
	line("refused", "%s%s", terminal.Count(s.GetRefused()), causes(s.GetRefusedByCause()))
	if until := s.GetAwaitingSecretUntil(); until != nil {
		line("AWAITS SECRET", "it answers nothing but the test call; that ends %s", ahead(until, now))
	}
	if n := s.GetUnauthenticatedInARow(); n > 0 {
		line("SIGNATURES?", "%s with a wrong signature since the last right one. If the feed's events", some(n, "post"))
		line("", "are missing: the secret in the CRM is another one than the configuration's, or that")
		line("", "has ended: see headgated check. If they come: somebody else found the address.")
	}
	for _, cause := range s.GetSuspected() {
		if says, ok := suspicions[cause]; ok {
			line("LOSING EVENTS?", "%s", says)
		}
	}
	if gap := s.GetLastSuspected(); gap != nil {
		line("may be missing", "%s", lost(gap))
		line("", "%s since the start", some(s.GetSuspectedGaps(), "such gap"))
	}
	if s.GetStopped() {
		line("STOPPED", "the CRM has switched the feed off, or will have.")
		line("", "When the cause is mended, send it, with the webhook's id:")
		line("", "PATCH /api/v1/Webhook/{id}")
		line("", "Content-Type: application/merge-patch+json")
		line("", `{"State": "Active"}`)
		line("", "What happened in between is not sent again: compare with the CRM.")
	}
	if err := t.write(std.out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(std.out)
	return err
}

// contextsOf are the tenants that a source may speak for; where that is any, those of which the log has held something.
func contextsOf(s *adminv1.SourceStatus, tenants []*headgatev1.DescribeLogResponse_Tenant) string {
	if len(s.GetContexts()) > 0 {
		return printable(strings.Join(s.GetContexts(), " "))
	}
	text := "any"
	for _, t := range tenants {
		if t.GetSource() == s.GetSource() {
			text += " " + printable(t.GetContext())
		}
	}
	return strings.Replace(text, "any ", "any, so far ", 1)
}

// heard is when the source was last heard, and by when it should be again.
func heard(s *adminv1.SourceStatus, now time.Time) string {
	text := ago(s.GetLastHeardAt(), now)
	if by := s.GetExpectedBy(); by != nil {
		text += ", expected again " + ahead(by, now)
	}
	return text
}

// suspicions are what makes the gateway think that events of a source are being lost.
var suspicions = map[headgatev1.Gap_Cause]string{
	headgatev1.Gap_CAUSE_RETRIED:      "the CRM tries webhooks twice: look at what stands in between",
	headgatev1.Gap_CAUSE_CRM_REPORTED: "the CRM says that it could not deliver, or has stopped",
	headgatev1.Gap_CAUSE_SILENCE:      "silent when it sends in other weeks: has the CRM stopped it?",
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
	return fmt.Sprintf("%s to %s, %s", moment(gap.GetFromTime()), moment(gap.GetToTime()), cause)
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
