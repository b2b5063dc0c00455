package pebblestore

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// The format is the layout of keys and values, and of the files below them. A store is opened in the format that it has, and no step is taken by itself that an
// older binary cannot read: whoever has put in a new release can go back to the one before. New stores begin with the newest.
//
//	1  the first
//	2  tables have a checksum over their footers too, so that no flipped bit in them goes unnoticed
const newestFormat = 2

// pebbleVersions are the versions of Pebble's files, by format. They are named, never FormatNewest: an upgrade of Pebble must not by itself make a store
// unreadable. The first one has WAL sync chunks, which tell a torn tail from damage.
var pebbleVersions = [newestFormat + 1]pebble.FormatMajorVersion{1: pebble.FormatWALSyncChunks, 2: pebble.FormatTableFormatV6}

// pebbleVersion returns the version in which the store's files are to be opened: that which they have.
func (s *Store) pebbleVersion() (pebble.FormatMajorVersion, error) {
	about, err := pebble.Peek(s.dir, s.opt.FS)
	if err != nil {
		return 0, fmt.Errorf("open the log in %s: %w; if a newer headgated wrote it, use that one", s.dir, damaged(err))
	}
	if !about.Exists {
		return pebbleVersions[newestFormat], nil
	}
	return max(about.FormatMajorVersion, pebbleVersions[1]), nil
}

// formatToCreate is the format that a new log in these files has: they may have been made by an older binary that got no further.
func (s *Store) formatToCreate() uint32 {
	if s.db.FormatMajorVersion() < pebbleVersions[newestFormat] {
		return 1
	}
	return newestFormat
}

// CheckFormat refuses what was stored in a format that this binary does not know.
func CheckFormat(format uint32) error {
	if format > newestFormat {
		return fmt.Errorf("it has format %d, this binary reads up to %d: use the newer binary that wrote it", format, newestFormat)
	}
	return nil
}

func formatValue(format uint32) []byte { return binary.BigEndian.AppendUint32(nil, format) }

func formatOf(value []byte) (uint32, error) {
	if len(value) != 4 {
		return 0, fmt.Errorf("%w: its format is unreadable; restore it from a backup", eventlog.ErrDamaged)
	}
	return binary.BigEndian.Uint32(value), nil
}
