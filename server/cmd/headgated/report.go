package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The verdicts of a check. With a warning the gateway runs, but not as it should or not for long.
const (
	verdictOK      = "ok"
	verdictWarning = "warning"
	verdictError   = "error"
)

// report writes a line for each check as soon as it is done, and counts.
type report struct {
	out              io.Writer
	json             bool
	warnings, errors int
}

// finding is what a check found, as JSON shows it.
type finding struct {
	Verdict string `json:"verdict"`
	Check   string `json:"check"`
	Text    string `json:"text"`
}

// say writes what a check found: how it is, and behind a semicolon what to do about it.
func (r *report) say(verdict, name, format string, args ...any) {
	switch verdict {
	case verdictWarning:
		r.warnings++
	case verdictError:
		r.errors++
	}
	found := finding{verdict, name, fmt.Sprintf(format, args...)}
	if r.json {
		_ = json.NewEncoder(r.out).Encode(found) // nobody reads any more
		return
	}
	fmt.Fprintf(r.out, "%-7s  %-14s  %s\n", found.Verdict, found.Check, found.Text)
}

// err is nil when all is well. Its exit code is 1 when there were warnings only, and 2 when there were errors.
func (r *report) err() error {
	switch {
	case r.errors > 0:
		return failure{errors.New(count(r.errors, "check") + " failed"), 2}
	case r.warnings > 0:
		return failure{errors.New(count(r.warnings, "warning")), 1}
	}
	return nil
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
