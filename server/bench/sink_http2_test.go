//go:build linux || darwin

package bench

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// request is a Subscribe from the earliest event on, encoded.
func request(filter *headgatev1.Filter) []byte {
	return encode(&headgatev1.SubscribeRequest{Filter: filter, Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}})
}

// fromLatest is a Subscribe of what comes from now on, encoded. The stream is silent for as long as it may be.
func fromLatest(filter *headgatev1.Filter) []byte {
	return encode(&headgatev1.SubscribeRequest{
		Filter: filter, Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}}, HeartbeatInterval: durationpb.New(5 * time.Minute),
	})
}

func encode(req *headgatev1.SubscribeRequest) []byte {
	b, err := proto.Marshal(req)
	if err != nil {
		panic(err) // a request of ours can be encoded
	}
	return b
}

// repeat is the same request for so many readers.
func repeat(n int, request []byte) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = request
	}
	return list
}

const (
	wideWindow = 1<<31 - 1 // the largest there is
	// renewAt is after how many bytes a window is made wide again.
	renewAt = 1 << 29
	// narrowWindow has room for what a stream says first, and for few events.
	narrowWindow = 1 << 10
)

// http2Parser reads gRPC streams of Subscribe straight off an HTTP/2 connection. As window it announces as much as there can be, so that no server waits for it.
type http2Parser struct {
	*sinkConn
	headers *hpack.Decoder
	streams []*http2Stream // by (id-1)/2
	taken   int            // bytes of the connection's window
}

type http2Stream struct {
	*tally
	partial []byte // of a message
	taken   int    // bytes of the stream's window
}

// greet sends what a connection begins with.
func (h *http2Parser) greet() error {
	var out bytes.Buffer
	out.WriteString(http2.ClientPreface)
	fr := http2.NewFramer(&out, nil)
	window := uint32(wideWindow)
	if h.sinks.tuning.stalled {
		window = narrowWindow
	}
	if err := fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}); err != nil {
		return err
	}
	if !h.sinks.tuning.stalled {
		if err := fr.WriteWindowUpdate(0, wideWindow-1<<16+1); err != nil {
			return err
		}
	}
	return h.write(out.Bytes())
}

// open implements parser.
func (h *http2Parser) open(requests [][]byte) ([]byte, error) {
	var out, block bytes.Buffer
	fr, headers := http2.NewFramer(&out, nil), hpack.NewEncoder(&block)
	sent := 0
	for i, req := range requests {
		id := uint32(2*len(h.streams) + 1)
		h.streams = append(h.streams, &http2Stream{tally: h.tallies[i]})
		block.Reset()
		for _, f := range [][2]string{
			{":method", "POST"},
			{":scheme", "http"},
			{":path", headgatev1.EventService_Subscribe_FullMethodName},
			{":authority", "localhost"},
			{"content-type", "application/grpc"},
			{"te", "trailers"},
			{"authorization", "Bearer " + token},
		} {
			if err := headers.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
				return nil, err
			}
		}
		message := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(req))), req...)
		sent += len(message)
		if err := errors.Join(
			fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true}),
			fr.WriteData(id, true, message),
		); err != nil {
			return nil, err
		}
	}
	if sent > 60_000 { // the server's window, which is not looked at
		return nil, fmt.Errorf("the requests of one connection have %d bytes together, which is more than is sent at once", sent)
	}
	return out.Bytes(), nil
}

const frameHeader = 9

