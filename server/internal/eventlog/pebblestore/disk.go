package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

const (
	tendEvery   = 250 * time.Millisecond
	markEvery   = time.Second
	ballastSize = 16 << 20
)

// tend keeps the figures of the disk, the watermark and, after a full disk, the store itself up to date.
func (s *Store) tend(ctx context.Context) {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	marked := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.restoreBallast()
		s.refreshDisk()
		s.tendCopy()
		s.restoreAfterFull()
		s.flushTrimmed()
		if time.Since(marked) >= markEvery {
			marked = time.Now()
			if err := s.mark.write(s.currentEpoch(), s.State().Head); err != nil {
				s.log.Warn("the watermark beside the log could not be written", "error", err)
			}
		}
	}
}

// refreshDisk measures what the log takes and what is free.
func (s *Store) refreshDisk() {
	s.use.RLock()
	// The tables that are in use, as SeekSize sees them. The files that wait for their deletion or reuse are left out: trimming does not make them
	// go, and whoever wants so much less than there is would get it from them.
	size := s.db.Metrics().Table.Local.LiveSize
	s.use.RUnlock()
	free := s.free()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.SizeBytes, s.state.FreeBytes = size, free
	s.setRoomLocked()
}

// free measures the disk. Unknown is not full: the write will tell.
func (s *Store) free() uint64 {
	usage, err := s.opt.FS.GetDiskUsage(s.dir)
	if err != nil {
		s.blind.Do(func() { s.log.Warn("the free space of the log's disk is unknown", "error", err) })
		return math.MaxUint64
	}
	return usage.AvailBytes
}

// setRoomLocked refuses appends while the disk is nearly full and takes them again afterwards. A failed store stays failed.
func (s *Store) setRoomLocked() {
	if s.diskFull.Load() || errors.Is(s.state.Err, eventlog.ErrFailed) {
		return
	}
	least := s.opt.MinFree
	if s.noBallast.Load() { // it was needed, and is made again before anything else is written
		least += ballastSize
	}
	switch full := s.state.FreeBytes < least; {
	case full && s.state.Err == nil:
		s.state.Err = fmt.Errorf("%w: %d bytes are free on its disk, %d must be; make room, and it goes on by itself", eventlog.ErrFull, s.state.FreeBytes, least)
		s.log.Error("the log takes no more events", "error", s.state.Err)
	case !full && s.state.Err != nil:
		s.state.Err = nil
		s.log.Info("the log takes events again")
	}
}

// checkRoom is asked before each group: Pebble does not survive a full disk gracefully, so it must not meet one.
func (s *Store) checkRoom() error {
	free := s.free()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.FreeBytes = free
	s.setRoomLocked()
	return s.state.Err
}

// restoreBallast makes the ballast again after a write of Pebble's own, which it repeats by itself, took it.
func (s *Store) restoreBallast() {
	if !s.noBallast.Load() || s.diskFull.Load() || s.free() < s.opt.MinFree+ballastSize {
		return
	}
	if err := s.makeBallast(); err != nil {
		s.onDiskFull()
	}
}

// restoreAfterFull reopens the store in this process once a write that ran out of space can be expected to succeed. The ballast is the
// probe: the disk can be full while space is shown, by a quota, and reopening then would hang, and the readers with it.
func (s *Store) restoreAfterFull() {
	if !s.diskFull.Load() || s.State().FreeBytes < s.opt.MinFree+ballastSize {
		return
	}
	if err := s.makeBallast(); err != nil {
		s.onDiskFull()
		return
	}
	s.use.Lock()
	defer s.use.Unlock()
	if err := s.reopenLocked(); err != nil {
		s.mu.Lock()
		s.state.Err = fmt.Errorf("%w: reopening after a full disk: %w", eventlog.ErrFailed, err)
		s.mu.Unlock()
		s.log.Error("the log could not be reopened after a full disk", "error", err)
		s.opt.Fatal("the log could not be reopened after a full disk")
		return
	}
	s.diskFull.Store(false)
	s.log.Info("the log takes events again, reopened after a full disk")
}

// reopenLocked needs use held for writing. A batch whose fsync failed may turn out to be whole: it is durable then, and the CRM's retry will be
// a duplicate.
func (s *Store) reopenLocked() error {
	old := s.State()
	s.endCopy(fmt.Errorf("%w: its disk was full; begin again", eventlog.ErrFull))
	_ = s.closeDB() // what it could not write was never acknowledged
	if err := s.openDB(); err != nil {
		return err
	}
	st, err := s.readState()
	if err != nil {
		return err
	}
	if st.Head < old.Head {
		return &eventlog.DamageError{From: st.Head + 1, To: old.Head, Cause: "acknowledged records are gone"}
	}
	if err := s.tenants.load(s.db); err != nil {
		return err
	}
	held, err := s.held(st.Earliest, st.Head)
	if err != nil {
		return err
	}
	st.SizeBytes, st.FreeBytes = old.SizeBytes, old.FreeBytes
	s.trimmedAt.Store(0) // replayed and flushed
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.quarantine = st, held
	s.recent, s.recentBytes = nil, 0
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *Store) ballastPath() string { return s.opt.FS.PathJoin(s.dir, "ballast") }

// makeBallast sets some bytes aside. Pebble exits the process when it cannot write its manifest; giving the ballast back lets that one write
// succeed.
func (s *Store) makeBallast() error {
	if info, err := s.opt.FS.Stat(s.ballastPath()); err == nil && info.Size() == ballastSize {
		s.noBallast.Store(false)
		return nil
	}
	f, err := s.opt.FS.Create(s.ballastPath(), vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("ballast file: %w", err)
	}
	piece := make([]byte, 64<<10) // the ballast as a whole would be as much memory
	for n := 0; n < ballastSize && err == nil; n += len(piece) {
		_, err = f.Write(piece)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("ballast file: %w", err)
	}
	s.noBallast.Store(false)
	return nil
}

// onDiskFull is called by the file system's wrapper when a write found no space; that write is tried once more afterwards.
func (s *Store) onDiskFull() {
	if err := s.opt.FS.Remove(s.ballastPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.log.Warn("the ballast file could not be removed", "error", err)
	}
	if !s.noBallast.Swap(true) {
		s.log.Error("the log's disk is full")
	}
}
