package server

import (
	"crypto/x509"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headgate/headgate/server/internal/access"
)

// registerServerMetrics shows what the server is, how its listeners stand, and who is connected.
func (s *Server) registerServerMetrics(most map[string]int) {
	constant := func(name, help, label, value string, n float64) {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: prometheus.Labels{label: value}})
		g.Set(n)
		s.registry.MustRegister(g)
	}
	constant("headgate_build_info", "1, with the gateway's version.", "version", s.cfg.Version, 1)
	for _, name := range s.cfg.Listen.names() {
		constant("headgate_connections_limit", "Connections that the listener has at once; more wait until one of them ends.", "listener", name, float64(most[name]))
		if s.cfg.TLS.on(name) {
			s.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "headgate_certificate_not_after_timestamp_seconds", ConstLabels: prometheus.Labels{"listener": name},
				Help: "When the certificate in force ends, or the first of those that lead from it to its authority, by listener, in Unix seconds.",
			}, func() float64 { return seconds(s.tls.Load().notAfter) }))
		}
	}
	s.registry.MustRegister(readerConnections{s.access})
}

// endOf is when the first certificate of a chain ends, zero when none can be read.
func endOf(chain [][]byte) (end time.Time) {
	for _, der := range chain {
		if c, err := x509.ParseCertificate(der); err == nil && (end.IsZero() || c.NotAfter.Before(end)) {
			end = c.NotAfter
		}
	}
	return end
}

// listenerMetrics are the figures of the listeners' connections.
type listenerMetrics struct {
	refused *prometheus.CounterVec
	open    *prometheus.GaugeVec
}

func newListenerMetrics(r prometheus.Registerer) listenerMetrics {
	m := listenerMetrics{
		prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "headgate_connections_refused_total", Help: "Connections closed at once because their host had as many as one may have, by listener.",
		}, []string{"listener"}),
		prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "headgate_connections", Help: "Connections that are open, by listener."}, []string{"listener"}),
	}
	r.MustRegister(m.refused, m.open)
	return m
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
