package upstream

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// Status is what is known of a source.
type Status struct {
	// LastHeard is when it was last heard, zero when it never was. ExpectedBy is by when it should be again, zero while its weeks are not known.
	LastHeard, ExpectedBy time.Time
	// Suspected are the causes that hold right now.
	Suspected []headgatev1.Gap_Cause
	// Gaps is how many were appended since the start, Last the newest one, from before too.
	Gaps uint64
	Last *headgatev1.Gap
}

// Status returns what is known of a source.
func (w *Watch) Status(name string) Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.statusLocked(name, wall())
}

func (w *Watch) statusLocked(name string, now time.Time) (st Status) {
	for _, n := range w.gaps[name] {
		st.Gaps += n
	}
	s := w.state.Sources[name]
	if s == nil {
		return st
	}
	st.LastHeard, st.ExpectedBy = s.Last, s.expectedBy()
	if s.Suspected != nil {
		st.Last = s.Suspected.gap()
	}
	for cause, holds := range map[headgatev1.Gap_Cause]bool{
		headgatev1.Gap_CAUSE_RETRIED:      !s.Retried.From.IsZero(),
		headgatev1.Gap_CAUSE_CRM_REPORTED: !s.Reported.IsZero(),
		headgatev1.Gap_CAUSE_SILENCE:      !st.ExpectedBy.IsZero() && now.After(st.ExpectedBy),
	} {
		if holds {
			st.Suspected = append(st.Suspected, cause)
		}
	}
	slices.Sort(st.Suspected)
	return st
}

// NotReady is the newest gap that was appended because the gateway was not ready, nil when there was none.
func (w *Watch) NotReady() *headgatev1.Gap {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state.NotReady == nil {
		return nil
	}
	return w.state.NotReady.gap()
}

// metrics shows the same to Prometheus.
type metrics Watch

var (
	gapsDesc = prometheus.NewDesc("headgate_upstream_gaps_total",
		"Gaps appended since the start because something may have been lost before it arrived, by source (empty: all) and cause.", []string{"source", "cause"}, nil)
	gapTimeDesc = prometheus.NewDesc("headgate_upstream_gap_timestamp_seconds",
		"Up to when the newest such gap reaches, restarts or not, by source (empty: all), in Unix seconds. There is none before the first.", []string{"source"}, nil)
	suspectedDesc = prometheus.NewDesc("headgate_upstream_suspected",
		"1 while the cause makes the gateway think that something of the source's is being lost, else 0, by source and cause.", []string{"source", "cause"}, nil)
	heardDesc = prometheus.NewDesc("headgate_source_last_heard_timestamp_seconds",
		"When the source was last heard, restarts or not, by source, in Unix seconds.", []string{"source"}, nil)
	expectedDesc = prometheus.NewDesc("headgate_source_expected_timestamp_seconds",
		"By when the source should be heard again, as it sends every week, by source, in Unix seconds. There is none until it has been heard for three weeks.", []string{"source"}, nil)
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{gapsDesc, gapTimeDesc, suspectedDesc, heardDesc, expectedDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	w := (*Watch)(m)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := wall()
	unixTime := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
	count := func(source string, cause headgatev1.Gap_Cause) { // from zero on, so that the first one is an increase
		to <- prometheus.MustNewConstMetric(gapsDesc, prometheus.CounterValue, float64(w.gaps[source][cause]), source, causeName(cause))
	}
	newest := func(source string, gap *suspicion) {
		if gap != nil {
			to <- prometheus.MustNewConstMetric(gapTimeDesc, prometheus.GaugeValue, unixTime(gap.To), source)
		}
	}
	count("", headgatev1.Gap_CAUSE_NOT_READY)
	newest("", w.state.NotReady)
	for name := range w.zones {
		st := w.statusLocked(name, now)
		for _, cause := range []headgatev1.Gap_Cause{headgatev1.Gap_CAUSE_RETRIED, headgatev1.Gap_CAUSE_CRM_REPORTED, headgatev1.Gap_CAUSE_SILENCE} {
			count(name, cause)
			holds := 0.0
			if slices.Contains(st.Suspected, cause) {
				holds = 1
			}
			to <- prometheus.MustNewConstMetric(suspectedDesc, prometheus.GaugeValue, holds, name, causeName(cause))
		}
		if s := w.state.Sources[name]; s != nil {
			newest(name, s.Suspected)
		}
		if !st.LastHeard.IsZero() {
			to <- prometheus.MustNewConstMetric(heardDesc, prometheus.GaugeValue, unixTime(st.LastHeard), name)
		}
		if !st.ExpectedBy.IsZero() {
			to <- prometheus.MustNewConstMetric(expectedDesc, prometheus.GaugeValue, unixTime(st.ExpectedBy), name)
		}
	}
}
