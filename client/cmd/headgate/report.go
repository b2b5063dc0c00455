package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// fewAnswers are told one by one. Of more, only the failures are, up to mostFailures.
	fewAnswers   = 20
	mostFailures = 10
)

// report tells the answers and sums them up. It is safe for concurrent use.
type report struct {
	std   *stdio
	many  bool
	began time.Time

	mu          sync.Mutex  // guards what follows, and the order of lines
	answers     map[int]int // by status, 0 for no answer
	quarantined int
	failures    int
	lastErr     error // of the last request without an answer
}

func newReport(std *stdio, planned int) *report {
	return &report{std: std, many: planned > fewAnswers, began: time.Now(), answers: make(map[int]int)}
}

// add tells one answer. failure is why there was none.
func (r *report) add(load payload, status int, text string, failure error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[status]++
	what := load.text("Event")
	if what == "" {
		what = load.name
	}
	if key, ok := load.primaryKey(); ok {
		what += fmt.Sprintf(" #%d", key)
	}
	line := fmt.Sprintf("%d %s", status, what)
	if failure != nil {
		r.lastErr = failure
		line = "no answer to " + what
	}
	if status != http.StatusOK {
		r.failures++
	} else if strings.HasPrefix(text, "stored in quarantine") {
		r.quarantined++
	}
	if text != "" && text != "stored" {
		line += ": " + text
	}
	if r.many && (status == http.StatusOK || r.failures > mostFailures) {
		return nil
	}
	_, err := fmt.Fprintln(r.std.out, printable(line))
	return err
}

// finish sums up. It is an error when anything but 200 was answered: the CRM counts that as a failure.
func (r *report) finish(url string, signed bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	statuses := slices.Sorted(maps.Keys(r.answers))
	total := 0
	for _, n := range r.answers {
		total += n
	}
	if r.many {
		took := time.Since(r.began)
		line := fmt.Sprintf("sent %d in %v, %.0f a second:", total, took.Round(time.Millisecond), float64(total)/took.Seconds())
		for _, status := range statuses {
			name := fmt.Sprint(status)
			if status == 0 {
				name = "no answer"
			}
			line += fmt.Sprintf(" %d x %s", r.answers[status], name)
		}
		if r.quarantined > 0 {
			line += fmt.Sprintf(", %d of them stored in quarantine", r.quarantined)
		}
		if _, err := fmt.Fprintln(r.std.out, line); err != nil {
			return err
		}
	}
	if r.quarantined > 0 {
		if _, err := fmt.Fprintln(r.std.err, "see headgate quarantine list"); err != nil {
			return err
		}
	}
	if r.lastErr != nil {
		return unreachable(url, r.lastErr)
	}
	if r.failures == 0 {
		return nil
	}
	advice := ""
	for _, status := range statuses {
		if text := hint(status, signed); text != "" && advice == "" {
			advice = ": " + text
		}
	}
	return fmt.Errorf("%d of %d were not answered with 200%s", r.failures, total, advice)
}
