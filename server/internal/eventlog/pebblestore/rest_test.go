package pebblestore

import (
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// appendMany appends records whose duplicate keys lie anywhere, so that compactions have something to do.
func appendMany(t *testing.T, s *Store, from, to int) {
	t.Helper()
	g, ctx := errgroup.WithContext(t.Context())
	g.SetLimit(500)
	for n := from; n <= to; n++ {
		g.Go(func() error {
			id := fmt.Sprintf("%08x-%d", uint32(n*2654435761), n)
			r := &eventlog.Record{Kind: eventlog.KindEvent, Keys: eventlog.Keys{Source: "s", Context: "c", EventID: id}, Body: []byte("body"), Duplicate: eventlog.DuplicateKey(id)}
			_, err := s.Append(ctx, r)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestRest: a store that rests takes records and gives them back, and neither its closing nor the next opening finds work that was left.
func TestRest(t *testing.T) {
	dir := t.TempDir()
	opt := Options{memTableSize: 16 << 10}
	s := open(t, dir, opt)
	appendMany(t, s, 1, 4_000)
	if s.db.Metrics().Compact.Count == 0 {
		t.Fatal("nothing was compacted: this shows nothing")
	}
	s.Rest(t.Context())
	before := s.db.Metrics()
	if before.Compact.NumInProgress > 0 {
		t.Error("compactions go on")
	}
	appendMany(t, s, 4_001, 5_000)
	s.Rest(t.Context())
	if after := s.db.Metrics(); after.Compact.DefaultCount != before.Compact.DefaultCount {
		t.Errorf("%d compactions began", after.Compact.DefaultCount-before.Compact.DefaultCount)
	}
	closeStore(t, s)
	s = open(t, dir, opt)
	defer closeStore(t, s)
	if head := s.State().Head; head != 5_000 {
		t.Errorf("it came back with %d records", head)
	}
}

// TestRestLeavesNothingToReplay: what waits in memory when a store rests has not to be read again from its WAL.
func TestRestLeavesNothingToReplay(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	defer closeStore(t, s)
	appendMany(t, s, 1, 500)
	unflushed := s.db.Metrics().WAL.Size
	s.Rest(t.Context())
	if left := s.db.Metrics().WAL.Size; unflushed < 10_000 || left > unflushed/10 {
		t.Errorf("of %d bytes %d are left to be replayed", unflushed, left)
	}
}
