package feed

import (
	"strings"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// frames appends n events and returns their frames.
func frames(t testing.TB, n int) []eventlog.Frame {
	g := newGateway(t)
	g.appendMany(n, func(i int) *eventlog.Record { return event(i) })
	chunk, err := g.log.Read(t.Context(), 0, nil)
	if err != nil || len(chunk.Frames) != n {
		t.Fatalf("%d frames, %v", len(chunk.Frames), err)
	}
	return chunk.Frames
}

// TestBatchMessage: any choice of frames, side by side or not, is the message that protobuf would make of their events.
func TestBatchMessage(t *testing.T) {
	all := frames(t, 9)
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
	all := frames(t, 32)
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

func BenchmarkBatch(b *testing.B) {
	all := frames(b, maxBatchEvents)
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
