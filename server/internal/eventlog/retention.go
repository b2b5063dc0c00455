package eventlog

import (
	"context"
	"errors"
	"time"
)

// Retention says how long records are kept. Zero values set no limit.
type Retention struct {
	// MaxAge: older records are trimmed.
	MaxAge time.Duration
	// MaxSize: beyond so many bytes on disk the oldest records are trimmed.
	MaxSize uint64
	// Reserve: when fewer bytes than this are free on the disk, the oldest records are trimmed.
	Reserve uint64
	// AtLeast: younger records are not trimmed for size or reserve. When that is not enough, appends are refused instead.
	AtLeast time.Duration
	// MaxQuarantine: beyond so many bytes in quarantine the oldest bodies are dropped, of the source that has most of them. See QuarantineOverhead.
	MaxQuarantine uint64
}

const (
	// retainEvery is how often the limits are looked at.
	retainEvery = 5 * time.Second
	// pressEvery is how often it is looked whether there is too much, or too little room: a burst must not find the disk full before the oldest make room.
	pressEvery = 250 * time.Millisecond
)

func (l *Log) retain(ctx context.Context) {
	tick := time.NewTicker(pressEvery)
	defer tick.Stop()
	for {
		before, begin := l.engine.State().Earliest, time.Now()
		if err := errors.Join(l.boundQuarantine(ctx), l.Retain(ctx)); err != nil && ctx.Err() == nil {
			l.opt.Logger.Error("the retention could not be applied", "error", err)
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case <-l.excess:
				waiting = false
			case <-tick.C:
				st := l.engine.State()
				// Where nothing may go any more, or what went still takes room, looking again does not help.
				helps := l.pressed(st) && (st.Earliest > before || !l.wasPressed)
				l.wasPressed = l.pressed(st)
				waiting = !helps && time.Since(begin) < retainEvery
			}
		}
	}
}

// pressed says whether there is too much, or too little room.
func (l *Log) pressed(st State) bool {
	r := l.opt.Retention
	return r.MaxSize > 0 && st.SizeBytes > r.MaxSize || st.FreeBytes < r.Reserve
}

// Retain applies the retention once. Run calls it regularly.
func (l *Log) Retain(ctx context.Context) error {
	st := l.engine.State()
	if st.Earliest > st.Head {
		return nil
	}
	through, why, err := l.trimPoint(ctx, st)
	if err != nil || through < st.Earliest {
		return err
	}
	if why != "age" {
		l.opt.Logger.Warn("the oldest events are trimmed before their time", "cause", why,
			"older_than", st.EarliestAt, "size_bytes", st.SizeBytes, "free_bytes", st.FreeBytes)
	}
	err = l.engine.Trim(ctx, min(through, l.Head()))
	now := l.engine.State().Earliest
	l.tail.forget(now - 1)
	if why != "age" {
		l.early.Add(now - st.Earliest)
	}
	return err
}

// trimPoint returns the sequence up to which records may go, and why.
func (l *Log) trimPoint(ctx context.Context, st State) (through uint64, why string, err error) {
	r, now := l.opt.Retention, l.opt.Now()
	if r.MaxAge > 0 {
		if through, err = l.engine.SeekTime(ctx, now.Add(-r.MaxAge)); err != nil {
			return 0, "", err
		}
		why = "age"
	}
	keep := st.SizeBytes
	cause := ""
	if r.MaxSize > 0 && keep > r.MaxSize {
		keep, cause = r.MaxSize, "size"
	}
	if st.FreeBytes < r.Reserve {
		missing := r.Reserve - st.FreeBytes
		keep, cause = min(keep, st.SizeBytes-min(st.SizeBytes, missing)), "disk reserve"
	}
	if cause == "" {
		return through, why, nil
	}
	bySize, err := l.engine.SeekSize(ctx, keep)
	if err != nil {
		return 0, "", err
	}
	young, err := l.engine.SeekTime(ctx, now.Add(-r.AtLeast))
	if err != nil {
		return 0, "", err
	}
	if bySize = min(bySize, young); bySize > through {
		return bySize, cause, nil
	}
	return through, why, nil
}
