package webhook

import (
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// metrics are the door's figures.
type metrics struct {
	requests, secrets *prometheus.CounterVec
	duration          prometheus.Histogram
}

func newMetrics() *metrics {
	return &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "headgate_webhook_requests_total", Help: "Webhook posts answered, by source (empty when unknown) and outcome.",
		}, []string{"source", "outcome"}),
		secrets: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "headgate_source_secret_requests_total", Help: "Authentic webhook posts, by source and the id of the secret that they were signed with.",
		}, []string{"source", "secret"}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "headgate_webhook_duration_seconds",
			Help:    "Seconds from the header of an authentic post to its answer: body, commit and fsync included.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5},
		}),
	}
}

func (m *metrics) register(r prometheus.Registerer, h *Handler) {
	r.MustRegister(m.requests, m.secrets, m.duration, (*sourcesCollector)(h))
	m.requests.WithLabelValues("", unknownSource.outcome)
}

// begin shows what alarms are made of before it happens for the first time: that counts as an increase only from zero.
func (m *metrics) begin(src *Source) {
	for _, a := range []answer{stored, duplicate, tested, quarantined, unauthentic, unavailable} {
		m.requests.WithLabelValues(src.Name, a.outcome)
	}
	for _, secret := range src.Secrets {
		m.secrets.WithLabelValues(src.Name, secret.ID)
	}
}

// Posts is how many posts were answered since the start, by outcome: those of all sources and of none.
func (h *Handler) Posts() map[string]uint64 {
	series := make(chan prometheus.Metric)
	go func() {
		h.metrics.requests.Collect(series)
		close(series)
	}()
	posts := make(map[string]uint64)
	for one := range series {
		var as dto.Metric
		if one.Write(&as) != nil {
			continue
		}
		for _, label := range as.GetLabel() {
			if label.GetName() == "outcome" {
				posts[label.GetValue()] += uint64(as.GetCounter().GetValue())
			}
		}
	}
	return posts
}

// count takes note of an answer. How long it took tells of the gateway only where the post is authentic: strangers can be as slow as they like.
func (m *metrics) count(src *source, a answer, took time.Duration) {
	m.requests.WithLabelValues(src.name(), a.outcome).Inc()
	if a.secret != "" {
		m.secrets.WithLabelValues(src.Name, a.secret).Inc()
	}
	if a.status == http.StatusOK || a.outcome == unavailable.outcome {
		m.duration.Observe(took.Seconds())
	}
}

// sourcesCollector shows the sources that are configured now.
type sourcesCollector Handler

var (
	secretEndsDesc = prometheus.NewDesc("headgate_source_secret_not_after_timestamp_seconds",
		"When a secret of the source ends, by source and the secret's id, in Unix seconds; +Inf for one without end.", []string{"source", "secret"}, nil)
	stoppedDesc = prometheus.NewDesc("headgate_source_stopped",
		"1 when the CRM said that it stopped the source's webhook, or must have after nine failures in a row, and was not heard since; else 0.", []string{"source"}, nil)
)

// Describe implements prometheus.Collector.
func (c *sourcesCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- secretEndsDesc
	ch <- stoppedDesc
}

// Collect implements prometheus.Collector.
func (c *sourcesCollector) Collect(ch chan<- prometheus.Metric) {
	for name, src := range *c.sources.Load() {
		for _, secret := range src.Secrets {
			ends := math.Inf(1)
			if !secret.NotAfter.IsZero() {
				ends = float64(secret.NotAfter.Unix())
			}
			ch <- prometheus.MustNewConstMetric(secretEndsDesc, prometheus.GaugeValue, ends, name, secret.ID)
		}
		ch <- prometheus.MustNewConstMetric(stoppedDesc, prometheus.GaugeValue, map[bool]float64{true: 1}[src.status.isStopped()], name)
	}
}
