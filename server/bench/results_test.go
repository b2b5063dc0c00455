//go:build linux || darwin

package bench

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// results are what was measured of some variants, round by round.
type results struct {
	title    string
	variants []string
	metrics  []string // in the order in which they came
	base     string   // the variant that ratios compare with; empty: there is nothing to compare
	compared string   // the metric that ratios are of; empty: the first
	charted  []string // the metrics of the chart; they have the same unit
	values   map[string]map[string][]float64
}

// allResults are those of the run.
var allResults []*results

func newResults(title, base string, variants []string, charted ...string) *results {
	r := &results{title: title, variants: variants, base: base, charted: charted, values: make(map[string]map[string][]float64)}
	for _, v := range variants {
		r.values[v] = make(map[string][]float64)
	}
	return r
}

// add notes what was measured of a variant in the round that it is in.
func (r *results) add(variant, metric string, value float64) {
	if !slices.Contains(r.metrics, metric) {
		r.metrics = append(r.metrics, metric)
	}
	r.values[variant][metric] = append(r.values[variant][metric], value)
}

// The metrics of a sample.
const (
	cpuPerDelivery = "server CPU/delivery (µs)"
	cpuPerEvent    = "server CPU/event (µs)"
	perSecond      = "/s"
	seconds        = "seconds"
)

// addSample notes what a load of so many items took.
func (r *results) addSample(variant string, s sample, items int, cpu string) {
	r.add(variant, cpu, float64(s.cpu)/float64(time.Microsecond)/float64(items))
	r.add(variant, perSecond, float64(items)/s.took.Seconds())
	r.add(variant, "allocations", s.allocations/float64(items))
}

// addRate is addSample where it is the rate that counts.
func (r *results) addRate(variant string, s sample, items int) {
	r.add(variant, perSecond, float64(items)/s.took.Seconds())
	r.add(variant, cpuPerEvent, float64(s.cpu)/float64(time.Microsecond)/float64(items))
}

// ratios compares two variants within each round.
func (r *results) ratios(metric, of, to string) []float64 {
	a, b := r.values[of][metric], r.values[to][metric]
	list := make([]float64, min(len(a), len(b)))
	for i := range list {
		list[i] = a[i] / b[i]
	}
	return list
}

// done prints the table and keeps it for the report. It has a sub-benchmark of each variant, for tools that compare runs.
func (r *results) done(b *testing.B) {
	allResults = append(allResults, r)
	if err := r.write(os.Stdout); err != nil {
		b.Fatal(err)
	}
	for _, v := range r.variants {
		b.Run(v, func(b *testing.B) {
			b.ReportMetric(0, "ns/op") // of no meaning here; zero hides it
			for _, m := range r.metrics {
				if len(r.values[v][m]) > 0 {
					b.ReportMetric(median(r.values[v][m]), strings.ReplaceAll(m, " ", "-"))
				}
			}
		})
	}
}

// write writes the table in Markdown.
func (r *results) write(w io.Writer) error {
	header := append([]string{""}, r.metrics...)
	compared := r.metrics[0]
	if r.compared != "" {
		compared = r.compared
	}
	if r.base != "" {
		header = append(header, compared+" / that of "+r.base)
	}
	rows := [][]string{header}
	for _, v := range r.variants {
		row := []string{v}
		for _, m := range r.metrics {
			row = append(row, shown(r.values[v][m]))
		}
		if r.base != "" {
			row = append(row, shown(r.ratios(compared, v, r.base)))
		}
		rows = append(rows, row)
	}
	return writeTable(w, r.title, rows)
}

// writeTable writes rows of equal length, the first of which is the header.
func writeTable(w io.Writer, title string, rows [][]string) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n### %s\n\n", title)
	line := func(row []string) {
		for i, cell := range row {
			fmt.Fprintf(&out, "| %-*s ", widths[i], cell)
		}
		out.WriteString("|\n")
	}
	line(rows[0])
	for _, n := range widths {
		out.WriteString("|" + strings.Repeat("-", n+2))
	}
	out.WriteString("|\n")
	for _, row := range rows[1:] {
		line(row)
	}
	out.WriteString("\n")
	_, err := io.WriteString(w, out.String())
	return err
}

// shown is the median of the rounds, with the least and the greatest.
func shown(values []float64) string {
	switch len(values) {
	case 0:
		return "-"
	case 1:
		return number(values[0])
	}
	return fmt.Sprintf("%s (%s–%s)", number(median(values)), number(slices.Min(values)), number(slices.Max(values)))
}

// number has three digits that count.
func number(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case v >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// turn is the order in which variants have their turn in a round: every second one backwards.
func turn(round int, variants []string) []string {
	list := slices.Clone(variants)
	if round%2 == 1 {
		slices.Reverse(list)
	}
	return list
}

// inTurns runs all variants in each round.
func inTurns(rounds int, variants []string, run func(round int, variant string)) {
	for round := range rounds {
		for _, v := range turn(round, variants) {
			run(round, v)
		}
	}
}
