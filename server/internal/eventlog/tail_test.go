package eventlog

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

func TestFrameFields(t *testing.T) {
	for _, tt := range []struct {
		message proto.Message
		field   protoreflect.Name
		number  protoreflect.FieldNumber
		kind    protoreflect.Kind
	}{
		{&headgatev1.SubscribeResponse{}, "events", fieldResponseEvents, protoreflect.MessageKind},
		{&headgatev1.ListEventsResponse{}, "events", 1, protoreflect.MessageKind},
		{&headgatev1.Event{}, "cursor", fieldEventCursor, protoreflect.StringKind},
		{&headgatev1.Event{}, "received_at", fieldEventReceivedAt, protoreflect.MessageKind},
		{&headgatev1.Event{}, "traceparent", fieldEventTraceparent, protoreflect.StringKind},
	} {
		d := tt.message.ProtoReflect().Descriptor()
		if f := d.Fields().ByName(tt.field); f == nil || f.Number() != tt.number || f.Kind() != tt.kind {
			t.Errorf("%s.%s is %v, frames are built with number %d", d.Name(), tt.field, f, tt.number)
		}
	}
}

func TestFrameIsAnElementOfTheResponse(t *testing.T) {
	c := mustCursors(t, lineage())
	rapid.Check(t, func(rt *rapid.T) {
		fr := framer{cursors: c}
		var stream []byte
		var frames []Frame
		var want []*headgatev1.Event
		for i := range rapid.IntRange(1, 20).Draw(rt, "events") {
			size := rapid.SampledFrom([]int{0, 1, 100, 10_000, slabSize - 60, slabSize, 3 * slabSize}).Draw(rt, "size")
			ev := &headgatev1.Event{EventId: fmt.Sprint("id", i), WebhookName: proto.String(string(bytes.Repeat([]byte("x"), size)))}
			ev.Traceparent = rapid.SampledFrom([]string{"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}).Draw(rt, "traceparent")
			body, err := proto.Marshal(ev)
			if err != nil {
				rt.Fatal(err)
			}
			at := time.Unix(rapid.Int64Range(0, 4e9).Draw(rt, "s"), rapid.SampledFrom([]int64{0, 1, 999_999_999}).Draw(rt, "ns")).UTC()
			st := Stored{Seq: uint64(i + 1), Kind: KindEvent, ReceivedAt: at, Body: body, Traced: ev.Traceparent != ""}
			f := fr.build(&st)
			frames, want = append(frames, f), append(want, ev)
			stream = append(stream, f.Bytes()...)
		}
		var got headgatev1.SubscribeResponse
		if err := proto.Unmarshal(stream, &got); err != nil || len(got.Events) != len(want) {
			rt.Fatalf("%d events, %v", len(got.Events), err)
		}
		for i, ev := range got.Events {
			f := &frames[i]
			if !ev.ReceivedAt.AsTime().Equal(f.ReceivedAt) || ev.ReceivedAt.CheckValid() != nil || ev.Cursor != string(c.append(nil, f.Seq)) {
				rt.Fatalf("event %d: received at %s, cursor %q", i, ev.ReceivedAt.AsTime(), ev.Cursor)
			}
			if string(f.Cursor()) != ev.Cursor || !bytes.HasSuffix(f.Bytes(), []byte(ev.Cursor)) {
				rt.Fatalf("event %d: the cursor is not its last bytes", i)
			}
			if got := f.Traceparent(); got != ev.Traceparent {
				rt.Fatalf("event %d: traceparent %q, want %q", i, got, ev.Traceparent)
			}
			alone := &headgatev1.Event{}
			if err := proto.Unmarshal(f.Event(), alone); err != nil || !proto.Equal(alone, ev) {
				rt.Fatalf("event %d alone: %v", i, err)
			}
			ev.Cursor, ev.ReceivedAt = "", nil
			if !proto.Equal(ev, want[i]) {
				rt.Fatalf("event %d was changed", i)
			}
		}
		for i := 1; i < len(frames); i++ {
			a, b := &frames[i-1], &frames[i]
			joined, ok := a.Join(b)
			if ok != (a.slab == b.slab) || ok != a.Adjacent(b) || ok && !bytes.Equal(joined, append(bytes.Clone(a.Bytes()), b.Bytes()...)) {
				rt.Fatalf("frames %d and %d: joined %v, adjacent %v", i-1, i, ok, a.Adjacent(b))
			}
		}
	})
}

func TestFramesOfOtherKinds(t *testing.T) {
	fr := framer{cursors: mustCursors(t, lineage())}
	gap := fr.build(&Stored{Seq: 1, Kind: KindGap, Body: []byte("gap")})
	erased := fr.build(&Stored{Seq: 2, Kind: KindErased})
	if string(gap.Bytes()) != "gap" || len(erased.Bytes()) != 0 {
		t.Fatalf("%q, %q", gap.Bytes(), erased.Bytes())
	}
	event := fr.build(&Stored{Seq: 3, Kind: KindEvent, ReceivedAt: time.Now()})
	if num, typ, n := protowire.ConsumeTag(event.Bytes()); n < 0 || num != fieldResponseEvents || typ != protowire.BytesType {
		t.Fatalf("an empty event begins with %d, %d", num, typ)
	}
}

// A model of the tail: whatever was added, forgotten and reset, it returns what follows a position, or says that it does not reach back so far.
func TestTail(t *testing.T) {
	c := mustCursors(t, lineage())
	rapid.Check(t, func(rt *rapid.T) {
		fr := framer{cursors: c}
		head := rapid.Uint64Range(0, 5).Draw(rt, "head")
		tl := tail{limit: rapid.IntRange(1, 5*slabSize).Draw(rt, "limit"), head: head}
		oldest := head + 1 // what the tail may not reach back beyond
		rt.Repeat(map[string]func(*rapid.T){
			"add": func(rt *rapid.T) {
				frames := make([]Frame, rapid.IntRange(1, 30).Draw(rt, "n"))
				for i := range frames {
					head++
					size := rapid.SampledFrom([]int{10, 3000, 2 * slabSize}).Draw(rt, "size")
					frames[i] = fr.build(&Stored{Seq: head, Kind: KindEvent, Body: make([]byte, size)})
				}
				tl.add(frames)
			},
			"reset": func(*rapid.T) {
				tl.reset()
				oldest = head + 1
			},
			"forget": func(rt *rapid.T) {
				through := rapid.Uint64Range(0, head).Draw(rt, "through")
				tl.forget(through)
				oldest = max(oldest, through+1)
			},
			"": func(rt *rapid.T) {
				size := 0
				for i, b := range tl.blocks {
					size += len(b.slab.buf) + frameOverhead*len(b.frames)
					if i > 0 && b.frames[0].Seq != tl.blocks[i-1].frames[len(tl.blocks[i-1].frames)-1].Seq+1 {
						rt.Fatal("the blocks do not follow each other")
					}
				}
				if size != tl.size || size > tl.limit && len(tl.blocks) > 1 {
					rt.Fatalf("%d bytes in %d blocks, counted %d, limit %d", size, len(tl.blocks), tl.size, tl.limit)
				}
				if _, ok := tl.after(head - 1); oldest <= head && !ok {
					rt.Fatal("the newest record is not in the tail")
				}
				for after := range head + 2 {
					frames, ok := tl.after(after)
					switch {
					case after >= head:
						if !ok || len(frames) != 0 {
							rt.Fatalf("after the head %d: %d frames, %v", head, len(frames), ok)
						}
					case after+1 < oldest && ok:
						rt.Fatalf("after %d: frames that are gone", after)
					case ok:
						if len(frames) == 0 {
							rt.Fatalf("after %d: nothing below the head %d", after, head)
						}
						for _, i := range []int{0, len(frames) - 1} {
							if frames[i].Seq != after+1+uint64(i) {
								rt.Fatalf("after %d: record %d", after, frames[i].Seq)
							}
						}
					}
				}
			},
		})
	})
}
