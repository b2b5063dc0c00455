package pebblestore

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Upgrade brings the closed store in dir to the newest format, and says which it had. Killed in its middle it leaves a store that opens, and that the next
// Upgrade brings further.
func Upgrade(dir string, opt Options) (from, to uint32, err error) {
	if err := mustExist(dir, opt.FS); err != nil {
		return 0, 0, err
	}
	s, err := Open(dir, opt)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.format, newestFormat, s.upgrade()
}

func (s *Store) upgrade() error {
	// The number goes first: from then on older binaries refuse the store in words, whatever of the rest is done.
	if s.format < newestFormat {
		if err := s.db.Set(keyFormat, formatValue(newestFormat), pebble.Sync); err != nil {
			return fmt.Errorf("upgrade the log in %s: %w", s.dir, err)
		}
	}
	if s.db.FormatMajorVersion() >= pebbleVersions[newestFormat] {
		return nil
	}
	if err := s.db.RatchetFormatMajorVersion(pebbleVersions[newestFormat]); err != nil {
		return fmt.Errorf("upgrade the log in %s: %w; run headgated upgrade-store again", s.dir, err)
	}
	return nil
}

// mustExist refuses a folder without a store: to open it would make one.
func mustExist(dir string, files vfs.FS) error {
	if files == nil {
		files = vfs.Default
	}
	about, err := pebble.Peek(dir, files)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !about.Exists:
		return fmt.Errorf("there is no log in %s", dir)
	case err != nil:
		return fmt.Errorf("open the log in %s: %w; if a newer headgated wrote it, use that one", dir, damaged(err))
	}
	return nil
}
