package pebblestore

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// walRooms is in how many pieces a new WAL grows to the size of a memtable.
const walRooms = 64

// wal is a WAL that grows by zeros ahead of what is written. A sync of what grew must write the file's size and blocks too, which takes half as long again at the
// least; now few have to. Pebble takes zeros behind its records for the end, as it does what is left in a WAL that it writes anew.
type wal struct {
	vfs.File
	room    int64 // what it grows by
	at, end int64 // of what was written, and of the file
}

// Write implements vfs.File. (WriteAt works on all files that are opened for writing, though vfs promises it for fewer.)
func (w *wal) Write(p []byte) (int, error) {
	n, err := w.WriteAt(p, w.at)
	w.at += int64(n)
	if err == nil && w.at > w.end {
		// A vfs may change what it is given to write. That there is no room for zeros is no failure yet.
		ahead, _ := w.WriteAt(make([]byte, w.room-w.at%w.room), w.at)
		w.end = w.at + int64(ahead)
	}
	return n, err
}

// isLog says whether the file is one, by its name.
func isLog(name string) bool { return strings.HasSuffix(name, ".log") }
