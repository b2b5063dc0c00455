package subscription

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Bolt keeps positions in a file on this machine. Writes that come together share a sync.
type Bolt struct{ db *bbolt.DB }

var _ Store = (*Bolt)(nil)

var bucket = []byte("positions")

// gather is how long a write waits for others. A save is not in anybody's way meanwhile, and the log's syncs have the disk.
const gather = 25 * time.Millisecond

// OpenBolt opens or makes the file. A second process fails.
func OpenBolt(path string) (*Bolt, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		if err := look(path, func(*bbolt.Bucket) error { return nil }); err != nil {
			return nil, openError(path, err)
		}
	}
	var db *bbolt.DB
	err := guarded(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 100 * time.Millisecond, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
		return err
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = fmt.Errorf("the positions in %s are in use: %w", path, errInUse)
	}
	if err != nil {
		return nil, openError(path, err)
	}
	db.MaxBatchDelay = gather
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the positions in %s: %w", path, err), db.Close())
	}
	return &Bolt{db: db}, nil
}

// openError is what is said of a file that cannot be opened.
func openError(path string, err error) error {
	if errors.Is(err, errInUse) {
		return err
	}
	return fmt.Errorf("open the positions in %s: %w; headgated verify tells more", path, err)
}

// Close ends writes under way and closes the file.
func (b *Bolt) Close() error { return b.db.Close() }

// List implements Store.
func (b *Bolt) List(context.Context) (items []Item, err error) {
	err = guarded(func() error {
		return b.db.View(func(tx *bbolt.Tx) error {
			return tx.Bucket(bucket).ForEach(func(k, v []byte) error {
				version, value, err := split(k, v)
				items = append(items, Item{Key: string(k), Value: append([]byte(nil), value...), Version: version})
				return err
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the positions in %s: %w", b.db.Path(), err)
	}
	return items, nil
}

// Fill keeps all of the items, with their versions, in a file that was just made.
func (b *Bolt) Fill(items []Item) error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		for _, it := range items {
			if err := tx.Bucket(bucket).Put([]byte(it.Key), append(binary.BigEndian.AppendUint64(nil, it.Version), it.Value...)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Put implements Store.
func (b *Bolt) Put(_ context.Context, key string, value []byte, version uint64) (uint64, error) {
	err := b.db.Batch(func(tx *bbolt.Tx) error {
		positions, k := tx.Bucket(bucket), []byte(key)
		now := uint64(0)
		if old := positions.Get(k); old != nil {
			var err error
			if now, _, err = split(k, old); err != nil {
				return err
			}
		}
		if now != version {
			return ErrConflict
		}
		return positions.Put(k, append(binary.BigEndian.AppendUint64(nil, version+1), value...))
	})
	return version + 1, err
}

// Delete implements Store.
func (b *Bolt) Delete(_ context.Context, key string) error {
	return b.db.Batch(func(tx *bbolt.Tx) error { return tx.Bucket(bucket).Delete([]byte(key)) })
}

// split takes an item apart: its version, then the value.
func split(key, b []byte) (version uint64, value []byte, err error) {
	if len(b) < 8 {
		return 0, nil, fmt.Errorf("the position %q is damaged", key)
	}
	return binary.BigEndian.Uint64(b), b[8:], nil
}
