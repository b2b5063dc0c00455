package pebblestore

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// filled makes a store with n records in a directory and closes it.
func filled(t testing.TB, dir string, n int, prefix string) {
	t.Helper()
	s := open(t, dir, Options{})
	addN(t, s, n, prefix)
	closeStore(t, s)
}

func closeStore(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func copyDir(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// refused opens a store that must not open.
func refused(t testing.TB, dir string, opt Options) error {
	t.Helper()
	opt.MinFree = 1
	s, err := Open(dir, opt)
	if err == nil {
		closeStore(t, s)
		t.Fatal("the store was opened")
	}
	return err
}

// shortened is a store of 60 records whose watermark says 100, and the cursors of all 100.
func shortened(t testing.TB) (dir string, cursors []string) {
	dir = t.TempDir()
	filled(t, dir, 60, "a")
	older := copyDir(t, dir)
	s := open(t, dir, Options{})
	addN(t, s, 40, "b")
	l, err := eventlog.Open(s, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for seq := range uint64(101) {
		cursors = append(cursors, l.Cursor(seq))
	}
	closeStore(t, s)
	copyFile(t, filepath.Join(dir, "watermark"), filepath.Join(older, "watermark"))
	return older, cursors
}

func TestStoreThatCameBackShorterIsRefused(t *testing.T) {
	dir, _ := shortened(t)
	for range 2 { // being refused changes nothing
		err := refused(t, dir, Options{})
		var damage *eventlog.DamageError
		if !errors.Is(err, eventlog.ErrDamaged) || !errors.As(err, &damage) || damage.From != 61 || damage.To != 100 {
			t.Fatalf("error %v", err)
		}
		for _, word := range []string{"61", "100", "backup", "--accept-data-loss"} {
			if !strings.Contains(err.Error(), word) {
				t.Fatalf("%q does not say %q", err, word)
			}
		}
	}
}

func TestAcceptedLoss(t *testing.T) {
	dir, cursors := shortened(t)
	s := open(t, dir, Options{AcceptLoss: true})
	check := func() {
		t.Helper()
		if st, id := s.State(), s.Identity(); st.Head < 61 || len(id.Epochs) != 2 || id.Epochs[1].Start != 60 || id.Epochs[1].ID == id.Epochs[0].ID {
			t.Fatalf("state %+v, lineage %+v", st, id.Epochs)
		}
		list, err := readAll(s, 60, func(source, _ string) bool { return source == "" })
		if err != nil || len(list) == 0 || list[0].Seq != 61 || list[0].Kind != eventlog.KindGap {
			t.Fatalf("after the cut: %v, %v", list, err)
		}
		var gap headgatev1.Gap
		if err := proto.Unmarshal(list[0].Body, &gap); err != nil || gap.Reason != headgatev1.Gap_REASON_DATA_LOSS || gap.FromTime == nil || gap.ToTime == nil || gap.Source != "" {
			t.Fatalf("gap %v, %v", &gap, err)
		}
		l, err := eventlog.Open(s, eventlog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for seq, cursor := range cursors {
			got, err := l.Locate(cursor)
			if seq <= 60 && (err != nil || got != uint64(seq)) {
				t.Fatalf("cursor %d up to the cut: %d, %v", seq, got, err)
			}
			if seq > 60 && !errors.Is(err, eventlog.ErrCursorForeign) {
				t.Fatalf("cursor %d beyond the cut: %d, %v", seq, got, err)
			}
		}
		if got, err := l.Locate(l.Cursor(61)); err != nil || got != 61 {
			t.Fatalf("the gap's own cursor: %d, %v", got, err)
		}
	}
	check()
	closeStore(t, s)
	s = open(t, dir, Options{}) // the loss is accepted once
	check()
	addN(t, s, 60, "after")
	check()
	closeStore(t, s)
	s = open(t, dir, Options{})
	check()
	closeStore(t, s)

	// The new epoch is guarded as the old one was.
	older := copyDir(t, dir)
	s = open(t, dir, Options{})
	addN(t, s, 1, "more")
	closeStore(t, s)
	copyFile(t, filepath.Join(dir, "watermark"), filepath.Join(older, "watermark"))
	if err := refused(t, older, Options{}); !errors.Is(err, eventlog.ErrDamaged) {
		t.Fatal(err)
	}
}

// Right after a cut, with one slot of the watermark still from before it, the new epoch is guarded already.
func TestWatermarkGuardsRightAfterACut(t *testing.T) {
	dir, _ := shortened(t)
	s := open(t, dir, Options{AcceptLoss: true})
	closeStore(t, s)
	older := copyDir(t, dir)
	s = open(t, dir, Options{})
	addN(t, s, 5, "after")
	closeStore(t, s)
	copyFile(t, filepath.Join(dir, "watermark"), filepath.Join(older, "watermark"))
	var damage *eventlog.DamageError
	if err := refused(t, older, Options{}); !errors.As(err, &damage) || damage.From != 62 || damage.To != 66 {
		t.Fatal(err)
	}
}

func TestTruncatedWALIsRefused(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 200, "a")
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no WAL: %v", err)
	}
	slices.Sort(logs)
	wal := logs[len(logs)-1]
	text, err := os.ReadFile(wal)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(withoutRoom(wal, text)))
	for _, keep := range []int64{0, 1, 100, size / 3, size / 2, size - 200} {
		cut := copyDir(t, dir)
		if err := os.Truncate(filepath.Join(cut, filepath.Base(wal)), keep); err != nil {
			t.Fatal(err)
		}
		if err := refused(t, cut, Options{}); !errors.Is(err, eventlog.ErrDamaged) {
			t.Errorf("%d of %d bytes kept: %v", keep, size, err)
		}
	}
}

func TestWatermarkSlots(t *testing.T) {
	dir := t.TempDir()
	for n := range 4 { // both slots are in use
		filled(t, dir, 10, string(rune('a'+n)))
	}
	path := func(d string) string { return filepath.Join(d, "watermark") }
	good, err := os.ReadFile(path(dir))
	if err != nil || len(good) != 2*slotSize {
		t.Fatalf("%d bytes, %v", len(good), err)
	}
	for name, change := range map[string]func([]byte) []byte{
		"first slot torn":  func(b []byte) []byte { b[13] ^= 1; return b },
		"second slot torn": func(b []byte) []byte { b[slotSize+13] ^= 1; return b },
		"both torn":        func(b []byte) []byte { b[13] ^= 1; b[slotSize+13] ^= 1; return b },
		"cut short":        func(b []byte) []byte { return b[:slotSize+10] },
		"empty":            func([]byte) []byte { return nil },
		"missing":          nil,
	} {
		t.Run(name, func(t *testing.T) {
			d := copyDir(t, dir)
			if change == nil {
				err = os.Remove(path(d))
			} else {
				err = os.WriteFile(path(d), change(slices.Clone(good)), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, d, Options{}) // one slot is enough, and none means a new watermark
			if head := s.State().Head; head != 40 {
				t.Fatalf("head %d", head)
			}
			closeStore(t, s)
			mark, err := openWatermark(s.opt.FS, path(d))
			if err != nil {
				t.Fatal(err)
			}
			if _, head, ok, err := mark.read(); !ok || head != 40 || err != nil {
				t.Fatalf("watermark %d, %v, %v", head, ok, err)
			}
			if err := mark.file.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestForeignWatermarkIsRefused(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	filled(t, dir, 10, "a")
	filled(t, other, 10, "a")
	copyFile(t, filepath.Join(other, "watermark"), filepath.Join(dir, "watermark"))
	err := refused(t, dir, Options{})
	if !errors.Is(err, eventlog.ErrDamaged) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "--accept-data-loss") {
		t.Fatal(err)
	}
	s := open(t, dir, Options{AcceptLoss: true})
	if id := s.Identity(); len(id.Epochs) != 2 || s.State().Head != 11 {
		t.Fatalf("lineage %+v", id.Epochs)
	}
	closeStore(t, s)
	closeStore(t, open(t, dir, Options{}))
}

// The store's files are gone, the watermark is not: a new log in their place would be silent loss.
func TestVanishedStoreIsRefused(t *testing.T) {
	dir := t.TempDir()
	filled(t, dir, 10, "a")
	mark := filepath.Join(t.TempDir(), "watermark")
	copyFile(t, filepath.Join(dir, "watermark"), mark)
	empty := t.TempDir()
	copyFile(t, mark, filepath.Join(empty, "watermark"))
	if err := refused(t, empty, Options{}); !errors.Is(err, eventlog.ErrDamaged) {
		t.Fatal(err)
	}
}

func TestWatermarkFollowsTheHead(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	addN(t, s, 10, "a")
	path := filepath.Join(dir, "watermark")
	eventually(t, "the watermark is written while the store is open", func() bool {
		b, err := os.ReadFile(path)
		return err == nil && len(b) > 0
	})
	closeStore(t, s)
}
