package server

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/headgate/headgate/server/internal/access"
	"github.com/headgate/headgate/server/internal/webhook"
)

// gauge reads a metric of the server.
func gauge(t *testing.T, s *Server, name string) float64 {
	t.Helper()
	return gathered(t, s.registry, name)
}

func gathered(t *testing.T, from prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// logged collects what is logged while the test runs.
func logged(t *testing.T) *lockedBuffer {
	b := &lockedBuffer{}
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(b, nil)))
	t.Cleanup(func() { slog.SetDefault(was) })
	return b
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// polling makes servers look at their files often.
func polling(t *testing.T) {
	was := reloadPoll
	reloadPoll = 10 * time.Millisecond
	t.Cleanup(func() { reloadPoll = was })
}

func knows(t *testing.T, s *Server, token string) bool {
	t.Helper()
	_, err := s.access.Identify(t.Context(), access.Credentials{Bearer: token})
	if err != nil && !errors.Is(err, access.ErrUnknown) {
		t.Fatal(err)
	}
	return err == nil
}

func reader(token string) string {
	return "readers: {billing: {tokens: ['" + access.HashToken(token) + "'], allow: [{sources: [acme]}]}}\n"
}

// TestTokenChange: the server sees by itself that its file is another.
func TestTokenChange(t *testing.T) {
	polling(t)
	log := logged(t)
	s, dir := running(t, reader("one"))
	path := filepath.Join(dir, "headgate.yaml")
	if !knows(t, s, "one") || knows(t, s, "two") {
		t.Fatal("the readers are not those of the file")
	}
	session, err := s.access.Begin(t.Context(), access.Credentials{Bearer: "one"}, "a", access.Stream)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Done()
	writeFile(t, path, testFile(reader("two")))
	eventually(t, "the new token is known", func() bool { return knows(t, s, "two") })
	if knows(t, s, "one") {
		t.Error("the old token is known still")
	}
	<-session.Ended()

	// Broken: what was stays, and is told once.
	at := gauge(t, s, "headgate_config_reload_timestamp_seconds")
	writeFile(t, path, testFile(reader("three")+"retentoin: {}\nlog: {level: loud}\n"))
	eventually(t, "it is refused", func() bool { return gauge(t, s, "headgate_config_reload_ok") == 0 })
	if knows(t, s, "three") || !knows(t, s, "two") {
		t.Error("a part of a broken configuration is in force")
	}
	if got := gauge(t, s, "headgate_config_reload_timestamp_seconds"); got != at {
		t.Errorf("the time is that of the refused one: %v, was %v", got, at)
	}
	writeFile(t, path, testFile(reader("four")))
	eventually(t, "it is mended", func() bool { return gauge(t, s, "headgate_config_reload_ok") == 1 })
	if !knows(t, s, "four") {
		t.Error("the mended configuration is not in force")
	}
	text := log.String()
	for part, times := range map[string]int{
		"the one before stays in force": 1, "did you mean retention?": 1, "log.level (line": 1, "configuration reloaded": 2,
	} {
		if got := strings.Count(text, part); got != times {
			t.Errorf("%q is told %d times, want %d:\n%s", part, got, times, text)
		}
	}
}

// TestMountedSecrets: a cluster mounts files behind links and changes where the links lead.
func TestMountedSecrets(t *testing.T) {
	polling(t)
	logged(t)
	dir := folder(t, "")
	mount := func(version, token string) {
		writeFile(t, filepath.Join(mkdir(t, dir, version), "headgate.yaml"), testFile(reader(token)))
		next := filepath.Join(dir, "..next")
		if err := errors.Join(os.Symlink(version, next), os.Rename(next, filepath.Join(dir, "..data"))); err != nil {
			t.Fatal(err)
		}
	}
	mount("v1", "one")
	if err := errors.Join(os.Remove(filepath.Join(dir, "headgate.yaml")), os.Symlink("..data/headgate.yaml", filepath.Join(dir, "headgate.yaml"))); err != nil {
		t.Fatal(err)
	}
	s := serve(t, dir)
	if !knows(t, s, "one") {
		t.Fatal("the mounted file was not read")
	}
	mount("v2", "two")
	eventually(t, "the new token is known", func() bool { return knows(t, s, "two") })
}

