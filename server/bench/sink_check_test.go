//go:build linux || darwin

package bench

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// TestTally: whatever a reader must not get makes a run fail.
func TestTally(t *testing.T) {
	log := []uint32{3, 1, 2, 4}
	for name, c := range map[string]struct {
		got  []uint32
		want string
	}{
		"all":           {got: []uint32{3, 1, 2, 4}},
		"one lost":      {got: []uint32{3, 1, 4}, want: "it got 3 events"},
		"one twice":     {got: []uint32{3, 1, 2, 2, 4}, want: "1 of them twice"},
		"one for other": {got: []uint32{3, 1, 2, 2}, want: "1 of them twice"},
		"one of others": {got: []uint32{3, 1, 2, 5}, want: "it got 4 events"},
		"other order":   {got: []uint32{1, 3, 2, 4}, want: "another order"},
	} {
		var got tally
		for _, key := range c.got {
			got.count(key, 0)
		}
		err := got.check(log)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestField: fields are split as protobuf does, whatever their lengths.
func TestField(t *testing.T) {
	for _, length := range []int{0, 1, 2, 126, 127, 128, 129, 16383, 16384, 20000} {
		for _, number := range []protowire.Number{1, 15, 16, 2000} {
			want := bytes.Repeat([]byte{7}, length)
			b := protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), want)
			if n, value, size := field(b); n != number || !bytes.Equal(value, want) || size != len(b) {
				t.Errorf("field %d of %d bytes: got %d, %d bytes, %d in all", number, length, n, len(value), size)
			}
			if _, _, size := field(b[:len(b)-1]); size >= 0 {
				t.Errorf("field %d of %d bytes that has not come whole is taken for one of %d", number, length, size)
			}
		}
	}
}

// TestHTTP2Pieces: a stream is read the same, wherever frames cut messages and reads cut frames.
func TestHTTP2Pieces(t *testing.T) {
	var wire bytes.Buffer
	for n := int32(1); n <= 4; n++ {
		m, err := proto.Marshal(&headgatev1.SubscribeResponse{Events: []*headgatev1.Event{{PrimaryKey: &n, EventId: strings.Repeat("e", 100)}, {PrimaryKey: new(n + 10)}}})
		if err != nil {
			t.Fatal(err)
		}
		wire.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...))
	}
	for _, frameSize := range []int{1, 5, 100, 1000} {
		var frames bytes.Buffer
		fr := http2.NewFramer(&frames, nil)
		for piece := range slices.Chunk(wire.Bytes(), frameSize) {
			if err := fr.WriteData(1, false, piece); err != nil {
				t.Fatal(err)
			}
		}
		for _, readSize := range []int{1, 10, 333, 1 << 20} {
			got := tally{keep: true}
			s := &sinks{}
			h := &http2Parser{sinkConn: &sinkConn{sinks: s}, headers: hpack.NewDecoder(4096, nil), streams: []*http2Stream{{tally: &got}}}
			var have []byte
			for piece := range slices.Chunk(frames.Bytes(), readSize) {
				have = append(have, piece...)
				used, err := h.parse(have)
				if err != nil {
					t.Fatal(err)
				}
				have = have[used:]
			}
			if want := []uint32{1, 11, 2, 12, 3, 13, 4, 14}; !slices.Equal(got.keys, want) || s.events.value.Load() != 8 || s.messages.value.Load() != 4 {
				t.Errorf("frames of %d bytes, reads of %d: got %v, %d counted in %d messages", frameSize, readSize, got.keys, s.events.value.Load(), s.messages.value.Load())
			}
		}
	}
}
