package rest

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// asked returns the SubscribeRequest that reaches the server.
func asked(t *testing.T, method, query, body string, headers ...string) *headgatev1.SubscribeRequest {
	t.Helper()
	got := make(chan *headgatev1.SubscribeRequest, 1)
	base := serve(t, &script{subscribe: func(r *headgatev1.SubscribeRequest, out subscribeStream) error {
		got <- r
		return out.Send(started("c0"))
	}})
	if query != "" {
		query = "?" + query
	}
	resp := call(t, method, base+"/v1/events:subscribe"+query, body, headers...)
	if resp.StatusCode != 200 {
		wantError(t, resp, 200)
		t.FailNow()
	}
	return <-got
}

func at(p headgatev1.Start_Edge) *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_At{At: p}}
}

func after(cursor string) *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_AfterCursor{AfterCursor: cursor}}
}

func saved(s *headgatev1.Saved) *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_Saved{Saved: s}}
}

func TestRequestsAreRead(t *testing.T) {
	noon := timestamppb.New(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))
	for _, c := range []struct {
		name, query, body string
		want              *headgatev1.SubscribeRequest
	}{
		{
			"a saved position that must be there", "subscription=billing&start.saved=", `{"subscription":"billing","start":{"saved":{}}}`,
			&headgatev1.SubscribeRequest{Subscription: "billing", Start: saved(&headgatev1.Saved{})},
		},
		{
			"a saved position or the oldest event", "subscription=billing&start.saved.at=earliest&member=a&subscription_shards=4",
			`{"subscription":"billing","start":{"saved":{"at":"earliest"}},"member":"a","subscription_shards":4}`,
			&headgatev1.SubscribeRequest{
				Subscription: "billing", Member: "a", SubscriptionShards: 4,
				Start: saved(&headgatev1.Saved{Otherwise: &headgatev1.Saved_At{At: headgatev1.Start_EDGE_EARLIEST}}),
			},
		},
		{
			"short enum names", "start.at=earliest&on_lost_cursor=latest", `{"start":{"at":"earliest"},"on_lost_cursor":"latest"}`,
			&headgatev1.SubscribeRequest{Start: at(headgatev1.Start_EDGE_EARLIEST), OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_LATEST},
		},
		{
			"full enum names and numbers", "start.at=EDGE_LATEST&on_lost_cursor=1", `{"start":{"at":"EDGE_LATEST"},"on_lost_cursor":1}`,
			&headgatev1.SubscribeRequest{Start: at(headgatev1.Start_EDGE_LATEST), OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_FAIL},
		},
		{
			"times and durations", "start.from_time=2026-01-31T13:00:00%2B01:00&heartbeat_interval=15s",
			`{"start":{"from_time":"2026-01-31T13:00:00+01:00"},"heartbeat_interval":"15s"}`,
			&headgatev1.SubscribeRequest{
				Start:             &headgatev1.Start{Position: &headgatev1.Start_FromTime{FromTime: noon}},
				HeartbeatInterval: durationpb.New(15 * time.Second),
			},
		},
		{
			"lists and nested messages", "start.after_cursor=c&filter.entities=relation&filter.entities=a%26b&filter.primary_keys=-7&shard.index=0&shard.count=2&stop_when_caught_up=true",
			`{"start":{"after_cursor":"c"},"filter":{"entities":["relation","a&b"],"primary_keys":[-7]},"shard":{"index":0,"count":2},"stop_when_caught_up":true}`,
			&headgatev1.SubscribeRequest{
				Start:            after("c"),
				Filter:           &headgatev1.Filter{Entities: []string{"relation", "a&b"}, PrimaryKeys: []int32{-7}},
				Shard:            &headgatev1.Shard{Count: 2},
				StopWhenCaughtUp: true,
			},
		},
		{
			"JSON names", "start.afterCursor=c&filter.changedFields=x", `{"start":{"afterCursor":"c"},"filter":{"changedFields":["x"]}}`,
			&headgatev1.SubscribeRequest{Start: after("c"), Filter: &headgatev1.Filter{ChangedFields: []string{"x"}}},
		},
		{"one event per message, whatever is asked", "max_batch_size=20", `{"max_batch_size":20}`, &headgatev1.SubscribeRequest{}},
		{"nothing, for the server to refuse", "", "", &headgatev1.SubscribeRequest{}},
		{"an empty list is not set", "", `{"filter":{"entities":[]}}`, &headgatev1.SubscribeRequest{Filter: &headgatev1.Filter{}}},
		{"null is not set", "", `{"start":null,"filter":{"entities":null},"heartbeat_interval":null}`, &headgatev1.SubscribeRequest{Filter: &headgatev1.Filter{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.MaxBatchSize = 1
			if c.query != "" || c.body == "" {
				if diff := cmp.Diff(c.want, asked(t, "GET", c.query, ""), protocmp.Transform()); diff != "" {
					t.Errorf("query: -want +got\n%s", diff)
				}
			}
			if diff := cmp.Diff(c.want, asked(t, "POST", "", c.body), protocmp.Transform()); diff != "" {
				t.Errorf("body: -want +got\n%s", diff)
			}
		})
	}
}

