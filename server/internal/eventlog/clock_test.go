package eventlog_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/server/internal/eventlog"
)

var long = flag.Bool("long", false, "run the long counts")

// wallClock is a clock that is set, forwards and backwards.
type wallClock struct {
	mu  sync.Mutex
	off time.Duration // from the real one
}

func (c *wallClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

func (c *wallClock) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += d
}

// TestThirtyDaysOfJumpingClocks: a log runs for 30 days of hours while the machine's clock is set forwards and backwards under it, by seconds and by months, and is
// opened anew each day. When an event was received never decreases with its place, the order is that of acceptance, and what came before is known again.
func TestThirtyDaysOfJumpingClocks(t *testing.T) {
	const days, perHour = 30, 3
	hour := 15 * time.Second // of those an hour only the clock goes on by: the store looks at its disk 4 times a second, and each look costs real time
	if *long {
		hour = time.Hour
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	fs, clock, n, jumps := memory(), &wallClock{}, 0, 0
	for range days {
		synctest.Test(t, func(t *testing.T) {
			// Far jumps must not expire what the test looks for: no retention by age.
			l, _ := start(t, fs, eventlog.Options{Now: clock.now, Retention: eventlog.Retention{MaxSize: 1 << 40}})
			for range 24 {
				for range perHour {
					mustAppend(t, l, n, false)
					n++
					if rnd.IntN(2) == 0 {
						mustAppend(t, l, rnd.IntN(n), true)
					}
				}
				time.Sleep(hour)
				clock.jump(time.Hour - hour)
				if rnd.IntN(3) == 0 {
					clock.jump([]time.Duration{-time.Second, -time.Hour, -60 * 24 * time.Hour, time.Second, time.Hour, 60 * 24 * time.Hour}[rnd.IntN(6)])
					jumps++
				}
			}
			inOrder(t, l, n)
		})
		clock.jump(24 * time.Hour) // each day's own clock begins where the one before began
	}
	t.Logf("%d days, %d events, %d jumps of the clock", days, n, jumps)
	if jumps < 100 {
		t.Error("too little happened for the run to mean anything")
	}
}

func mustAppend(t *testing.T, l *eventlog.Log, n int, known bool) {
	t.Helper()
	if dup, err := l.Append(ctx, event("c", fmt.Sprint("id", n), 10)); err != nil || dup != known {
		t.Fatalf("event %d: duplicate %v, %v", n, dup, err)
	}
}

// inOrder checks the whole log, and that it is found by time.
func inOrder(t *testing.T, l *eventlog.Log, want int) {
	t.Helper()
	if err := l.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	var at uint64
	var last time.Time
	for at < uint64(want) {
		c, err := l.ReadStored(ctx, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range c.Frames {
			if f.ReceivedAt.Before(last) || f.Keys.EventID != fmt.Sprint("id", f.Seq-1) {
				t.Fatalf("record %d is %s of %v, after one of %v", f.Seq, f.Keys.EventID, f.ReceivedAt, last)
			}
			if f.Seq%16 > 0 { // of the searches some must do
				last = f.ReceivedAt
				continue
			}
			if after, err := l.SeekTime(ctx, f.ReceivedAt); err != nil || after >= f.Seq || (f.ReceivedAt.After(last) && after != f.Seq-1) {
				t.Fatalf("from %v on everything is after %d, %v; record %d is of that time", f.ReceivedAt, after, err, f.Seq)
			}
			last = f.ReceivedAt
		}
		at = c.Through
	}
	if l.Head() != uint64(want) {
		t.Fatalf("%d records for %d events", l.Head(), want)
	}
}
