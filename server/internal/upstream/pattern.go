package upstream

import (
	"slices"
	"time"
)

// The week of a source, as far as it is known. An hour of the week is busy when the source was heard in it several times in every one of the last weeks; from
// five weeks on one of them, a holiday's, does not count.
const (
	hoursOfWeek = 7 * 24
	// weeksKept are learned from, at most; weeksNeeded at least.
	weeksKept, weeksNeeded = 6, 3
	// busyCount is how often in an hour.
	busyCount = 3
	// busyMissed is after how many whole busy hours without a sign a source is silent.
	busyMissed = 3
	// longestTimes is how many times as long as ever a source without busy hours must be quiet to be silent, shortestLimit at least.
	longestTimes  = 3
	shortestLimit = 24 * time.Hour
)

// week is what is learned of one. Its fields are the stored form.
type week struct {
	// Start is its Monday, at midnight in the source's zone.
	Start time.Time `json:"start"`
	// Hours counts what was heard in each, up to 255.
	Hours [hoursOfWeek]uint8 `json:"hours"`
	// Longest is the longest time between two signs that ended in it, and was no suspicious silence.
	Longest time.Duration `json:"longest"`
}

// hourOf is the hour of the week in which t lies. Hours begin when those of UTC do, so that each is as long as any other.
func hourOf(t time.Time, zone *time.Location) int {
	local := t.Truncate(time.Hour).In(zone)
	return (int(local.Weekday())+6)%7*24 + local.Hour()
}

func mondayOf(t time.Time, zone *time.Location) time.Time {
	local := t.Truncate(time.Hour).In(zone)
	return time.Date(local.Year(), local.Month(), local.Day()-(int(local.Weekday())+6)%7, 0, 0, 0, 0, zone)
}

// pattern is what is expected of a source.
type pattern struct {
	busy  [hoursOfWeek]bool
	limit time.Duration // silent for longer, it is not well
}

// patternOf needs some whole weeks; ok is false while there are fewer.
func patternOf(known []week) (p pattern, ok bool) {
	if len(known) < weeksNeeded {
		return p, false
	}
	p.limit = shortestLimit
	counts := make([]uint8, len(known))
	for h := range p.busy {
		for i := range known {
			counts[i] = known[i].Hours[h]
		}
		slices.Sort(counts)
		least := counts[0]
		if len(known) >= 5 {
			least = counts[1]
		}
		p.busy[h] = least >= busyCount
	}
	for i := range known {
		p.limit = max(p.limit, longestTimes*known[i].Longest)
	}
	return p, true
}

// expectedBy is by when a source that was last heard at a time should be heard again.
func (p *pattern) expectedBy(last time.Time, zone *time.Location) time.Time {
	missed, limit := 0, last.Add(p.limit)
	for hour := last.Truncate(time.Hour).Add(time.Hour); hour.Before(limit); hour = hour.Add(time.Hour) {
		if p.busy[hourOf(hour, zone)] {
			if missed++; missed == busyMissed {
				return minTime(hour.Add(time.Hour), limit)
			}
		}
	}
	return limit
}

// isLoss says whether a silence that was suspicious will have lost something, now that it is over. It will not where it began and ended when the source is
// usually quiet: that is a holiday.
func (p *pattern) isLoss(from, to time.Time, zone *time.Location) bool {
	if to.After(from.Add(p.limit)) {
		return true
	}
	busy := func(hour time.Time) bool {
		return hour.After(from) && !hour.Add(time.Hour).After(to) && p.busy[hourOf(hour, zone)]
	}
	begin, end := from.Truncate(time.Hour).Add(time.Hour), to.Truncate(time.Hour).Add(-time.Hour)
	first, last := true, true
	for i := range time.Duration(busyMissed) {
		first = first && busy(begin.Add(i*time.Hour))
		last = last && busy(end.Add(-i*time.Hour))
	}
	return first || last
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
