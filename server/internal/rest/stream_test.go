package rest

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

func started(cursor string) *headgatev1.SubscribeResponse {
	return &headgatev1.SubscribeResponse{Cursor: cursor, Signal: &headgatev1.SubscribeResponse_Started{Started: &headgatev1.Started{Epoch: "e"}}}
}

func event(cursor, name string) *headgatev1.SubscribeResponse {
	return &headgatev1.SubscribeResponse{Cursor: cursor, Events: []*headgatev1.Event{{Cursor: cursor, WebhookName: &name}}}
}

// sending sends the messages and ends with err.
func sending(err error, messages ...*headgatev1.SubscribeResponse) *script {
	return &script{subscribe: func(_ *headgatev1.SubscribeRequest, out subscribeStream) error {
		for _, m := range messages {
			if err := out.Send(m); err != nil {
				return err
			}
		}
		return err
	}}
}

// message is one block of an event stream.
type message struct{ event, id, data, retry string }

// parseSSE reads as the HTML standard says, but for the byte order mark, and keeps blocks without data too.
func parseSSE(t *testing.T, text string) (all []message) {
	t.Helper()
	if text != "" && !strings.HasSuffix(text, "\n\n") {
		t.Errorf("the last block has no end: %q", text)
	}
	var m message
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n") {
		if line == "" {
			if m != (message{}) {
				all = append(all, m)
			}
			m = message{}
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "":
		case "event":
			m.event = value
		case "id":
			m.id = value
		case "data":
			m.data += value + "\n"
		case "retry":
			m.retry = value
		default:
			t.Errorf("unknown field %q", line)
		}
	}
	for i := range all {
		all[i].data = strings.TrimSuffix(all[i].data, "\n")
	}
	return all
}

func TestLinesArriveWhileTheStreamIsOpen(t *testing.T) {
	next := make(chan struct{})
	base := serve(t, &script{subscribe: func(_ *headgatev1.SubscribeRequest, out subscribeStream) error {
		if err := out.Send(started("c0")); err != nil {
			return err
		}
		select {
		case <-next:
		case <-out.Context().Done():
			return out.Context().Err()
		}
		return out.Send(event("c1", "a\nb"))
	}})
	resp := call(t, "GET", base+"/v1/events:subscribe?start.at=earliest", "")
	h := resp.Header
	if resp.StatusCode != 200 || h.Get("Content-Type") != "application/x-ndjson" || h.Get("Cache-Control") != "no-cache, no-transform" || h.Get("X-Accel-Buffering") != "no" {
		t.Errorf("got %d %v", resp.StatusCode, h)
	}
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() {
		t.Fatal(lines.Err())
	}
	wantJSON(t, lines.Text(), `{"result":{"cursor":"c0","started":{"epoch":"e"}}}`)
	close(next)
	if !lines.Scan() {
		t.Fatal(lines.Err())
	}
	wantJSON(t, lines.Text(), `{"result":{"cursor":"c1","events":[{"cursor":"c1","webhook_name":"a\nb"}]}}`)
	if lines.Scan() {
		t.Errorf("then %s", lines.Text())
	}
}

