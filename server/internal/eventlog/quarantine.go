package eventlog

import (
	"context"
	"time"
)

// Quarantined lists quarantined records, at most n.
func (l *Log) Quarantined(ctx context.Context, q QuarantineQuery, n int) ([]QuarantinedRecord, error) {
	return l.engine.Quarantined(ctx, q, n)
}

// SetQuarantine replaces what is known of a quarantined record. ErrNotFound when it is none, or no longer.
func (l *Log) SetQuarantine(ctx context.Context, seq uint64, q Quarantine) error {
	return l.engine.SetQuarantine(ctx, seq, q)
}

// Settle takes records out of the quarantine and forgets their bodies; their gaps stay, and the bodies are duplicates still. Those that are not in
// quarantine are passed over. It returns how many it took.
func (l *Log) Settle(ctx context.Context, seqs []uint64) (int, error) {
	return l.engine.Settle(ctx, seqs, false)
}

// Holds says whether Append would find r to be a duplicate now.
func (l *Log) Holds(ctx context.Context, r *Record) (bool, error) { return l.engine.Holds(ctx, r) }

// QuarantineDropped is how many quarantined bodies were dropped, since the log was opened, because there were too many.
func (l *Log) QuarantineDropped() uint64 { return l.dropped.Load() }

// checkQuarantine has the bound looked at soon.
func (l *Log) checkQuarantine() {
	select {
	case l.excess <- struct{}{}:
	default: // it is being asked for already
	}
}

// dropChunk is how many bodies are dropped at a time, before it is looked again who has most.
const dropChunk = 256

// boundQuarantine drops the oldest bodies while there are too many, of the source that has most of them: a flood of one source's is no other's loss. When such a
// body comes once more it is taken in again.
func (l *Log) boundQuarantine(ctx context.Context) error {
	most := l.opt.Retention.MaxQuarantine
	var after uint64
	last := ""
	for most > 0 {
		sizes, total := l.engine.QuarantineSizes(), uint64(0)
		source := ""
		for s, size := range sizes {
			total += size
			if size > sizes[source] || size == sizes[source] && s < source {
				source = s
			}
		}
		if total <= most {
			return nil
		}
		if source != last {
			last, after = source, 0
		}
		list, err := l.engine.Quarantined(ctx, QuarantineQuery{Source: source, After: after, OldestFirst: true}, dropChunk)
		if err != nil || len(list) == 0 {
			return err
		}
		n := 0
		for ; n < len(list) && total > most; n++ {
			total -= min(total, uint64(list[n].BodySize)+QuarantineOverhead)
		}
		if err := l.drop(ctx, source, list[:n]); err != nil {
			return err
		}
		after = list[n-1].Seq
	}
	return nil
}

func (l *Log) drop(ctx context.Context, source string, list []QuarantinedRecord) error {
	seqs := make([]uint64, len(list))
	for i := range list {
		seqs[i] = list[i].Seq
	}
	n, err := l.engine.Settle(ctx, seqs, true)
	if err != nil {
		return err
	}
	l.dropped.Add(uint64(n))
	l.opt.Logger.Warn("quarantined webhooks are dropped before their time: the quarantine is full", "source", source, "dropped", n,
		"received_from", list[0].ReceivedAt.Format(time.RFC3339), "received_to", list[len(list)-1].ReceivedAt.Format(time.RFC3339))
	return nil
}
