package access

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// TestWatchesLeaveFewLines: who asks every two seconds has a line a minute, which tells of the others; who asks besides, or for something else, has one of their own.
func TestWatchesLeaveFewLines(t *testing.T) {
	w := &watches{}
	chief := watch{"chief", "token 1", "Status", netip.MustParseAddr("192.0.2.1")}
	begin := time.Now()
	var lines []string
	for second := 0; second <= 120; second += 2 {
		if more, ok := w.allow(chief, begin.Add(time.Duration(second)*time.Second)); ok {
			lines = append(lines, fmt.Sprint(second, more))
		}
	}
	if want := []string{"0 []", "60 [repeated 29]", "120 [repeated 29]"}; !slices.Equal(lines, want) {
		t.Errorf("the lines are %v, want %v", lines, want)
	}
	for _, other := range []watch{
		{"deputy", chief.credential, chief.method, chief.from},
		{chief.reader, "token 2", chief.method, chief.from},
		{chief.reader, chief.credential, "Streams", chief.from},
		{chief.reader, chief.credential, chief.method, netip.MustParseAddr("192.0.2.2")},
	} {
		if _, ok := w.allow(other, begin.Add(121*time.Second)); !ok {
			t.Errorf("%v has no line", other)
		}
	}
}

// TestManyWatchesAreAllTold: memory is bounded, and what does not fit has its lines.
func TestManyWatchesAreAllTold(t *testing.T) {
	w := &watches{}
	now := time.Now()
	for i := range 3 * maxWatches {
		if _, ok := w.allow(watch{credential: fmt.Sprint(i)}, now); !ok {
			t.Fatalf("watch %d has no line", i)
		}
	}
	if len(w.last) > maxWatches {
		t.Errorf("%d are known", len(w.last))
	}
	late := watch{credential: "late"}
	w.allow(late, now.Add(watchLine))
	if _, ok := w.allow(late, now.Add(watchLine)); ok || len(w.last) != 1 {
		t.Errorf("old ones are not forgotten: %d are known", len(w.last))
	}
}