func TestEventStream(t *testing.T) {
	unknownSignal := &headgatev1.SubscribeResponse{Cursor: "c6"}
	unknownSignal.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 99, protowire.BytesType), nil))
	fields, err := structpb.NewStruct(map[string]any{"note": "line 1\r\nline 2\n\nid: x"})
	if err != nil {
		t.Fatal(err)
	}
	free := event("c2", "a\n\nb\rc")
	free.Events[0].Fields = fields
	base := serve(t, sending(nil,
		started("c0"), event("c1", "n"), free,
		&headgatev1.SubscribeResponse{Cursor: "c3", Signal: &headgatev1.SubscribeResponse_Checkpoint{Checkpoint: &headgatev1.Checkpoint{CaughtUp: true}}},
		&headgatev1.SubscribeResponse{Cursor: "c4", Signal: &headgatev1.SubscribeResponse_Gap{Gap: &headgatev1.Gap{Reason: headgatev1.Gap_REASON_DATA_LOSS}}},
		&headgatev1.SubscribeResponse{Cursor: "c5", Signal: &headgatev1.SubscribeResponse_Erased{Erased: &headgatev1.Erased{Entity: "relation"}}},
		unknownSignal,
		&headgatev1.SubscribeResponse{Cursor: "c8", Events: []*headgatev1.Event{{Cursor: "c7"}, {Cursor: "c8"}}},
		&headgatev1.SubscribeResponse{Cursor: "c9", Signal: &headgatev1.SubscribeResponse_Closing{Closing: &headgatev1.Closing{
			Reason: headgatev1.Closing_REASON_DRAINING, RetryAfter: durationpb.New(1500*time.Millisecond + 1),
		}}},
	))
	resp := call(t, "GET", base+"/v1/events:subscribe?start.at=earliest", "", "Accept", "text/event-stream")
	h := resp.Header
	if resp.StatusCode != 200 || h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-cache, no-transform" || h.Get("X-Accel-Buffering") != "no" {
		t.Errorf("got %d %v", resp.StatusCode, h)
	}
	got := parseSSE(t, body(t, resp))
	want := []message{
		{"started", "c0", `{"epoch":"e"}`, ""},
		{"", "c1", `{"cursor":"c1","webhook_name":"n"}`, ""},
		{"", "c2", `{"cursor":"c2","webhook_name":"a\n\nb\rc","fields":{"note":"line 1\r\nline 2\n\nid: x"}}`, ""},
		{"", "c3", "", ""},
		{"gap", "c4", `{"reason":"REASON_DATA_LOSS"}`, ""},
		{"erased", "c5", `{"entity":"relation"}`, ""},
		{"", "c6", "", ""},
		{"", "c7", `{"cursor":"c7"}`, ""},
		{"", "c8", `{"cursor":"c8"}`, ""},
		{"closing", "c9", `{"reason":"REASON_DRAINING","retry_after":"1.500000001s"}`, "1501"},
	}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i, g := range got {
		w := want[i]
		if g.event != w.event || g.id != w.id || g.retry != w.retry || (g.data == "") != (w.data == "") {
			t.Errorf("message %d: got %q, want %q", i, g, w)
		} else if w.data != "" {
			wantJSON(t, g.data, w.data)
		}
	}
}

func TestAccept(t *testing.T) {
	base := serve(t, sending(nil, started("c0")))
	for accept, want := range map[string]string{
		"text/event-stream":                        "text/event-stream",
		"text/event-stream, */*":                   "text/event-stream",
		"application/json;q=0.5,text/event-stream": "text/event-stream",
		"Text/Event-Stream;q=1":                    "text/event-stream",
		"text/event-stream;q=0":                    "application/x-ndjson",
		"text/event-stream;q=0.0, */*":             "application/x-ndjson",
		"*/*":                                      "application/x-ndjson",
		"text/*":                                   "application/x-ndjson",
		"application/json":                         "application/x-ndjson",
		"":                                         "application/x-ndjson",
	} {
		for _, method := range []string{"GET", "POST"} {
			// The form of the request says nothing about that of the answer.
			resp := call(t, method, base+"/v1/events:subscribe", "", "Accept", accept, "Content-Type", "text/event-stream")
			if got := resp.Header.Get("Content-Type"); got != want {
				t.Errorf("%s %q: got %s", method, accept, got)
			}
		}
	}
}

func TestErrorInMidStream(t *testing.T) {
	err := failure(t, codes.Unavailable, "the log\ncannot be read",
		&errdetails.ErrorInfo{Reason: "UNAVAILABLE", Domain: "headgate"}, &errdetails.RetryInfo{RetryDelay: durationpb.New(2 * time.Second)})
	want := `{"code":14,"message":"the log\ncannot be read","details":[
		{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"UNAVAILABLE","domain":"headgate"},
		{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]}`
	want = strings.ReplaceAll(want, "retryDelay", "retry_delay")
	base := serve(t, sending(err, started("c0"), event("c1", "n")))

	text := body(t, call(t, "GET", base+"/v1/events:subscribe?start.at=latest", ""))
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("got %q", text)
	}
	wantJSON(t, lines[2], `{"error":`+want+`}`)

	all := parseSSE(t, body(t, call(t, "GET", base+"/v1/events:subscribe?start.at=latest", "", "Accept", "text/event-stream")))
	if len(all) != 3 || all[2].event != "failure" || all[2].id != "" || all[2].retry != "2000" {
		t.Fatalf("got %q", all)
	}
	wantJSON(t, all[2].data, want)
}

