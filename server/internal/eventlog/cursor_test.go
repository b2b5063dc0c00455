package eventlog

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mustCursors(t testing.TB, id Identity) *cursors {
	t.Helper()
	c, err := newCursors(id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lineage is a log that was cut at the given sequences, one epoch after the other.
func lineage(cuts ...uint64) Identity {
	id := NewIdentity(time.Now())
	for _, at := range cuts {
		id.Epochs = append(id.Epochs, NewEpoch(at, time.Now()))
	}
	return id
}

func TestCursorRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var cuts []uint64
		for range rapid.IntRange(0, 3).Draw(rt, "cuts") {
			last := uint64(0)
			if len(cuts) > 0 {
				last = cuts[len(cuts)-1]
			}
			cuts = append(cuts, last+rapid.Uint64Range(0, 1000).Draw(rt, "cut"))
		}
		c := mustCursors(t, lineage(cuts...))
		seq := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 3000)).Draw(rt, "seq")
		cursor := string(c.append(nil, seq))
		if len(cursor) != CursorSize || strings.Trim(cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			rt.Fatalf("cursor %q", cursor)
		}
		position := c.position(seq)
		if len(position) != positionSize || position == c.position(seq) {
			rt.Fatalf("position %q", position)
		}
		for _, cursor := range []string{cursor, position} {
			if got, err := c.parse(cursor); err != nil || got != seq {
				rt.Fatalf("%d became %d, %v", seq, got, err)
			}
		}
	})
}

func TestEveryFlippedBitOfACursorIsRefused(t *testing.T) {
	c := mustCursors(t, lineage())
	for seq := range uint64(50) {
		for _, cursor := range [][]byte{c.append(nil, seq), []byte(c.position(seq))} {
			raw, err := base64.RawURLEncoding.DecodeString(string(cursor))
			if err != nil {
				t.Fatal(err)
			}
			for bit := range len(raw) * 8 {
				raw[bit/8] ^= 1 << (bit % 8)
				if got, err := c.parse(base64.RawURLEncoding.EncodeToString(raw)); !errors.Is(err, ErrCursorForeign) {
					t.Fatalf("bit %d of %d: %d, %v", bit, seq, got, err)
				}
				raw[bit/8] ^= 1 << (bit % 8)
			}
			for bit := range len(cursor) * 8 { // and in the text: the spare bits of the last character too
				cursor[bit/8] ^= 1 << (bit % 8)
				if got, err := c.parse(string(cursor)); !errors.Is(err, ErrCursorForeign) && !errors.Is(err, ErrCursorMalformed) {
					t.Fatalf("bit %d of the text of %d: %d, %v", bit, seq, got, err)
				}
				cursor[bit/8] ^= 1 << (bit % 8)
			}
		}
	}
}

func TestMalformedCursors(t *testing.T) {
	c := mustCursors(t, lineage())
	good := string(c.append(nil, 7))
	for _, text := range []string{"", "x", good[1:], good + "A", good[:21] + "=", good[:20] + "==", " " + good[1:], good[:10] + "+" + good[11:], good[:10] + "\n" + good[11:], good[:10] + "\x00" + good[11:], strings.Repeat("é", 11), good + strings.Repeat("\n", positionSize-CursorSize)} {
		if got, err := c.parse(text); !errors.Is(err, ErrCursorMalformed) {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
}

func TestForeignCursors(t *testing.T) {
	id := lineage(100, 150)
	c := mustCursors(t, id)
	at := func(epochs int) *cursors { // the log as it was while it had so many epochs
		return mustCursors(t, Identity{Key: id.Key, Epochs: id.Epochs[:epochs]})
	}
	for _, tt := range []struct {
		from *cursors
		seq  uint64
		ok   bool
	}{
		{at(1), 0, true},
		{at(1), 100, true},
		{at(1), 101, false},
		{at(1), 1 << 60, false},
		{at(2), 100, true},
		{at(2), 101, true},
		{at(2), 150, true},
		{at(2), 151, false},
		{at(3), 151, true},
		{at(3), 1 << 60, true},
		{mustCursors(t, lineage()), 5, false},
		{mustCursors(t, Identity{Key: id.Key, Epochs: lineage().Epochs}), 5, false},
	} {
		got, err := c.parse(string(tt.from.append(nil, tt.seq)))
		if tt.ok && (err != nil || got != tt.seq) || !tt.ok && !errors.Is(err, ErrCursorForeign) {
			t.Errorf("%d of epoch %s: %d, %v", tt.seq, tt.from.epoch(), got, err)
		}
	}
	// A record keeps its cursor through cuts behind it.
	for _, seq := range []uint64{0, 1, 99, 100} {
		if was, is := string(at(1).append(nil, seq)), string(c.append(nil, seq)); was != is {
			t.Errorf("the cursor of %d changed", seq)
		}
	}
	if c.epoch() != fmt.Sprintf("%08x", id.Epochs[2].ID) {
		t.Errorf("epoch %s", c.epoch())
	}
}

// FuzzCursor: no text that this log did not make is taken, what it made is what it was made of, and every refusal is one of two.
func FuzzCursor(f *testing.F) {
	c := mustCursors(f, lineage(100))
	f.Add("", uint64(0))
	f.Add(string(c.append(nil, 7)), uint64(7))
	f.Add(c.position(150), uint64(150))
	f.Add(strings.Repeat("A", positionSize), uint64(1)<<63)
	f.Fuzz(func(t *testing.T, text string, seq uint64) {
		got, err := c.parse(text)
		switch {
		case err == nil && text != string(c.append(nil, got)) && len(text) == CursorSize:
			t.Fatalf("%q stands for %d, whose cursor is another", text, got)
		case err != nil && !errors.Is(err, ErrCursorMalformed) && !errors.Is(err, ErrCursorForeign):
			t.Fatalf("%q: %v", text, err)
		}
		for _, made := range []string{string(c.append(nil, seq)), c.position(seq)} {
			if got, err := c.parse(made); err != nil || got != seq {
				t.Fatalf("%d became %d, %v", seq, got, err)
			}
		}
	})
}
