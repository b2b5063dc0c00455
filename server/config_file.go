package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
)

// maxFileBytes bounds what is read of a file of keys or certificates.
const maxFileBytes = mib

// read reads a file that the configuration names, and notes that it did. what says what the file should hold.
func (l *loader) read(path string, most int64, what string) ([]byte, error) {
	l.files = append(l.files, path)
	return readFile(path, most, what)
}

// readFile reads a small file. what says what it should hold.
func readFile(path string, most int64, what string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s; write %s to it", path, what)
	case err != nil:
		return nil, fmt.Errorf("cannot look at %s: %w", path, errors.Unwrap(err))
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file; give the file that holds %s", path, what)
	case info.Size() > most:
		return nil, fmt.Errorf("%s is too large; give the file that holds %s and nothing else", path, what)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w; let the server's user read it", path, errors.Unwrap(err))
	}
	return data, nil
}

// warnOpen warns of a secret file that every user of the machine could read.
func (l *loader) warnOpen(path, at string) {
	info, err := os.Stat(path)
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o004 != 0 {
		l.warnings = append(l.warnings, fmt.Sprintf("%s: every user of this machine can read %s; run chmod o= on it", at, path))
	}
}