// TestSavedPositionWinsOverLastEventID: what a subscription has saved is never behind what a browser remembers.
func TestSavedPositionWinsOverLastEventID(t *testing.T) {
	got := asked(t, "GET", "subscription=billing&start.saved=", "", "Accept", eventStream, "Last-Event-ID", "c7")
	if got.GetStart().GetSaved() == nil {
		t.Errorf("asked for %v", got)
	}
}

func TestLastEventIDWinsOverStart(t *testing.T) {
	for _, query := range []string{"start.at=earliest", "start.after_cursor=old", "start.from_time=2026-01-31T12:00:00Z", ""} {
		for _, accept := range []string{"text/event-stream", "*/*"} {
			got := asked(t, "GET", query, "", "Last-Event-ID", "c9", "Accept", accept)
			if diff := cmp.Diff(after("c9"), got.GetStart(), protocmp.Transform()); diff != "" {
				t.Errorf("%s: -want +got\n%s", query, diff)
			}
		}
	}
	got := asked(t, "POST", "", `{"start":{"at":"earliest"}}`, "Last-Event-ID", "c9")
	if diff := cmp.Diff(after("c9"), got.GetStart(), protocmp.Transform()); diff != "" {
		t.Errorf("POST: -want +got\n%s", diff)
	}
	if got := asked(t, "GET", "start.at=earliest", "", "Last-Event-ID", ""); got.GetStart().GetAt() != headgatev1.Start_EDGE_EARLIEST {
		t.Errorf("an empty header: got %v", got)
	}
}

// refusingScript fails the test when a request gets through.
func refusingScript(t *testing.T) *script {
	return &script{
		subscribe: func(r *headgatev1.SubscribeRequest, _ subscribeStream) error {
			t.Errorf("got through: %v", r)
			return nil
		},
		list: func(_ context.Context, r *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
			t.Errorf("got through: %v", r)
			return nil, nil
		},
		get: func(r *headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) {
			t.Errorf("got through: %v", r)
			return nil, nil
		},
		describe: func(context.Context) (*headgatev1.DescribeLogResponse, error) {
			t.Error("got through")
			return nil, nil
		},
	}
}

