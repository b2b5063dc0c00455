package feed

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that Codec wraps
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// encoded is a SubscribeResponse that is already in its wire format.
type encoded mem.BufferSlice

// Codec returns the codec that the gRPC server must use for the feed: protobuf, and encoded messages as they are. What it encodes is as large as the
// message: gRPC's own takes a MiB for one of 33 KiB, for as long as the client does not take that.
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2("proto")} }

type codec struct{ encoding.CodecV2 }

func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	switch m := v.(type) {
	case encoded:
		return mem.BufferSlice(m), nil
	case proto.Message:
		data, err := proto.Marshal(m)
		return mem.BufferSlice{mem.SliceBuffer(data)}, err
	}
	return c.CodecV2.Marshal(v)
}

// A message is one frame of HTTP/2 at the most, with the five bytes that gRPC begins it with, unless a single event is larger.
const (
	maxBatchEvents = 64
	maxBatchBytes  = 16<<10 - 5 - cursorFieldSize
)

// shareFrom is how many bytes the pieces of a message must have in the mean for it to refer to them. It keeps the slab of each piece whole until its reader
// takes it, and copying few bytes costs less than one more piece.
const shareFrom = 4 << 10

// batch gathers frames for one message. It refers to the frames' shared bytes.
type batch struct {
	limit int // events
	run   []*eventlog.Frame
	bytes int
}

// add takes the frame, unless the batch is full.
func (b *batch) add(f *eventlog.Frame) bool {
	n := len(f.Bytes())
	if len(b.run) > 0 && (len(b.run) == b.limit || b.bytes+n > maxBatchBytes) {
		return false
	}
	b.run = append(b.run, f)
	b.bytes += n
	return true
}

// message returns the gathered frames as a SubscribeResponse: events, then the cursor of the last one. That field is the last bytes of the last
// frame once more, as Event.cursor and SubscribeResponse.cursor have the same number. Nothing is copied unless it is little.
func (b *batch) message() encoded {
	last := b.run[len(b.run)-1].Bytes()
	cursor := last[len(last)-cursorFieldSize:]
	if b.isLittle() {
		all := make([]byte, 0, b.bytes+cursorFieldSize)
		for _, f := range b.run {
			all = append(all, f.Bytes()...)
		}
		return append(make(encoded, 0, 2), mem.SliceBuffer(append(all, cursor...))) // access.Codec adds one
	}
	m := make(encoded, 0, 3) // access.Codec adds one
	first := 0
	for i := range b.run {
		if i+1 < len(b.run) && b.run[i].Adjacent(b.run[i+1]) {
			continue
		}
		run, _ := b.run[first].Join(b.run[i])
		m = append(m, mem.SliceBuffer(run))
		first = i + 1
	}
	return append(m, mem.SliceBuffer(cursor))
}

// isLittle says whether the frames lie in too small pieces.
func (b *batch) isLittle() bool {
	least := shareFrom
	for i := 1; i < len(b.run) && b.bytes >= least; i++ {
		if !b.run[i-1].Adjacent(b.run[i]) {
			least += shareFrom
		}
	}
	return b.bytes < least
}

// cursorFieldSize is tag, length and cursor.
const cursorFieldSize = 2 + eventlog.CursorSize

func (b *batch) reset() {
	clear(b.run)
	b.run, b.bytes = b.run[:0], 0
}
