package server

import (
	"encoding/binary"

	"golang.org/x/net/http2"
)

// frames finds the frames of HTTP/2 in what goes one way over a connection, however the bytes arrive. The zero value expects a frame.
type frames struct {
	skip int                      // bytes that come before the next frame
	head [headBytes + lastID]byte // of a frame, see next
	have int                      // bytes of head
}

const (
	headBytes = 9 // that every frame begins with
	lastID    = 4 // that GOAWAY has next
)

// next takes bytes of b up to the end of the next frame's head, or all, and says whether it came to that end. What the frame is, is known until next is called again.
func (f *frames) next(b []byte) (n int, whole bool) {
	n = min(f.skip, len(b))
	if f.skip -= n; f.skip > 0 {
		return n, false
	}
	if f.have == f.size() {
		f.have = 0
	}
	for f.have < f.size() && n < len(b) {
		k := copy(f.head[f.have:f.size()], b[n:])
		f.have += k
		n += k
	}
	if f.have < f.size() {
		return n, false
	}
	f.skip = f.length() - (f.have - headBytes)
	return n, true
}

// back gives the last byte of a frame's head back, so that next finds it again.
func (f *frames) back() { f.have, f.skip = f.have-1, 0 }

// size is how much of the head is needed.
func (f *frames) size() int {
	if f.have >= headBytes && f.kind() == http2.FrameGoAway && f.length() >= lastID {
		return headBytes + lastID
	}
	return headBytes
}

func (f *frames) length() int           { return int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2]) }
func (f *frames) kind() http2.FrameType { return http2.FrameType(f.head[3]) }
func (f *frames) flags() http2.Flags    { return http2.Flags(f.head[4]) }
func (f *frames) stream() uint32        { return binary.BigEndian.Uint32(f.head[5:]) & (1<<31 - 1) }

// lastStream is what a GOAWAY says.
func (f *frames) lastStream() uint32 {
	return binary.BigEndian.Uint32(f.head[headBytes:]) & (1<<31 - 1)
}

// carriesNothing says whether a frame neither calls, nor brings data, nor makes room for some. gRPC watches over pings itself, and data that
// flows fast makes for many window updates.
func (f *frames) carriesNothing() bool {
	switch f.kind() {
	case http2.FrameHeaders, http2.FramePing, http2.FrameWindowUpdate:
		return false
	case http2.FrameData:
		return f.length() == 0 && !f.flags().Has(http2.FlagDataEndStream)
	}
	return true
}
