package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Store keeps one subscription's position. It is used by one iteration at a time.
type Store interface {
	// Load returns the last cursor saved, "" when there is none yet. Whatever keeps it from knowing is an error: a cursor that is
	// taken for missing would send the subscription back to its Start.
	Load(ctx context.Context) (cursor string, err error)
	// Save keeps the cursor. When it returns nil the cursor must survive a crash.
	Save(ctx context.Context, cursor string) error
}

// FileStore keeps the cursor in a file of its own, readable by its owner only. A missing or empty file has no cursor. Save replaces
// the file in one step and syncs it, so a crash leaves either the old cursor or the new one. That is a write to the disk for
// each message: where that is too slow, save less often in a Store of your own.
func FileStore(path string) Store { return fileStore(path) }

type fileStore string

func (f fileStore) Load(context.Context) (string, error) {
	content, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	cursor := strings.TrimSpace(string(content))
	if cursor != "" && !isCursor(cursor) {
		return "", fmt.Errorf("%s does not hold a cursor: restore it, or remove it to begin again", string(f))
	}
	return cursor, nil
}

func (f fileStore) Save(_ context.Context, cursor string) error {
	if !isCursor(cursor) {
		return fmt.Errorf("%s: what is to be saved is not a cursor", string(f))
	}
	next := string(f) + ".new"
	if err := writeSynced(next, cursor+"\n"); err != nil {
		return err
	}
	if err := os.Rename(next, string(f)); err != nil {
		return err
	}
	return syncDir(filepath.Dir(string(f)))
}

// writeSynced makes a new file in the place of whatever a crash may have left there.
func writeSynced(path, content string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// syncDir makes a rename durable. Windows cannot sync a directory.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// isCursor tells whether the text has a cursor's form: 22 or 32 characters of base64url.
func isCursor(s string) bool {
	if len(s) != 22 && len(s) != 32 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
