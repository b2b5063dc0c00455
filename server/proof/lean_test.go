package proof

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// lean is a connection that costs its end little, so that there can be thousands, and that can do what no client library does: leave streams without room, and go
// without a word. One goroutine may use it, or one that calls next and one that calls subscribe beforehand.
type lean struct {
	*http2.Framer
	conn    net.Conn
	last    uint32            // stream that was opened
	partial map[uint32][]byte // of messages, by stream
	ready   []arrival
	stalled map[uint32]bool // streams that get no more room than they began with
}

// arrival is a message of a stream, or its end.
type arrival struct {
	stream  uint32
	message []byte
	ended   bool
}

// dialLean connects. Each stream has room for so many bytes.
func dialLean(address string, window uint32) (*lean, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	l := &lean{conn: conn, Framer: http2.NewFramer(conn, conn), partial: make(map[uint32][]byte), stalled: make(map[uint32]bool)}
	_, err = io.WriteString(conn, http2.ClientPreface)
	err = errors.Join(err, l.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}), l.WriteWindowUpdate(0, 1<<30))
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return l, nil
}

// reset ends the connection without a word.
func (l *lean) reset() {
	_ = l.conn.(*net.TCPConn).SetLinger(0)
	_ = l.conn.Close()
}

// subscribe opens a stream.
func (l *lean) subscribe(req *headgatev1.SubscribeRequest) (stream uint32, err error) {
	body, err := proto.Marshal(req)
	if err != nil {
		return 0, err
	}
	if l.last == 0 {
		l.last = 1
	} else {
		l.last += 2
	}
	var block bytes.Buffer
	fields := hpack.NewEncoder(&block)
	fields.SetMaxDynamicTableSize(0) // each block stands for itself
	for _, f := range [...][2]string{
		{":method", "POST"},
		{":scheme", "http"},
		{":path", headgatev1.EventService_Subscribe_FullMethodName},
		{":authority", "localhost"},
		{"content-type", "application/grpc"},
		{"te", "trailers"},
	} {
		if err := fields.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			return 0, err
		}
	}
	framed := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
	return l.last, errors.Join(
		l.WriteHeaders(http2.HeadersFrameParam{StreamID: l.last, BlockFragment: block.Bytes(), EndHeaders: true}),
		l.WriteData(l.last, true, framed))
}

// next returns what comes next on any of the streams. The message is valid until the call after.
func (l *lean) next() (a arrival, err error) {
	for len(l.ready) == 0 {
		f, err := l.ReadFrame()
		if err != nil {
			return a, err
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				err = l.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				err = l.WritePing(true, f.Data)
			}
		case *http2.HeadersFrame:
			if f.StreamEnded() {
				l.ready = append(l.ready, arrival{stream: f.StreamID, ended: true})
			}
		case *http2.RSTStreamFrame:
			l.ready = append(l.ready, arrival{stream: f.StreamID, ended: true})
		case *http2.GoAwayFrame:
			err = fmt.Errorf("sent away: %s %s", f.ErrCode, f.DebugData())
		case *http2.DataFrame:
			err = l.data(f)
		}
		if err != nil {
			return a, err
		}
	}
	a, l.ready = l.ready[0], l.ready[1:]
	return a, nil
}

// data takes the messages out of what came, and gives room for as much again.
func (l *lean) data(f *http2.DataFrame) error {
	got := append(l.partial[f.StreamID], f.Data()...)
	for len(got) >= 5 {
		n := 5 + int(binary.BigEndian.Uint32(got[1:]))
		if len(got) < n {
			break
		}
		l.ready = append(l.ready, arrival{stream: f.StreamID, message: slices.Clone(got[5:n])})
		got = got[n:]
	}
	if l.partial[f.StreamID] = slices.Clone(got); len(got) == 0 {
		delete(l.partial, f.StreamID)
	}
	if l.stalled[f.StreamID] || f.Length == 0 {
		return nil
	}
	return errors.Join(l.WriteWindowUpdate(0, f.Length), l.WriteWindowUpdate(f.StreamID, f.Length))
}

// until reads until a stream has sent something that is enough.
func (l *lean) until(enough func(*headgatev1.SubscribeResponse) bool) error {
	for {
		a, err := l.next()
		if err != nil {
			return err
		}
		if a.ended {
			return fmt.Errorf("stream %d ended", a.stream)
		}
		m := new(headgatev1.SubscribeResponse)
		if err := proto.Unmarshal(a.message, m); err != nil {
			return err
		}
		if enough(m) {
			return nil
		}
	}
}
