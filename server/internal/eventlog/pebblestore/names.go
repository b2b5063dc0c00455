package pebblestore

import (
	"errors"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// namesFirst has a file's name on the disk before Pebble writes the marker that refers to it. Pebble syncs the new manifest and, after the marker, their folder. Many
// file systems make a new file's name durable with its contents, but nothing obliges them to: where only the marker's name reaches the disk, the store does not
// open any more.
type namesFirst struct{ vfs.FS }

// Create implements vfs.FS.
func (n namesFirst) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(n.PathBase(name), "marker.") {
		if err := syncNames(n.FS, n.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return n.FS.Create(name, category)
}

// Unwrap implements vfs.FS.
func (n namesFirst) Unwrap() vfs.FS { return n.FS }

// syncNames makes durable which files the folder has.
func syncNames(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
