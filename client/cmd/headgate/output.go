package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/headgate/headgate/client/cmd/terminal"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// outputFlag chooses how events are written.
type outputFlag struct {
	Output  string `enum:"text,json" default:"text" placeholder:"text|json" help:"One line of text or of JSON for each event. Default: text."`
	Verbose bool   `short:"v" help:"In text, begin each event's line with the time of its receipt and its cursor."`
}

// printer writes events and signals, one line each and each in one write. In text, signals go to the second writer: they are no events.
type printer struct {
	out, err      io.Writer
	json, verbose bool
	progress      *progress // nil: none is shown
}

// progress counts what was written, where that is not seen.
type progress struct {
	*terminal.Progress
	written float64
}

// counted shows how many events were written, where they go into a file and somebody sits before the terminal.
func (p printer) counted(what string) printer {
	if !terminal.Is(p.out) && terminal.Is(p.err) {
		p.progress = &progress{Progress: terminal.NewProgress(p.err, what, func(n float64) string { return some(uint64(n), "event") })}
	}
	return p
}

// done takes the line away.
func (p printer) done() {
	if p.progress != nil {
		p.progress.Clear()
	}
}

func (f *outputFlag) printer(std *stdio) printer {
	return printer{out: std.out, err: std.err, json: f.Output == "json", verbose: f.Verbose}
}

func (p printer) event(e *headgatev1.Event) error {
	line := eventLine(e)
	switch {
	case p.json:
		encoded, err := jsonLine(e)
		if err != nil {
			return err
		}
		line = encoded
	case p.verbose:
		line = fmt.Sprintf("%s %s %s", moment(e.GetReceivedAt()), printable(e.GetCursor()), line)
	}
	_, err := fmt.Fprintln(p.out, line)
	if p.progress != nil {
		p.progress.written++
		p.progress.Tell(p.progress.written, -1)
	}
	return err
}

func (p printer) gap(cursor string, g *headgatev1.Gap) error {
	reason := strings.ToLower(strings.TrimPrefix(g.GetReason().String(), "REASON_"))
	if g.GetCause() != headgatev1.Gap_CAUSE_UNSPECIFIED {
		reason += ", " + strings.ToLower(strings.TrimPrefix(g.GetCause().String(), "CAUSE_"))
	}
	where := "every source"
	if g.GetSource() != "" {
		where = "source " + g.GetSource()
	}
	if len(g.GetContexts()) > 0 {
		where += ", " + strings.Join(g.GetContexts(), " ")
	}
	text := fmt.Sprintf("gap: something may be missing here (%s): %s, %s to %s", reason, where, moment(g.GetFromTime()), moment(g.GetToTime()))
	return p.signal(cursor, "gap", g, text)
}

func (p printer) erased(cursor string, e *headgatev1.Erased) error {
	text := fmt.Sprintf("erased: an event of %s stood here: source %s, %s", e.GetEntity(), e.GetSource(), e.GetContext())
	return p.signal(cursor, "erased", e, text)
}

// signal writes one signal. Resuming after cursor leaves it behind.
func (p printer) signal(cursor, name string, m proto.Message, text string) error {
	if !p.json {
		p.done()
		_, err := fmt.Fprintln(p.err, printable(text))
		return err
	}
	encoded, err := jsonLine(m)
	if err != nil {
		return err
	}
	at, err := json.Marshal(cursor)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "{\"cursor\":%s,%q:%s}\n", at, name, encoded)
	return err
}

// eventLine is an event as a person reads it: what, where, which record, the gist, by whom.
func eventLine(e *headgatev1.Event) string {
	tenant := e.GetContext()
	if tenant == "Default" { // every installation on site calls itself so
		tenant = e.GetSource() + "/" + tenant
	}
	parts := []string{e.GetEventType(), tenant}
	if e.PrimaryKey != nil {
		parts = append(parts, fmt.Sprintf("#%d", e.GetPrimaryKey()))
	}
	if gist := gist(e); gist != "" {
		parts = append(parts, gist)
	}
	if e.ChangedByAssociateId != nil {
		parts = append(parts, fmt.Sprintf("by %d", e.GetChangedByAssociateId()))
	}
	return printable(strings.Join(parts, "  "))
}

func gist(e *headgatev1.Event) string {
	if r := e.GetRelation(); r != nil && r.SourceRecord != nil && r.DestinationRecord != nil {
		return record(r.GetSourceEntity(), r.SourceTable, r.GetSourceRecord()) + " -> " +
			record(r.GetDestinationEntity(), r.DestinationTable, r.GetDestinationRecord())
	}
	if e.GetAction() == "changed" && len(e.GetChangedFields()) > 0 {
		return "[" + strings.Join(e.GetChangedFields(), " ") + "]"
	}
	return ""
}

func record(entity string, table *int32, number int32) string {
	switch {
	case entity != "":
		return fmt.Sprintf("%s %d", entity, number)
	case table != nil:
		return fmt.Sprintf("table %d/%d", *table, number)
	}
	return strconv.Itoa(int(number))
}

// jsonLine is the message as the REST API spells it, on one line, with proto field names.
func jsonLine(m proto.Message) (string, error) {
	encoded, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return "", err
	}
	var line bytes.Buffer // protojson varies its spaces on purpose
	if err := json.Compact(&line, encoded); err != nil {
		return "", err
	}
	return escape(line.String(), func(r rune) string {
		if r > 0xffff {
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			return fmt.Sprintf(`\u%04x\u%04x`, high, low)
		}
		return fmt.Sprintf(`\u%04x`, r)
	}), nil
}

// printable keeps what comes from elsewhere from steering the terminal: control characters and the like are written as escapes.
func printable(s string) string {
	return escape(s, func(r rune) string { return strings.Trim(strconv.QuoteRuneToASCII(r), "'") })
}

func escape(s string, as func(rune) string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			b.WriteRune(r)
		} else {
			b.WriteString(as(r))
		}
	}
	return b.String()
}

// moment is a time as it is shown, to the second.
func moment(t *timestamppb.Timestamp) string {
	if t == nil {
		return "?"
	}
	return t.AsTime().UTC().Format(time.RFC3339)
}
