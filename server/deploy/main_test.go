package deploy_test

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// full also builds for every platform, and all of it a second time from nothing. It takes some minutes.
var full = flag.Bool("full", false, "build for every platform, and twice")

// tag is the version that the tests build.
const tag = "v1.98.7"

// scratch outlives each test: what all of them look at is built once.
var scratch string

func TestMain(m *testing.M) {
	flag.Parse()
	if dir := os.Getenv(composeCheck); dir != "" {
		checkCompose(dir)
		return
	}
	var err error
	if scratch, err = os.MkdirTemp("", "headgate-deploy-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(scratch); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// needs skips a test for want of a tool; where CONFORMANCE is all, it fails.
func needs(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	}
	if os.Getenv("CONFORMANCE") == "all" {
		t.Fatalf("%s is not installed", tool)
	}
	t.Skipf("%s is not installed", tool)
}

// command runs a program in a folder and returns what it printed. It fails the test when the program fails.
func command(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	out, err := try(dir, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func try(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// clone makes a repository of this working tree as it is, with one commit that is the same wherever it is made, under the tag.
func clone(dir string) error {
	listed, err := try("../..", "git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate")
	if err != nil {
		return err
	}
	for _, name := range strings.Split(strings.TrimSpace(listed), "\n") {
		from := filepath.Join("../..", name)
		info, err := os.Stat(from)
		if err != nil {
			continue // removed, and not committed yet
		}
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, data, info.Mode().Perm()); err != nil {
			return err
		}
	}
	return commit(dir)
}

// commit writes the changelog's entry of the tag and commits everything.
func commit(dir string) error {
	path := filepath.Join(dir, ".github/CHANGELOG.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text = []byte(strings.Replace(string(text), "## [Unreleased]", "## ["+strings.TrimPrefix(tag, "v")+"] - 2026-01-02", 1))
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"commit", "-q", "-m", "all"}, {"tag", tag}} {
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z", "GIT_CONFIG_GLOBAL="+os.DevNull)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %v: %w\n%s", args, err, out)
		}
	}
	return nil
}

// release makes a release in a folder, of a clone beside it.
func release(dir string, env ...string) (string, error) {
	source, out := filepath.Join(dir, "source"), filepath.Join(dir, "out")
	if err := clone(source); err != nil {
		return "", err
	}
	args := []string{"run", "./release", "--source", source, out}
	if !*full {
		args = append(args, "--targets", "linux/"+runtime.GOARCH)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("release: %w\n%s", err, said)
	}
	return out, nil
}

var releaseOnce = sync.OnceValues(func() (string, error) { return release(filepath.Join(scratch, "one")) })

// released is the folder of the release that all tests look at.
func released(t *testing.T) string {
	t.Helper()
	out, err := releaseOnce()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// unpacked is the folder in which the archive for this machine was unpacked.
func unpacked(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	name := "headgate_" + tag + "_linux_" + runtime.GOARCH
	command(t, dir, "tar", "xzf", filepath.Join(released(t), name+".tar.gz"))
	return filepath.Join(dir, name)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checked fails the test when headgated check found more than warnings.
func checked(t *testing.T, said string, err error) {
	t.Helper()
	var ended *exec.ExitError
	if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 1) || strings.HasPrefix("\n"+said, "\nerror") {
		t.Errorf("check: %v\n%s", err, said)
	}
}

// The examples of configurations leave open which tokens the readers have, so that nobody takes them over as they are.
const (
	token     = "token of the tests"
	tokenOpen = "sha256:…"
)

// withToken gives every reader of a configuration a token of its own, the last one the tests' token.
func withToken(config string) string {
	for n := strings.Count(config, tokenOpen) - 1; n >= 0; n-- {
		own := token
		if n > 0 {
			own = fmt.Sprint(token, n)
		}
		config = strings.Replace(config, tokenOpen, fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(own))), 1)
	}
	return config
}
