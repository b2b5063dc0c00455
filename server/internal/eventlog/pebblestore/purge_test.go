package pebblestore

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// marked makes events whose contents are found again in the files, whatever compresses them.
type marked struct{ seen map[string][]byte }

// piece is how much of a mark must stand in a file to be found: compression can cut it.
const piece = 16

func (m *marked) new(name string) []byte {
	var b [96]byte
	_, _ = rand.Read(b[:])
	if m.seen == nil {
		m.seen = make(map[string][]byte)
	}
	m.seen[name] = []byte(base64.RawStdEncoding.EncodeToString(b[:]))
	return m.seen[name]
}

// found names the marks of which a piece stands in a file of the folder.
func (m *marked) found(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // it went meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		for name, mark := range m.seen {
			for at := 0; at+piece <= len(mark); at += piece {
				if bytes.Contains(content, mark[at:at+piece]) {
					names = append(names, name)
					break
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// addMarked appends an event, with a mark in each of its parts, and returns its sequence.
func (m *marked) add(t *testing.T, s *Store, name string) uint64 {
	t.Helper()
	r := event("c", name)
	r.Body, r.Raw = m.new(name+" body"), m.new(name+" raw")
	r.Keys.Changed = eventlog.JoinChanged([]string{string(m.new(name + " changed"))})
	r.Quarantine = &eventlog.Quarantine{Problem: string(m.new(name + " note"))}
	if _, err := s.Append(ctx, r); err != nil {
		t.Fatal(err)
	}
	return s.State().Head
}

// fill appends so much that memtables go to disk, and the log to several levels, with tables of its own for each kind of contents. Many at once, so that they
// share syncs.
func fill(t *testing.T, s *Store, name string, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			r := event("other", fmt.Sprint(name, i))
			r.Body, r.Raw = noise(350), noise(350)
			r.Quarantine = &eventlog.Quarantine{Problem: string(noise(350))}
			if _, err := s.Append(ctx, r); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func of(name string) []string {
	return []string{name + " body", name + " changed", name + " note", name + " raw"}
}

// TestPurge: what was erased and trimmed is in no file afterwards, wherever it has been moved to; all else is. It is meanwhile appended, read and trimmed.
func TestPurge(t *testing.T) {
	rounds := 2
	if *long {
		rounds = 300
	}
	for round := range rounds {
		dir := t.TempDir()
		s := open(t, dir, Options{memTableSize: 128 << 10})
		m := &marked{}
		m.add(t, s, "trimmed")
		fill(t, s, "a", 150+round%7*50)
		var erase []uint64
		for i := range 4 { // two in the deepest level, one in the WAL alone, one between
			if i == 2 {
				if err := s.Purge(ctx); err != nil { // what there is goes to the deepest level
					t.Fatal(err)
				}
			}
			erase = append(erase, m.add(t, s, fmt.Sprint("erased", i)))
			m.add(t, s, fmt.Sprint("kept", i))
			fill(t, s, fmt.Sprint("b", i), 150*(3-i)/(1+round%3))
		}
		eventually(t, "all marks are found", func() bool { return len(m.found(t, dir)) == 9*4 })
		stop := func() {}
		if round%2 == 1 { // without it nothing is compacted by chance
			stop = meanwhile(t, s)
		}
		for seq := uint64(2); seq < erase[0]; seq++ {
			erase = append(erase, seq) // so many that they are in tables of their own
		}
		if err := errors.Join(s.Trim(ctx, 1), s.Erase(ctx, erase), s.Purge(ctx)); err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range 4 {
			want = append(want, of(fmt.Sprint("kept", i))...)
		}
		got := m.found(t, dir)
		stop()
		if left := slices.DeleteFunc(got, func(name string) bool { return slices.Contains(want, name) }); len(left) > 0 {
			t.Fatalf("round %d: found %q", round, left)
		}
		eventually(t, "all else is kept", func() bool { return slices.Equal(m.found(t, dir), want) })
		if left, err := s.erased(); err != nil || len(left) != 0 {
			t.Errorf("%d erased records are not purged, %v", len(left), err)
		}
		closeStore(t, s)
		s = open(t, dir, Options{memTableSize: 128 << 10})
		if list, err := readAll(s, 1, nil); err != nil || list[erase[0]-2].Kind != eventlog.KindErased || list[erase[0]-1].Kind != eventlog.KindEvent {
			t.Fatalf("%d records, %v", len(list), err)
		}
		closeStore(t, s)
	}
}

// meanwhile appends and replays until it is stopped.
func meanwhile(t *testing.T, s *Store) (stop func()) {
	ending, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ending.Err() == nil; i++ {
			if _, err := s.Append(ctx, event("live", fmt.Sprint("live", i))); err != nil {
				t.Error(err)
				return
			}
		}
	})
	wg.Go(func() {
		for ending.Err() == nil {
			if _, err := readAll(s, 1, nil); err != nil {
				t.Error(err)
				return
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// TestPurgeOfTrimmed: what the retention removed is in no file either.
func TestPurgeOfTrimmed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{memTableSize: 128 << 10})
	m := &marked{}
	m.add(t, s, "trimmed")
	m.add(t, s, "kept")
	fill(t, s, "a", 600)
	if err := errors.Join(s.Purge(ctx), s.Trim(ctx, 1), s.Purge(ctx)); err != nil {
		t.Fatal(err)
	}
	if got := m.found(t, dir); !slices.Equal(got, of("kept")) {
		t.Errorf("found %q", got)
	}
	closeStore(t, s)
}

// TestPurgeOfSettled: what was taken out of the quarantine is in no file either, nor what was known of it before it was tried again.
func TestPurgeOfSettled(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{memTableSize: 128 << 10})
	m := &marked{}
	settled, changed := m.add(t, s, "settled"), m.add(t, s, "changed")
	fill(t, s, "a", 600)
	if _, err := s.Settle(ctx, []uint64{settled}, false); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.SetQuarantine(ctx, changed, eventlog.Quarantine{Problem: "another"}), s.Purge(ctx)); err != nil {
		t.Fatal(err)
	}
	want := []string{"changed body", "changed changed", "changed raw", "settled body", "settled changed"}
	if got := m.found(t, dir); !slices.Equal(got, want) {
		t.Errorf("found %q", got)
	}
	closeStore(t, s)
}

// TestPurgeAfterACrash: what was erased, but not yet purged when the process died, the next purge purges.
func TestPurgeAfterACrash(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{memTableSize: 128 << 10})
	m := &marked{}
	seq := m.add(t, s, "erased")
	fill(t, s, "a", 600)
	if err := s.Erase(ctx, []uint64{seq}); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	if len(m.found(t, dir)) == 0 {
		t.Fatal("there is nothing to purge")
	}
	s = open(t, dir, Options{memTableSize: 128 << 10})
	if err := s.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	if left := m.found(t, dir); len(left) > 0 {
		t.Errorf("found %q", left)
	}
	closeStore(t, s)
}

// TestPurgeAwaitsReaders: a file that somebody still reads is not gone.
func TestPurgeAwaitsReaders(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{memTableSize: 128 << 10})
	m := &marked{}
	seq := m.add(t, s, "erased")
	fill(t, s, "a", 600)
	if err := s.Purge(ctx); err != nil { // all of it is in tables now
		t.Fatal(err)
	}
	reading, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		once := sync.OnceFunc(func() { close(reading); <-release })
		if _, err := s.Read(ctx, 0, nil, func(eventlog.Stored) bool { once(); return true }); err != nil {
			t.Error(err)
		}
	})
	<-reading
	if err := s.Erase(ctx, []uint64{seq}); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if err := s.Purge(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("purged while a file is being read: %v", err)
	}
	close(release)
	wg.Wait()
	if err := s.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	if left := m.found(t, dir); len(left) > 0 {
		t.Errorf("found %q", left)
	}
	closeStore(t, s)
}

