package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// errNewer: what is stored is of a format that this binary does not know, and cannot judge.
var errNewer = errors.New("it is of a newer format")

// logic looks whether what is stored makes a whole log.
func (v *verifier) logic() error {
	if err := v.meta(); err != nil {
		return err
	}
	v.rooms()
	v.readTenants()
	v.bounds()
	v.records()
	v.indexes()
	v.duplicates()
	v.quarantine()
	v.raw()
	v.lineage()
	return nil
}

// get returns a value, nil when it is not there.
func (v *verifier) get(key []byte) ([]byte, error) {
	value, closer, err := v.s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return slices.Clone(value), closer.Close()
}

// meta reads what the log knows of itself.
func (v *verifier) meta() error {
	value, err := v.get(keyFormat)
	if err == nil && value == nil {
		err = errors.New("it is missing")
	}
	if err == nil {
		v.found.Format, err = formatOf(value)
	}
	if err != nil {
		v.how.Damage("the format's number", err.Error())
	}
	if err := CheckFormat(v.found.Format); err != nil {
		return fmt.Errorf("%w: the log in %s: %w", errNewer, v.s.dir, err)
	}
	value, err = v.get(keyIdentity)
	if err == nil {
		v.found.Identity, err = decodeIdentity(value)
	}
	if err != nil {
		v.how.Damage("the identity, without which no cursor can be read", err.Error())
		v.found.Identity = eventlog.Identity{}
	}
	v.found.Earliest = 1
	value, err = v.get(keyTrimmed)
	switch {
	case err != nil:
		v.how.Damage("the mark of what was trimmed", err.Error())
	case value != nil && len(value) != 16:
		v.how.Damage("the mark of what was trimmed", "it is unreadable")
	case value != nil:
		v.found.Earliest = binary.BigEndian.Uint64(value) + 1
	}
	return nil
}

// rooms finds keys that are in no room.
func (v *verifier) rooms() {
	const known = string(roomMeta) + string(roomRecord) + string(roomRaw) + string(roomQuarantine) + string(roomDuplicate) + string(roomTenant) +
		string(roomTrimmed) + string(roomIndex) + string(roomErased)
	it, err := v.s.db.NewIter(nil)
	if err != nil {
		v.how.Damage("the store", err.Error())
		return
	}
	defer it.Close()
	for ok := it.First(); ok; {
		room := it.Key()[0]
		if strings.IndexByte(known, room) < 0 {
			v.how.Damage("the store", fmt.Sprintf("there are keys that begin with %q, which no format has", room))
		}
		if room == math.MaxUint8 {
			break
		}
		ok = it.SeekGE([]byte{room + 1})
	}
	if err := it.Error(); err != nil {
		v.how.Damage("the store", err.Error())
	}
}

// readTenants reads the registry of tenants and the marks of what of theirs was trimmed.
func (v *verifier) readTenants() {
	v.tenants = make(map[eventlog.Tenant]uint32)
	if err := v.s.tenants.load(v.s.db); err != nil {
		v.how.Damage("the registry of tenants", err.Error())
		return
	}
	v.tenants = v.s.tenants.ids
	v.found.Tenants = len(v.tenants)
	for tenant, id := range v.tenants {
		if int(id) >= len(v.tenants) {
			v.how.Damage("the registry of tenants", fmt.Sprintf("%s/%s is number %d of %d: another one is missing", tenant.Source, tenant.Context, id, len(v.tenants)))
		}
	}
	for id, mark := range v.s.tenants.marks {
		if mark.seq >= v.found.Earliest {
			v.how.Damage("the marks of what was trimmed", fmt.Sprintf("that of tenant %d says record %d, and the log was trimmed up to %d", id, mark.seq, v.found.Earliest-1))
		}
	}
}

// bounds finds up to where the log should reach.
func (v *verifier) bounds() {
	v.found.Head = v.found.Earliest - 1
	it, err := v.s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{roomRecord}, UpperBound: []byte{roomRecord + 1}})
	if err != nil {
		v.how.Damage("the store", err.Error())
		return
	}
	defer it.Close()
	if it.Last() {
		v.found.Head = max(v.found.Head, seqOf(it.Key()))
	}
	v.through = max(v.found.Head, v.found.Watermark) // what stands between, lineage tells
}

// lineage looks at the epochs and at the watermark.
func (v *verifier) lineage() {
	epochs := v.found.Identity.Epochs
	if len(epochs) == 0 {
		return
	}
	for i, e := range epochs {
		if e.Start > v.found.Head || i > 0 && e.Start < epochs[i-1].Start {
			v.how.Damage("the lineage", fmt.Sprintf("epoch %d of %d begins behind record %d, which cannot be", i+1, len(epochs), e.Start))
		}
	}
	switch current := epochs[len(epochs)-1].ID; {
	case !v.found.HasWatermark:
	case !slices.ContainsFunc(epochs, func(e eventlog.Epoch) bool { return e.ID == v.marked }):
		v.how.Damage("the watermark", "it is of another log, or of a later time than the store")
	case v.marked == current && v.found.Watermark > v.found.Head:
		v.badRange(v.found.Head+1, v.found.Watermark, "they are missing: the store came back shorter than it was")
	}
}
