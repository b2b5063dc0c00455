package pebblestore

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// realEvent is an event as the gateway stores them.
func realEvent(n int) *eventlog.Record {
	rec := event(fmt.Sprint("c", n%3), fmt.Sprint("id", n))
	body, err := proto.Marshal(&headgatev1.Event{EventId: rec.Keys.EventID, Context: rec.Keys.Context, EventType: "relation.created", PrimaryKey: proto.Int32(int32(n))})
	if err != nil {
		panic(err)
	}
	rec.Body = body
	return rec
}

const (
	fullHead     = 121
	fullEarliest = 21
	fullErased   = 60
	fullNoted    = 81
)

// fullStore makes a store with all that a store can have: records 1 to 121, of which 20 are trimmed, one is erased and one quarantined; in tables and in the
// log of writes.
func fullStore(t testing.TB, dir string) {
	t.Helper()
	s := open(t, dir, Options{})
	appended := func(rec *eventlog.Record) {
		if dup, err := s.Append(ctx, rec); err != nil || dup {
			t.Fatal(dup, err)
		}
	}
	for n := range fullHead {
		switch n + 1 {
		case fullNoted:
			body, err := proto.Marshal(&headgatev1.Gap{Source: "s", Reason: headgatev1.Gap_REASON_QUARANTINED})
			if err != nil {
				t.Fatal(err)
			}
			appended(&eventlog.Record{Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: "s"}, Body: body, Raw: []byte("{"), Quarantine: &eventlog.Quarantine{Problem: "short"}})
		case 100:
			if err := errors.Join(s.Trim(ctx, fullEarliest-1), s.Erase(ctx, []uint64{fullErased})); err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			s = open(t, dir, Options{})
			appended(realEvent(n))
		default:
			appended(realEvent(n))
		}
	}
	closeStore(t, s)
	if err := os.Remove(filepath.Join(dir, "ballast")); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

// verify returns what is said of a store, one line a damage.
func verify(t testing.TB, dir string) (Verified, []string, error) {
	t.Helper()
	var damage []string
	found, err := Verify(dir, Verification{Damage: func(where, what string) { damage = append(damage, where+": "+what) }})
	return found, damage, err
}

// A whole store is found whole, whatever was done with it, and not a byte of it is changed.
func TestVerifyOfAWholeStore(t *testing.T) {
	dir := t.TempDir()
	fullStore(t, dir)
	before := contents(t, dir)
	for range 2 {
		found, damage, err := verify(t, dir)
		if err != nil || len(damage) > 0 {
			t.Fatalf("%q, %v", damage, err)
		}
		found.Bytes = 0
		if got, want := fmt.Sprintf("%+v", found), fmt.Sprintf("%+v", Verified{
			Format: newestFormat, Tables: found.Tables, Earliest: fullEarliest, Head: fullHead, Records: 101, Erased: 1, Raw: 100, Quarantined: 1, Duplicates: 100, Indexed: 101,
			Tenants: 4, Identity: found.Identity, Watermark: fullHead, HasWatermark: true,
		}); got != want || found.Tables == 0 || len(found.Identity.Epochs) != 1 {
			t.Errorf("looked at %s, want %s", got, want)
		}
	}
	after := contents(t, dir)
	delete(after, "LOCK")
	delete(before, "LOCK")
	if len(after) != len(before) {
		t.Errorf("%d files became %d", len(before), len(after))
	}
	for name, text := range before {
		if !bytes.Equal(after[name], text) {
			t.Errorf("%s was changed", name)
		}
	}
}

