package feed

import (
	"strings"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// frames appends n events of somewhat more than size bytes and returns their frames.
func frames(t testing.TB, n, size int) []eventlog.Frame {
	g := newGateway(t)
	g.appendMany(n, func(i int) *eventlog.Record {
		return event(i, func(e *headgatev1.Event) { e.WebhookName = proto.String(strings.Repeat("x", size)) })
	})
	chunk, err := g.log.Read(t.Context(), 0, nil)
	if err != nil || len(chunk.Frames) != n {
		t.Fatalf("%d frames, %v", len(chunk.Frames), err)
	}
	return chunk.Frames
}

// TestBatchMessage: any choice of frames, side by side or not, is the message that protobuf would make of their events.
func TestBatchMessage(t *testing.T) {
	all := frames(t, 9, 900) // of which few are little
	for choice := 1; choice < 1<<len(all); choice++ {
		b := batch{limit: maxBatchEvents}
		var want []string
		for i := range all {
			if choice>>i&1 == 1 {
				b.add(&all[i])
				want = append(want, string(all[i].Cursor()))
			}
		}
		data, err := Codec().Marshal(b.message())
		if err != nil {
			t.Fatal(err)
		}
		m := new(headgatev1.SubscribeResponse)
		if err := proto.Unmarshal(data.Materialize(), m); err != nil {
			t.Fatal(err)
		}
		if len(m.GetEvents()) != len(want) || m.GetCursor() != want[len(want)-1] || len(m.ProtoReflect().GetUnknown()) > 0 {
			t.Fatalf("of the frames %b: %v", choice, m)
		}
		for i, e := range m.GetEvents() {
			if e.GetCursor() != want[i] {
				t.Fatalf("of the frames %b: event %d has the wrong cursor", choice, i)
			}
		}
	}
}

// TestBatchOfNeighboursIsOnePiece: what lies side by side is sent as it lies, not event by event.
func TestBatchOfNeighboursIsOnePiece(t *testing.T) {
	all := frames(t, 32, 200)
	b := batch{limit: maxBatchEvents}
	for i := range all {
		b.add(&all[i])
	}
	m := b.message()
	if len(m) != 2 {
		t.Errorf("%d pieces", len(m))
	}
	if first := m[0].ReadOnlyData(); &first[0] != &all[0].Bytes()[0] {
		t.Error("the bytes were copied")
	}
}

// TestLittleKeepsNoSlab: a message does not keep the memory of all that lies beside its events, for as long as its reader does not take it.
func TestLittleKeepsNoSlab(t *testing.T) {
	far := func(n, size int) (all []eventlog.Frame) { // each in a slab of its own, and n of them
		for range n {
			all = append(all, frames(t, 1, size)...)
		}
		return all
	}
	for name, c := range map[string]struct {
		all    []eventlog.Frame
		shares bool
	}{
		"one small event":         {far(1, 300), false},
		"small ones side by side": {frames(t, 5, 300), false},
		"many side by side":       {frames(t, 20, 300), true},
		"far from each other":     {far(4, 2000), false},
		"large ones":              {far(2, 6000), true},
	} {
		b := batch{limit: maxBatchEvents}
		for i := range c.all {
			b.add(&c.all[i])
		}
		m := b.message()
		if shares := &m[0].ReadOnlyData()[0] == &c.all[0].Bytes()[0]; shares != c.shares {
			t.Errorf("%s: shares the slab: %v", name, shares)
		}
		if n := mem.BufferSlice(m).Len(); n != b.bytes+cursorFieldSize {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	all := frames(b, maxBatchEvents, 200)
	for _, c := range []struct {
		name string
		step int
	}{{"neighbours", 1}, {"every second", 2}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			batch := batch{limit: maxBatchEvents}
			var m mem.BufferSlice
			for b.Loop() {
				batch.reset()
				for i := 0; i < len(all); i += c.step {
					batch.add(&all[i])
				}
				m = mem.BufferSlice(batch.message())
			}
			_ = m
		})
	}
}

// TestMessagesTakeTheirSize: a message that waits for its reader takes no more memory than it must.
func TestMessagesTakeTheirSize(t *testing.T) {
	m := &headgatev1.SubscribeResponse{Cursor: strings.Repeat("x", 40<<10)}
	data, err := Codec().Marshal(m)
	if err != nil || len(data) != 1 {
		t.Fatal(data, err)
	}
	if got := cap(data[0].ReadOnlyData()); got > 48<<10 {
		t.Errorf("%d KiB are taken", got>>10)
	}
}
