package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// recover reads what the store knows of itself and checks it against the watermark.
func (s *Store) recover() error {
	if err := s.readMeta(); err != nil {
		return err
	}
	st, err := s.readState()
	if err != nil {
		return err
	}
	s.state = st
	if err := s.loadQuarantine(); err != nil {
		return err
	}
	if err := s.tenants.load(s.db); err != nil {
		return err
	}
	if err := s.markUnmarked(); err != nil {
		return err
	}
	s.mark, err = openWatermark(s.opt.FS, s.opt.FS.PathJoin(s.dir, "watermark"))
	if err != nil {
		return err
	}
	s.refreshDisk()
	if s.state.FreeBytes >= s.opt.MinFree+ballastSize {
		if err := s.makeBallast(); err != nil {
			return err
		}
	}
	return s.checkWatermark()
}

// markUnmarked marks, for all tenants, what was trimmed without leaving marks: that of a store from before there were any.
func (s *Store) markUnmarked() error {
	through := s.state.Earliest - 1
	if s.tenants.trimmed(nil).seq >= through {
		return nil
	}
	mark := trimMark{through, s.state.EarliestAt}
	if mark.at.IsZero() {
		mark.at = s.state.HeadAt
	}
	s.tenants.mark(map[uint32]trimMark{anyTenant: mark})
	return s.db.Set(trimmedKey(anyTenant), mark.value(), pebble.Sync)
}

// readMeta reads format and identity, or writes those of a new store.
func (s *Store) readMeta() error {
	value, closer, err := s.db.Get(keyFormat)
	if errors.Is(err, pebble.ErrNotFound) {
		return s.create()
	}
	if err != nil {
		return damaged(err)
	}
	if s.format, err = formatOf(value); err != nil {
		return errors.Join(err, closer.Close())
	}
	if err := closer.Close(); err != nil {
		return err
	}
	if err := CheckFormat(s.format); err != nil {
		return fmt.Errorf("the log in %s: %w", s.dir, err)
	}
	value, closer, err = s.db.Get(keyIdentity)
	if err != nil {
		return damaged(err)
	}
	s.identity, err = decodeIdentity(value)
	return errors.Join(err, closer.Close())
}

func (s *Store) create() error {
	it, err := s.db.NewIter(nil)
	if err != nil {
		return err
	}
	if it.First() {
		return errors.Join(fmt.Errorf("%w: the store in %s has records but no identity; restore it from a backup", eventlog.ErrDamaged, s.dir), it.Close())
	}
	if err := it.Close(); err != nil {
		return damaged(err)
	}
	s.identity, s.format = eventlog.NewIdentity(s.opt.Now()), s.formatToCreate()
	return s.writeIdentity()
}

func (s *Store) writeIdentity() error {
	b := s.db.NewBatch()
	defer b.Close()
	if err := b.Set(keyFormat, formatValue(s.format), nil); err != nil {
		return err
	}
	if err := b.Set(keyIdentity, encodeIdentity(s.identity), nil); err != nil {
		return err
	}
	return b.Commit(pebble.Sync)
}

// readState finds the earliest and the newest record. It is called while nothing is being written.
func (s *Store) readState() (eventlog.State, error) {
	var st eventlog.State
	value, closer, err := s.db.Get(keyTrimmed)
	switch {
	case err == nil:
		st.Earliest = binary.BigEndian.Uint64(value)
		st.HeadAt = time.Unix(0, int64(binary.BigEndian.Uint64(value[8:]))).UTC()
		if err := closer.Close(); err != nil {
			return st, err
		}
	case !errors.Is(err, pebble.ErrNotFound):
		return st, damaged(err)
	}
	st.Head = st.Earliest
	st.Earliest++

	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: seqKey(roomRecord, st.Earliest), UpperBound: []byte{roomRecord + 1}})
	if err != nil {
		return st, err
	}
	defer it.Close()
	if it.Last() {
		st.Head = seqOf(it.Key())
		if st.HeadAt, err = receivedAt(it); err != nil {
			return st, err
		}
		it.First() // when it is not the earliest, Read says so
		if st.EarliestAt, err = receivedAt(it); err != nil {
			return st, err
		}
	}
	if err := it.Error(); err != nil {
		return st, damaged(err)
	}
	return st, nil
}

func receivedAt(it *pebble.Iterator) (time.Time, error) {
	st, err := decode(it, seqOf(it.Key()))
	return st.ReceivedAt, err
}
