package main

import (
	"time"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// startFlags say a place in the log. At most one of them can be given.
type startFlags struct {
	Earliest bool  `xor:"start" help:"Begin with the oldest event." group:"From where on:"`
	Latest   bool  `xor:"start" help:"Begin with what comes from now on." group:"From where on:"`
	After    text  `xor:"start" placeholder:"CURSOR" help:"Begin after this cursor." group:"From where on:"`
	From     *when `xor:"start" placeholder:"TIME" help:"Begin with what was received at this time or later; 90m means 90 minutes ago." group:"From where on:"`
}

// start is the place, and the same in words. It is nil when none was given.
func (f *startFlags) start() (start *headgatev1.Start, where string) {
	switch {
	case f.Earliest:
		return client.Earliest(), "with the oldest event"
	case f.Latest:
		return client.Latest(), "with what comes from now on"
	case f.After != "":
		return client.After(string(f.After)), "after " + string(f.After)
	case f.From != nil:
		return client.FromTime(f.From.Time), "with what was received from " + f.From.UTC().Format(time.RFC3339) + " on"
	}
	return nil, ""
}

// required is start where there is no default.
func (f *startFlags) required() (start *headgatev1.Start, where string, err error) {
	if start, where = f.start(); start == nil {
		return nil, "", usagef("say where: --earliest, --latest, --after or --from")
	}
	return start, where, nil
}
