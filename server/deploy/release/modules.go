package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// module is one that the binaries are made of.
type module struct {
	path, version string
	sum           string // as in go.sum
	licences      []string
	texts         []string
}

// modulesOf are those of all the binaries, in order, and Go's own library, with their licences.
func modulesOf(source string, infos []*debug.BuildInfo) ([]module, error) {
	found := map[string]*debug.Module{}
	for _, info := range infos {
		for _, m := range info.Deps {
			if m.Replace != nil {
				return nil, fmt.Errorf("%s is replaced; a release is made of what everybody can get", m.Path)
			}
			found[m.Path] = m
		}
	}
	args := []string{"mod", "download", "-json"}
	for _, m := range found {
		args = append(args, m.Path+"@"+m.Version)
	}
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Stderr = source, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("find the modules' folders: %w", err)
	}
	var modules []module
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var m struct{ Path, Version, Dir, Sum string }
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		next := module{path: m.Path, version: m.Version, sum: m.Sum}
		if err := next.read(m.Dir); err != nil {
			return nil, fmt.Errorf("licence of %s: %w", m.Path, err)
		}
		modules = append(modules, next)
	}
	slices.SortFunc(modules, func(a, b module) int { return cmp.Compare(a.path, b.path) })
	std, err := library(source, infos[0].GoVersion)
	return append([]module{std}, modules...), err
}

// library is Go's own.
func library(source, version string) (module, error) {
	cmd := exec.Command("go", "env", "GOROOT")
	cmd.Dir = source
	root, err := cmd.Output()
	if err != nil {
		return module{}, err
	}
	m := module{path: "std", version: version}
	return m, m.read(strings.TrimSpace(string(root)))
}

// read reads the licences in the module's folder. It must have one that is known.
func (m *module) read(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		name := strings.ToUpper(f.Name())
		if f.IsDir() || !strings.HasPrefix(name, "LICEN") && !strings.HasPrefix(name, "COPYING") && !strings.HasPrefix(name, "NOTICE") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		m.texts = append(m.texts, strings.TrimSpace(string(text))+"\n")
		for _, l := range licensecheck.Scan(text).Match {
			if !slices.Contains(m.licences, l.ID) {
				m.licences = append(m.licences, l.ID)
			}
		}
	}
	if len(m.licences) == 0 {
		return errors.New("none that is known stands in its folder")
	}
	return nil
}

// notices are the texts of all licences: they ask to be passed on with the binaries.
func (b *build) notices() []byte {
	var text strings.Builder
	text.WriteString("Headgate's binaries are made of these modules, under these licences.\n")
	for _, m := range b.modules {
		fmt.Fprintf(&text, "\n%s\n%s %s\n\n%s", strings.Repeat("=", 80), m.path, m.version, strings.Join(m.texts, "\n"))
	}
	return []byte(text.String())
}
