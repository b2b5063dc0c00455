package webhook

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/headgate/headgate/server/internal/superoffice"
)

// TestFiguresOfSources: what alarms are made of is there from the beginning; which secret the CRM signs with, and until when each is good, follows the
// configuration; how long an answer took is told of authentic posts alone.
func TestFiguresOfSources(t *testing.T) {
	metrics := prometheus.NewRegistry()
	d := newDoor(t, func(s *setup) { s.opt.Metrics = metrics })
	shows := func(name, want string) {
		t.Helper()
		families, err := metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		help := ""
		for _, f := range families {
			if f.GetName() == name {
				help = "# HELP " + name + " " + f.GetHelp() + "\n# TYPE " + name + " " + strings.ToLower(f.GetType().String()) + "\n"
			}
		}
		if err := testutil.GatherAndCompare(metrics, strings.NewReader(help+want), name); err != nil {
			t.Error(err)
		}
	}
	requests := func(unknown, accepted, duplicate, quarantined, test, unauthenticated string) string {
		return `headgate_webhook_requests_total{outcome="accepted",source="acme"} ` + accepted + `
headgate_webhook_requests_total{outcome="duplicate",source="acme"} ` + duplicate + `
headgate_webhook_requests_total{outcome="quarantined",source="acme"} ` + quarantined + `
headgate_webhook_requests_total{outcome="test",source="acme"} ` + test + `
headgate_webhook_requests_total{outcome="unauthenticated",source="acme"} ` + unauthenticated + `
headgate_webhook_requests_total{outcome="unavailable",source="acme"} 0
headgate_webhook_requests_total{outcome="unknown_source",source=""} ` + unknown + "\n"
	}
	shows("headgate_webhook_requests_total", requests("0", "0", "0", "0", "0", "0"))
	shows("headgate_source_secret_requests_total", "headgate_source_secret_requests_total{secret=\"a\",source=\"acme\"} 0\n")

	event := `{"EventId":"00000000-0000-4000-8000-000000000001","Event":"sale.created","PrimaryKey":1,"Entity":"sale","ContextIdentifier":"Default"}`
	d.signed(event)
	d.signed(event)
	d.signed("no event")
	d.post([]byte(event), "X-SuperOffice-Signature", Sign([]byte("not the secret, but long"), []byte(event)))
	if status, _ := d.post([]byte(event)); status != http.StatusUnauthorized {
		t.Error(status)
	}
	d.url = strings.Replace(d.url, "acme", "nobody", 1)
	d.signed(event)
	shows("headgate_webhook_requests_total", requests("1", "1", "1", "1", "0", "2"))
	shows("headgate_source_secret_requests_total", "headgate_source_secret_requests_total{secret=\"a\",source=\"acme\"} 3\n")
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if n := f.GetMetric()[0].GetHistogram().GetSampleCount(); f.GetName() == "headgate_webhook_duration_seconds" && n != 3 {
			t.Errorf("%d answers were timed", n)
		}
	}

	const ends = "headgate_source_secret_not_after_timestamp_seconds"
	shows(ends, ends+"{secret=\"a\",source=\"acme\"} +Inf\n")
	shows("headgate_source_stopped", "headgate_source_stopped{source=\"acme\"} 0\n")
	d.handler.SetSources([]Source{{Source: superoffice.Source{Name: "globex"}, Secrets: []Secret{{ID: "b", Key: testKey, NotAfter: time.Unix(1e9, 0)}}}})
	shows(ends, ends+"{secret=\"b\",source=\"globex\"} 1e+09\n")
	shows("headgate_source_stopped", "headgate_source_stopped{source=\"globex\"} 0\n")
}
