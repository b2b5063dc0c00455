package server

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc/metadata"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// family is a metric as a page of them shows it.
type family struct{ kind, labels, help string }

// TestMetrics: a gateway that has seen everything shows every metric that the documentation, the alert rules and the dashboard name, and none that the documentation does
// not; their names keep Prometheus' conventions, and their labels tell nothing of tenants and events.
func TestMetrics(t *testing.T) {
	h := busyHouse(t)
	page := scrape(t, h)
	shown := familiesOf(page)
	t.Run("documented", func(t *testing.T) { checkMetricsPage(t, shown) })
	t.Run("conventions", func(t *testing.T) {
		problems, err := testutil.GatherAndLint(h.s.registry)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	})
	t.Run("labels", func(t *testing.T) {
		for _, private := range []string{"Cust26759", "Cust1234", "00000000-0000-4000", h.cursor(t)} {
			if strings.Contains(page, private) {
				t.Errorf("the metrics show %s", private)
			}
		}
	})
	t.Run("rules", func(t *testing.T) { checkRules(t, shown) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, shown) })
}

var atEarliest = &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}

// busyHouse is a house in which everything has happened that a metric tells of, whose sources have been known for weeks.
func busyHouse(t *testing.T) *house {
	t.Helper()
	dir := folder(t, good(map[string]string{"data_dir": "log", "contexts": "[Cust26759, Cust1234, Default]", "top": listenerFile}))
	knownForWeeks(t, dir)
	writeFile(t, filepath.Join(dir, "headgate.yaml"), houseFile(houseReaders))
	h := houseIn(t, dir)
	h.post("acme", webhookBody(1, "Cust26759", "relation", "created", ""))
	h.post("acme", webhookBody(1, "Cust26759", "relation", "created", ""))
	h.post("acme", []byte("no event"))
	ctx, client := h.as(t.Context(), "all")
	stream, err := client.Subscribe(ctx, &headgatev1.SubscribeRequest{Start: atEarliest})
	if err != nil {
		t.Fatal(err)
	}
	for events := 0; events == 0; {
		m, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		events += len(m.GetEvents())
	}
	named := headgatev1.NewSubscriptionServiceClient(h.grpcOf[false])
	if _, err := named.CreateSubscription(ctx, &headgatev1.CreateSubscriptionRequest{Name: "links", ShardCount: 1, Start: atEarliest}); err != nil {
		t.Fatal(err)
	}
	end, err := client.Subscribe(ctx, &headgatev1.SubscribeRequest{})
	for err == nil {
		_, err = end.Recv()
	}
	h.cursor(t)
	if _, err := client.ListEvents(metadata.NewOutgoingContext(t.Context(), nil), &headgatev1.ListEventsRequest{}); err == nil {
		t.Fatal("nobody lists events")
	}
	eventually(t, "the calls are counted", func() bool { // the last thing that happens of one
		return strings.Contains(scrape(t, h), `headgate_grpc_call_duration_seconds_count{listener="grpc",method="headgate.v1.EventService/ListEvents"}`)
	})
	return h
}

// cursor lists an event and returns where it stands.
func (h *house) cursor(t *testing.T) string {
	t.Helper()
	ctx, client := h.as(t.Context(), "all")
	list, err := client.ListEvents(ctx, &headgatev1.ListEventsRequest{PageSize: 1})
	if err != nil || len(list.GetEvents()) != 1 {
		t.Fatal(list, err)
	}
	return list.GetEvents()[0].GetCursor()
}

// knownForWeeks runs a gateway for a moment, and leaves in its folder what one knows that ran for weeks.
func knownForWeeks(t *testing.T, dir string) {
	t.Helper()
	cfg, err := Load(filepath.Join(dir, "headgate.yaml"), environ(nil))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	path, state, now := filepath.Join(dir, "log", "upstream.json"), map[string]any{}, time.Now()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if err != nil {
		t.Fatal(err)
	}
	var weeks []any
	for n := 5; n >= 0; n-- {
		weeks = append(weeks, map[string]any{"start": now.AddDate(0, 0, -7*n)})
	}
	state["sources"] = map[string]any{"acme": map[string]any{
		"first": now.AddDate(0, 0, -60), "last": now, "quiet": now, "weeks": weeks,
		"suspected": map[string]any{"from": now.Add(-time.Hour), "to": now, "source": "acme", "cause": headgatev1.Gap_CAUSE_RETRIED},
	}}
	if text, err = json.Marshal(state); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, string(text))
}

