package feed

import (
	"cmp"
	"crypto/rand"
	"slices"
	"sync"
)

// table is the streams being served.
type table struct {
	mu   sync.Mutex
	byID map[string]*stream // guarded by mu
	last uint64             // the last number given; guarded by mu
}

// add enters the stream, unless there are limit already.
func (t *table) add(st *stream, limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.byID) >= limit {
		return false
	}
	t.last++
	st.number, st.id = t.last, rand.Text()
	t.byID[st.id] = st
	return true
}

func (t *table) remove(st *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, st.id)
}

// get returns the stream of the id, nil when there is none.
func (t *table) get(id string) *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

func (t *table) all() []*stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*stream, 0, len(t.byID))
	for _, st := range t.byID {
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b *stream) int { return cmp.Compare(a.number, b.number) })
	return all
}
