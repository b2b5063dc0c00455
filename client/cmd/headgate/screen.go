package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/client/cmd/terminal"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// screen is what there is room for.
type screen struct {
	columns, lines int
	coloured       bool
}

// screenOf is the terminal's size; of anything else, that of a small one, with lines as long as they must be.
func screenOf(out io.Writer) screen {
	columns, lines, found := terminal.Size(out)
	if !found {
		return screen{lines: 24}
	}
	return screen{columns, lines, terminal.HasColours(out)}
}

const (
	red    = "1;31"
	yellow = "33"
	bold   = "1"
)

func (s screen) colour(code, text string) string {
	if !s.coloured {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// screen is all of it, alarms first. What has no room is counted, with the command that shows it.
func (n *snapshot) screen(s screen) []string {
	lines := []string{n.title(s)}
	if alarms := n.alarms(s); len(alarms) > 0 {
		lines = append(lines, "")
		lines = append(lines, atMost(alarms, 6, "headgate sources, headgate subscriptions")...)
	}
	lines = append(lines, "")
	for _, line := range n.figures() {
		lines = append(lines, cut(line, s.columns))
	}
	room := s.lines - len(lines) - 1 // the cursor's line
	behind := n.behind(s)
	behind = atMost(behind, max(4, room/3), "headgate subscriptions")
	room -= len(behind)
	lines = append(lines, n.sources(s, max(room, 4))...)
	return append(lines, behind...)
}

// atMost cuts a list whose last line then says how much is missing.
func atMost(list []string, n int, see string) []string {
	if len(list) <= n {
		return list
	}
	return append(slices.Clone(list[:n-1]), fmt.Sprintf("… and %d more: %s", len(list)-n+1, see))
}

func (n *snapshot) title(s screen) string {
	state, colour := "accepting webhooks", bold
	if !n.status.GetReady() {
		state, colour = "NOT ACCEPTING webhooks", red
	}
	up := terminal.Short(max(0, n.at.Sub(n.status.GetStartedAt().AsTime())).Truncate(time.Second))
	return s.colour(colour, cut(fmt.Sprintf("headgate %s at %s, up %s: %s", printable(n.status.GetVersion()), n.address, up, state), s.columns))
}

const (
	// wrongSecretFrom is as often as the CRM tries an event. A stranger's post or two are no alarm.
	wrongSecretFrom = 3
	// certificateSoon is when an end is worth a line, as it is an alert.
	certificateSoon = 14 * 24 * time.Hour
)

// alarms are lines that somebody should do something about.
func (n *snapshot) alarms(s screen) (list []string) {
	add := func(colour, format string, args ...any) {
		list = append(list, s.colour(colour, cut(fmt.Sprintf(format, args...), s.columns)))
	}
	if !n.status.GetReady() {
		add(red, "NOT ACCEPTING  %s", printable(n.status.GetProblem()))
	}
	for _, src := range n.status.GetSources() {
		name := printable(src.GetSource())
		switch {
		case src.GetStopped():
			add(red, "STOPPED        %s: the CRM sends no more; see headgate sources %s", name, name)
		case len(src.GetSuspected()) > 0:
			add(red, "LOSING EVENTS? %s: see headgate sources %s", name, name)
		case src.GetUnauthenticatedInARow() >= wrongSecretFrom:
			add(red, "WRONG SECRET?  %s: %s with a wrong signature and none with a right one since; see headgate sources %s", name, some(src.GetUnauthenticatedInARow(), "post"), name)
		case src.GetAwaitingSecretUntil() != nil:
			add(yellow, "NO SECRET      %s takes nothing but the test call; that ends %s", name, ahead(src.GetAwaitingSecretUntil(), n.at))
		}
	}
	if ends := n.status.GetCertificateNotAfter(); ends != nil && ends.AsTime().Before(n.at) {
		add(red, "CERTIFICATE    ended %s: nobody who checks it connects, the CRM neither", ago(ends, n.at))
	} else if ends != nil && ends.AsTime().Sub(n.at) < certificateSoon {
		add(yellow, "CERTIFICATE    ends %s", ahead(ends, n.at))
	}
	for _, r := range n.subscriptions {
		if r.GetSubscription().GetEndangered() {
			add(red, "ENDANGERED     %s will lose events to the retention: start its service", printable(subscriptionOf(r)))
		}
	}
	for _, st := range n.streams {
		if st.GetState() == adminv1.Stream_STATE_STALLED {
			add(yellow, "STALLED        %s takes nothing: see headgate connections", nameOf(st))
		}
	}
	log := n.status.GetLog()
	if q := log.GetQuarantined(); q > 0 {
		add(yellow, "QUARANTINE     %s: see headgate quarantine list", some(q, "webhook"))
	}
	if q := log.GetQuarantineDropped(); q > 0 {
		add(yellow, "QUARANTINE     %s dropped, as it was full: see retention.quarantine_max_size", terminal.Count(q))
	}
	if gap := n.status.GetLastNotReady(); gap != nil && n.at.Sub(gap.GetToTime().AsTime()) < 24*time.Hour {
		add(yellow, "AWAY           until %s: events may be missing; see headgate sources", ago(gap.GetToTime(), n.at))
	}
	return list
}

func subscriptionOf(r *adminv1.ReaderSubscription) string {
	return r.GetReader() + "/" + r.GetSubscription().GetName()
}

// nameOf is what a stream is known by: its reader, and what it calls itself.
func nameOf(st *adminv1.Stream) string {
	return strings.Trim(printable(st.GetReader()+"/"+st.GetClientName()), "/")
}

// figures are the gateway's, a line each for what comes in, what goes out, and what is kept.
func (n *snapshot) figures() []string {
	var rate float64
	var in adminv1.SourceStatus
	for _, s := range n.status.GetSources() {
		rate += s.GetAcceptedPerSecond()
		in.Accepted, in.Duplicates, in.Quarantined, in.Refused = in.Accepted+s.GetAccepted(), in.Duplicates+s.GetDuplicates(), in.Quarantined+s.GetQuarantined(), in.Refused+s.GetRefused()
	}
	readers, behind := map[string]bool{}, 0
	for _, st := range n.streams {
		readers[st.GetReader()] = true
		if !st.GetCaughtUp() {
			behind++
		}
	}
	reading := "nobody reads: try headgate tail"
	if len(n.streams) > 0 {
		reading = some(uint64(len(n.streams)), "stream") + " of " + some(uint64(len(readers)), "reader")
		if behind > 0 {
			reading += fmt.Sprintf(", %d behind", behind)
		}
	}
	log := n.status.GetLog()
	kept := "empty"
	if log.GetEarliestTime() != nil {
		kept = fmt.Sprintf("%s, oldest %s, newest %s", some(log.GetRecords(), "record"), ago(log.GetEarliestTime(), n.at), ago(log.GetLatestTime(), n.at))
	}
	lines := []string{
		fmt.Sprintf("in    %s/s  %s accepted, %s, %s quarantined, %s refused", terminal.Rate(rate), terminal.Count(in.Accepted), some(in.Duplicates, "duplicate"),
			terminal.Count(in.Quarantined), terminal.Count(in.Refused)),
		fmt.Sprintf("out   %s/s  %s sent, %s", terminal.Rate(n.status.GetEventsSentPerSecond()), some(n.status.GetEventsSent(), "event"), reading),
		fmt.Sprintf("log   %s  %s, %s free", terminal.Bytes(float64(log.GetSizeBytes())), kept, terminal.Bytes(float64(log.GetFreeBytes()))),
	}
	if len(n.lastHour) > 0 {
		accepted, most := spark(n.lastHour, func(p *adminv1.HistoryPoint) uint64 { return p.GetPosts()["accepted"] })
		sent, mostSent := spark(n.lastHour, (*adminv1.HistoryPoint).GetEventsSent)
		lines = append(lines, fmt.Sprintf("hour  in %s up to %s/s, out %s up to %s/s", accepted, terminal.Rate(most), sent, terminal.Rate(mostSent)))
	}
	if log.GetFormat() < log.GetNewestFormat() {
		lines = append(lines, fmt.Sprintf("      format %d; headgated upgrade-store brings it to %d, which releases before cannot open", log.GetFormat(), log.GetNewestFormat()))
	}
	return lines
}

// sources are in a line each, in at most so many with what stands over them.
func (n *snapshot) sources(s screen, most int) []string {
	if len(n.status.GetSources()) == 0 {
		return []string{"", "no source is configured: headgate source new makes one"}
	}
	t := newTable("SOURCE", "/S>", "ACCEPTED>", "DUPLICATES>", "QUARANTINED>", "REFUSED>", "LAST EVENT")
	for _, src := range n.status.GetSources() {
		t.row(printable(src.GetSource()), terminal.Rate(src.GetAcceptedPerSecond()), terminal.Count(src.GetAccepted()), terminal.Count(src.GetDuplicates()),
			terminal.Count(src.GetQuarantined()), terminal.Count(src.GetRefused()), ago(cmp.Or(src.GetLastAcceptedAt(), src.GetLastHeardAt()), n.at))
	}
	return headed(s, atMost(t.lines(s.columns), most-1, "headgate sources"))
}

// headed is a table after an empty line, with its first line in bold.
func headed(s screen, lines []string) []string {
	lines[0] = s.colour(bold, lines[0])
	return append([]string{""}, lines...)
}

// isBehind is how far a subscription may be behind without a word.
const isBehind = time.Minute

// behind are the subscriptions that are, the farthest first.
func (n *snapshot) behind(s screen) []string {
	var list []*adminv1.ReaderSubscription
	for _, r := range n.subscriptions {
		if sub := r.GetSubscription(); sub.GetEndangered() || sub.GetLag().AsDuration() >= isBehind {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return nil
	}
	slices.SortStableFunc(list, func(a, b *adminv1.ReaderSubscription) int {
		return cmp.Compare(b.GetSubscription().GetLag().AsDuration(), a.GetSubscription().GetLag().AsDuration())
	})
	t := newTable("SUBSCRIPTION BEHIND", "LAG>", "SERVED>", "LAST SAVED")
	for _, r := range list {
		sub := r.GetSubscription()
		t.row(printable(subscriptionOf(r)), lag(sub.GetLag()), servedOf(sub), ago(sub.GetSavedAt(), n.at))
	}
	return headed(s, t.lines(s.columns))
}

// servedOf is how many of a subscription's shards somebody reads.
func servedOf(s *headgatev1.Subscription) string {
	return fmt.Sprintf("%d/%d", s.GetServed(), s.GetShardCount())
}

// sparkPoints are in one character: two minutes, so that an hour takes thirty.
const sparkPoints = 12

// spark draws how often something happened, and returns how often a second that was at most. What happened at all is higher than what did not.
func spark(points []*adminv1.HistoryPoint, count func(*adminv1.HistoryPoint) uint64) (drawn string, most float64) {
	var rates []float64
	for end := len(points); end > 0; end -= sparkPoints {
		var n uint64
		var over time.Duration
		for _, p := range points[max(0, end-sparkPoints):end] {
			n, over = n+count(p), over+p.GetOver().AsDuration()
		}
		rates = append(rates, float64(n)/max(over, time.Second).Seconds())
	}
	slices.Reverse(rates)
	most = slices.Max(rates)
	heights := []rune("▁▂▃▄▅▆▇█")
	for _, rate := range rates {
		height := 0
		if rate > 0 {
			height = max(1, int(rate/most*float64(len(heights)-1)+0.5))
		}
		drawn += string(heights[height])
	}
	return drawn, most
}
