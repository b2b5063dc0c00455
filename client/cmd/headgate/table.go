package main

import (
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/headgate/headgate/client/cmd/terminal"
)

// listFlag chooses how a list is written.
type listFlag struct {
	Output string `enum:"text,json" default:"text" placeholder:"text|json" help:"For people, or one line of JSON for each, as the REST API spells it. Default: text."`
}

func (f *listFlag) json() bool { return f.Output == "json" }

// jsonLines writes each message on a line.
func jsonLines[M proto.Message](out io.Writer, list []M) error {
	for _, m := range list {
		line, err := jsonLine(m)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(out, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// table is rows under their heads, in columns as wide as they must be. A head that ends in > stands over numbers, which end together.
type table struct {
	rows  [][]string
	right []bool
	// headless leaves the heads out, which make the columns as wide as they are all the same: they stand over an earlier part of the list.
	headless bool
}

func newTable(heads ...string) *table {
	t := &table{right: make([]bool, len(heads))}
	for i := range heads {
		heads[i], t.right[i] = strings.CutSuffix(heads[i], ">")
	}
	t.row(heads...)
	return t
}

// row adds a row. What comes from elsewhere must be printable.
func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// lines returns the rows, none of them wider than columns if that is not 0: the last cell is cut, which is the least important one. A row of one cell is as wide
// as it likes: it is a heading.
func (t *table) lines(columns int) []string {
	widths := make([]int, len(t.right))
	for _, row := range t.rows {
		if len(row) == 1 {
			continue
		}
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, 0, len(t.rows))
	for _, row := range t.rows {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell)))
			switch {
			case len(row) == 1:
				b.WriteString(cell)
				continue
			case t.right[i]:
				b.WriteString(pad + cell)
			default:
				b.WriteString(cell + pad)
			}
			b.WriteString("  ")
		}
		lines = append(lines, cut(strings.TrimRight(b.String(), " "), columns))
	}
	return lines
}

// write writes the table as wide as out can show it.
func (t *table) write(out io.Writer) error {
	columns, _, _ := terminal.Size(out)
	lines := t.lines(columns)
	if t.headless {
		lines = lines[1:]
	}
	_, err := io.WriteString(out, strings.Join(lines, "\n")+"\n")
	return err
}

// cut makes the text fit into the columns, if those are not 0.
func cut(text string, columns int) string {
	if columns <= 0 || utf8.RuneCountInString(text) <= columns {
		return text
	}
	return string([]rune(text)[:columns-1]) + "…"
}

// ago is how long ago something was, "never" when it was not.
func ago(t *timestamppb.Timestamp, now time.Time) string {
	if t == nil {
		return "never"
	}
	return terminal.Short(max(0, now.Sub(t.AsTime())).Truncate(time.Second)) + " ago"
}

// ahead is in how much time something will be, or how long ago it was.
func ahead(t *timestamppb.Timestamp, now time.Time) string {
	if d := t.AsTime().Sub(now); d > 0 {
		return "in " + terminal.Short(d.Truncate(time.Second))
	}
	return ago(t, now)
}

// some is a number with its noun, which gets an s where there is not one.
func some(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return terminal.Count(n) + " " + noun + "s"
}
