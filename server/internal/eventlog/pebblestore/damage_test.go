package pebblestore

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// behind changes a closed store behind the engine's back.
func behind(t testing.TB, dir string, change func(db *pebble.DB) error) {
	t.Helper()
	db, err := pebble.Open(dir, &pebble.Options{FormatMajorVersion: pebble.FormatWALSyncChunks, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(change(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)      {}
func (quiet) Errorf(string, ...any)     {}
func (quiet) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

func TestMissingRecordsAreNeverSkipped(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 100, "id") // contexts c0, c1, c2 in turn
	behind(t, dir, func(db *pebble.DB) error {
		return db.DeleteRange(seqKey(roomRecord, 50), seqKey(roomRecord, 60), pebble.Sync)
	})
	s := open(t, dir, Options{})
	defer closeStore(t, s)
	for name, wants := range map[string]func(_, c string) bool{
		"everything":  nil,
		"one tenant":  func(_, c string) bool { return c == "c1" },
		"two tenants": func(_, c string) bool { return c == "c1" || c == "c2" },
	} {
		list, err := readAll(s, 0, wants)
		var damage *eventlog.DamageError
		if !errors.Is(err, eventlog.ErrDamaged) || !errors.As(err, &damage) || damage.From != 50 || damage.To != 59 {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(list); n == 0 || list[n-1].Seq > 49 || list[n-1].Seq < 47 {
			t.Errorf("%s: %d records before the damage", name, n)
		}
		if _, err := readAll(s, 59, wants); err != nil {
			t.Errorf("%s, behind the damage: %v", name, err)
		}
		if _, err := readAll(s, 55, wants); !errors.As(err, &damage) || damage.From != 56 || damage.To != 59 {
			t.Errorf("%s, from within the damage: %v", name, err)
		}
	}
	got := 0
	err := s.Follow(ctx, 0, func(group []eventlog.Stored) error { got += len(group); return nil })
	if !errors.Is(err, eventlog.ErrDamaged) || got != 49 {
		t.Errorf("followed %d, %v", got, err)
	}
	if err := s.Erase(ctx, []uint64{55}); !errors.Is(err, eventlog.ErrDamaged) {
		t.Errorf("Erase: %v", err)
	}
	add(t, s, "c", "the log goes on")
	if err := s.Trim(ctx, 55); err != nil { // retention passes over the damage
		t.Error(err)
	}
	if _, err := readAll(s, 55, nil); !errors.Is(err, eventlog.ErrDamaged) {
		t.Errorf("after a trim into the damage: %v", err)
	}
	if err := s.Trim(ctx, 59); err != nil {
		t.Error(err)
	}
	if list, err := readAll(s, 59, nil); err != nil || len(list) != 42 {
		t.Errorf("after the trim: %d records, %v", len(list), err)
	}
	none := func(_, _ string) bool { return false }
	if _, err := readAll(s, 58, none); !errors.Is(err, eventlog.ErrTrimmed) { // they may have been anybody's
		t.Errorf("from within what was trimmed unread: %v", err)
	}
	if _, err := readAll(s, 59, none); err != nil {
		t.Errorf("from behind what was trimmed unread: %v", err)
	}
}

func TestUnreadableRecord(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 20, "id")
	behind(t, dir, func(db *pebble.DB) error {
		return errors.Join(db.Set(seqKey(roomRecord, 7), []byte("x"), pebble.Sync), db.Set(seqKey(roomRecord, 1), []byte{99}, pebble.Sync))
	})
	if err := refused(t, dir, Options{}); !errors.Is(err, eventlog.ErrDamaged) {
		t.Fatal(err)
	}
	behind(t, dir, func(db *pebble.DB) error {
		rec := event("c0", "id0")
		return db.Set(seqKey(roomRecord, 1), eventlog.EncodeRecord(nil, rec, (&clock{}).now()), pebble.Sync)
	})
	s := open(t, dir, Options{})
	defer closeStore(t, s)
	var damage *eventlog.DamageError
	if list, err := readAll(s, 0, nil); !errors.As(err, &damage) || damage.From != 7 || damage.To != 7 || len(list) != 6 {
		t.Fatalf("%d records, %v", len(list), err)
	}
	if err := s.Trim(ctx, 8); err != nil {
		t.Fatal(err)
	}
	if list, err := readAll(s, 8, nil); err != nil || len(list) != 12 {
		t.Fatalf("%d records, %v", len(list), err)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 3, "id")
	behind(t, dir, func(db *pebble.DB) error { return db.Set(keyFormat, formatValue(newestFormat+1), pebble.Sync) })
	err := refused(t, dir, Options{})
	for _, word := range []string{dir, "format 3", "up to 2", "newer binary"} {
		if !strings.Contains(err.Error(), word) {
			t.Fatalf("%q does not say %q", err, word)
		}
	}
}

func TestLostIdentityIsRefused(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 3, "id")
	behind(t, dir, func(db *pebble.DB) error { return db.Delete(keyFormat, pebble.Sync) })
	if err := refused(t, dir, Options{AcceptLoss: true}); !errors.Is(err, eventlog.ErrDamaged) {
		t.Fatal(err)
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	if dir := os.Getenv("SECOND_OPEN"); dir != "" { // the second process
		s, err := Open(dir, Options{MinFree: 1})
		if err == nil {
			_ = s.Close()
			t.Fatal("opened")
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	s := open(t, dir, Options{})
	defer closeStore(t, s)
	if err := refused(t, dir, Options{}); !strings.Contains(err.Error(), dir) {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestSecondOpenIsRefused$", "-test.v")
	cmd.Env = append(os.Environ(), "SECOND_OPEN="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "SKIP") {
		t.Fatalf("the second process: %v\n%s", err, out)
	}
	add(t, s, "c", "the first one goes on")
}
