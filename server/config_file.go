package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	case err != nil:
		return nil, noFile(path, err, what)
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

// noFile says why there is no such file. It does not repeat the file's name: it may be a secret itself. A folder that exists is none.
func noFile(path string, err error, what string) error {
	dir := filepath.Dir(path)
	info, folder := os.Stat(dir)
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot look at the file: %w; give the name of a file that holds %s", errors.Unwrap(err), what)
	case folder != nil || !info.IsDir():
		return fmt.Errorf("there is no file of this name, nor a folder for it; give the name of a file that holds %s", what)
	}
	return fmt.Errorf("there is no file of this name in %s; write %s to it, or correct the name", dir, what)
}

// warnOpen warns of a secret file that every user of the machine could read.
func (l *loader) warnOpen(path, at string) {
	info, err := os.Stat(path)
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o004 != 0 {
		l.warnings = append(l.warnings, fmt.Sprintf("%s: every user of this machine can read %s; run chmod o= on it", at, path))
	}
}
