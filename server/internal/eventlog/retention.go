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

// retainEvery is how often the limits are looked at.
const retainEvery = 5 * time.Second

func (l *Log) retain(ctx context.Context) {
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		if err := errors.Join(l.boundQuarantine(ctx), l.Retain(ctx)); err != nil && ctx.Err() == nil {
			l.opt.Logger.Error("the retention could not be applied", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-l.excess:
		case <-tick.C:
		}
	}
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
	l.tail.forget(l.engine.State().Earliest - 1)
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