// TestPurgeOfAFailedLog: nothing is written behind a failed fsync.
func TestPurgeOfAFailedLog(t *testing.T) {
	fs := newFaults(vfs.NewMem())
	s := open(t, "log", Options{FS: fs})
	addN(t, s, 10, "id")
	if err := s.Erase(ctx, []uint64{5}); err != nil {
		t.Fatal(err)
	}
	fs.on(func(op errorfs.Op) error {
		if isSync(op) && isWAL(op) {
			return syscall.EIO
		}
		return nil
	})
	if _, err := s.Append(ctx, event("c", "failed")); !errors.Is(err, eventlog.ErrFailed) {
		t.Fatalf("append: %v", err)
	}
	fs.off()
	if err := s.Purge(ctx); !errors.Is(err, eventlog.ErrFailed) {
		t.Errorf("purge: %v", err)
	}
	closeStore(t, s)
}

// TestPurgeEndsACopy: a copy under way holds what is erased, so it ends.
func TestPurgeEndsACopy(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{memTableSize: 128 << 10})
	m := &marked{}
	seq := m.add(t, s, "erased")
	fill(t, s, "a", 2000) // more than a chunk of the copy
	purged := false
	err := s.Copy(ctx, func(eventlog.Copied) error { return nil }, func(_, _ []byte) error {
		if purged {
			return nil
		}
		purged = true
		if err := errors.Join(s.Erase(ctx, []uint64{seq}), s.Purge(ctx)); err != nil {
			t.Error(err)
		}
		if left := m.found(t, dir); len(left) > 0 {
			t.Errorf("found %q", left)
		}
		return nil
	})
	if !errors.Is(err, eventlog.ErrBusy) || !purged {
		t.Errorf("the copy ended with %v", err)
	}
	closeStore(t, s)
}
