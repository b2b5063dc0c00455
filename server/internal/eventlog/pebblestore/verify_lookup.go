package pebblestore

import (
	"bytes"
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// lookups find what is kept for finding a record.
type lookups struct {
	v           *verifier
	index, dups lookup
}

// lookup finds keys in one room. It is over after some that could not be read: each of those takes long, as the engine looks for the flipped bit.
type lookup struct {
	room   byte
	what   string
	it     *pebble.Iterator
	wanted uint64 // how many keys there should be
	failed int
}

const maxFailed = 8

func (l *lookups) of(rec *eventlog.Stored) {
	id, ok := l.v.tenants[eventlog.Tenant{Source: rec.Keys.Source, Context: rec.Keys.Context}]
	if ok {
		l.index.find(l.v, rec.Seq, indexKey(id, rec.Seq), false, func([]byte) bool { return true })
	} else {
		l.index.wanted++
		l.v.bad(rec.Seq, "their tenant is not in the registry")
	}
	if rec.Duplicate == ([16]byte{}) {
		return
	}
	// What was dropped from the quarantine may come again: its key is gone, or of the one that came.
	again := rec.Kind != eventlog.KindEvent
	l.dups.find(l.v, rec.Seq, duplicateKey(rec.Keys.EventID, rec.Duplicate), again, func(value []byte) bool {
		switch len(value) {
		case 8: // from before the tenant was in it
			return seqOf(value) == rec.Seq
		case 12:
			return seqOf(value) == rec.Seq && binary.BigEndian.Uint32(value) == id
		}
		return false
	})
}

// find looks a record's key up as the committer does, by the tables' filters too. An optional one need not be there, or be the record's.
func (l *lookup) find(v *verifier, seq uint64, key []byte, optional bool, right func(value []byte) bool) {
	l.wanted++
	if l.failed >= maxFailed {
		return
	}
	if l.it == nil {
		it, err := v.s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{l.room}, UpperBound: []byte{l.room + 1}, UseL6Filters: true})
		if err != nil {
			l.fail(v, seq, err)
			return
		}
		l.it = it
	}
	found := l.it.SeekPrefixGE(key) && bytes.Equal(l.it.Key(), key)
	err := l.it.Error()
	if found && err == nil {
		var value []byte
		if value, err = l.it.ValueAndErr(); err == nil && !right(value) {
			if optional {
				l.wanted--
			} else {
				v.bad(seq, l.what+": it is of another record")
			}
		}
	}
	switch {
	case err != nil:
		l.fail(v, seq, err)
	case !found && optional:
		l.wanted--
	case !found:
		v.bad(seq, l.what+": it is missing")
	}
}

func (l *lookup) fail(v *verifier, seq uint64, err error) {
	v.bad(seq, l.what+": "+err.Error())
	l.close()
	if l.failed++; l.failed == maxFailed {
		v.bad(seq+1, l.what+" and those of later records are not looked for any more")
	}
}

func (l *lookup) close() {
	if l.it != nil {
		_ = l.it.Close() // its error was looked at
		l.it = nil
	}
}

func (l *lookups) close() {
	l.index.close()
	l.dups.close()
	l.v.expectIndexed, l.v.expectUnique = l.index.wanted, l.dups.wanted
}
