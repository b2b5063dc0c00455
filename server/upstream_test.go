package server_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// TestTimeAwayIsAGap: a gateway that comes back after longer than the CRM tries tells its readers so, ahead of what then arrives, and its operators. A short
// restart is none.
func TestTimeAwayIsAGap(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	start(t, cfg).stop()
	from := wasReady(t, cfg.DataDir, time.Hour)
	g := start(t, cfg)
	if status := g.post(body(1, "relation.created", "Cust26759")); status != http.StatusOK {
		t.Fatal(status)
	}
	gaps := gapsOf(t, g, 0)
	if len(gaps) != 1 || gaps[0].GetReason() != headgatev1.Gap_REASON_UPSTREAM_SUSPECTED || gaps[0].GetCause() != headgatev1.Gap_CAUSE_NOT_READY ||
		gaps[0].GetSource() != "" || !gaps[0].GetFromTime().AsTime().Equal(from) || time.Since(gaps[0].GetToTime().AsTime()) > time.Minute {
		t.Fatalf("away from %s on: %v", from, gaps)
	}
	g.shows(`headgate_upstream_gaps_total{cause="not_ready",source=""} 1`, `headgate_upstream_gaps_total{cause="silence",source="acme"} 0`)
	g.stop()
	wasReady(t, cfg.DataDir, 3*time.Second)
	g = start(t, cfg)
	if more := gapsOf(t, g, 1); len(more) != 1 {
		t.Errorf("after a short restart: %v", more)
	}
	status, err := adminv1.NewAdminServiceClient(g.conn).GetStatus(t.Context(), &adminv1.GetStatusRequest{})
	if err != nil || !proto.Equal(status.GetLastNotReady(), gaps[0]) {
		t.Errorf("the status is %v, %v", status, err)
	}
	// That there was a gap is known after a restart, when the counters begin anew.
	g.shows(`headgate_upstream_gaps_total{cause="not_ready",source=""} 0`, `headgate_upstream_gap_timestamp_seconds{source=""} 1.`)
	g.shows(`headgate_upstream_suspected{cause="silence",source="acme"} 0`, `headgate_source_last_heard_timestamp_seconds{source="acme"} 1.`)
}

// wasReady makes the gateway that was stopped one that was ready for the last time so long ago.
func wasReady(t *testing.T, dir string, ago time.Duration) time.Time {
	t.Helper()
	file := filepath.Join(dir, "ready")
	if text, err := os.ReadFile(file); err != nil || len(text) != 21 {
		t.Fatalf("it wrote %q, %v", text, err)
	}
	at := time.Now().Add(-ago)
	if err := os.WriteFile(file, fmt.Appendf(nil, "%020d\n", at.UnixNano()), 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

// gapsOf lists the gaps, before which there must be so many events.
func gapsOf(t *testing.T, g *gateway, before int) (gaps []*headgatev1.Gap) {
	t.Helper()
	req, events := &headgatev1.ListEventsRequest{}, 0
	for more := true; more; {
		page, err := g.events().ListEvents(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		events += len(page.GetEvents())
		if page.GetGap() != nil {
			gaps = append(gaps, page.GetGap())
			if events > before {
				t.Errorf("the gap %v stands behind %d events", page.GetGap(), events)
			}
		}
		req.AfterCursor, more = page.GetNextCursor(), page.GetHasMore()
	}
	return gaps
}

// shows waits until the metrics do.
func (g *gateway) shows(wants ...string) {
	g.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + g.addr.Admin + "/metrics")
		if err != nil {
			g.t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		missing := slices.DeleteFunc(slices.Clone(wants), func(want string) bool { return strings.Contains(string(text), want) })
		if err == nil && len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			g.t.Fatalf("the metrics do not show %q, %v", missing, err)
		}
	}
}
