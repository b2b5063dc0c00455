package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is a file of an archive, or a folder, which has no data.
type file struct {
	mode fs.FileMode
	data []byte
	user int // 0 is root
}

// files are by their paths, with slashes.
type files map[string]file

// add puts a file, or all of a folder's, under a path.
func (to files) add(at, from string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, p)
		mode := fs.FileMode(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		to[path.Join(at, filepath.ToSlash(rest))] = file{mode: mode, data: data}
		return err
	})
}

// inArchive makes links of install.md lead to what lies beside it in an archive, or to the repository.
var inArchive = strings.NewReplacer("(../deploy/systemd/", "(systemd/", "(../deploy/compose/", "(compose/", "(../../.github/", "(", "(../deploy/", "(https://"+ownModule+"/blob/HEAD/server/deploy/")

// archive writes the archive of a platform and, beside it, its bill of materials.
func (f *flags) archive(b *build) error {
	top := fmt.Sprintf("headgate_%s_%s", b.version, b.target.name())
	all := files{}
	content := map[string]string{"README.md": "README.md", "CHANGELOG.md": changelog, "SECURITY.md": ".github/SECURITY.md", "install.md": "server/docs/install.md"}
	if b.os == "linux" {
		content["systemd"], content["compose"] = "server/deploy/systemd", "server/deploy/compose"
	}
	for at, from := range content {
		if err := all.add(path.Join(top, at), filepath.Join(f.Source, from)); err != nil {
			return err
		}
	}
	page := all[path.Join(top, "install.md")]
	page.data = []byte(inArchive.Replace(string(page.data)))
	all[path.Join(top, "install.md")] = page
	for name, from := range b.binaries {
		if err := all.add(path.Join(top, name), from); err != nil {
			return err
		}
	}
	bill, err := b.bill()
	if err != nil {
		return err
	}
	all[path.Join(top, "LICENCES.txt")] = file{mode: 0o644, data: b.notices()}
	at := filepath.Join(f.Out, top)
	if err := os.WriteFile(at+".cdx.json", bill, 0o644); err != nil {
		return err
	}
	if b.os == "windows" {
		return write(at+".zip", func(w io.Writer) error { return all.zip(w, b.at) })
	}
	return write(at+".tar.gz", func(w io.Writer) error { return all.targz(w, b.at) })
}

func write(name string, content func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	if err := content(f); err != nil {
		_ = f.Close() // what could not be written is not there
		return err
	}
	return f.Close()
}

func (all files) targz(w io.Writer, at time.Time) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := all.tar(packed, at); err != nil {
		return err
	}
	return packed.Close()
}

// tar writes the files in the order of their paths.
func (all files) tar(w io.Writer, at time.Time) error {
	out := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f := all[name]
		h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: int64(f.mode.Perm()), Uid: f.user, Gid: f.user, Size: int64(len(f.data)), ModTime: at, Format: tar.FormatPAX}
		if f.mode.IsDir() {
			h.Name, h.Typeflag = name+"/", tar.TypeDir
		}
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		if _, err := out.Write(f.data); err != nil {
			return err
		}
	}
	return out.Close()
}

func (all files) zip(w io.Writer, at time.Time) error {
	out := zip.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at.UTC()}
		h.SetMode(all[name].mode)
		entry, err := out.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := entry.Write(all[name].data); err != nil {
			return err
		}
	}
	return out.Close()
}

// writeSums writes SHA256SUMS of all files in the folder, as sha256sum reads it.
func writeSums(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, e := range entries {
		if e.IsDir() || e.Name() == "SHA256SUMS" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), e.Name())
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(sums.String()), 0o644)
}
