package feed

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/subscription"
)

// ReaderSubscription is one reader's subscription, as an operator sees it.
type ReaderSubscription struct {
	Reader string
	// Behind is how many records stand behind the hindmost saved position, whoever may read them; zero when the position covers all that is the subscription's.
	Behind uint64
	*headgatev1.GetSubscriptionResponse
}

// Subscriptions lists all readers' subscriptions, by reader and name.
func (s *Service) Subscriptions(ctx context.Context) []ReaderSubscription {
	if s.opt.Subscriptions == nil {
		return nil
	}
	all := s.opt.Subscriptions.All()
	list := make([]ReaderSubscription, len(all))
	for i, shown := range s.shown(ctx, all, &view{grant: everything{}}) {
		list[i] = ReaderSubscription{all[i].Reader, 0, shown}
		if shown.GetSubscription().GetLag() != nil {
			list[i].Behind = s.behind(&all[i])
		}
	}
	return list
}

func (s *Service) behind(st *subscription.Status) uint64 {
	log, pos := s.log.State(), uint64(nowhere)
	for _, sh := range st.Shards {
		pos = min(pos, sh.Seq)
	}
	pos = max(pos, log.Earliest-1)
	return log.Head - min(pos, log.Head)
}

// watchEvery is how often Watch looks.
const watchEvery = 30 * time.Second

// Watch warns, until ctx ends, when the retention comes close to a subscription's position.
func (s *Service) Watch(ctx context.Context) {
	if s.opt.Subscriptions == nil {
		return
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	warned := make(map[subscription.Name]bool)
	for {
		s.warn(ctx, warned)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// warn writes a line for each subscription that came into danger, or out of it, since the last time.
func (s *Service) warn(ctx context.Context, warned map[subscription.Name]bool) {
	for _, st := range s.Subscriptions(ctx) {
		name := subscription.Name{Reader: st.Reader, Name: st.GetSubscription().GetName()}
		log := s.opt.Logger.With("reader", name.Reader, "subscription", name.Name)
		switch endangered := st.GetSubscription().GetEndangered(); {
		case endangered && !warned[name]:
			log.Warn("the retention will soon remove events that this subscription has not handled: start its service, or give the log more room")
			warned[name] = true
		case !endangered && warned[name]:
			log.Info("the retention is no longer near this subscription's position")
			delete(warned, name)
		}
	}
}

// collector shows the subscriptions to Prometheus. There are few: a reader can have 100. Whoever may ask for metrics may do so often, so what was found
// is shown for a while.
type collector struct {
	svc  *Service
	mu   sync.Mutex
	at   time.Time            // guarded by mu
	last []ReaderSubscription // guarded by mu
}

const collectEvery = 5 * time.Second

func (c *collector) subscriptions() []ReaderSubscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.svc.opt.Now(); now.Sub(c.at) >= collectEvery {
		c.at, c.last = now, c.svc.Subscriptions(context.Background())
	}
	return c.last
}

var (
	subscriptionLabels = []string{"reader", "subscription"}

	lagDesc = prometheus.NewDesc("headgate_subscription_lag_seconds", "Age of the oldest record that the saved position does not cover; 0 when it covers all.",
		subscriptionLabels, nil)
	behindDesc = prometheus.NewDesc("headgate_subscription_lag_records",
		"Records behind the saved position, those of others too; 0 when it covers all that are the subscription's.", subscriptionLabels, nil)
	savedDesc = prometheus.NewDesc("headgate_subscription_saved_timestamp_seconds", "When the saved position last moved; 0 when it never did.",
		subscriptionLabels, nil)
	servedDesc  = prometheus.NewDesc("headgate_subscription_served_shards", "Shards that are served to a stream.", subscriptionLabels, nil)
	shardsDesc  = prometheus.NewDesc("headgate_subscription_shards", "Shards that the subscription has.", subscriptionLabels, nil)
	standbyDesc = prometheus.NewDesc("headgate_subscription_standby_streams", "Streams that wait for a shard.", subscriptionLabels, nil)
	dangerDesc  = prometheus.NewDesc("headgate_subscription_endangered", "1 while the retention is close to the saved position, else 0.", subscriptionLabels, nil)
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lagDesc, behindDesc, savedDesc, servedDesc, shardsDesc, standbyDesc, dangerDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	for _, st := range c.subscriptions() {
		sub := st.GetSubscription()
		gauge := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, st.Reader, sub.GetName())
		}
		gauge(lagDesc, sub.GetLag().AsDuration().Seconds())
		gauge(behindDesc, float64(st.Behind))
		if at := sub.GetSavedAt(); at != nil {
			gauge(savedDesc, float64(at.AsTime().UnixMilli())/1000)
		} else {
			gauge(savedDesc, 0)
		}
		gauge(servedDesc, float64(sub.GetServed()))
		gauge(shardsDesc, float64(sub.GetShardCount()))
		gauge(standbyDesc, float64(sub.GetStandingBy()))
		gauge(dangerDesc, map[bool]float64{true: 1}[sub.GetEndangered()])
	}
}
