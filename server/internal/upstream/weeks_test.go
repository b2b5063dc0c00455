package upstream

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

var long = flag.Bool("long", false, "take 50 histories instead of 2")

// A feed is how a tenant's webhooks come: perHour says how many are to be expected in the hour that begins at a local time.
type feed struct {
	name    string
	perHour func(local time.Time) float64
	// found is by when at the latest it is seen that the feed was stopped on a Wednesday at 11:20.
	found time.Duration
}

func office(local time.Time) float64 {
	if d := local.Weekday(); d == time.Saturday || d == time.Sunday || local.Hour() < 8 || local.Hour() > 16 {
		return 0
	}
	return map[int]float64{8: 12, 12: 15}[local.Hour()] + 15
}

// feeds are what the issue is about: each is quiet in its own way.
var feeds = []feed{
	{"office hours", office, 5 * time.Hour},
	{"weekend quiet", func(local time.Time) float64 {
		if d := local.Weekday(); d == time.Saturday || d == time.Sunday {
			return 0
		}
		return 25
	}, 4 * time.Hour},
	{"night batch", func(local time.Time) float64 {
		if local.Hour() == 2 {
			return 150
		}
		return 0
	}, 2*24*time.Hour + 16*time.Hour},
	{"holiday", func(local time.Time) float64 {
		if local.Day() == 28 && local.Month() == time.March || local.Day() == 31 { // a Tuesday, and a Friday before a weekend
			return 0
		}
		return office(local)
	}, 5 * time.Hour},
	{"every other week", func(local time.Time) float64 { // a job on Thursdays, and somebody early in the morning
		switch {
		case local.Hour() == 6:
			return 8
		case local.Weekday() == time.Thursday && local.YearDay()/7%2 == 1:
			return 100
		}
		return 0
	}, 0},
	{"steady", func(time.Time) float64 { return 30 }, 4 * time.Hour},
	{"sparse", func(time.Time) float64 { return 6.0 / hoursOfWeek }, 0},
}

// run posts a feed until ctx ends, but for the time in which the CRM has stopped it.
func (f *feed) run(ctx context.Context, r *rig, source string, seed uint64, stopped func(time.Time) bool) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for ctx.Err() == nil {
		now := time.Now()
		rate := f.perHour(now.Truncate(time.Hour).In(r.zones[source]))
		next := now.Truncate(time.Hour).Add(time.Hour)
		if rate > 0 {
			if at := now.Add(time.Duration(rng.ExpFloat64() / rate * float64(time.Hour))); at.Before(next) {
				time.Sleep(at.Sub(now))
				if !stopped(at) && ctx.Err() == nil {
					r.post(source, "", 0)
				}
				continue
			}
		}
		time.Sleep(next.Sub(now))
	}
}

