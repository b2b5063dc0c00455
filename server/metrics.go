package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headgate/headgate/server/internal/access"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// registerLogReads shows from where readers are served.
func registerLogReads(r prometheus.Registerer, log *eventlog.Log) {
	reads := func(from string, value func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "headgate_log_reads_total", Help: "Reads of records for readers, by whether the newest ones in memory were enough or the disk was read.",
			ConstLabels: prometheus.Labels{"from": from},
		}, func() float64 { return float64(value()) })
	}
	r.MustRegister(
		reads("memory", func() uint64 { memory, _ := log.Reads(); return memory }),
		reads("disk", func() uint64 { _, disk := log.Reads(); return disk }),
	)
}

// readerConnections shows from how many connections each reader has calls open.
type readerConnections struct{ access *access.Control }

var readerConnectionsDesc = prometheus.NewDesc("headgate_reader_connections",
	"Connections on which the reader has calls open, or answers of streams that are not taken yet, by reader.", []string{"reader"}, nil)

// Describe implements prometheus.Collector.
func (readerConnections) Describe(ch chan<- *prometheus.Desc) { ch <- readerConnectionsDesc }

// Collect implements prometheus.Collector.
func (c readerConnections) Collect(ch chan<- prometheus.Metric) {
	for reader, n := range c.access.Connections() {
		ch <- prometheus.MustNewConstMetric(readerConnectionsDesc, prometheus.GaugeValue, float64(n), reader)
	}
}
