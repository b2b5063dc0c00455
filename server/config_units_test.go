package server

import (
	"errors"
	"math"
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 2160 * time.Hour, "3d": 72 * time.Hour, "12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "1d12h": 36 * time.Hour,
		"0d": 0, "0": 0, "1.5h": 90 * time.Minute, "250ms": 250 * time.Millisecond, "106751d": 106751 * day,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "90", "-3d", "-3h", "1d-3h", "3 d", "1.5d", "1d2d", "3D", "2h1d", "soon", "106752d", "106751d24h", "99999999999999d"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"10GiB": 10 << 30, "512MiB": 512 << 20, "1GB": 1e9, "64KiB": 64 << 10, "2TiB": 2 << 40, "7B": 7, "10 GiB": 10 << 30, "10gib": 10 << 30,
		"0B": 0, "9223372036854775807B": math.MaxInt64,
	} {
		if got, err := parseSize(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "GiB", "10", "10G", "10Gi", "1.5GiB", "-1GiB", "+1GiB", "9223372036854775808B", "8388608TiB", "10XiB", "1GiB1B"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

// FuzzUnits: no text makes the readers panic, and what is read can be written and read again.
func FuzzUnits(f *testing.F) {
	for _, text := range []string{"90d", "1d12h", "1h30m", "10h0m5s", "10m", "1.5h", "-1h", "10GiB", "1GB", "512 MiB", "x", "", "1d1ns"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := parseDuration(text); err == nil {
			if again, err := parseDuration(formatDuration(d)); err != nil || again != d || d < 0 {
				t.Errorf("%q is %d, written %q, read again %d, %v", text, d, formatDuration(d), again, err)
			}
		}
		if n, err := parseSize(text); err == nil {
			if again, err := parseSize(formatSize(n)); err != nil || again != n || n < 0 {
				t.Errorf("%q is %d, written %q, read again %d, %v", text, n, formatSize(n), again, err)
			}
		}
	})
}

// FuzzConfig: no file makes the reader panic, and what is taken without complaint is valid.
func FuzzConfig(f *testing.F) {
	for _, file := range []string{
		whole, minimal, "", "~", "[]", "a: &a [*a]", "sources: &a {acme: *a}", "listen: {<<: *x}", "? [a]\n: b", "--- a\n--- b",
		"readers: {}", "retention: {max_age: 1d}", "sources: {acme: {tables: {5: a, 5: b}, secrets: [~, {id: ~}]}}", "&a *a",
		good(map[string]string{"top": "listen: {grpc: '10.0.0.1:9090'}"}),
	} {
		f.Add(file)
	}
	dir := folder(f, "")
	env := environ(map[string]string{"ACME_SECRET": hidden})
	f.Fuzz(func(t *testing.T, file string) {
		c, err := parse([]byte(file), dir, env, time.Time{})
		var ps Problems
		switch {
		case err == nil:
			if err := c.Validate(); err != nil {
				t.Errorf("taken, but %v", err)
			}
			if c.Dev || c.AcceptDataLoss || !isLoopbackAddress(c.Listen.GRPC) {
				t.Errorf("a file cannot ask for %+v", c)
			}
		case errors.As(err, &ps):
			for _, p := range ps {
				if p.Text == "" {
					t.Errorf("a refusal without reason: %+v", p)
				}
			}
			if showsSecret(err.Error()) {
				t.Errorf("the secret is shown in: %v", err)
			}
		}
	})
}

func isLoopbackAddress(address string) bool {
	host, _, err := splitAddress(address)
	return err == nil && isLoopback(host)
}
