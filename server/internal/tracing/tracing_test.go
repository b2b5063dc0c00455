package tracing

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestComplainsOnceAMinute: whatever goes wrong how often, with what was lost since the last line, and not at any length.
func TestComplainsOnceAMinute(t *testing.T) {
	var out bytes.Buffer
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := newComplaint(slog.New(slog.NewTextHandler(&out, nil)))
	c.now = func() time.Time { return now }
	for range 600 { // ten minutes
		c.of(errors.New(strings.Repeat("é", 10_000)), 7)
		now = now.Add(time.Second)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 10 || !strings.Contains(lines[0], "lost_spans=7 ") || !strings.Contains(lines[1], "lost_spans=420 ") || len(lines[0]) > 1000 {
		t.Errorf("%d lines, the first ones %s\n%s", len(lines), lines[0], lines[1])
	}
}

// TestOffIsNothing: what is off can be used like what is on.
func TestOffIsNothing(t *testing.T) {
	var off *Tracing
	if off.Tracer() != nil {
		t.Error("there is a tracer")
	}
	off.Stop()
}

func TestStartRefuses(t *testing.T) {
	for _, endpoint := range []string{"http://\x00", "://"} {
		if _, err := Start(t.Context(), Options{Endpoint: endpoint, Logger: slog.New(slog.DiscardHandler)}); err == nil {
			t.Errorf("%q is taken", endpoint)
		}
	}
}