func scrape(t *testing.T, h *house) string {
	t.Helper()
	resp, err := http.Get("http://" + h.s.Addresses().Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.StatusCode, err)
	}
	return string(text)
}

var (
	sampleLine = regexp.MustCompile(`^([a-z_0-9]+)(?:\{(.*)\})? `)
	labelOf    = regexp.MustCompile(`([a-z_]+)="`)
	partOf     = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// familiesOf reads a page in Prometheus' text format.
func familiesOf(page string) map[string]family {
	all, labels := make(map[string]family), make(map[string]map[string]bool)
	for line := range strings.Lines(page) {
		words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
		switch {
		case len(words) == 4 && words[1] == "HELP":
			all[words[2]] = family{help: words[3]}
		case len(words) == 4 && words[1] == "TYPE":
			f := all[words[2]]
			f.kind = words[3]
			all[words[2]], labels[words[2]] = f, map[string]bool{}
		default:
			m := sampleLine.FindStringSubmatch(line)
			name := m[1]
			if _, ok := all[name]; !ok {
				name = partOf.ReplaceAllString(name, "")
			}
			for _, l := range labelOf.FindAllStringSubmatch(m[2], -1) {
				if l[1] != "le" && l[1] != "quantile" {
					labels[name][l[1]] = true
				}
			}
		}
	}
	for name, f := range all {
		f.labels = strings.Join(slices.Sorted(maps.Keys(labels[name])), ", ")
		all[name] = f
	}
	return all
}

var metricRow = regexp.MustCompile("(?m)^\\| `(headgate_[a-z_]+)` \\| ([a-z]+) \\| ([a-z, ]*?) ?\\| (.+?) \\| (.+?) \\|$")

// checkMetricsPage holds the documentation against what is shown, both ways. A metric's meaning there is its help text.
func checkMetricsPage(t *testing.T, shown map[string]family) {
	text, err := os.ReadFile("docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]family)
	for _, row := range metricRow.FindAllStringSubmatch(string(text), -1) {
		if _, twice := documented[row[1]]; twice {
			t.Errorf("%s is documented twice", row[1])
		}
		documented[row[1]] = family{kind: row[2], labels: row[3], help: row[4]}
	}
	for name, f := range shown {
		if prefix, _, _ := strings.Cut(name, "_"); prefix != "headgate" {
			if !strings.Contains(string(text), "`"+prefix+"_`") {
				t.Errorf("%s is of a kind that is not documented", name)
			}
			continue
		}
		if got, ok := documented[name]; !ok {
			t.Errorf("not documented:\n| `%s` | %s | %s | %s | |", name, f.kind, f.labels, f.help)
		} else if got != f {
			t.Errorf("%s is documented as\n%+v, and is\n%+v", name, got, f)
		}
	}
	for name := range documented {
		if _, ok := shown[name]; !ok {
			t.Errorf("%s is documented and not shown", name)
		}
	}
	if n := strings.Count(string(text), "| `headgate_"); n != len(documented) {
		t.Errorf("%d of %d rows can be read", len(documented), n)
	}
}

var metricName = regexp.MustCompile(`\b(?:headgate|go|process)_[a-z_]+\b`)

// checkNames says which metrics an expression names that are not there.
func checkNames(t *testing.T, where, expr string, shown map[string]family) {
	t.Helper()
	for _, name := range metricName.FindAllString(expr, -1) {
		if _, ok := shown[name]; ok {
			continue
		}
		if f, ok := shown[partOf.ReplaceAllString(name, "")]; !ok || f.kind != "histogram" {
			t.Errorf("%s: there is no metric %s", where, name)
		}
	}
}