// parse implements parser.
func (h *http2Parser) parse(b []byte) (used int, err error) {
	var events, messages, started, caughtUp int
	for err == nil && len(b)-used >= frameHeader {
		frame := b[used:]
		length := int(frame[0])<<16 | int(frame[1])<<8 | int(frame[2])
		if len(frame) < frameHeader+length {
			break
		}
		used += frameHeader + length
		id := binary.BigEndian.Uint32(frame[5:]) & (1<<31 - 1)
		payload := frame[frameHeader : frameHeader+length]
		if http2.FrameType(frame[3]) != http2.FrameData {
			err = h.control(http2.FrameType(frame[3]), http2.Flags(frame[4]), id, payload)
			continue
		}
		n := int(id-1) / 2
		if n >= len(h.streams) || http2.Flags(frame[4]).Has(http2.FlagDataPadded) {
			return used, errors.New("the server sends data that is not expected")
		}
		st := h.streams[n]
		eventsBefore, messagesBefore := st.events, st.messages
		var s signals
		if s, err = h.data(st, id, payload); s.started {
			started++
		}
		if s.caughtUp {
			caughtUp++
		}
		events += st.events - eventsBefore
		messages += st.messages - messagesBefore
	}
	h.sinks.started.add(started)
	h.sinks.messages.add(messages)
	h.sinks.events.add(events)
	h.sinks.caughtUp.add(caughtUp)
	return used, err
}

// data takes what came for a stream.
func (h *http2Parser) data(st *http2Stream, id uint32, payload []byte) (all signals, err error) {
	if err := h.renew(st, id, len(payload)); err != nil {
		return all, err
	}
	if len(st.partial) > 0 {
		st.partial = append(st.partial, payload...)
		payload = st.partial
	}
	const prefix = 5
	for len(payload) >= prefix {
		end := prefix + int(binary.BigEndian.Uint32(payload[1:]))
		if payload[0] != 0 {
			return all, errors.New("a message is compressed")
		}
		if len(payload) < end {
			break
		}
		if h.sinks.tuning.blind && end >= 256 { // signals are short
			st.messages++
		} else {
			s, err := st.take(payload[prefix:end], h.now)
			if err != nil {
				return all, err
			}
			all.started, all.caughtUp = all.started || s.started, all.caughtUp || s.caughtUp
		}
		payload = payload[end:]
	}
	st.partial = append(st.partial[:0], payload...)
	return all, nil
}

// renew makes the windows wide again, now and then.
func (h *http2Parser) renew(st *http2Stream, id uint32, n int) error {
	if h.sinks.tuning.stalled {
		return nil
	}
	h.taken += n
	st.taken += n
	var out bytes.Buffer
	if h.taken >= renewAt {
		_ = http2.NewFramer(&out, nil).WriteWindowUpdate(0, uint32(h.taken)) // a buffer takes all
		h.taken = 0
	}
	if st.taken >= renewAt {
		_ = http2.NewFramer(&out, nil).WriteWindowUpdate(id, uint32(st.taken))
		st.taken = 0
	}
	if out.Len() == 0 {
		return nil
	}
	return h.write(out.Bytes())
}

// control takes a frame that is no data.
func (h *http2Parser) control(kind http2.FrameType, flags http2.Flags, id uint32, payload []byte) error {
	var out bytes.Buffer
	fr := http2.NewFramer(&out, nil)
	switch {
	case kind == http2.FrameHeaders:
		fields, err := h.headers.DecodeFull(payload)
		if err == nil && flags.Has(http2.FlagHeadersEndStream) && !h.sinks.ending.Load() {
			err = fmt.Errorf("a stream has ended: %v", fields)
		}
		return err
	case kind == http2.FrameSettings && !flags.Has(http2.FlagSettingsAck):
		_ = fr.WriteSettingsAck() // a buffer takes all
		return h.write(out.Bytes())
	case kind == http2.FramePing && !flags.Has(http2.FlagPingAck):
		_ = fr.WritePing(true, [8]byte(payload))
		return h.write(out.Bytes())
	case kind == http2.FrameRSTStream:
		return fmt.Errorf("stream %d was called off with error %v", id, http2.ErrCode(binary.BigEndian.Uint32(payload)))
	case kind == http2.FrameContinuation:
		return errors.New("headers go on in another frame")
	}
	return nil
}
