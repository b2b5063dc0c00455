package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server"
)

// checkData looks at the data directory, or at the folder that it would be made in, and at its disk.
func checkData(r *report, cfg server.Config) {
	at, err := existing(cfg.DataDir)
	var synced time.Duration
	if err == nil {
		synced, err = tryWrite(at)
	}
	switch {
	case err != nil:
		r.say(verdictError, "data_dir", "%s cannot be used: %s; make it a folder that the server's user may write to", cfg.DataDir, err)
		return
	case at != filepath.Clean(cfg.DataDir):
		r.say(verdictOK, "data_dir", "%s does not exist yet and can be made", cfg.DataDir)
	default:
		r.say(verdictOK, "data_dir", "%s can be written to", cfg.DataDir)
	}
	checkKind(r, fileSystemOf(at))
	checkSync(r, synced)
	usage, err := vfs.Default.GetDiskUsage(at)
	if err != nil {
		r.say(verdictError, "disk", "cannot tell how much is free: %s", err)
		return
	}
	checkDisk(r, cfg.Retention, int64(usage.AvailBytes), folderSize(cfg.DataDir))
}

// badKinds are the file systems on which a log should not lie, and why.
var badKinds = map[string]string{
	"nfs": "a network file system: a server that restarts can lose what was synced, and locks are not sure", "smb": "a network file system: a server that restarts can lose what was synced, and locks are not sure",
	"9p": "shared from another machine: what is synced may not be on its disk", "fuse": "a program's own: what is synced may not be on a disk",
	"tmpfs": "in memory: a restart of the machine loses all of it", "overlayfs": "the layer of a container, and gone with it",
}

// checkKind warns of file systems that do not keep what they were told to.
func checkKind(r *report, kind string) {
	if why, bad := badKinds[kind]; bad {
		r.say(verdictWarning, "file_system", "data_dir is on %s, %s; put it on a local disk or a volume", kind, why)
		return
	}
	r.say(verdictOK, "file_system", "%s", kind)
}

const (
	// slowSync is how long a sync of a disk that is fit for it does not take.
	slowSync = 50 * time.Millisecond
	// tooSlowSync leaves no time: webhooks get 503 when theirs takes a second.
	tooSlowSync = 500 * time.Millisecond
)

// checkSync judges how long the disk takes to keep something.
func checkSync(r *report, took time.Duration) {
	switch text := fmt.Sprintf("a write is on the disk after %v", took.Round(time.Microsecond)); {
	case took >= tooSlowSync:
		r.say(verdictError, "sync", "%s; webhooks are refused when it takes a second: use a faster disk", text)
	case took >= slowSync:
		r.say(verdictWarning, "sync", "%s; each webhook waits for that: use a faster disk", text)
	default:
		r.say(verdictOK, "sync", "%s", text)
	}
}

// checkDisk compares what is free, and what the log has already taken of it, with what the log may take.
func checkDisk(r *report, retention server.Retention, free, taken int64) {
	switch want := retention.MaxSize + retention.DiskReserve; {
	case free < retention.DiskReserve:
		r.say(verdictError, "disk", "%s are free, less than retention.disk_reserve, %s; make room or lower it",
			inMiB(free), inMiB(retention.DiskReserve))
	case free+taken < want:
		r.say(verdictWarning, "disk", "%s are free, but retention.max_size and disk_reserve make %s; make room or lower max_size, or events are removed early",
			inMiB(free), inMiB(want))
	default:
		r.say(verdictOK, "disk", "%s are free", inMiB(free))
	}
}

func inMiB(n int64) string { return fmt.Sprintf("%dMiB", n>>20) }

// existing returns path or the nearest folder above it that exists.
func existing(path string) (string, error) {
	path = filepath.Clean(path)
	for {
		info, err := os.Stat(path)
		switch {
		case err == nil && !info.IsDir():
			return "", fmt.Errorf("%s is not a folder", path)
		case err == nil || !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path):
			return path, err
		}
		path = filepath.Dir(path)
	}
}

// syncs is how many writes are tried. The middle one counts: a disk that does something else now and then is not slow.
const syncs = 9

// tryWrite writes to a file in the folder and removes it again. It returns how long a write takes until it is on the disk.
func tryWrite(dir string) (synced time.Duration, err error) {
	f, err := os.CreateTemp(dir, ".headgated-check-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	block, took := make([]byte, 4<<10), make([]time.Duration, syncs)
	for i := range took {
		begin := time.Now()
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return took[syncs/2], nil
}

// folderSize is what the files below dir take. What cannot be read does not count.
func folderSize(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}
