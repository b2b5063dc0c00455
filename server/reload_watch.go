package server

import (
	"os"
	"slices"
)

// watch tells when files change. It looks at what is at each path, symbolic links followed, so that it also sees links that now lead elsewhere.
type watch struct {
	files []watched
}

// watched is a file as it was when it was read and when it was looked at last. Nil is a file that was not there.
type watched struct {
	path       string
	read, seen os.FileInfo
}

func newWatch(paths []string) *watch {
	w := &watch{}
	w.add(paths)
	return w
}

// mark says that the files are about to be read.
func (w *watch) mark() {
	for i := range w.files {
		f := &w.files[i]
		f.read = look(f.path)
		f.seen = f.read
	}
}

// add watches more files and reports whether one of them is new.
func (w *watch) add(paths []string) (grown bool) {
	for _, path := range paths {
		if !slices.ContainsFunc(w.files, func(f watched) bool { return f.path == path }) {
			info := look(path)
			w.files = append(w.files, watched{path, info, info})
			grown = true
		}
	}
	return grown
}

// only stops watching all other files.
func (w *watch) only(paths []string) {
	w.files = slices.DeleteFunc(w.files, func(f watched) bool { return !slices.Contains(paths, f.path) })
}

// changed reports whether a file is another than when it was read, and none has changed since the call before: what is being written is left
// alone until it rests.
func (w *watch) changed() bool {
	differs, rests := false, true
	for i := range w.files {
		f := &w.files[i]
		now := look(f.path)
		rests = rests && same(now, f.seen)
		differs = differs || !same(now, f.read)
		f.seen = now
	}
	return differs && rests
}

func look(path string) os.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

// same goes by the mode too: a file that the server may read now has not changed otherwise.
func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}
