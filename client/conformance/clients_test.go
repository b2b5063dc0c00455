package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// buildWithin is how long one command may take that builds an adapter.
const buildWithin = 5 * time.Minute

// subject is a client under test: an entry of a conformance.json.
type subject struct {
	Name    string     `json:"name"`
	Needs   []string   `json:"needs"`
	Build   [][]string `json:"build"`
	Run     []string   `json:"run"`
	Without []string   `json:"without"`

	dir  string       // of the file
	temp string       // a folder for what is built
	made func() error // builds it, once
}

// watch looks at the sources of the gateway and of all clients: go test takes what a test looked at into account when it decides whether to run it again.
func watch(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"..", "../../gen", "../../server"} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() && slices.Contains([]string{"node_modules", "dist", "target", "__pycache__"}, entry.Name()) {
				return filepath.SkipDir
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // somebody may be building there
			t.Fatal(err)
		}
	}
}

// subjects are all clients: the Go client's file stands in client, those of other languages in folders of their own.
func subjects(t *testing.T) (all []*subject) {
	t.Helper()
	files, err := filepath.Glob("../*/conformance.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append([]string{"../conformance.json"}, files...) {
		all = append(all, readSubjects(t, file)...)
	}
	return all
}

func readSubjects(t *testing.T, file string) (all []*subject) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Name == "" || len(s.Run) == 0 {
			t.Fatalf("%s: each entry needs a name and what to run", file)
		}
		for _, part := range s.Without {
			if !slices.Contains(parts, part) {
				t.Fatalf("%s: %s: without %q: want one of %v", file, s.Name, part, parts)
			}
		}
		s.dir, s.temp = dir, filepath.Join(workDir, s.Name)
		s.made = sync.OnceValue(s.make)
		if i := slices.IndexFunc(all, s.builtAs); all[i] != s {
			s.temp, s.made = all[i].temp, all[i].made
		}
	}
	return all
}

// builtAs tells whether the other client is built by the same commands.
func (s *subject) builtAs(other *subject) bool {
	return slices.EqualFunc(s.Build, other.Build, slices.Equal[[]string])
}

// prepare builds the adapter, where that has not been done. When its language is not installed it says what is missing.
func (s *subject) prepare() (missing string, err error) {
	for _, program := range s.Needs {
		if _, err := exec.LookPath(program); err != nil {
			return program, nil
		}
	}
	return "", s.made()
}

func (s *subject) make() error {
	if err := os.MkdirAll(s.temp, 0o700); err != nil {
		return err
	}
	for _, words := range s.Build {
		if err := s.build(words); err != nil {
			return err
		}
	}
	return nil
}

func (s *subject) build(words []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), buildWithin)
	defer cancel()
	cmd := s.command(ctx, words)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %v: %w\n%s", s.Name, cmd.Args, err, out)
	}
	return nil
}

// command is one of the file's, in the file's folder.
func (s *subject) command(ctx context.Context, words []string) *exec.Cmd {
	words = slices.Clone(words)
	for i, word := range words {
		words[i] = strings.ReplaceAll(word, "{temp}", s.temp)
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.WaitDelay = s.dir, 5*time.Second
	inGroup(cmd)
	return cmd
}

// lacks tells which of the parts the client does not have.
func (s *subject) lacks(needed []string) bool {
	return slices.ContainsFunc(needed, func(part string) bool { return slices.Contains(s.Without, part) })
}
