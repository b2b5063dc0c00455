package subscription

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Verified is what Verify looked at.
type Verified struct{ Subscriptions, Positions int }

// Verify reads the closed file of positions and tells each damage: where it is, and what. locate says what is wrong with a saved cursor; nil when cursors cannot be
// judged. It changes nothing. It fails only when it could not look: the file is in use. One that is not there has no positions.
func Verify(path string, locate func(cursor string) error, damage func(where, what string)) (v Verified, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	err = look(path, func(positions *bbolt.Bucket) error { return v.items(positions, locate, damage) })
	if errors.Is(err, errInUse) {
		return v, err
	}
	if err != nil {
		damage("the subscriptions' positions", err.Error())
	}
	return v, nil
}

var errInUse = errors.New("another headgated runs with this data directory")

// look opens the file to be read only and, once all of it could be, calls fn. The file's library looks at its pages only when it opens a file to be written,
// and what it then does of damaged ones ends the process.
func look(path string, fn func(positions *bbolt.Bucket) error) error {
	return guarded(func() error {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: 100 * time.Millisecond})
		if errors.Is(err, bolterrors.ErrTimeout) {
			return fmt.Errorf("the positions in %s are in use: %w", path, errInUse)
		}
		if err != nil {
			return err
		}
		defer db.Close()
		return db.View(func(tx *bbolt.Tx) error {
			if err := inOrder(tx); err != nil {
				return err
			}
			if positions := tx.Bucket(bucket); positions != nil {
				return fn(positions)
			}
			return nil
		})
	})
}

// inOrder reads everything, by which pages are found that are not what they should be.
func inOrder(tx *bbolt.Tx) error {
	return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		if !bytes.Equal(name, bucket) {
			return fmt.Errorf("there is a part %q that no release has made", name)
		}
		var last []byte
		return b.ForEach(func(key, value []byte) error {
			if last != nil && bytes.Compare(key, last) <= 0 {
				return errors.New("its keys are not in order")
			}
			last = append(last[:0], key...)
			_, _, err := split(key, value)
			return err
		})
	})
}

// guarded turns what the file's library does over pages that it cannot make sense of into an error.
func guarded(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its pages are damaged: %v", p)
		}
	}()
	return fn()
}

func (v *Verified) items(positions *bbolt.Bucket, locate func(cursor string) error, damage func(where, what string)) error {
	get := func(key string, into any) error {
		item := positions.Get([]byte(key))
		if item == nil {
			return errors.New("it is missing")
		}
		_, value, err := split([]byte(key), item)
		if err == nil {
			err = open(key, value, into)
		}
		return err
	}
	return positions.ForEach(func(key, _ []byte) error {
		parts := strings.Split(string(key), separator)
		if len(parts) != 2 {
			return nil // of a shard
		}
		where := fmt.Sprintf("subscription %q of %q", parts[1], parts[0])
		var m meta
		if err := get(string(key), &m); err != nil {
			damage(where, err.Error())
			return nil
		}
		v.Subscriptions++
		for i := range m.Shards {
			var s saved
			err := get(shardKey(Name{parts[0], parts[1]}, m.ID, i), &s)
			if err == nil && locate != nil {
				err = locate(s.Cursor)
			}
			if err != nil {
				damage(fmt.Sprintf("%s, shard %d", where, i), err.Error())
			}
			v.Positions++
		}
		return nil
	})
}