func TestWhatIsNotUsedIsRefused(t *testing.T) {
	base := serve(t, refusingScript(t))
	sub := "/v1/events:subscribe"
	for _, c := range []struct {
		name, method, path, body string
		field, says              string
	}{
		{"unknown parameter", "GET", sub + "?entities=relation", "", "entities", `"entities" is unknown: known here are filter, start`},
		{"unknown nested parameter", "GET", sub + "?start.at=latest&filter.entitys=relation", "", "filter.entitys", "entities, event_types"},
		{"unknown, list", "GET", "/v1/events?pagesize=1", "", "pagesize", "page_size"},
		{"parameters of a method that takes none", "GET", "/v1/log?x=1", "", "x", "no fields are known here"},
		{"parameter beside the body", "POST", sub + "?filter.entities=relation", `{}`, "filter.entities", "from the body"},
		{"body beside the query", "GET", sub + "?start.at=latest", `{"filter":{}}`, "", "the body of a GET"},
		{"repeated single field", "GET", sub + "?start.at=latest&start.at=earliest", "", "start.at", "twice"},
		{"both names of a field", "GET", sub + "?stop_when_caught_up=false&stopWhenCaughtUp=true", "", "stop_when_caught_up", "twice"},
		{"both names of a nested field", "GET", sub + "?filter.changedFields=a&filter.changed_fields=b", "", "filter.changed_fields", "twice"},
		{"two positions", "GET", sub + "?start.at=latest&start.after_cursor=c", "", "start.at", `excludes "after_cursor"`},
		{"path parameter again", "GET", "/v1/events/c1?cursor=c2", "", "cursor", "in the path already"},
		{"map syntax", "GET", sub + "?filter.entities[0]=relation", "", "filter.entities[0]", "unknown"},
		{"message without a field", "GET", sub + "?filter=x", "", "filter", "filter.entities, filter.event_types"},
		{"field of a value", "GET", sub + "?client_name.x=1", "", "client_name.x", `"client_name" has no fields`},
		{"field of a timestamp", "GET", sub + "?start.from_time.seconds=1", "", "start.from_time.seconds", "has no fields"},
		{"field of a list", "GET", sub + "?filter.entities.x=1", "", "filter.entities.x", "has no fields"},
		{"unknown enum value", "GET", sub + "?start.at=newest", "", "start.at", "one of earliest, latest"},
		{"unknown enum value in upper case", "GET", sub + "?on_lost_cursor=LATEST", "", "on_lost_cursor", "one of fail, earliest, latest"},
		{"unknown enum number", "GET", sub + "?on_lost_cursor=9", "", "on_lost_cursor", "one of fail, earliest, latest"},
		{"bad time", "GET", sub + "?start.from_time=yesterday", "", "start.from_time", "2026-01-31T12:00:00Z"},
		{"bad duration", "GET", sub + "?heartbeat_interval=15", "", "heartbeat_interval", "15s"},
		{"bad number in a list", "GET", sub + "?filter.primary_keys=1,2", "", "filter.primary_keys", "a list, each element a value of type int32"},
		{"broken escape", "GET", sub + "?start.at=%zz", "", "", "query string"},
		{"semicolon", "GET", sub + "?start.at=latest;filter.entities=x", "", "", "query string"},

		{"unknown field", "POST", sub, `{"start":{"at":"latest"},"filters":{}}`, "filters", `"filters" is unknown: known here are filter, start`},
		{"unknown nested field", "POST", sub, `{"filter":{"entitys":["relation"]}}`, "filter.entitys", "entities, event_types"},
		{"unknown field, list", "POST", "/v1/events:list", `{"start":{}}`, "start", "after_cursor"},
		{"field in another case", "POST", sub, `{"Filter":{}}`, "Filter", "unknown"},
		{"duplicate name", "POST", sub, `{"filter":{},"filter":{"entities":["x"]}}`, "", "duplicate names"},
		{"nested duplicate name", "POST", sub, `{"filter":{"entities":["x"],"entities":[]}}`, "", "duplicate names"},
		{"both names of a JSON field", "POST", sub, `{"on_lost_cursor":"fail","onLostCursor":"latest"}`, "on_lost_cursor", "twice"},
		{"two positions in JSON", "POST", sub, `{"start":{"at":"latest","after_cursor":"c"}}`, "start.at", `excludes "after_cursor"`},
		{"unknown enum value in JSON", "POST", sub, `{"start":{"at":"newest"}}`, "start.at", "one of earliest, latest"},
		{"unknown enum number in JSON", "POST", sub, `{"on_lost_cursor":9}`, "on_lost_cursor", "one of fail, earliest, latest"},
		{"wrong type", "POST", sub, `{"filter":{"entities":"relation"}}`, "filter.entities", "a list, each element a value of type string"},
		{"wrong type of a message", "POST", sub, `{"filter":["x"]}`, "filter", "want a JSON object"},
		{"number too large", "POST", sub, `{"filter":{"primary_keys":[3000000000]}}`, "filter.primary_keys", "int32"},
		{"bad time in JSON", "POST", sub, `{"start":{"from_time":"2026-01-31"}}`, "start.from_time", "2026-01-31T12:00:00Z"},
		{"not JSON", "POST", sub, `start.at=latest`, "", "want a JSON object"},
		{"half of it", "POST", sub, `{"start":{"at":"latest"}`, "", "want a JSON object"},
		{"something after it", "POST", sub, `{"start":{"at":"latest"}} {"filter":{}}`, "", "want a JSON object"},
		{"bad UTF-8", "POST", sub, "{\"filter\":{\"entities\":[\"\xff\"]}}", "", "UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Nor does EventSource see a promise in a request that can never succeed.
			st, info := wantError(t, call(t, c.method, base+c.path, c.body, "Accept", "text/event-stream"), 400)
			if codes.Code(st.GetCode()) != codes.InvalidArgument || info.GetReason() != "FILTER_INVALID" || info.GetDomain() != "headgate" {
				t.Errorf("got %v", st)
			}
			if got := info.GetMetadata()["field"]; got != c.field {
				t.Errorf("field %q, want %q", got, c.field)
			}
			if !strings.Contains(st.GetMessage(), c.says) {
				t.Errorf("message %q does not say %q", st.GetMessage(), c.says)
			}
		})
	}
}