func mkdir(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWaitsForItsFiles: a configuration that names a file which comes later is taken over when it comes.
func TestWaitsForItsFiles(t *testing.T) {
	polling(t)
	logged(t)
	s, dir := running(t, reader("one"))
	late := strings.Replace(testFile(reader("two")), "secrets/acme", "secrets/late", 1)
	writeFile(t, filepath.Join(dir, "headgate.yaml"), late)
	eventually(t, "it is refused", func() bool { return gauge(t, s, "headgate_config_reload_ok") == 0 })
	writeFile(t, filepath.Join(dir, "secrets/late"), "a-late-secret-of-the-tests\n")
	eventually(t, "it is taken over", func() bool { return knows(t, s, "two") })
}

// TestWhatWaitsForARestart: it is named; the rest is taken over.
func TestWhatWaitsForARestart(t *testing.T) {
	log := logged(t)
	s, dir := running(t, reader("one")+tlsLine+"\n")
	next := strings.Replace(testFile(reader("two")+"tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, listeners: [api]}\n"+
		"limits: {max_streams: 7, reader: {streams: 3}}\nwebhook: {trusted_proxies: [10.0.0.1]}\n"), "data_dir: log", "data_dir: other", 1)
	writeFile(t, filepath.Join(dir, "headgate.yaml"), next)
	s.Reload()
	eventually(t, "the rest is in force", func() bool { return knows(t, s, "two") })
	want := `settings="[data_dir limits.max_streams webhook.trusted_proxies tls.listeners]"`
	eventually(t, want, func() bool { return strings.Contains(log.String(), want) })
	id, err := s.access.Identify(t.Context(), access.Credentials{Bearer: "two"})
	if err != nil || id.Reader.Limits.Streams != 3 {
		t.Errorf("the reader is %+v, %v", id.Reader, err)
	}
}

// TestReadersStay: a file that lost its end does not open the gateway.
func TestReadersStay(t *testing.T) {
	log := logged(t)
	s, dir := running(t, reader("one"))
	for range 2 {
		writeFile(t, filepath.Join(dir, "headgate.yaml"), testFile(""))
		s.Reload()
		eventually(t, "it is told", func() bool { return strings.Contains(log.String(), "settings=[readers]") })
		if knows(t, s, "two") || !knows(t, s, "one") {
			t.Error("the readers are gone")
		}
	}
	// The other way is taken: it closes.
	open, dir := running(t, "")
	writeFile(t, filepath.Join(dir, "headgate.yaml"), testFile(reader("one")))
	open.Reload()
	eventually(t, "readers are told apart", func() bool { return !knows(t, open, "two") })
}

// TestPartsOfAReload: each part gets its share, and the log's level moves.
func TestPartsOfAReload(t *testing.T) {
	log := logged(t)
	dir := folder(t, minimal)
	path := filepath.Join(dir, "headgate.yaml")
	cfg, err := Load(path, environ(nil))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Reload = func() (Config, error) { return Load(path, environ(nil)) }
	r := newReloader(cfg)
	var sources []webhook.Source
	r.parts = reloadable{
		access: access.NewControl(access.Open()), level: new(slog.LevelVar),
		sources: func(list []webhook.Source) { sources = list },
	}
	writeFile(t, path, strings.ReplaceAll(minimal, "acme", "globex")+"log: {level: error}\n")
	if err := os.Chmod(filepath.Join(dir, "secrets/globex"), 0o604); err != nil {
		t.Fatal(err)
	}
	r.reload()
	if len(sources) != 1 || sources[0].Name != "globex" || string(sources[0].Secrets[0].Key) != "globex-secret-0123456789" {
		t.Errorf("sources are %v", sources)
	}
	if r.parts.level.Level() != slog.LevelError {
		t.Errorf("the level is %v", r.parts.level)
	}
	r.reload()
	if got := strings.Count(log.String(), "every user of this machine can read"); got != 1 {
		t.Errorf("a warning that is not new is told %d times", got)
	}
	want := []string{path, filepath.Join(dir, "secrets/globex")}
	if got := r.files.paths(); !slices.Equal(got, want) {
		t.Errorf("it watches %v, want %v", got, want)
	}
}

func (w *watch) paths() []string {
	var paths []string
	for _, f := range w.files {
		paths = append(paths, f.path)
	}
	return paths
}

func TestWatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	w := newWatch([]string{path})
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	write := func(text string) {
		t.Helper()
		at = at.Add(time.Second)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	step := func(name string, change func()) {
		change()
		for range 2 {
			if w.changed() {
				got = append(got, name)
			}
		}
	}
	step("not there", func() {})
	step("written", func() { write("a") })
	step("unread", func() {})
	w.mark()
	step("read", func() {})
	step("same size", func() { write("b") })
	w.mark()
	step("mode", func() { _ = os.Chmod(path, 0o640) })
	w.mark()
	step("replaced", func() {
		info, _ := os.Stat(path)
		_ = os.WriteFile(path+".new", []byte("c"), 0o640)
		_ = os.Chtimes(path+".new", info.ModTime(), info.ModTime())
		_ = os.Rename(path+".new", path)
	})
	w.mark()
	step("removed", func() { _ = os.Remove(path) })
	// A change counts at the second look: the first finds it still changing.
	want := []string{"written", "unread", "unread", "same size", "mode", "replaced", "removed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if w.add([]string{path}) || !w.add([]string{path + "2", path}) {
		t.Error("add does not tell which files are new")
	}
}
