package server

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// parseDuration reads 90d, 12h, 1h30m, 1d12h: what time.ParseDuration reads, with days in front.
func parseDuration(text string) (time.Duration, error) {
	wrong := errors.New("is not a duration; write it like 90d, 12h or 1h30m")
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "", text
	}
	var total time.Duration
	if found {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > uint64(math.MaxInt64/day) {
			return 0, wrong
		}
		total = time.Duration(n) * day
	}
	if found && rest == "" {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || total > math.MaxInt64-d {
		return 0, wrong
	}
	return total + d, nil
}

// formatDuration is the shortest text that parseDuration reads as d.
func formatDuration(d time.Duration) string {
	var b strings.Builder
	if d >= day {
		fmt.Fprintf(&b, "%dd", d/day)
		if d %= day; d == 0 {
			return b.String()
		}
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return b.String() + s
}

// sizeUnits are the units of sizes, the largest first; those of a thousand are read but never written.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40},
	{"GiB", gib},
	{"MiB", mib},
	{"KiB", kib},
	{"TB", 1e12},
	{"GB", 1e9},
	{"MB", 1e6},
	{"KB", 1e3},
	{"B", 1},
}

// parseSize reads 10GiB, 512MiB, 1GB. The unit is required: a bare number is more often a slip than a count of bytes.
func parseSize(text string) (int64, error) {
	wrong := errors.New("is not a size; write a whole number with a unit, like 10GiB, 512MiB or 1GB")
	digits := strings.TrimRight(text, "BKMGTibkmgt ")
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return 0, wrong
	}
	unit := strings.TrimLeft(text[len(digits):], " ")
	for _, u := range sizeUnits {
		if !strings.EqualFold(unit, u.name) {
			continue
		}
		if n > uint64(math.MaxInt64/u.bytes) {
			return 0, wrong
		}
		return int64(n) * u.bytes, nil
	}
	return 0, wrong
}

// formatSize is the shortest text that parseSize reads as n.
func formatSize(n int64) string {
	for _, u := range sizeUnits[:4] {
		if n != 0 && n%u.bytes == 0 {
			return fmt.Sprintf("%d%s", n/u.bytes, u.name)
		}
	}
	return fmt.Sprintf("%dB", n)
}
