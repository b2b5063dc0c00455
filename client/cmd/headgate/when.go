package main

import (
	"fmt"
	"time"
)

// when is a moment on the command line: a time, or a duration before now.
type when struct{ time.Time }

// UnmarshalText takes RFC 3339 or a Go duration.
func (w *when) UnmarshalText(text []byte) error {
	if ago, err := time.ParseDuration(string(text)); err == nil {
		if ago < 0 {
			return fmt.Errorf("%q: want how long ago, without a minus", text)
		}
		w.Time = time.Now().Add(-ago)
		return nil
	}
	moment, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%q: want a time such as 2026-01-31T08:00:00Z, or how long ago, such as 90m", text)
	}
	w.Time = moment
	return nil
}
