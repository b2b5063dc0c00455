package eventlog

import (
	"encoding/binary"
	"sort"
	"sync"
	"time"
	"unique"

	"google.golang.org/protobuf/encoding/protowire"
)

// Numbers of the proto that frames are built of by hand. TestFrameFields holds them against the generated code.
const (
	fieldResponseEvents   = 2  // SubscribeResponse.events
	fieldEventCursor      = 1  // Event.cursor
	fieldEventReceivedAt  = 13 // Event.received_at
	fieldEventTraceparent = 18 // Event.traceparent
)

// slabSize is how many bytes of frames lie side by side. Larger events get a slab of their own.
const slabSize = 64 << 10

// slab is a piece of memory that frames are written into one after the other. What has been written is never changed: readers hold sub-slices of
// it while they send.
type slab struct {
	buf  []byte // of full length from the start: readers look at it while the framer fills it
	used int    // the framer's alone
}

// Frame is a record in the layout in which it goes over the wire, made once and shared by everybody. It is immutable.
//
// What every stream looks at of every frame stands first, and so mostly in one line of the processor's cache.
type Frame struct {
	Seq uint64
	// Class is the same for two frames whose Names are. A frame that was built for one reader has none, the zero value.
	Class    unique.Handle[Names]
	slab     *slab
	from, to uint32
	Kind     Kind
	// Retries, Reprocessed and Traced are those of Stored.
	Retries     uint8
	Reprocessed bool
	Traced      bool

	ReceivedAt time.Time
	Keys       Keys
}

// Names are the keys that many records have in common.
type Names struct{ Source, Context, Entity, EventType, Action string }

// Bytes of an event is one element of SubscribeResponse.events: tag, length and the event, with its cursor as the last field. Of a gap it is the
// encoded headgate.v1.Gap, of an erased record it is empty. Shared: not to be changed.
func (f *Frame) Bytes() []byte { return f.slab.buf[f.from:f.to:f.to] }

// Event is the encoded event without tag and length.
func (f *Frame) Event() []byte {
	b := f.Bytes()
	_, _, n := protowire.ConsumeTag(b)
	v, _ := protowire.ConsumeBytes(b[n:])
	return v
}

// Traceparent is an event's, empty when it has none. It looks through the fields of those that are Traced.
func (f *Frame) Traceparent() string {
	if !f.Traced {
		return ""
	}
	for b := f.Event(); len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return ""
		}
		b = b[n:]
		if number == fieldEventTraceparent && kind == protowire.BytesType {
			text, _ := protowire.ConsumeString(b)
			return text
		}
		if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
			return ""
		}
		b = b[n:]
	}
	return ""
}

// Cursor is an event's cursor, the last bytes of its frame.
func (f *Frame) Cursor() []byte { return f.slab.buf[f.to-CursorSize : f.to : f.to] }

// Join returns the bytes of f and next as one, if they lie side by side.
func (f *Frame) Join(last *Frame) ([]byte, bool) {
	if f.slab != last.slab {
		return nil, false
	}
	return f.slab.buf[f.from:last.to:last.to], true
}

// Adjacent says whether next begins where f ends.
func (f *Frame) Adjacent(next *Frame) bool { return f.slab == next.slab && f.to == next.from }

// framer builds frames into slabs.
type framer struct {
	cursors *cursors
	slab    *slab
	scratch []byte
	single  bool                 // only one frame is built
	kept    bool                 // the frames are kept for everybody
	class   unique.Handle[Names] // the last frame's
}

// build makes the record's frame. It copies Body.
func (fr *framer) build(st *Stored) Frame {
	f := Frame{Seq: st.Seq, ReceivedAt: st.ReceivedAt, Kind: st.Kind, Keys: st.Keys, Retries: st.Retries, Reprocessed: st.Reprocessed, Traced: st.Traced}
	if fr.kept {
		fr.classify(&f)
	}
	var head, end []byte
	if st.Kind == KindEvent {
		end = fr.appendEnd(fr.scratch[:0], st)
		fr.scratch = end
		var h [2 * binary.MaxVarintLen64]byte
		head = protowire.AppendTag(h[:0], fieldResponseEvents, protowire.BytesType)
		head = protowire.AppendVarint(head, uint64(len(st.Body)+len(end)))
	}
	size := len(head) + len(st.Body) + len(end)
	if fr.slab == nil || len(fr.slab.buf)-fr.slab.used < size {
		room := max(slabSize, size)
		if fr.single {
			room = size
		}
		fr.slab = &slab{buf: make([]byte, room)}
	}
	s := fr.slab
	f.slab, f.from = s, uint32(s.used)
	for _, part := range [...][]byte{head, st.Body, end} {
		s.used += copy(s.buf[s.used:], part)
	}
	f.to = uint32(s.used)
	return f
}

