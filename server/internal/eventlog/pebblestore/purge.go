package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

const (
	// purgeGap is how many records may lie between two erased ones that are compacted as one range.
	purgeGap = 1 << 14
	// purgeChunk is how many erased records are compacted, or forgotten, at once.
	purgeChunk = 1 << 14
	// rotations is after how many new WALs the old ones must be gone. Pebble keeps up to five for reuse.
	rotations = 20
	// goneWithin is how long the files that are no longer in use may stay: as long as somebody reads them.
	goneWithin = time.Minute
)

// freshLogs is a file system whose WALs grow ahead of what is written, and are, while fresh is set, new files: what stood in a recycled one would stay behind what
// is written over it.
type freshLogs struct {
	vfs.FS
	room  int64 // what a WAL grows by
	fresh atomic.Bool
}

// Create implements vfs.FS.
func (f *freshLogs) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	if err != nil || !isLog(name) {
		return file, err
	}
	return &wal{File: file, room: f.room}, nil
}

// ReuseForWrite implements vfs.FS, which allows for both. Nothing but WALs is reused.
func (f *freshLogs) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if f.fresh.Load() {
		if err := f.FS.Remove(oldname); err != nil {
			return nil, err
		}
		return f.Create(newname, c)
	}
	file, err := f.FS.ReuseForWrite(oldname, newname, c)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &wal{File: file, room: f.room, end: info.Size()}, nil
}

// Unwrap implements vfs.FS.
func (f *freshLogs) Unwrap() vfs.FS { return f.FS }

// Purge implements eventlog.Engine.
func (s *Store) Purge(ctx context.Context) error {
	done := make(chan error, 1) // nobody may wait for it any more
	select {
	case s.purges <- done:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// purgeLoop does one purge after the other: each begins after it was asked for.
func (s *Store) purgeLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case done := <-s.purges:
			done <- s.purge(ctx)
		}
	}
}

func (s *Store) purge(ctx context.Context) error {
	marks, err := s.erased()
	if err != nil {
		return err
	}
	// A copy's view keeps what was there when it began, and the copy would hold it too.
	s.endCopy(fmt.Errorf("%w: what is in the copy is being erased; begin it again", eventlog.ErrBusy))
	if st := s.State(); st.Earliest > 1 {
		if err := s.compact(ctx, 1, st.Earliest-1); err != nil {
			return err
		}
	}
	seqs := make([]uint64, len(marks))
	for i, mark := range marks {
		seqs[i] = seqOf(mark)
	}
	slices.Sort(seqs)
	for rest := seqs; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n]-rest[n-1] <= purgeGap && n < purgeChunk {
			n++
		}
		if err := s.compact(ctx, rest[0], rest[n-1]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	if err := s.renewLogs(ctx); err != nil {
		return err
	}
	if err := s.awaitTables(ctx); err != nil {
		return err
	}
	return s.purged(marks)
}

// erased returns the keys that say of which records bytes may still be in a file.
func (s *Store) erased() (marks [][]byte, err error) {
	s.use.RLock()
	defer s.use.RUnlock()
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{roomErased}, UpperBound: []byte{roomErased + 1}})
	if err != nil {
		return nil, err
	}
	for it.First(); it.Valid(); it.Next() {
		marks = append(marks, slices.Clone(it.Key()))
	}
	return marks, damaged(errors.Join(it.Error(), it.Close()))
}