// TestHoursAreTheSources: in its own zone, and as long as any other when the clocks change or the zone is half an hour off.
func TestHoursAreTheSources(t *testing.T) {
	for _, c := range []struct {
		zone, at, monday string
		hour             int
	}{
		{"UTC", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", 0},
		{"UTC", "2026-03-08T23:59:59Z", "2026-03-02T00:00:00Z", 167},
		{"Europe/Oslo", "2026-03-01T23:30:00Z", "2026-03-01T23:00:00Z", 0},
		{"Europe/Oslo", "2026-03-29T00:30:00Z", "2026-03-22T23:00:00Z", 6*24 + 1},
		{"Europe/Oslo", "2026-03-29T01:30:00Z", "2026-03-22T23:00:00Z", 6*24 + 3}, // the clocks have gone forward
		{"Europe/Oslo", "2026-03-29T22:00:00Z", "2026-03-29T22:00:00Z", 0},
		{"Asia/Kolkata", "2026-03-02T00:29:00Z", "2026-03-01T18:30:00Z", 5}, // of the hour from 05:30 to 06:30
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if hour, monday := hourOf(at, zone), mondayOf(at, zone).UTC().Format(time.RFC3339); hour != c.hour || monday != c.monday {
			t.Errorf("%s in %s: hour %d of the week from %s, want %d, %s", c.at, c.zone, hour, monday, c.hour, c.monday)
		}
	}
}

// TestThirtyDays: over 30 days, a change to summer time among them, no feed that is only quiet makes a gap, and none but those on holiday an alarm. A feed that was stopped
// is found in time, and makes one gap when it comes back, with the window in which it was away. It is so for several histories.
func TestThirtyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seeds := 2
		if *long {
			seeds = 50
		}
		begin := time.Date(2000, time.March, 6, 0, 0, 0, 0, oslo(t)) // a Monday
		stop, again := begin.Add(23*day+10*time.Hour+20*time.Minute), begin.Add(28*day+10*time.Hour-10*time.Minute)
		var sources []string
		for _, f := range feeds {
			for seed := range seeds {
				sources = append(sources, fmt.Sprint(f.name, seed), fmt.Sprint("stopped ", f.name, seed))
			}
		}
		r := newRig(t, sources...)
		time.Sleep(time.Until(begin))
		r.start(true)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i, f := range feeds {
			for seed := range uint64(seeds) {
				seed := seed*100 + uint64(i)
				wg.Go(func() { f.run(ctx, r, fmt.Sprint(f.name, seed/100), seed, func(time.Time) bool { return false }) })
				wg.Go(func() {
					f.run(ctx, r, fmt.Sprint("stopped ", f.name, seed/100), seed, func(at time.Time) bool { return at.After(stop) && at.Before(again) })
				})
			}
		}
		found := make(map[string]time.Time)
		for time.Since(begin) < 30*day {
			pass(15 * time.Minute)
			for _, source := range sources {
				if now := time.Now(); len(r.watch.Status(source).Suspected) > 0 && found[source].IsZero() && (now.After(stop) || !strings.HasPrefix(source, "stopped")) {
					found[source] = now
				}
			}
		}
		cancel()
		wg.Wait()
		checkThirtyDays(r, sources, found, stop, again)
		r.stop()
	})
}

func checkThirtyDays(r *rig, sources []string, found map[string]time.Time, stop, again time.Time) {
	gaps := make(map[string][]*headgatev1.Gap)
	for _, gap := range r.gaps() {
		gaps[gap.GetSource()] = append(gaps[gap.GetSource()], gap)
	}
	for _, source := range sources {
		quiet := !strings.HasPrefix(source, "stopped ")
		f := feeds[slices.IndexFunc(feeds, func(f feed) bool { return strings.Contains(source, f.name) })]
		if !quiet && f.found == 0 {
			continue // that a feed of a few events a week was stopped cannot be seen so soon
		}
		if quiet {
			if len(gaps[source]) > 0 {
				r.Errorf("%s: false gaps %v", source, gaps[source])
			}
			if at := found[source]; !at.IsZero() && f.name != "holiday" {
				r.Errorf("%s: a false alarm at %s", source, at)
			}
			continue
		}
		if took := found[source].Sub(stop); took <= 0 || took > f.found+15*time.Minute {
			r.Errorf("%s: stopped at %s, found after %s, want %s at most", source, stop, took, f.found)
		}
		if f.name == "night batch" {
			continue // three nights are missed in a row, and nothing else: see isLoss
		}
		if n := len(gaps[source]); n != 1 {
			r.Errorf("%s: %d gaps %v, want one", source, n, gaps[source])
			continue
		}
		gap := gaps[source][0]
		from, to := gap.GetFromTime().AsTime(), gap.GetToTime().AsTime()
		if gap.GetCause() != headgatev1.Gap_CAUSE_SILENCE || from.After(stop) || from.Before(stop.Add(-time.Hour)) || to.Before(again) || to.After(again.Add(time.Hour)) {
			r.Errorf("%s: the gap is %v, it was stopped from %s to %s", source, gap, stop, again)
		}
	}
}