// classify gives the frame its class, and the strings of the class in place of its own, so that they stay in the processor's cache.
func (fr *framer) classify(f *Frame) {
	k := &f.Keys
	names := Names{k.Source, k.Context, k.Entity, k.EventType, k.Action}
	if fr.class == (unique.Handle[Names]{}) || fr.class.Value() != names {
		fr.class = unique.Make(names)
	}
	names = fr.class.Value()
	f.Class = fr.class
	k.Source, k.Context, k.Entity, k.EventType, k.Action = names.Source, names.Context, names.Entity, names.EventType, names.Action
}

// appendEnd writes the fields that are known only now.
func (fr *framer) appendEnd(dst []byte, st *Stored) []byte {
	var ts [24]byte
	t := protowire.AppendTag(ts[:0], 1, protowire.VarintType)
	t = protowire.AppendVarint(t, uint64(st.ReceivedAt.Unix()))
	if n := st.ReceivedAt.Nanosecond(); n > 0 {
		t = protowire.AppendTag(t, 2, protowire.VarintType)
		t = protowire.AppendVarint(t, uint64(n))
	}
	dst = protowire.AppendTag(dst, fieldEventReceivedAt, protowire.BytesType)
	dst = protowire.AppendBytes(dst, t)
	dst = protowire.AppendTag(dst, fieldEventCursor, protowire.BytesType)
	dst = protowire.AppendVarint(dst, CursorSize)
	return fr.cursors.append(dst, st.Seq)
}

// tail holds the newest records as frames, in memory, for everybody. One follower writes it; readers take sub-slices.
type tail struct {
	limit int // bytes

	mu     sync.RWMutex
	blocks []block // oldest first; guarded by mu
	size   int     // bytes in blocks; guarded by mu
	head   uint64  // the newest record readers may see; guarded by mu
	headAt time.Time
}

// block is the frames of one slab. Only the newest one grows, and only by appending: a slice of frames that a reader took stays as it is.
type block struct {
	slab   *slab
	frames []Frame
}

// frameOverhead is roughly what a Frame takes beside its bytes, keys included.
const frameOverhead = 320

// add appends frames and forgets the oldest blocks beyond the limit. The head moves only then, so that nobody sees a record before it is here.
func (t *tail) add(frames []Frame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range frames {
		n := len(t.blocks)
		if n == 0 || t.blocks[n-1].slab != f.slab {
			t.blocks = append(t.blocks, block{slab: f.slab})
			t.size += len(f.slab.buf)
			n++
		}
		b := &t.blocks[n-1]
		b.frames = append(b.frames, f)
		t.size += frameOverhead
	}
	for len(t.blocks) > 1 && t.size > t.limit {
		t.size -= len(t.blocks[0].slab.buf) + frameOverhead*len(t.blocks[0].frames)
		t.blocks[0] = block{}
		t.blocks = t.blocks[1:]
	}
	last := &frames[len(frames)-1]
	t.head, t.headAt = last.Seq, last.ReceivedAt
}

// top returns the head and when it was received.
func (t *tail) top() (uint64, time.Time) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.head, t.headAt
}

// read returns what follows the sequence, as much as lies together; ok is false when the tail does not reach back that far.
func (t *tail) read(seq uint64) (c Chunk, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	frames, ok := t.afterLocked(seq)
	if !ok {
		return c, false
	}
	if len(frames) > 0 {
		last := &frames[len(frames)-1]
		return Chunk{Frames: frames, Through: last.Seq, AtHead: last.Seq == t.head, At: last.ReceivedAt}, true
	}
	c = Chunk{Through: seq, AtHead: true}
	if seq == t.head {
		c.At = t.headAt
	}
	return c, true
}

// after returns frames that follow the sequence, as many as lie together; ok is false when the tail does not reach back that far.
func (t *tail) after(seq uint64) (frames []Frame, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.afterLocked(seq)
}

func (t *tail) afterLocked(seq uint64) (frames []Frame, ok bool) {
	if seq >= t.head {
		return nil, true
	}
	// The block before the first one that begins behind the next record.
	i := sort.Search(len(t.blocks), func(i int) bool { return t.blocks[i].frames[0].Seq > seq+1 })
	if i == 0 {
		return nil, false
	}
	frames = t.blocks[i-1].frames
	return frames[seq+1-frames[0].Seq:], true
}

// forget drops the frames up to the sequence: what is no longer kept is no longer read either.
func (t *tail) forget(through uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.blocks) > 0 && t.blocks[0].frames[0].Seq <= through {
		b := &t.blocks[0]
		n := min(len(b.frames), int(through+1-b.frames[0].Seq))
		t.size -= frameOverhead * n
		if b.frames = b.frames[n:]; len(b.frames) > 0 {
			return
		}
		t.size -= len(b.slab.buf)
		t.blocks[0] = block{}
		t.blocks = t.blocks[1:]
	}
}

// reset forgets all frames, not the head.
func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.blocks, t.size = nil, 0
}
