package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// watermark is a small file beside the store that remembers how far it once reached: damage to Pebble's manifest can lose whole tables without
// an error, and only something outside can tell. Two slots are written in turn, so that a torn write leaves the other. It is written behind the
// commits, about once a second: it may know less than the store, never more.
type watermark struct {
	file vfs.File
	turn uint64 // of the newest slot
	last uint64 // the head in it
}

// slotSize: turn, epoch, head, checksum, and room to keep the slots in different sectors.
const (
	slotSize = 512
	slotUsed = 8 + 4 + 8
)

func openWatermark(fs vfs.FS, path string) (*watermark, error) {
	f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, fmt.Errorf("watermark %s: %w", path, err)
	}
	if err := syncNames(fs, fs.PathDir(path)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &watermark{file: f}, nil
}

// read returns the newest valid slot; ok is false when there is none.
func (w *watermark) read() (epoch uint32, head uint64, ok bool, err error) {
	for i := range int64(2) {
		var b [slotUsed + 4]byte
		if _, err := w.file.ReadAt(b[:], i*slotSize); err != nil {
			if errors.Is(err, io.EOF) {
				continue
			}
			return 0, 0, false, err
		}
		if binary.BigEndian.Uint32(b[slotUsed:]) != crc32.ChecksumIEEE(b[:slotUsed]) {
			continue
		}
		if turn := binary.BigEndian.Uint64(b[:]); turn > w.turn {
			w.turn, epoch, head, ok = turn, binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint64(b[12:]), true
		}
	}
	return epoch, head, ok, nil
}

func (w *watermark) write(epoch uint32, head uint64) error {
	if head == w.last {
		return nil
	}
	var b [slotSize]byte
	binary.BigEndian.PutUint64(b[:], w.turn+1)
	binary.BigEndian.PutUint32(b[8:], epoch)
	binary.BigEndian.PutUint64(b[12:], head)
	binary.BigEndian.PutUint32(b[slotUsed:], crc32.ChecksumIEEE(b[:slotUsed]))
	if _, err := w.file.WriteAt(b[:], int64((w.turn+1)%2)*slotSize); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	w.turn++
	w.last = head
	return nil
}

func (w *watermark) close(epoch uint32, head uint64) error {
	return errors.Join(w.write(epoch, head), w.file.Close())
}

// checkWatermark refuses a store that came back shorter, or with AcceptLoss cuts the log there.
func (s *Store) checkWatermark() error {
	epoch, head, ok, err := s.mark.read()
	if err != nil {
		return fmt.Errorf("watermark of %s: %w", s.dir, err)
	}
	if !ok {
		return nil
	}
	known := slices.ContainsFunc(s.identity.Epochs, func(e eventlog.Epoch) bool { return e.ID == epoch })
	if !known && !s.opt.AcceptLoss {
		return fmt.Errorf("%w: the watermark in %s is of another log or of a later time; restore the whole directory from one backup, or start once with --accept-data-loss to go on with the store as it is",
			eventlog.ErrDamaged, s.dir)
	}
	if known && (epoch != s.currentEpoch() || head <= s.state.Head) {
		return nil
	}
	short := &eventlog.DamageError{From: s.state.Head + 1, To: head, Cause: "the store came back shorter than it was"}
	if !s.opt.AcceptLoss {
		return fmt.Errorf("%w; restore the data directory from a backup, or start once with --accept-data-loss to go on without them", short)
	}
	return s.cut(short)
}

// cut begins a new epoch at the head, so that cursors beyond it are refused, and puts a gap there.
func (s *Store) cut(loss *eventlog.DamageError) error {
	s.log.Error("records are lost and the loss was accepted: a new epoch begins", "from", loss.From, "to", loss.To)
	gap, err := eventlog.DataLossGap(s.state.HeadAt, s.opt.Now())
	if err != nil {
		return err
	}
	return s.begin(eventlog.NewEpoch(s.state.Head, s.opt.Now()), gap)
}

// begin begins an epoch with a gap, in one batch: no crash leaves the epoch without it.
func (s *Store) begin(epoch eventlog.Epoch, gap *eventlog.Record) error {
	id := s.identity
	id.Epochs = append(slices.Clone(id.Epochs), epoch)
	g := groupWrite{s: s, identity: encodeIdentity(id)}
	if err := g.commit([]*pending{{rec: gap}}); err != nil {
		return err
	}
	s.identity = id
	return s.mark.write(s.currentEpoch(), s.State().Head)
}
