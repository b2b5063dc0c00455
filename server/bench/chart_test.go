//go:build linux || darwin

package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// writeFiles writes results.md, with what writeTargets writes, and a chart of each table.
func writeFiles(dir string, writeTargets func(io.Writer) error) error {
	f, err := os.Create(filepath.Join(dir, "results.md"))
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintf(f, "# Benchmarks\n\n%s, %s/%s, %d CPUs, %d rounds\n", time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), theSizes().rounds)
	if err := writeTargets(f); err != nil {
		return err
	}
	for _, r := range allResults {
		if err := r.write(f); err != nil {
			return err
		}
		if len(r.charted) == 0 {
			continue
		}
		name := fileName(r.title) + ".svg"
		if err := r.chart(filepath.Join(dir, name)); err != nil {
			return err
		}
		fmt.Fprintf(f, "![%s](%s)\n", r.title, name)
	}
	return f.Close()
}

// fileName is a title as a file's name, without what it explains and without an extension.
func fileName(title string) string {
	title, _, _ = strings.Cut(strings.ToLower(title), ":")
	return strings.Join(strings.FieldsFunc(title, func(c rune) bool { return !('a' <= c && c <= 'z' || '0' <= c && c <= '9') }), "-")
}

// bars are one variant's medians, with whiskers from the least to the greatest.
type bars struct{ medians, below, above plotter.Values }

// Len, XY and YError are for plotter.NewYErrorBars.
func (b *bars) Len() int { return len(b.medians) }

// XY places the whiskers on the bars.
func (b *bars) XY(i int) (x, y float64) { return float64(i), b.medians[i] }

// YError is how far the whiskers reach.
func (b *bars) YError(i int) (low, high float64) { return b.below[i], b.above[i] }

func (r *results) barsOf(variant string) *bars {
	b := &bars{}
	for _, m := range r.charted {
		values := r.values[variant][m]
		if len(values) == 0 {
			values = []float64{0}
		}
		mid := median(values)
		b.medians = append(b.medians, mid)
		b.below, b.above = append(b.below, mid-slices.Min(values)), append(b.above, slices.Max(values)-mid)
	}
	return b
}

// chart writes the charted metrics as SVG, a group of bars for each.
func (r *results) chart(file string) error {
	p, w, h, err := r.plot()
	if err != nil {
		return err
	}
	canvas := vgsvg.New(w, h)
	p.Draw(draw.New(canvas))
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = canvas.WriteTo(f)
	return errors.Join(err, f.Close())
}

// plot is the chart, and how wide and high it is.
func (r *results) plot() (p *plot.Plot, w, h vg.Length, err error) {
	p = plot.New()
	p.Title.Text = r.title
	p.Y.Min = 0
	p.Legend.Top = true
	p.NominalX(r.charted...)
	p.X.Min, p.X.Max = -0.5, float64(len(r.charted))-0.5
	const width, step = 24, 27
	colors := slices.Concat(plotutil.SoftColors, plotutil.DarkColors)
	for i, v := range r.variants {
		b := r.barsOf(v)
		offset := vg.Points(step * (float64(i) - float64(len(r.variants)-1)/2))
		chart, err := plotter.NewBarChart(b.medians, vg.Points(width))
		if err != nil {
			return nil, 0, 0, err
		}
		chart.Offset, chart.Color, chart.LineStyle.Width = offset, colors[i%len(colors)], 0
		whiskers, err := plotter.NewYErrorBars(b)
		if err != nil {
			return nil, 0, 0, err
		}
		p.Add(chart, &shifted{whiskers, offset})
		p.Legend.Add(v, chart)
	}
	p.Y.Max *= 1 + 0.08*float64(len(r.variants)+1) // room for the legend
	return p, vg.Points(max(480, 200+step*float64((len(r.variants)+1)*len(r.charted)))), vg.Points(320), nil
}

// shifted draws whiskers where the bars of a group stand.
type shifted struct {
	*plotter.YErrorBars
	by vg.Length
}

// Plot implements plot.Plotter.
func (s *shifted) Plot(c draw.Canvas, p *plot.Plot) {
	c.Min.X += s.by
	c.Max.X += s.by
	s.YErrorBars.Plot(c, p)
}
