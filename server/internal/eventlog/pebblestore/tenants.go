package pebblestore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// tenantTable gives every (source, context) a small number for the index. Numbers are given by the committer alone; a number becomes durable in
// the batch of the first record that uses it.
type tenantTable struct {
	mu  sync.RWMutex
	ids map[eventlog.Tenant]uint32 // guarded by mu
}

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
			return fmt.Errorf("%w: its table of tenants is unreadable; restore it from a backup", eventlog.ErrDamaged)
		}
		v = bytes.Clone(v[w:])
		ids[eventlog.Tenant{Source: string(v[:n]), Context: string(v[n:])}] = binary.BigEndian.Uint32(it.Key()[1:])
	}
	t.mu.Lock()
	t.ids = ids
	t.mu.Unlock()
	return damaged(it.Error())
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

// wanted returns the numbers of the tenants that wants takes, and whether those are all.
func (t *tenantTable) wanted(wants func(source, context string) bool) (ids []uint32, all bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for tenant, id := range t.ids {
		if wants(tenant.Source, tenant.Context) {
			ids = append(ids, id)
		}
	}
	return ids, len(ids) == len(t.ids)
}
