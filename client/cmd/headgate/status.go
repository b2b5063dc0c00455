package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/headgate/headgate/client"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

type statusCommand struct{}

// Run shows one screen. A gateway that is not ready is an error, after the screen.
func (c *statusCommand) Run(ctx context.Context, g *gateway, std *stdio) error {
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	admin := adminv1.NewAdminServiceClient(connection.Conn())
	status, err := admin.GetStatus(ctx, &adminv1.GetStatusRequest{})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	log, err := headgatev1.NewEventServiceClient(connection.Conn()).DescribeLog(ctx, &headgatev1.DescribeLogRequest{})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	streams, err := admin.ListStreams(ctx, &adminv1.ListStreamsRequest{})
	if err != nil {
		return g.explain(client.ErrorOf(err))
	}
	table := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	showGateway(table, g.Address, status)
	showLog(table, status.GetLog(), log)
	showSources(table, status.GetSources())
	showStreams(table, streams.GetStreams())
	if err := table.Flush(); err != nil {
		return err
	}
	if !status.GetReady() {
		return fmt.Errorf("the gateway is not ready: %s", printable(status.GetProblem()))
	}
	return nil
}

func showGateway(out io.Writer, address string, s *adminv1.GetStatusResponse) {
	state := "ready"
	if !s.GetReady() {
		state = "NOT READY: " + printable(s.GetProblem())
	}
	_, _ = fmt.Fprintf(out, "gateway %s at %s, up since %s: %s\n", printable(s.GetVersion()), address, moment(s.GetStartedAt()), state)
}

func showLog(out io.Writer, l *adminv1.LogStatus, d *headgatev1.DescribeLogResponse) {
	_, _ = fmt.Fprintf(out, "\nlog %s: %d records, %s, %s free on its disk\n", printable(l.GetEpoch()), l.GetRecords(), size(l.GetSizeBytes()), size(l.GetFreeBytes()))
	if l.GetEarliestTime() == nil {
		_, _ = fmt.Fprintln(out, "  empty")
	} else {
		_, _ = fmt.Fprintf(out, "  oldest\t%s\tafter cursor %s\n", moment(l.GetEarliestTime()), printable(d.GetEarliestCursor()))
		_, _ = fmt.Fprintf(out, "  newest\t%s\tcursor %s\n", moment(l.GetLatestTime()), printable(d.GetLatestCursor()))
	}
	tenants := make([]string, 0, len(d.GetTenants()))
	for _, t := range d.GetTenants() {
		tenants = append(tenants, printable(t.GetSource()+"/"+t.GetContext()))
	}
	if len(tenants) > 0 {
		_, _ = fmt.Fprintf(out, "  tenants\t%s\n", strings.Join(tenants, " "))
	}
	if l.GetFormat() < l.GetNewestFormat() {
		_, _ = fmt.Fprintf(out, "  stored in format %d: headgated upgrade-store brings it to %d, which the releases before could not open\n", l.GetFormat(), l.GetNewestFormat())
	}
	if n := l.GetQuarantined(); n > 0 {
		_, _ = fmt.Fprintf(out, "  %d in quarantine: see headgate quarantine list\n", n)
	}
	if n := l.GetQuarantineDropped(); n > 0 {
		_, _ = fmt.Fprintf(out, "  %d dropped from the quarantine, as it was full: see retention.quarantine_max_size\n", n)
	}
}

func showSources(out io.Writer, sources []*adminv1.SourceStatus) {
	_, _ = fmt.Fprintln(out, "\nSOURCE\tCONTEXTS\tACCEPTED\tDUPLICATES\tQUARANTINED\tREFUSED\tTESTS\tLAST ACCEPTED")
	for _, s := range sources {
		contexts, last := "any", "never"
		if len(s.GetContexts()) > 0 {
			contexts = strings.Join(s.GetContexts(), " ")
		}
		if s.GetLastAcceptedAt() != nil {
			last = moment(s.GetLastAcceptedAt())
		}
		_, _ = fmt.Fprintf(out, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", printable(s.GetSource()), printable(contexts), s.GetAccepted(),
			s.GetDuplicates(), s.GetQuarantined(), s.GetRefused(), s.GetTests(), last)
	}
	for _, s := range sources {
		if s.GetStopped() || len(s.GetSuspected()) > 0 {
			_, _ = fmt.Fprintf(out, "%s MAY BE LOSING EVENTS: see headgate sources\n", printable(s.GetSource()))
		}
	}
}

func showStreams(out io.Writer, streams []*adminv1.Stream) {
	if len(streams) == 0 {
		_, _ = fmt.Fprintln(out, "\nnobody reads")
		return
	}
	_, _ = fmt.Fprintln(out, "\nSTREAM\tREADER\tPEER\tSINCE\tSENT\tBEHIND\tFILTER")
	for _, s := range streams {
		behind := "-"
		if !s.GetCaughtUp() {
			behind = s.GetLag().AsDuration().Round(time.Millisecond).String()
		}
		filter, err := jsonLine(s.GetFilter())
		if err != nil || filter == "{}" {
			filter = "everything"
		}
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", printable(s.GetId()), known(s.GetClientName()), printable(s.GetPeer()),
			moment(s.GetStartedAt()), s.GetEventsSent(), behind, filter)
	}
}

// size is a number of bytes for people.
func size(bytes uint64) string {
	value, unit := float64(bytes), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, next
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}
