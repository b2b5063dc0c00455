package server

import (
	"errors"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
)

// newCommitSeconds is what the store tells how long its commits take.
func newCommitSeconds(r prometheus.Registerer) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "headgate_log_commit_duration_seconds",
		Help:    "Seconds that a group of records took from the write to the end of its fsync.",
		Buckets: []float64{.0001, .0002, .0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5},
	})
	r.MustRegister(h)
	return h
}

// registerLogMetrics shows the log's state, and what it did since it was opened.
func registerLogMetrics(r prometheus.Registerer, log *eventlog.Log, store *pebblestore.Store, reserve uint64) {
	registerLogState(r, log, reserve)
	counter := func(name, help, label, value string, count func() uint64) {
		var labels prometheus.Labels
		if label != "" {
			labels = prometheus.Labels{label: value}
		}
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return float64(count()) }))
	}
	counter("headgate_log_quarantine_dropped_total", "Webhooks dropped from the quarantine because it was full.", "", "", log.QuarantineDropped)
	counter("headgate_log_trimmed_early_total", "Records removed before retention.max_age, for the log's size or for room on the disk, since the start.",
		"", "", log.TrimmedEarly)
	counter("headgate_log_trimmed_total", "Records removed by the retention in the life of the log.", "", "", func() uint64 { return log.State().Earliest - 1 })
	counter("headgate_log_appended_total", "Records appended in the life of the log.", "", "", log.Head)
	const reads = "Reads of records for readers, by from where: the newest records in memory, or the disk."
	counter("headgate_log_reads_total", reads, "from", "memory", func() uint64 { memory, _ := log.Reads(); return memory })
	counter("headgate_log_reads_total", reads, "from", "disk", func() uint64 { _, disk := log.Reads(); return disk })
	const failures = "Writes and fsyncs of the log that failed, by reason: full for want of room, failed for all else."
	counter("headgate_log_write_failures_total", failures, "reason", "full", func() uint64 { full, _ := store.Failures(); return full })
	counter("headgate_log_write_failures_total", failures, "reason", "failed", func() uint64 { _, failed := store.Failures(); return failed })
}

func registerLogState(r prometheus.Registerer, log *eventlog.Log, reserve uint64) {
	gauge := func(name, help string, value func(eventlog.State) float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(log.State()) }))
	}
	gauge("headgate_log_records", "Records held, gaps and erased ones included.", func(st eventlog.State) float64 {
		return float64(st.Head + 1 - min(st.Earliest, st.Head+1))
	})
	gauge("headgate_log_size_bytes", "Bytes that the log takes on disk.", func(st eventlog.State) float64 { return float64(st.SizeBytes) })
	gauge("headgate_log_disk_free_bytes", "Bytes that are free on the log's disk; NaN when that cannot be measured.", func(st eventlog.State) float64 {
		if st.FreeBytes == math.MaxUint64 {
			return math.NaN()
		}
		return float64(st.FreeBytes)
	})
	gauge("headgate_log_disk_reserve_bytes", "Bytes of retention.disk_reserve: when fewer are free the oldest events go early, at half of it events are refused.",
		func(eventlog.State) float64 { return float64(reserve) })
	gauge("headgate_log_quarantined", "Webhooks held in quarantine.", func(st eventlog.State) float64 { return float64(st.Quarantined) })
	gauge("headgate_log_quarantined_bytes", "Bytes that the webhooks in quarantine count against retention.quarantine_max_size.", func(st eventlog.State) float64 {
		return float64(st.QuarantinedBytes)
	})
	gauge("headgate_log_up", "1 while events are accepted, 0 while the log is full, its disk too slow, or it has failed.", func(st eventlog.State) float64 {
		return number(st.Err == nil && log.Slow() == nil)
	})
	blocked := func(reason string, is func() bool) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "headgate_log_blocked", Help: "1 while events are not accepted for the reason, else 0: full and slow pass by themselves, failed needs a restart.",
			ConstLabels: prometheus.Labels{"reason": reason},
		}, func() float64 { return number(is()) }))
	}
	blocked("full", func() bool { return errors.Is(log.State().Err, eventlog.ErrFull) })
	blocked("failed", func() bool { return errors.Is(log.State().Err, eventlog.ErrFailed) })
	blocked("slow", func() bool { return log.Slow() != nil })
	gauge("headgate_log_oldest_timestamp_seconds", "When the oldest record held was received, in Unix seconds; 0 in an empty log.", func(st eventlog.State) float64 {
		return seconds(st.EarliestAt)
	})
	gauge("headgate_log_newest_timestamp_seconds", "When the newest record was received, in Unix seconds; 0 in an empty log.", func(st eventlog.State) float64 {
		return seconds(st.HeadAt)
	})
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
