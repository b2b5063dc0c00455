package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// checkClock catches machines that start in 1970: retention and the dates of secrets go by the clock.
func checkClock(r *report, now time.Time) {
	if now.Year() < 2025 {
		r.say(verdictError, "clock", "it says %s; set it, retention and secrets go by it", now.UTC().Format(time.RFC3339))
		return
	}
	r.say(verdictOK, "clock", "%s", now.UTC().Format(time.RFC3339))
}

const (
	// clockDrifts is how wrong a clock is that nobody sets; a Date is to the second.
	clockDrifts = 5 * time.Second
	// clockWrong is how wrong a clock may be until tokens and certificates are taken for expired.
	clockWrong = time.Minute
)

// checkClockOnline holds the clock against the Date header of another machine.
func checkClockOnline(ctx context.Context, r *report, client *http.Client, url string) {
	theirs, ours, err := dateOf(ctx, client, url)
	if err != nil {
		r.say(verdictError, "clock", "%s; name another URL with --online, or leave it away", err)
		return
	}
	off := ours.Sub(theirs).Round(time.Second)
	text := fmt.Sprintf("it differs by %v from that of %s", off.Abs(), url)
	switch {
	case off.Abs() >= clockWrong:
		r.say(verdictError, "clock", "%s; set it, retention, secrets and tokens go by it", text)
	case off.Abs() >= clockDrifts:
		r.say(verdictWarning, "clock", "%s; have it set by NTP", text)
	default:
		r.say(verdictOK, "clock", "%s", text)
	}
}

// dateOf asks for the time there, and takes the middle of the call for when it was that here.
func dateOf(ctx context.Context, client *http.Client, url string) (theirs, ours time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil || req.URL.Scheme != "https" {
		return theirs, ours, fmt.Errorf("%q is not an https URL", url)
	}
	begin := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return theirs, ours, fmt.Errorf("the time could not be asked for: %w", err)
	}
	defer resp.Body.Close()
	if theirs, err = http.ParseTime(resp.Header.Get("Date")); err != nil {
		return theirs, ours, fmt.Errorf("%s tells no time", url)
	}
	return theirs, begin.Add(time.Since(begin) / 2), nil
}
