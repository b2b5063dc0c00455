package tracing

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asProgram makes the test binary start and stop an exporter, with the variables of a test.
const asProgram = "HEADGATE_TRACING_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		goleak.VerifyTestMain(m)
		return
	}
	for _, grpc := range []bool{true, false} {
		t, err := Start(context.Background(), Options{Endpoint: "http://127.0.0.1:1", GRPC: grpc, Headers: map[string]string{"a": "b"}, Logger: slog.Default()})
		if err != nil {
			panic(err)
		}
		t.Stop()
	}
}

// TestTheLibraryShowsNoHeaders: of a variable that it cannot read, it would.
func TestTheLibraryShowsNoHeaders(t *testing.T) {
	program := exec.CommandContext(t.Context(), os.Args[0])
	program.Env = append(os.Environ(), asProgram+"=1", "OTEL_EXPORTER_OTLP_HEADERS=hidden-0123456789,b%zz=hidden-0123456789")
	out, err := program.CombinedOutput()
	if err != nil || strings.Contains(string(out), "0123456789") {
		t.Errorf("%v: %s", err, out)
	}
}

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