// fill fills from the query or from the whole body: a method with another binding needs more.
func TestEveryBindingIsOneThatFillKnows(t *testing.T) {
	for _, file := range []protoreflect.FileDescriptor{
		headgatev1.File_headgate_v1_event_service_proto, headgatev1.File_headgate_v1_subscription_service_proto, adminv1.File_headgate_admin_v1_admin_service_proto,
	} {
		methods := file.Services().Get(0).Methods()
		for i := range methods.Len() {
			m := methods.Get(i)
			if !proto.HasExtension(m.Options(), annotations.E_Http) {
				continue // it has no REST form
			}
			rule := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
			for _, r := range append(rule.GetAdditionalBindings(), rule) {
				if !((r.GetGet() != "" || r.GetDelete() != "") && r.GetBody() == "") && !(r.GetPost() != "" && r.GetBody() == "*") {
					t.Errorf("%s: %v", m.FullName(), r)
				}
			}
			if m.IsStreamingServer() && m.Name() != "Subscribe" {
				t.Errorf("%s: conn knows no stream but Subscribe", m.FullName())
			}
		}
	}
}

// What fill takes, protojson takes too, with the same result. (It knows no short enum names, so there are none in what it reads here.)
func FuzzFillJSON(f *testing.F) {
	f.Add([]byte(`{"start":{"at":"latest"},"filter":{"entities":["relation"],"primary_keys":[1,"2"]}}`))
	f.Add([]byte(`{"start":{"fromTime":"2026-01-31T12:00:00Z"},"heartbeat_interval":"1.5s","shard":{"count":4}}`))
	f.Add([]byte(`{"filter":null,"stop_when_caught_up":true,"max_batch_size":1e1}`))
	f.Add([]byte(`{"on_lost_cursor":2,"client_name":"\u00e5\u0000","filters":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got := &headgatev1.SubscribeRequest{}
		err := fill(&input{post: true, body: body}, got)
		if err != nil {
			if status.Code(err) != codes.InvalidArgument {
				t.Fatalf("got %v", err)
			}
			return
		}
		b, err := protojson.Marshal(got)
		if err != nil {
			t.Fatalf("%q made a message that has no JSON form: %v", body, err)
		}
		again := &headgatev1.SubscribeRequest{}
		if err := fill(&input{post: true, body: b}, again); err != nil || !proto.Equal(got, again) {
			t.Fatalf("%q: read %v, then %v, %v", body, got, again, err)
		}
		want := &headgatev1.SubscribeRequest{}
		if err := protojson.Unmarshal(body, want); len(body) > 0 && err == nil && !proto.Equal(got, want) {
			t.Fatalf("%q: got %v, protojson %v", body, got, want)
		}
	})
}

// No query makes fill panic or set what it did not name.
func FuzzFillQuery(f *testing.F) {
	f.Add("start.at=earliest&filter.entities=relation&filter.entities=associate")
	f.Add("filter.entities[a]=b&[=]&.=&start..at=1")
	f.Add("shard.count=4&heartbeat_interval=1h&startAt=x")
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		m := &headgatev1.SubscribeRequest{}
		err = fill(&input{query: values}, m)
		if err != nil && status.Code(err) != codes.InvalidArgument {
			t.Fatalf("got %v", err)
		}
		if err == nil && len(values) == 0 && proto.Size(m) != 0 {
			t.Fatalf("nothing set %v", m)
		}
	})
}
