package feed

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/subscription"
)

// TestOperatorIsWarned: once when the retention comes near a subscription's position, and once when it is no longer near. The metrics say the same.
func TestOperatorIsWarned(t *testing.T) {
	var lines bytes.Buffer
	metrics := prometheus.NewRegistry()
	g := newGateway(t, named, func(s *setup) {
		s.feed.Retention, s.feed.Metrics = maxAge, metrics
		s.feed.Logger = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelInfo}))
	})
	if _, err := g.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "billing", ShardCount: 2, Start: latest()}); err != nil {
		t.Fatal(err)
	}
	g.append(event(1))
	warned := make(map[subscription.Name]bool)
	said := func() string {
		lines.Reset()
		g.feed.warn(t.Context(), warned)
		return lines.String()
	}
	shown := func(lag, endangered string) {
		t.Helper()
		want := `
			# HELP headgate_subscription_endangered 1 while the retention is close to the saved position, else 0.
			# TYPE headgate_subscription_endangered gauge
			headgate_subscription_endangered{reader="tester",subscription="billing"} ` + endangered + `
			# HELP headgate_subscription_lag_seconds Age of the oldest record that the saved position does not cover; 0 when it covers all.
			# TYPE headgate_subscription_lag_seconds gauge
			headgate_subscription_lag_seconds{reader="tester",subscription="billing"} ` + lag + `
			# HELP headgate_subscription_served_shards Shards that are served to a stream.
			# TYPE headgate_subscription_served_shards gauge
			headgate_subscription_served_shards{reader="tester",subscription="billing"} 0
			# HELP headgate_subscription_shards Shards that the subscription has.
			# TYPE headgate_subscription_shards gauge
			headgate_subscription_shards{reader="tester",subscription="billing"} 2
		`
		if err := testutil.GatherAndCompare(metrics, strings.NewReader(want), "headgate_subscription_endangered", "headgate_subscription_lag_seconds",
			"headgate_subscription_served_shards", "headgate_subscription_shards"); err != nil {
			t.Error(err)
		}
	}
	g.clock.advance(time.Hour)
	if got := said(); got != "" {
		t.Errorf("with the retention far: %s", got)
	}
	shown("3600", "0")
	g.clock.advance(maxAge / 100 * 95)
	if got := said(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "reader=tester") || !strings.Contains(got, "subscription=billing") {
		t.Errorf("with the retention near: %q", got)
	}
	shown("299595600", "1") // 95 hundredths of the retention, and the hour
	if got := said(); got != "" {
		t.Errorf("the second time: %q", got)
	}
	for shard := range uint32(2) {
		if _, err := g.named.SaveCursors(t.Context(), saving("billing", &headgatev1.ShardSave{Shard: shard, Cursor: g.log.Cursor(1)})); err != nil {
			t.Fatal(err)
		}
	}
	if got := said(); !strings.Contains(got, "level=INFO") {
		t.Errorf("once it is saved: %q", got)
	}
	g.clock.advance(collectEvery)
	shown("0", "0")
}
