package subscription

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func openBolt(t *testing.T, path string) *Bolt {
	t.Helper()
	b, err := OpenBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// TestPutNamesWhatItReplaces: a write that does not know the newest version changes nothing.
func TestPutNamesWhatItReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "positions.db")
	b := openBolt(t, path)
	for i, step := range []struct {
		value   string
		version uint64
		want    error
	}{
		{"a", 1, ErrConflict}, {"a", 0, nil}, {"b", 0, ErrConflict}, {"b", 2, ErrConflict}, {"b", 1, nil}, {"c", 1, ErrConflict}, {"c", 2, nil},
	} {
		version, err := b.Put(t.Context(), "k", []byte(step.value), step.version)
		if !errors.Is(err, step.want) || err == nil && version != step.version+1 {
			t.Fatalf("step %d: version %d, %v", i, version, err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = openBolt(t, path)
	items, err := b.List(t.Context())
	if err != nil || len(items) != 1 || items[0].Key != "k" || string(items[0].Value) != "c" || items[0].Version != 3 {
		t.Fatalf("after reopening: %+v, %v", items, err)
	}
	if err := b.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if items, err = b.List(t.Context()); err != nil || len(items) != 0 {
		t.Fatalf("after deleting: %+v, %v", items, err)
	}
}

// TestWritesShareSyncs: many writers at once are not many syncs, and one that is refused spoils nobody else's.
func TestWritesShareSyncs(t *testing.T) {
	b := openBolt(t, filepath.Join(t.TempDir(), "positions.db"))
	syncs := func() int64 {
		stats := b.db.Stats()
		return stats.TxStats.GetWrite()
	}
	before := syncs()
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			version := uint64(i % 10 / 9) // every tenth is wrong
			if _, err := b.Put(t.Context(), fmt.Sprint(i), []byte("x"), version); errors.Is(err, ErrConflict) != (version != 0) {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	items, err := b.List(t.Context())
	if err != nil || len(items) != 180 {
		t.Errorf("%d items, %v", len(items), err)
	}
	// Each of the 20 that are refused is tried once more alone.
	if n := syncs() - before; n > 500 {
		t.Errorf("%d writes to the file", n)
	}
}

// TestSecondProcess: the file is one process's.
func TestSecondProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "positions.db")
	openBolt(t, path)
	if _, err := OpenBolt(path); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Error(err)
	}
}