// EventSource gives up for ever on any answer but 200.
func TestABrowserIsAskedToReturn(t *testing.T) {
	retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(2500 * time.Millisecond)}
	for _, c := range []struct {
		name, retry string
		err         error
	}{
		{"draining", "2500", failure(t, codes.Unavailable, "stopping\nid: x", &errdetails.ErrorInfo{Reason: "DRAINING"}, retry)},
		{"limit", "2500", failure(t, codes.ResourceExhausted, "full", &errdetails.ErrorInfo{Reason: "LIMIT"}, retry)},
		{"unavailable without a time", "5000", failure(t, codes.Unavailable, "gone")},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sending(c.err)
			s.describe = func(context.Context) (*headgatev1.DescribeLogResponse, error) { return nil, c.err }
			base := serve(t, s)
			resp := call(t, "GET", base+"/v1/events:subscribe?start.at=latest", "", "Accept", "text/event-stream")
			if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
				t.Errorf("got %d %v", resp.StatusCode, resp.Header)
			}
			if got := parseSSE(t, body(t, resp)); len(got) != 1 || got[0] != (message{retry: c.retry}) {
				t.Errorf("got %q", got)
			}
			// No EventSource reads these.
			for _, resp := range []*http.Response{
				call(t, "GET", base+"/v1/events:subscribe?start.at=latest", ""),
				call(t, "GET", base+"/v1/log", "", "Accept", "text/event-stream"),
			} {
				if resp.StatusCode != 503 && resp.StatusCode != 429 {
					t.Errorf("got %d", resp.StatusCode)
				}
			}
		})
	}
	// One that will not pass is told as it is.
	base := serve(t, sending(failure(t, codes.InvalidArgument, "say where to begin", &errdetails.ErrorInfo{Reason: "START_REQUIRED"})))
	wantError(t, call(t, "GET", base+"/v1/events:subscribe", "", "Accept", "text/event-stream"), 400)
}

// A newer server may end streams for reasons that this API's description does not have yet.
func TestAnUnknownReasonIsToldByItsNumber(t *testing.T) {
	base := serve(t, sending(nil, started("c0"), &headgatev1.SubscribeResponse{Cursor: "c1", Signal: &headgatev1.SubscribeResponse_Closing{
		Closing: &headgatev1.Closing{Reason: 1000, RetryAfter: durationpb.New(time.Second)},
	}}))
	want := `{"reason":1000,"retry_after":"1s"}`
	lines := strings.Split(body(t, call(t, "GET", base+"/v1/events:subscribe?start.at=latest", "")), "\n")
	if len(lines) != 3 {
		t.Fatalf("got %q", lines)
	}
	wantJSON(t, lines[1], `{"result":{"cursor":"c1","closing":`+want+`}}`)
	all := parseSSE(t, body(t, call(t, "GET", base+"/v1/events:subscribe?start.at=latest", "", "Accept", "text/event-stream")))
	if len(all) != 2 || all[1].event != "closing" || all[1].id != "c1" || all[1].retry != "1000" {
		t.Fatalf("got %q", all)
	}
	wantJSON(t, all[1].data, want)
}

func TestAStreamThatNeverBeganIsAnError(t *testing.T) {
	wantError(t, call(t, "GET", serve(t, sending(nil))+"/v1/events:subscribe?start.at=latest", ""), 500)
}

func TestTheServersStreamEndsWhenTheClientLeaves(t *testing.T) {
	ended := make(chan struct{})
	base := serve(t, &script{subscribe: func(_ *headgatev1.SubscribeRequest, out subscribeStream) error {
		defer close(ended)
		if err := out.Send(started("c0")); err != nil {
			return err
		}
		<-out.Context().Done()
		return out.Context().Err()
	}})
	resp := call(t, "POST", base+"/v1/events:subscribe", `{"start":{"at":"latest"}}`)
	_ = resp.Body.Close()
	<-ended
}
