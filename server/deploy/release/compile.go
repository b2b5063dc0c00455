package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// target is a platform, like linux/amd64.
type target struct{ os, arch string }

// UnmarshalText is part of encoding.TextUnmarshaler.
func (t *target) UnmarshalText(text []byte) error {
	var ok bool
	if t.os, t.arch, ok = strings.Cut(string(text), "/"); !ok {
		return fmt.Errorf("%q is not a platform; write it like linux/amd64", text)
	}
	return nil
}

// String is the platform as Go writes it.
func (t target) String() string { return t.os + "/" + t.arch }

// name is the platform as it stands in names of files.
func (t target) name() string { return t.os + "_" + t.arch }

// programs are the packages of the binaries by their names.
var programs = map[string]string{"headgated": "./server/cmd/headgated", "headgate": "./client/cmd/headgate"}

// build is both binaries for one platform, with what the go command stamped into them.
type build struct {
	target
	version  string    // v1.2.3, or of a commit after it v1.2.4-0.20060102150405-abcdefabcdef
	revision string    // the commit
	at       time.Time // the commit's: the only time that is in anything
	binaries map[string]string
	modules  []module
	goes     string // the version of Go
}

// compile builds the binaries into dir. Nothing of the machine that it runs on gets into them.
func compile(source string, t target, dir string) (*build, error) {
	b := &build{target: t, binaries: map[string]string{}}
	var infos []*debug.BuildInfo
	for name, pkg := range programs {
		if t.os == "windows" {
			name += ".exe"
		}
		out, err := filepath.Abs(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		// Without the flags that a developer's environment may hold: they would be other bytes.
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", out, pkg)
		cmd.Dir, cmd.Stderr = source, os.Stderr
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOWORK=off", "GOOS="+t.os, "GOARCH="+t.arch)
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("build %s for %s: %w", pkg, t, err)
		}
		info, err := buildinfo.ReadFile(out)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
		b.binaries[name] = out
	}
	if err := b.stamp(infos[0]); err != nil {
		return nil, err
	}
	if err := b.isTagged(source); err != nil {
		return nil, err
	}
	var err error
	b.modules, err = modulesOf(source, infos)
	return b, err
}

// stamp takes over what the go command knows of the commit.
func (b *build) stamp(info *debug.BuildInfo) (err error) {
	b.version, b.goes = info.Main.Version, info.GoVersion
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.time":
			b.at, err = time.Parse(time.RFC3339, s.Value)
		}
	}
	if err == nil && (b.version == "" || b.revision == "" || b.at.IsZero()) {
		err = fmt.Errorf("the binaries have no version: %q of commit %q at %s; build in a git clone", b.version, b.revision, b.at)
	}
	return err
}

// isTagged refuses a tag that the go command did not take for a version, as one of another major version than the module's path says.
func (b *build) isTagged(source string) error {
	cmd := exec.Command("git", "describe", "--tags", "--exact-match", "--match=v*")
	cmd.Dir = source
	out, err := cmd.Output()
	if err != nil {
		return nil // the commit has none
	}
	version, _, _ := strings.Cut(b.version, "+")
	if tag := strings.TrimSpace(string(out)); tag != version {
		return fmt.Errorf("the commit is tagged %s, but Go calls it %s; a tag is like v1.2.3, and from v2 on the module's path ends in it", tag, b.version)
	}
	return nil
}

// tag is the version where + is not allowed.
func (b *build) tag() string { return strings.ReplaceAll(b.version, "+", "-") }
