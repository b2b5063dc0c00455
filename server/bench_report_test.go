//go:build linux || darwin

package server_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// sample is one measurement.
type sample struct {
	perSecond float64
	cpu       time.Duration // of the server, per item
	batch     float64       // events in a message, NaN where there are no messages
}

// item is what is counted, one and many of it.
type item struct{ one, many string }

var (
	events     = item{"event", "events"}
	deliveries = item{"delivery", "deliveries"}
)

// results are the samples of some variants, round by round.
type results struct {
	variants []string
	samples  map[string][]sample
}

func newResults(variants ...string) *results {
	return &results{variants: variants, samples: make(map[string][]sample)}
}

func (r *results) add(variant string, s sample) { r.samples[variant] = append(r.samples[variant], s) }

// print writes the table. Items are what is counted; base is the variant that the ratios compare with.
func (r *results) print(title string, of item, base string) {
	fmt.Printf("\n%s\n", title)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\t%s/s\tmin-max\tratio\tserver CPU/%s\tmin-max\tratio\tevents/message\t\n", of.many, of.one)
	for _, v := range r.variants {
		rate, cpu := r.rates(v), r.cpus(v)
		fmt.Fprintf(w, "%s\t%.0f\t%.0f-%.0f\t%.3f\t%.3f µs\t%.3f-%.3f\t%.3f\t%s\t\n", v,
			median(rate), slices.Min(rate), slices.Max(rate), median(ratios(rate, r.rates(base))),
			median(cpu), slices.Min(cpu), slices.Max(cpu), median(ratios(cpu, r.cpus(base))), batchText(median(r.batches(v))))
	}
	w.Flush()
	fmt.Println()
}

// report makes a sub-benchmark of each variant, for tools that compare runs.
func (r *results) report(b *testing.B, of item, base string) {
	for _, v := range r.variants {
		b.Run(v, func(b *testing.B) {
			b.ReportMetric(0, "ns/op") // of no meaning here; zero hides it
			b.ReportMetric(median(r.rates(v)), of.many+"/s")
			b.ReportMetric(median(r.cpus(v))*float64(time.Microsecond), "cpu-ns/"+of.one)
			if v != base {
				name := base[strings.LastIndexByte(base, '/')+1:]
				b.ReportMetric(median(ratios(r.rates(v), r.rates(base))), "rate-vs-"+name)
				b.ReportMetric(median(ratios(r.cpus(v), r.cpus(base))), "cpu-vs-"+name)
			}
		})
	}
}

func (r *results) rates(variant string) []float64 {
	return r.each(variant, func(s sample) float64 { return s.perSecond })
}

// cpus are in microseconds.
func (r *results) cpus(variant string) []float64 {
	return r.each(variant, func(s sample) float64 { return float64(s.cpu) / float64(time.Microsecond) })
}

func (r *results) batches(variant string) []float64 {
	return r.each(variant, func(s sample) float64 { return s.batch })
}

func (r *results) each(variant string, value func(sample) float64) []float64 {
	var list []float64
	for _, s := range r.samples[variant] {
		list = append(list, value(s))
	}
	return list
}

func batchText(events float64) string {
	if math.IsNaN(events) {
		return "-"
	}
	return strconv.FormatFloat(events, 'f', 1, 64)
}

func ratios(of, to []float64) []float64 {
	list := make([]float64, len(of))
	for i := range of {
		list[i] = of[i] / to[i]
	}
	return list
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
