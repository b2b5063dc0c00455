package subscription

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// fillFile makes a file with five subscriptions of up to three shards.
func fillFile(t *testing.T, path string) {
	t.Helper()
	b := openBolt(t, path)
	for i := range 5 {
		k, err := create(t.Context(), b, Name{"billing", fmt.Sprint("links", i)}, i%3+1, fmt.Sprint("cursor", i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := put(t.Context(), b, shardKey(k.name, k.meta.ID, 0), &saved{Cursor: fmt.Sprint("later", i)}, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
}

func damages(t *testing.T, path string) (v Verified, list []string) {
	t.Helper()
	v, err := Verify(path, nil, func(where, what string) { list = append(list, where+": "+what) })
	if err != nil {
		t.Fatal(err)
	}
	return v, list
}

func TestVerifyPositions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "positions.db")
	if v, list := damages(t, path); v != (Verified{}) || len(list) > 0 {
		t.Errorf("of no file: %+v, %q", v, list)
	}
	fillFile(t, path)
	if v, list := damages(t, path); v != (Verified{5, 9}) || len(list) > 0 {
		t.Errorf("of a whole one: %+v, %q", v, list)
	}
	judged := 0
	_, err := Verify(path, func(cursor string) error {
		if judged++; cursor == "later2" {
			return errors.New("it is of another log")
		}
		return nil
	}, func(where, what string) {
		if where != `subscription "links2" of "billing", shard 0` || what != "it is of another log" {
			t.Errorf("%s: %s", where, what)
		}
	})
	if err != nil || judged != 9 {
		t.Errorf("%d cursors were judged, %v", judged, err)
	}
	b := openBolt(t, path)
	if _, err := Verify(path, nil, func(where, what string) { t.Errorf("%s: %s", where, what) }); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("of an open one: %v", err)
	}
	change(t, b, func(positions *bbolt.Bucket) error {
		return positions.ForEach(func(key, value []byte) error {
			switch text := string(key); {
			case strings.HasSuffix(text, separator+"links1"):
				return positions.Put(key, bytes.Replace(value, []byte(`"shards":2`), []byte(`"shards":1`), 1))
			case strings.Contains(text, separator+"links2"+separator) && strings.HasSuffix(text, "2"):
				return positions.Delete(key)
			}
			return nil
		})
	})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, list := damages(t, path); len(list) != 2 || !strings.Contains(list[0], `"links1" of "billing": it was damaged`) || !strings.Contains(list[1], `"links2" of "billing", shard 2: it is missing`) {
		t.Errorf("of a damaged one: %q", list)
	}
	if _, err := load(t.Context(), openBolt(t, path)); err == nil {
		t.Error("a damaged one is taken")
	}
}

func change(t *testing.T, b *Bolt, fn func(positions *bbolt.Bucket) error) {
	t.Helper()
	if err := b.db.Update(func(tx *bbolt.Tx) error { return fn(tx.Bucket(bucket)) }); err != nil {
		t.Fatal(err)
	}
}

// What was kept before there were checksums is taken as it is.
func TestValuesWithoutAChecksum(t *testing.T) {
	for _, text := range []string{`{"cursor":"c"}`, `{"cursor":"c","lease":7}`} {
		var s saved
		if err := open("k", []byte(text), &s); err != nil || s.Cursor != "c" {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
		summed := withSum("k", []byte(text))
		if err := open("k", summed, &s); err != nil || s.Cursor != "c" {
			t.Errorf("%s: %+v, %v", summed, s, err)
		}
		if err := open("l", summed, &s); !errors.Is(err, errSum) {
			t.Errorf("under another key: %v", err)
		}
	}
}

// text is what is kept, without the versions: those are only compared with themselves.
func (k *kept) text() string {
	var all []saved
	for _, sh := range k.shards {
		all = append(all, sh.saved)
	}
	return fmt.Sprintf("%+v %+v", k.meta, all)
}

// TestFlippedPositions: whatever bit of the file is another one, no position is: it is one that was kept, or an error, or not there.
func TestFlippedPositions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "positions.db")
	fillFile(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[Name]string{}
	all, err := load(t.Context(), openBolt(t, path))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		want[k.name] = k.text()
	}
	var used []int // most of the file is empty
	for at, b := range whole {
		if b != 0 {
			used = append(used, at)
		}
	}
	rng := rand.New(rand.NewPCG(1, 9))
	noticed, flips := 0, 200
	for range flips {
		at := used[rng.IntN(len(used))]
		bad := bytes.Clone(whole)
		bad[at] ^= 1 << rng.IntN(8)
		file := filepath.Join(t.TempDir(), "positions.db")
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		_, list := damages(t, file)
		b, err := OpenBolt(file)
		var got []*kept
		if err == nil {
			got, err = load(t.Context(), b)
			_ = b.Close()
		}
		if err != nil {
			noticed++
			if len(list) == 0 {
				t.Errorf("byte %d: verify finds nothing, and the gateway says %v", at, err)
			}
			continue
		}
		if at < 2*os.Getpagesize() {
			continue // one of the two heads: the other one is of the save before, so that events come again
		}
		for _, k := range got {
			if got := k.text(); got != want[k.name] {
				t.Errorf("byte %d: %v is %s, was %s", at, k.name, got, want[k.name])
			}
		}
	}
	if noticed < flips/10 {
		t.Errorf("%d of %d were noticed", noticed, flips)
	}
	t.Logf("%d of %d were noticed", noticed, flips)
}
