package feed

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/fault"
)

// metrics are the feed's figures. What streams count they count for each message, not for each event.
type metrics struct {
	events, messages, bytes, listed, ends *prometheus.CounterVec
	delivery                              prometheus.Histogram
}

// sentTo is what one reader's streams count.
type sentTo struct{ events, messages, bytes prometheus.Counter }

func (m *metrics) init() {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m.events = counter("headgate_stream_events_sent_total", "Events handed to the transport on streams, by reader.", "reader")
	m.messages = counter("headgate_stream_messages_sent_total", "Messages handed to the transport on streams, signals included, by reader.", "reader")
	m.bytes = counter("headgate_stream_sent_bytes_total", "Bytes of the events handed to the transport on streams, in protobuf, before JSON and TLS, by reader.", "reader")
	m.listed = counter("headgate_listed_events_total", "Events on the pages of ListEvents, by reader.", "reader")
	m.ends = counter("headgate_stream_ends_total",
		"Streams that ended or were refused by the feed, by reader and reason: that of Closing, that of the error, or cancelled when the reader left.", "reader", "reason")
	m.delivery = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "headgate_stream_delivery_duration_seconds",
		Help:    "Seconds from when an event was received, before its fsync, to when it was handed to the transport of a stream that waited for it.",
		Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5},
	})
}

func (m *metrics) register(r prometheus.Registerer, s *Service) {
	r.MustRegister(m.events, m.messages, m.bytes, m.listed, m.ends, m.delivery, &streamsCollector{svc: s, seen: make(map[string]bool)},
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "headgate_stream_wakeups_total", Help: "Times that a stream which waited was woken: by a record that it wants, or by its heartbeat.",
		}, func() float64 { return float64(s.index.woken()) }))
	if s.opt.Subscriptions != nil {
		r.MustRegister(&collector{svc: s})
	}
}

// Deliveries tells, since the start, how long deliveries to streams that waited took.
func (s *Service) Deliveries() *dto.Histogram {
	var as dto.Metric
	if s.metrics.delivery.Write(&as) != nil {
		return nil
	}
	return as.GetHistogram()
}

// of is what the reader's streams count.
func (m *metrics) of(reader string) sentTo {
	return sentTo{m.events.WithLabelValues(reader), m.messages.WithLabelValues(reader), m.bytes.WithLabelValues(reader)}
}

// endReason is why a stream ended, in a word: what Closing said, else the reason of the error, else its code.
func endReason(closing headgatev1.Closing_Reason, err error) string {
	if closing != headgatev1.Closing_REASON_UNSPECIFIED {
		return strings.ToLower(strings.TrimPrefix(closing.String(), "REASON_"))
	}
	return fault.ReasonOf(err)
}

var (
	streamsDesc = prometheus.NewDesc("headgate_streams", "Streams being served, by reader and state: live, replaying from the disk, stalled because the client takes nothing, standby for a shard.",
		[]string{"reader", "state"}, nil)
	streamLagDesc = prometheus.NewDesc("headgate_stream_lag_seconds",
		"Age of the oldest record that the reader's hindmost stream has not passed; 0 when all are at the head.", []string{"reader"}, nil)
)

// streamsCollector shows the streams to Prometheus, by reader. A reader that is or was there is shown without streams too.
type streamsCollector struct {
	svc  *Service
	mu   sync.Mutex
	seen map[string]bool    // guarded by mu
	at   time.Time          // guarded by mu
	lags map[string]float64 // found at that time; guarded by mu
}

// Describe implements prometheus.Collector.
func (c *streamsCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- streamsDesc
	ch <- streamLagDesc
}

// Collect implements prometheus.Collector.
func (c *streamsCollector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, reader := range c.svc.opt.Readers() {
		c.seen[reader] = true
	}
	counts, positions := c.svc.hindmost()
	for reader := range counts {
		c.seen[reader] = true
	}
	// To look how old a record is can take the disk: not more often than the subscriptions do.
	if now := c.svc.opt.Now(); now.Sub(c.at) >= collectEvery {
		c.at, c.lags = now, make(map[string]float64)
		for reader, pos := range positions {
			c.lags[reader] = c.svc.lagAt(context.Background(), pos).Seconds()
		}
	}
	for reader := range c.seen {
		for state, name := range stateNames {
			ch <- prometheus.MustNewConstMetric(streamsDesc, prometheus.GaugeValue, float64(counts[reader][state]), reader, name)
		}
		ch <- prometheus.MustNewConstMetric(streamLagDesc, prometheus.GaugeValue, c.lags[reader], reader)
	}
}

var stateNames = map[State]string{Live: "live", Replaying: "replaying", Stalled: "stalled", Standby: "standby"}

// hindmost returns how many streams each reader has in each state, and how far the last of them has come.
func (s *Service) hindmost() (counts map[string]map[State]int, positions map[string]uint64) {
	counts, positions = make(map[string]map[State]int), make(map[string]uint64)
	for _, st := range s.streams.all() {
		pos, reader := s.index.position(&st.waiter, st.pos.Load()), st.caller.Reader
		if last, ok := positions[reader]; !ok || pos < last {
			positions[reader] = pos
		}
		if counts[reader] == nil {
			counts[reader] = make(map[State]int)
		}
		counts[reader][s.stateOf(st, pos)]++
	}
	return counts, positions
}