func contents(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		text, readErr := os.ReadFile(filepath.Join(dir, e.Name()))
		err = errors.Join(err, readErr)
		all[e.Name()] = withoutRoom(e.Name(), text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// withoutRoom is the file without the zeros that a WAL has ahead of what is written: no damage to them is one.
func withoutRoom(name string, text []byte) []byte {
	if isLog(name) {
		return bytes.TrimRight(text, "\x00")
	}
	return text
}

// Each damage to what is stored is named, with the records that it concerns.
func TestVerifyNamesTheDamage(t *testing.T) {
	set := func(key, value []byte) func(*pebble.DB) error {
		return func(db *pebble.DB) error { return db.Set(key, value, pebble.Sync) }
	}
	drop := func(from, to []byte) func(*pebble.DB) error {
		return func(db *pebble.DB) error { return db.DeleteRange(from, to, pebble.Sync) }
	}
	whole := t.TempDir()
	fullStore(t, whole)
	old := eventlog.EncodeRecord(nil, realEvent(79), (&clock{}).now().AddDate(-1, 0, 0))
	for name, c := range map[string]struct {
		change func(*pebble.DB) error
		want   []string
	}{
		"missing records": {drop(seqKey(roomRecord, 50), seqKey(roomRecord, 60)), []string{"records 50 to 59: they are missing"}},
		"missing end":     {drop(seqKey(roomRecord, 120), seqKey(roomRecord, 122)), []string{"records 120 to 121: they are missing: the store came back shorter than it was"}},
		"unreadable":      {set(seqKey(roomRecord, 70), []byte("x")), []string{"record 70: stored record ends early"}},
		"body":            {set(seqKey(roomRecord, 80), append(old, 0xff)), []string{"record 80: proto"}},
		"time":            {set(seqKey(roomRecord, 80), old), []string{"record 80: they are older than the record before"}},
		"of before":       {set(seqKey(roomRecord, 5), old), []string{"record 5: they were trimmed and are there all the same"}},
		"index":           {drop(indexKey(1, 110), indexKey(1, 113)), []string{"record 110: their entry in the index of tenants: it is missing"}},
		"spare index":     {set(indexKey(1, 111), nil), []string{"the index of tenants: 1 entries are of no record"}},
		"spare tenant":    {set(indexKey(9, 111), nil), []string{"the index of tenants: there are entries of tenants"}},
		"duplicates":      {drop([]byte{roomDuplicate}, []byte{roomDuplicate + 1}), []string{"records 21 to 59: their duplicate key: it is missing", "records 61 to 80", "records 82 to 121"}},
		"duplicate":       {set(duplicateKey("id29", realEvent(29).Duplicate), seqKey(0, 31)[1:]), []string{"record 30: their duplicate key: it is of another record"}},
		"spare duplicate": {set(duplicateKey("none", [16]byte{1}), seqKey(0, 31)[1:]), []string{"the duplicate keys: 1 are of no record"}},
		"tenant":          {drop(tenantKey(1), tenantKey(2)), []string{"the registry of tenants: ", "their tenant is not in the registry"}},
		"tenants":         {set(tenantKey(1), []byte{200}), []string{"the registry of tenants: "}},
		"identity":        {set(keyIdentity, []byte("{}")), []string{"the identity, without which no cursor can be read"}},
		"format":          {drop(keyFormat, append(keyFormat, 0)), []string{"the format's number: it is missing"}},
		"trimmed":         {set(keyTrimmed, []byte("x")), []string{"the mark of what was trimmed: it is unreadable"}},
		"mark":            {set(trimmedKey(1), trimMark{seq: 40}.value()), []string{"the marks of what was trimmed: that of tenant 1 says record 40"}},
		"note":            {set(seqKey(roomQuarantine, fullNoted), []byte("x")), []string{"record 81: their quarantine note"}},
		"noted body":      {drop(seqKey(roomRaw, fullNoted), seqKey(roomRaw, fullNoted+1)), []string{"record 81: their raw body is missing"}},
		"erased body":     {set(seqKey(roomRaw, fullErased), []byte("raw")), []string{"record 60: they were erased, and their raw body is there"}},
		"strange key":     {set([]byte("zebra"), nil), []string{`the store: there are keys that begin with 'z'`}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyDir(t, whole)
			behind(t, dir, c.change)
			_, damage, err := verify(t, dir)
			if err != nil || len(damage) == 0 {
				t.Fatalf("%q, %v", damage, err)
			}
			for _, want := range c.want {
				if !strings.Contains(strings.Join(damage, "\n"), want) {
					t.Errorf("want %q in %q", want, damage)
				}
			}
		})
	}
}

func TestVerifyThatCannotLook(t *testing.T) {
	empty := t.TempDir()
	for _, dir := range []string{empty, empty + "/none"} {
		if _, damage, err := verify(t, dir); err == nil || !strings.Contains(err.Error(), "there is no log in") || len(damage) > 0 {
			t.Errorf("%q, %v", damage, err)
		}
	}
	dir := t.TempDir()
	fullStore(t, dir)
	behind(t, dir, func(db *pebble.DB) error { return db.Set(keyFormat, formatValue(newestFormat+1), pebble.Sync) })
	if _, damage, err := verify(t, dir); err == nil || !strings.Contains(err.Error(), "format 3") || len(damage) > 0 {
		t.Errorf("of a newer format: %q, %v", damage, err)
	}
	// The store's files are gone, and the watermark is not.
	gone := t.TempDir()
	copyFile(t, filepath.Join(dir, "watermark"), filepath.Join(gone, "watermark"))
	if _, damage, err := verify(t, gone); err != nil || len(damage) == 0 || !strings.Contains(damage[0], "121") {
		t.Errorf("of a vanished store: %q, %v", damage, err)
	}
}

// TestFlips damages the files of a store at random: one bit, an end that is cut off, a page of zeros. Whatever the store then says that is not so is silent loss.
// What it cannot say it refuses, and then verify names a damage.
func TestFlips(t *testing.T) {
	whole := t.TempDir()
	fullStore(t, whole)
	files := contents(t, whole)
	var names []string
	for name, text := range files {
		if len(text) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	flips := 120
	if *long {
		flips = 20_000
	}
	var wg sync.WaitGroup
	var refusals, noted atomic.Int64
	for worker := range uint64(2) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(4, worker))
			for range flips / 2 {
				name := names[rng.IntN(len(names))]
				harmed, how := harm(rng, files[name])
				told, found := flip(t, onMem(t, files, name, harmed), name+": "+how)
				if told {
					refusals.Add(1)
				}
				if found {
					noted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d damages: %d kept the store from answering, verify named %d", flips, refusals.Load(), noted.Load())
	if refusals.Load() < int64(flips/4) || noted.Load() < refusals.Load() {
		t.Error("too few of them were noticed")
	}
}

// flip looks at a damaged store: whether it told of the damage when it was asked, and whether verify found it.
func flip(t *testing.T, disk vfs.FS, how string) (told, found bool) {
	var damage []string
	_, err := Verify("log", Verification{FS: disk, Damage: func(where, what string) { damage = append(damage, where+": "+what) }})
	found = len(damage) > 0 || err != nil
	switch err := fullAnswers(disk, "log"); {
	case err == nil:
		return false, found
	case strings.HasPrefix(err.Error(), "silent"):
		t.Errorf("%s: %v", how, err)
	case !found:
		t.Errorf("%s: verify finds nothing, and the store says %v", how, err)
	}
	return true, found
}

// onMem puts the files into memory, one of them with other contents.
func onMem(t testing.TB, files map[string][]byte, name string, instead []byte) *vfs.MemFS {
	t.Helper()
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1 << 20})
	err := mem.MkdirAll("log", 0o700)
	for file, text := range files {
		if file == name {
			text = instead
		}
		f, createErr := mem.Create("log/"+file, vfs.WriteCategoryUnspecified)
		if createErr != nil {
			t.Error(createErr)
			return mem
		}
		_, writeErr := f.Write(bytes.Clone(text)) // under the race detector it is overwritten
		err = errors.Join(err, writeErr, f.Close())
	}
	if err != nil {
		t.Error(err)
	}
	return mem
}

// harm damages a file's contents and says how.
func harm(rng *rand.Rand, whole []byte) (b []byte, how string) {
	b = bytes.Clone(whole)
	switch at := rng.IntN(len(b)); rng.IntN(4) {
	case 0:
		return b[:at], fmt.Sprintf("cut at %d of %d", at, len(b))
	case 1:
		page := at &^ 511
		clear(b[page:min(page+512, len(b))])
		return b, fmt.Sprintf("zeros from %d", page)
	default:
		bit := rng.IntN(8)
		b[at] ^= 1 << bit
		return b, fmt.Sprintf("bit %d of byte %d of %d", bit, at, len(b))
	}
}

// fullAnswers asks a fullStore for all that it has. An error that begins with "silent" is a wrong answer.
func fullAnswers(fs vfs.FS, dir string) error {
	s, err := Open(dir, Options{FS: fs, MinFree: 1 << 60, Fatal: func(reason string) { panic(reason) }}) // no ballast
	if err != nil {
		return err
	}
	defer s.Close()
	for _, wants := range []func(_, c string) bool{nil, func(_, c string) bool { return c == "c1" }} {
		list, err := readAll(s, fullEarliest-1, wants)
		if err != nil {
			return err
		}
		next := 0
		for seq := uint64(fullEarliest); seq <= fullHead; seq++ {
			rec := realEvent(int(seq - 1))
			if wants != nil && (seq == fullNoted || !wants("", rec.Keys.Context)) {
				continue
			}
			if next >= len(list) || list[next].Seq != seq {
				return fmt.Errorf("silent: record %d is not there", seq)
			}
			if st := list[next]; seq != fullNoted && seq != fullErased && (st.Keys.EventID != rec.Keys.EventID || !bytes.Equal(st.Body, rec.Body)) {
				return fmt.Errorf("silent: record %d is %+v", seq, st)
			}
			next++
		}
	}
	for seq := uint64(fullEarliest); seq <= fullHead; seq++ {
		if err := fullRecord(s, seq); err != nil {
			return err
		}
	}
	return nil
}

func fullRecord(s *Store, seq uint64) error {
	raw, err := s.Raw(ctx, seq)
	want := fmt.Sprint("raw of id", seq-1)
	switch seq {
	case fullErased:
		if !errors.Is(err, eventlog.ErrNotFound) {
			return fmt.Errorf("silent: the raw body of an erased record: %q, %w", raw, err)
		}
		return nil
	case fullNoted:
		want = "{"
	}
	if errors.Is(err, eventlog.ErrNotFound) || err == nil && string(raw) != want {
		return fmt.Errorf("silent: raw body %q, %w", raw, err)
	}
	if err != nil || seq == fullNoted {
		return err
	}
	seqs, err := s.Find(ctx, fmt.Sprint("id", seq-1), nil)
	if err == nil && (len(seqs) != 1 || seqs[0] != seq) {
		return fmt.Errorf("silent: id%d at %v", seq-1, seqs)
	}
	return err
}

// What is dropped from the quarantine, and what is taken in again afterwards, is no damage; nor is what was erased and waits for its purge.
func TestVerifyAfterDroppedQuarantine(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	body, err := proto.Marshal(&headgatev1.Gap{Source: "s", Reason: headgatev1.Gap_REASON_QUARANTINED})
	if err != nil {
		t.Fatal(err)
	}
	quarantined := func(id string) {
		t.Helper()
		dup, err := s.Append(ctx, &eventlog.Record{
			Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: "s", EventID: id}, Body: body, Raw: []byte("{"), Duplicate: eventlog.DuplicateKey(id),
			Quarantine: &eventlog.Quarantine{Problem: "short"},
		})
		if err != nil || dup {
			t.Fatal(dup, err)
		}
	}
	for _, id := range []string{"a", "b", "c", "d"} {
		quarantined(id)
	}
	if n, err := s.Settle(ctx, []uint64{1, 2, 3}, true); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	quarantined("a")
	if err := s.Erase(ctx, []uint64{2, 4}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(ctx, realEvent(7)); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)
	found, damage, err := verify(t, dir)
	if err != nil || len(damage) > 0 || found.Records != 6 || found.Quarantined != 1 || found.Erased != 2 {
		t.Errorf("%+v, %q, %v", found, damage, err)
	}
}
