package pebblestore

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// each calls fn with each pair whose key is the prefix and a sequence up to through. What cannot be read is told, as damage of what, and passed over; skipped is
// called with the sequence behind it.
func (v *verifier) each(prefix []byte, through uint64, what string, fn func(seq uint64, value []byte), skipped func(next uint64)) {
	for at := uint64(0); at <= through; {
		next, err := v.eachReadable(prefix, at, through, fn)
		if err == nil {
			return
		}
		at = v.nextReadable(prefix, next, through)
		v.badRange(next, at-1, what+" cannot be read: "+err.Error())
		skipped(at)
	}
}

func appendSeq(prefix []byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(nil), prefix...), seq)
}

// eachReadable goes as far as it can, and returns where to go on behind that.
func (v *verifier) eachReadable(prefix []byte, from, through uint64, fn func(seq uint64, value []byte)) (next uint64, err error) {
	next = from
	it, err := v.s.db.NewIter(&pebble.IterOptions{LowerBound: appendSeq(prefix, from), UpperBound: appendSeq(prefix, through+1)})
	if err != nil {
		return next, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return next, err
		}
		seq := seqOf(it.Key())
		fn(seq, value)
		next = seq + 1
	}
	return next, it.Error()
}

// nextReadable returns the first sequence from which on something can be read again, as near as it can be told without trying each.
func (v *verifier) nextReadable(prefix []byte, bad, through uint64) uint64 {
	good, step := bad+1, uint64(1)
	for good <= through && !v.readable(prefix, good, through) {
		bad, step = good, step*2
		good += step
	}
	for good = min(good, through+1); good-bad > 1; {
		if mid := bad + (good-bad)/2; v.readable(prefix, mid, through) {
			good = mid
		} else {
			bad = mid
		}
	}
	return good
}

func (v *verifier) readable(prefix []byte, from, through uint64) bool {
	it, err := v.s.db.NewIter(&pebble.IterOptions{LowerBound: appendSeq(prefix, from), UpperBound: appendSeq(prefix, through+1)})
	if err != nil {
		return false
	}
	defer it.Close()
	if it.First() {
		_, err = it.ValueAndErr()
	}
	return err == nil && it.Error() == nil
}

// records reads the records, and of each what else is kept for finding it.
func (v *verifier) records() {
	expected, last := v.found.Earliest, time.Time{}
	look := lookups{
		v:     v,
		index: lookup{room: roomIndex, what: "their entry in the index of tenants"},
		dups:  lookup{room: roomDuplicate, what: "their duplicate key"},
	}
	defer look.close()
	v.each([]byte{roomRecord}, v.through, "they", func(seq uint64, value []byte) {
		if seq%10_000 == 0 {
			v.how.Progress("records", float64(seq-v.found.Earliest)/float64(v.through+1-v.found.Earliest))
		}
		if seq < v.found.Earliest {
			v.bad(seq, "they were trimmed and are there all the same")
			return
		}
		if seq > expected {
			v.badRange(expected, seq-1, "they are missing")
		}
		expected = seq + 1
		rec, err := eventlog.DecodeRecord(seq, value)
		if err == nil {
			err = rec.Check()
		}
		if err != nil {
			v.bad(seq, err.Error())
			return
		}
		if rec.ReceivedAt.Before(last) {
			v.bad(seq, "they are older than the record before")
		}
		last = rec.ReceivedAt
		v.found.Records++
		if rec.Kind == eventlog.KindErased {
			v.found.Erased++
			v.erased[seq] = true
		}
		look.of(&rec)
	}, func(next uint64) { expected = max(expected, next) })
	if expected <= v.found.Head {
		v.badRange(expected, v.found.Head, "they are missing")
	}
}

// indexes counts the entries of each tenant's index. One too many is of no record.
func (v *verifier) indexes() {
	var inside uint64
	for tenant, id := range v.tenants {
		prefix := indexKey(id, 0)[:5]
		v.each(prefix, v.through, fmt.Sprintf("the index of %s/%s for them", tenant.Source, tenant.Context), func(seq uint64, _ []byte) {
			v.found.Indexed++
			if seq >= v.found.Earliest { // others are left of records that could not be read when they were trimmed
				inside++
			}
		}, func(uint64) {})
	}
	next := indexKey(uint32(len(v.tenants)), 0)
	if it, err := v.s.db.NewIter(&pebble.IterOptions{LowerBound: next, UpperBound: []byte{roomIndex + 1}}); err == nil {
		if it.First() {
			v.how.Damage("the index of tenants", "there are entries of tenants that are not in the registry")
		}
		if err := it.Close(); err != nil {
			v.how.Damage("the index of tenants", err.Error())
		}
	}
	if inside > v.expectIndexed && v.whole() {
		v.how.Damage("the index of tenants", fmt.Sprintf("%d entries are of no record", inside-v.expectIndexed))
	}
}

// whole says whether all records were there, so that what belongs to none is too much.
func (v *verifier) whole() bool { return v.found.Records == v.found.Head+1-v.found.Earliest }

// duplicates reads the duplicate keys. What stands in their way from before the trim does no harm.
func (v *verifier) duplicates() {
	it, err := v.s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{roomDuplicate}, UpperBound: []byte{roomDuplicate + 1}})
	if err != nil {
		v.how.Damage("the duplicate keys", err.Error())
		return
	}
	defer it.Close()
	var inside uint64
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			v.how.Damage("the duplicate keys", fmt.Sprintf("they cannot be read behind the %d. one: %s", v.found.Duplicates, err))
			return
		}
		v.found.Duplicates++
		if len(value) >= 8 && seqOf(value) >= v.found.Earliest {
			inside++
		}
	}
	if err := it.Error(); err != nil {
		v.how.Damage("the duplicate keys", fmt.Sprintf("they cannot be read behind the %d. one: %s", v.found.Duplicates, err))
		return
	}
	if inside > v.expectUnique && v.whole() {
		v.how.Damage("the duplicate keys", fmt.Sprintf("%d are of no record", inside-v.expectUnique))
	}
}

// quarantine reads the notes of the quarantine.
func (v *verifier) quarantine() {
	v.each([]byte{roomQuarantine}, v.through, "their quarantine note", func(seq uint64, value []byte) {
		var note quarantineNote
		if err := json.Unmarshal(value, &note); err != nil {
			v.bad(seq, "their quarantine note: "+err.Error())
			return
		}
		v.found.Quarantined++
		v.notes[seq] = note.BodySize
		switch {
		case seq < v.found.Earliest:
			v.bad(seq, "they were trimmed, and their quarantine note is there")
		case v.erased[seq]:
			v.bad(seq, "they were erased, and their quarantine note is there")
		}
	}, func(uint64) {})
}

// raw reads the raw bodies. That one of an event is missing cannot be told: not each has one.
func (v *verifier) raw() {
	v.each([]byte{roomRaw}, v.through, "their raw body", func(seq uint64, value []byte) {
		v.found.Raw++
		size, noted := v.notes[seq]
		delete(v.notes, seq)
		switch {
		case seq < v.found.Earliest:
			v.bad(seq, "they were trimmed, and their raw body is there")
		case v.erased[seq]:
			v.bad(seq, "they were erased, and their raw body is there")
		case noted && size != len(value):
			v.bad(seq, "their raw body has another size than was noted")
		}
	}, func(uint64) {})
	for seq, size := range v.notes {
		if size > 0 {
			v.bad(seq, "their raw body is missing")
		}
	}
}
