package rest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// eventStream is the media type of Server-Sent Events.
const eventStream = "text/event-stream"

// toJSON writes the fields' proto names and leaves out what is not set. The result is one line.
var toJSON = protojson.MarshalOptions{UseProtoNames: true}

// lines marshals single answers as JSON and streams as lines of JSON. grpc-gateway hands it a message for the former, and for the latter a
// map of the one key "result" or "error".
type lines struct {
	runtime.JSONPb // reads request bodies, which are empty by then: see read
}

// Marshal returns v on one line.
func (*lines) Marshal(v any) ([]byte, error) {
	key, m := unwrap(v)
	if m == nil {
		return nil, fmt.Errorf("a %T has no JSON form", v)
	}
	b, err := toJSON.Marshal(m)
	if err != nil || key == "" {
		return b, err
	}
	return fmt.Appendf(nil, `{"%s":%s}`, key, b), nil
}

// StreamContentType is the media type of a stream, in which every line is JSON.
func (*lines) StreamContentType(any) string { return "application/x-ndjson" }

// unwrap returns the message that grpc-gateway wants marshalled, and the key under which it stands in a stream.
func unwrap(v any) (key string, m proto.Message) {
	switch v := v.(type) {
	case proto.Message:
		return "", v
	case map[string]any:
		m, _ = v["result"].(proto.Message)
		return "result", m
	case map[string]proto.Message:
		return "error", v["error"]
	}
	return "", nil
}

// sse marshals streams as Server-Sent Events, and single answers as JSON.
type sse struct {
	lines
}

// StreamContentType is the media type of a stream.
func (*sse) StreamContentType(any) string { return eventStream }

// Delimiter ends a block.
func (*sse) Delimiter() []byte { return []byte("\n\n") }

// Marshal returns one or more blocks, the last one without its end.
func (s *sse) Marshal(v any) ([]byte, error) {
	switch key, m := unwrap(v); key {
	case "result":
		resp, ok := m.(*headgatev1.SubscribeResponse)
		if !ok {
			return nil, fmt.Errorf("a %T has no form as Server-Sent Event", m)
		}
		return blocks(resp)
	case "error":
		return block("failure", "", m, retryAfter(m))
	}
	return s.lines.Marshal(v)
}

// blocks renders one message of a stream.
func blocks(resp *headgatev1.SubscribeResponse) ([]byte, error) {
	if len(resp.GetEvents()) > 0 {
		var all [][]byte
		for _, e := range resp.GetEvents() {
			b, err := block("", e.GetCursor(), e, nil)
			if err != nil {
				return nil, err
			}
			all = append(all, b)
		}
		return bytes.Join(all, []byte("\n\n")), nil
	}
	r := resp.ProtoReflect()
	signal := r.WhichOneof(r.Descriptor().Oneofs().ByName("signal"))
	if signal == nil || resp.GetCheckpoint() != nil {
		// An id alone moves the browser's Last-Event-ID and fires nothing. A signal that is not known is treated the same.
		return block("", resp.GetCursor(), nil, nil)
	}
	return block(string(signal.Name()), resp.GetCursor(), r.Get(signal).Message().Interface(), resp.GetClosing().GetRetryAfter())
}

// block renders one event of the given name, with what is not empty or nil of id, data and the time after which to reconnect. It lacks the
// line break and the empty line at its end.
func block(name, id string, data proto.Message, retry *durationpb.Duration) ([]byte, error) {
	var fields [][]byte
	if name != "" {
		fields = append(fields, []byte("event: "+name))
	}
	if id != "" {
		fields = append(fields, []byte("id: "+id))
	}
	if retry != nil {
		fields = append(fields, fmt.Appendf(nil, "retry: %d", milliseconds(retry.AsDuration())))
	}
	if data != nil {
		b, err := toJSON.Marshal(data)
		if err != nil {
			return nil, err
		}
		fields = append(fields, append([]byte("data: "), b...))
	}
	return bytes.Join(fields, []byte("\n")), nil
}

// milliseconds rounds up: a client that comes too early is sent away again.
func milliseconds(d time.Duration) int64 {
	return max(0, int64((d+time.Millisecond-1)/time.Millisecond))
}
