package eventlog

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRecordRoundTrip(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "relation", "\x00a\x00", "\xff\xfe"}))
	rapid.Check(t, func(rt *rapid.T) {
		rec := Record{
			Kind: Kind(rapid.Uint8().Draw(rt, "kind")),
			Keys: Keys{
				Source: text.Draw(rt, "source"), Context: text.Draw(rt, "context"), Entity: text.Draw(rt, "entity"),
				EventType: text.Draw(rt, "type"), Action: text.Draw(rt, "action"), EventID: text.Draw(rt, "id"), Changed: text.Draw(rt, "changed"),
				PrimaryKey: rapid.Int32().Draw(rt, "pk"), HasPrimaryKey: rapid.Bool().Draw(rt, "has pk"),
				ChangedBy: rapid.Int32().Draw(rt, "by"), HasChangedBy: rapid.Bool().Draw(rt, "has by"),
				Shard: rapid.Uint64().Draw(rt, "shard"),
			},
			Body:      rapid.SliceOf(rapid.Byte()).Draw(rt, "body"),
			Duplicate: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "duplicate")),
			Settles:   rapid.Uint64Range(0, 2).Draw(rt, "settles"), Retries: rapid.Uint8().Draw(rt, "retries"), Traced: rapid.Bool().Draw(rt, "traced"),
		}
		at := time.Unix(0, rapid.Int64Range(0, 1<<62).Draw(rt, "at")).UTC()
		value := EncodeRecord([]byte("before"), &rec, at)
		got, err := DecodeRecord(9, bytes.TrimPrefix(value, []byte("before")))
		want := Stored{Seq: 9, ReceivedAt: at, Kind: rec.Kind, Keys: rec.Keys, Duplicate: rec.Duplicate, Body: rec.Body, Reprocessed: rec.Settles > 0, Retries: min(rec.Retries, MaxRetries), Traced: rec.Traced}
		if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); err != nil || diff != "" {
			rt.Fatalf("%v\n%s", err, diff)
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	good := EncodeRecord(nil, &Record{Kind: KindEvent, Keys: Keys{Source: "source", EventID: "id", Changed: "\x00a\x00"}}, time.Now())
	for n := range good {
		if _, err := DecodeRecord(1, good[:n]); err == nil {
			t.Errorf("%d of %d bytes are enough", n, len(good))
		}
	}
	newer := bytes.Clone(good)
	newer[0]++
	if _, err := DecodeRecord(1, newer); err == nil {
		t.Error("a newer version was read")
	}
	negative := bytes.Clone(good)
	negative[3] |= 0x80
	if _, err := DecodeRecord(1, negative); err == nil {
		t.Error("an impossible time was read")
	}
}

func FuzzDecodeRecord(f *testing.F) {
	at := time.Unix(1_700_000_000, 5)
	f.Add(EncodeRecord(nil, &Record{Kind: KindEvent, Keys: Keys{Source: "s", Context: "c", PrimaryKey: 1, HasPrimaryKey: true}, Body: []byte("body")}, at))
	f.Add(EncodeRecord(nil, &Record{Kind: KindErased}, at))
	f.Add([]byte{})
	f.Add(append(make([]byte, fixedHeader), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1))
	f.Fuzz(func(t *testing.T, value []byte) {
		st, err := DecodeRecord(1, value)
		if err != nil {
			return
		}
		again := EncodeRecord(nil, &Record{Kind: st.Kind, Keys: st.Keys, Body: st.Body, Duplicate: st.Duplicate}, st.ReceivedAt)
		st2, err := DecodeRecord(1, again)
		if diff := cmp.Diff(st, st2, cmp.Comparer(bytes.Equal)); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

func TestDuplicateKeyKeepsPartsApart(t *testing.T) {
	seen := make(map[[16]byte][]string)
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"b", "a"}, {"a", "b", ""}, {"", "a", "b"}, {"a\x00b"}} {
		key := DuplicateKey(parts...)
		if other, ok := seen[key]; ok || key == ([16]byte{}) {
			t.Errorf("%q and %q are the same", parts, other)
		}
		seen[key] = parts
	}
}

func TestJoinChanged(t *testing.T) {
	for want, names := range map[string][]string{
		"": nil, "\x00a\x00": {"a"}, "\x00a\x00b\x00": {"a", "b"}, "\x00c\x00": {"", "x\x00y", "c"},
	} {
		if got := JoinChanged(names); got != want {
			t.Errorf("%q: %q, want %q", names, got, want)
		}
	}
	many := make([]string, maxChanged+1)
	for i := range many {
		many[i] = "x"
	}
	if got := JoinChanged(many); got != ManyChanged {
		t.Errorf("more names than are looked through: %q", got)
	}
	if got := JoinChanged(many[:maxChanged]); len(got) != 1+2*maxChanged {
		t.Errorf("as many names as are looked through: %q", got)
	}
	if got := JoinChanged([]string{"a", strings.Repeat("x", maxChangedBytes)}); got != ManyChanged {
		t.Errorf("longer names than are looked through: %d bytes", len(got))
	}
}

func TestErasedKeepsNothingOfTheContents(t *testing.T) {
	st := Stored{
		Seq: 5, Kind: KindEvent, Body: []byte("secret"), Duplicate: [16]byte{1},
		Keys: Keys{
			Source: "s", Context: "c", Entity: "e", EventID: "id",
			EventType: "t", Action: "a", PrimaryKey: 1, HasPrimaryKey: true, ChangedBy: 2, HasChangedBy: true, Changed: "\x00x\x00", Shard: 3,
		},
	}
	want := Record{Kind: KindErased, Keys: Keys{Source: "s", Context: "c", Entity: "e", EventID: "id"}, Duplicate: [16]byte{1}}
	if diff := cmp.Diff(want, st.Erased()); diff != "" {
		t.Fatal(diff)
	}
}
