package pebblestore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// tenantTable gives every (source, context) a small number for the index. Numbers are given by the committer alone; a number becomes durable in
// the batch of the first record that uses it.
type tenantTable struct {
	mu    sync.RWMutex
	ids   map[eventlog.Tenant]uint32 // guarded by mu
	marks map[uint32]trimMark        // guarded by mu
}

// trimMark is the newest trimmed record of a tenant: what its readers may have lost.
type trimMark struct {
	seq uint64
	at  time.Time // when it was received
}

// anyTenant is in the place of the tenant of trimmed records that could not be read: they may have been anybody's.
const anyTenant = math.MaxUint32

var errTenants = fmt.Errorf("%w: its table of tenants is unreadable; restore it from a backup", eventlog.ErrDamaged)

func tenantValue(source, context string) []byte {
	v := binary.AppendUvarint(nil, uint64(len(source)))
	return append(append(v, source...), context...)
}

func (t *tenantTable) load(db *pebble.DB) error {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{roomTenant}, UpperBound: []byte{roomTenant + 1}})
	if err != nil {
		return err
	}
	defer it.Close()
	ids := make(map[eventlog.Tenant]uint32)
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return damaged(err)
		}
		n, w := binary.Uvarint(v)
		if w <= 0 || n > uint64(len(v)-w) {
			return errTenants
		}
		v = bytes.Clone(v[w:])
		ids[eventlog.Tenant{Source: string(v[:n]), Context: string(v[n:])}] = binary.BigEndian.Uint32(it.Key()[1:])
	}
	if err := it.Error(); err != nil {
		return damaged(err)
	}
	marks, err := loadMarks(db)
	t.mu.Lock()
	t.ids, t.marks = ids, marks
	t.mu.Unlock()
	return err
}

func loadMarks(db *pebble.DB) (map[uint32]trimMark, error) {
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{roomTrimmed}, UpperBound: []byte{roomTrimmed + 1}})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	marks := make(map[uint32]trimMark)
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return nil, damaged(err)
		}
		if len(v) != 16 {
			return nil, errTenants
		}
		marks[binary.BigEndian.Uint32(it.Key()[1:])] = trimMark{binary.BigEndian.Uint64(v), time.Unix(0, int64(binary.BigEndian.Uint64(v[8:]))).UTC()}
	}
	return marks, damaged(it.Error())
}

func (m trimMark) value() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, m.seq), uint64(m.at.UnixNano()))
}

func (t *tenantTable) mark(marks map[uint32]trimMark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.Copy(t.marks, marks)
}

// trimmed returns the newest mark of the tenants that wants takes; a nil wants takes all.
func (t *tenantTable) trimmed(wants func(source, context string) bool) trimMark {
	t.mu.RLock()
	defer t.mu.RUnlock()
	newest := t.marks[anyTenant]
	for tenant, id := range t.ids {
		if mark := t.marks[id]; mark.seq > newest.seq && (wants == nil || wants(tenant.Source, tenant.Context)) {
			newest = mark
		}
	}
	return newest
}

// id returns the tenant's number, and whether it is new and must be stored. Only the committer calls it.
func (t *tenantTable) id(tenant eventlog.Tenant) (id uint32, fresh bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if id, ok := t.ids[tenant]; ok {
		return id, false
	}
	id = uint32(len(t.ids))
	t.ids[tenant] = id
	return id, true
}

func (t *tenantTable) lookUp(tenant eventlog.Tenant) (id uint32, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	id, ok = t.ids[tenant]
	return id, ok
}

func (t *tenantTable) all() []eventlog.Tenant {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Collect(maps.Keys(t.ids))
}

// wanted returns the numbers of the tenants that wants takes, and whether those are all. When there are more than most it returns some of them.
func (t *tenantTable) wanted(wants func(source, context string) bool, most int) (ids []uint32, all bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for tenant, id := range t.ids {
		if len(ids) > most {
			return ids, false
		}
		if wants(tenant.Source, tenant.Context) {
			ids = append(ids, id)
		}
	}
	return ids, len(ids) == len(t.ids)
}