// purged forgets those. Nothing is waited for on disk: what a crash undoes is done again.
func (s *Store) purged(marks [][]byte) error {
	for chunk := range slices.Chunk(marks, purgeChunk) {
		if err := s.purgedChunk(chunk); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) purgedChunk(marks [][]byte) error {
	s.use.RLock()
	defer s.use.RUnlock()
	b := s.db.NewBatch()
	defer b.Close()
	for _, mark := range marks {
		if err := b.Delete(mark, nil); err != nil {
			return err
		}
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.broken(); err != nil {
		return err
	}
	if err := s.db.Apply(b, pebble.NoSync); err != nil {
		return s.fail(err)
	}
	return nil
}

// broken is why nothing may be written to the store at all. One that is only nearly full is not.
func (s *Store) broken() error {
	if err := s.State().Err; errors.Is(err, eventlog.ErrFailed) || s.diskFull.Load() {
		return err
	}
	return nil
}

// compact has what belongs to the records from the sequence to the other written anew, without what is deleted of it.
func (s *Store) compact(ctx context.Context, from, to uint64) error {
	// A trim or an erasure in between would have the compaction write out what is in memory, perhaps behind a failed write.
	s.trimming.Lock()
	defer s.trimming.Unlock()
	s.use.RLock()
	defer s.use.RUnlock()
	if err := s.flushed(ctx); err != nil {
		return err
	}
	for _, room := range []byte{roomRaw, roomQuarantine, roomRecord} {
		if err := s.db.Compact(ctx, seqKey(room, from), seqKey(room, to+1), false); err != nil {
			return fmt.Errorf("clear the files of records %d to %d: %w", from, to, err)
		}
	}
	return nil
}

// flushed writes out what is in memory. The caller holds use.
func (s *Store) flushed(ctx context.Context) error {
	done, err := s.flush()
	if err != nil {
		return err
	}
	if done == nil {
		return s.broken()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// renewLogs returns when the WALs that there are have made place for new files.
func (s *Store) renewLogs(ctx context.Context) error {
	s.fresh.fresh.Store(true)
	defer s.fresh.fresh.Store(false)
	old, err := s.files(".log")
	if err != nil {
		return err
	}
	for range rotations {
		s.use.RLock()
		err := s.flushed(ctx)
		s.use.RUnlock()
		if err != nil {
			return err
		}
		now, err := s.files(".log")
		if err != nil {
			return err
		}
		if !anyOf(old, now) {
			return nil
		}
	}
	return s.gone(ctx, ".log", func() (map[uint64]bool, error) { return old, nil })
}

// awaitTables returns when the tables that are there and not in use are gone.
func (s *Store) awaitTables(ctx context.Context) error {
	there, err := s.files(".sst")
	if err != nil {
		return err
	}
	return s.gone(ctx, ".sst", func() (map[uint64]bool, error) {
		used, err := s.tables()
		for number := range there {
			if used[number] { // it came into use meanwhile, if it was not before
				delete(there, number)
			}
		}
		return there, err
	})
}

// gone waits until none of the unwanted files is there any more.
func (s *Store) gone(ctx context.Context, suffix string, unwanted func() (map[uint64]bool, error)) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(goneWithin); ; {
		want, err := unwanted()
		if err != nil {
			return err
		}
		now, err := s.files(suffix)
		if err != nil {
			return err
		}
		if !anyOf(want, now) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("files of the log that are no longer in use are still there after %s: try again", goneWithin)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func anyOf(unwanted, now map[uint64]bool) bool {
	for number := range unwanted {
		if now[number] {
			return true
		}
	}
	return false
}

// files returns the numbers of the files whose names end so.
func (s *Store) files(suffix string) (map[uint64]bool, error) {
	names, err := s.opt.FS.List(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list the files in %s: %w", s.dir, err)
	}
	numbers := make(map[uint64]bool)
	for _, name := range names {
		if base, ok := strings.CutSuffix(filepath.Base(name), suffix); ok {
			if n, err := strconv.ParseUint(base, 10, 64); err == nil {
				numbers[n] = true
			}
		}
	}
	return numbers, nil
}

// tables returns the numbers of the tables in use.
func (s *Store) tables() (map[uint64]bool, error) {
	s.use.RLock()
	defer s.use.RUnlock()
	levels, err := s.db.SSTables()
	used := make(map[uint64]bool)
	for _, level := range levels {
		for _, table := range level {
			used[uint64(table.BackingSSTNum)] = true
		}
	}
	return used, err
}
