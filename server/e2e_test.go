package server_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	if os.Getenv(replicaEnv) != "" {
		os.Exit(replica())
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		http.DefaultClient.CloseIdleConnections()
		os.Exit(code)
	}))
}

func earliest() *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}
}

// stored reads everything that is stored and matches, over gRPC.
func (g *gateway) stored(f *headgatev1.Filter) []*headgatev1.Event {
	g.t.Helper()
	stream, err := g.events().Subscribe(g.t.Context(), &headgatev1.SubscribeRequest{Filter: f, Start: earliest(), StopWhenCaughtUp: true})
	if err != nil {
		g.t.Fatal(err)
	}
	var list []*headgatev1.Event
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			return list
		}
		if err != nil {
			g.t.Fatal(err)
		}
		list = append(list, m.GetEvents()...)
	}
}

// want is what the samples' main facts must become.
var want = map[string]struct {
	id      string
	payload proto.Message
}{
	"relation.created": {"abca7e30-5fd4-41d3-849a-16f51c927ecb", &headgatev1.RelationEvent{
		AssociateId: proto.Int32(5), DestinationRecord: proto.Int32(2), DestinationTable: proto.Int32(5), ReldefId: proto.Int32(7),
		RegisteredAssociateId: proto.Int32(5), SourceRecord: proto.Int32(1), SourceTable: proto.Int32(5), UpdatedAssociateId: proto.Int32(0),
		Registered: timestamp("2025-05-14T14:07:50.9437543Z"), SourceEntity: proto.String("contact"), DestinationEntity: proto.String("contact"),
	}},
	"relation.changed":              {"aeb900dd-344b-403e-a365-7a2708bc71c1", &headgatev1.RelationEvent{}},
	"relation.deleted":              {"e87ac619-c864-4881-89eb-07ca5521ee2c", &headgatev1.RelationEvent{AssociateId: proto.Int32(40), RelationId: proto.Int32(178105)}},
	"relation.deleted.other-values": {"2f3de03c-118f-4f9e-a3fa-b14a0e63f52a", &headgatev1.RelationEvent{RelationId: proto.Int32(3), RegisteredAssociateId: proto.Int32(18), UpdatedAssociateId: proto.Int32(18)}},
	"associate.created": {"52b8311e-745b-49a0-83eb-a9159635a307", &headgatev1.AssociateEvent{
		Deleted: proto.Bool(false), GroupIdx: proto.Int32(4), PersonId: proto.Int32(21), RegisteredAssociateId: proto.Int32(5), Type: proto.Int32(0),
		Updated: timestamp("2025-05-14T14:19:57.1436004Z"), UpdatedAssociateId: proto.Int32(5), WaitingForApproval: proto.Bool(false),
	}},
	"associate.changed":         {"3e22506b-839a-4453-af17-634d6a626643", &headgatev1.AssociateEvent{}},
	"associate.deleted":         {"e87ac619-c864-4881-89eb-07ca5521ee2c", &headgatev1.AssociateEvent{AssociateId: proto.Int32(4039840), PersonId: proto.Int32(12345)}},
	"list.category.softdeleted": {id: "194dbe4d-00fa-46b9-a55e-3cf8a68df6be"},
	"y_table.created":           {id: "6d8edd3a-5272-4eec-8748-8a98f8632640"},
	"ticket.changed":            {id: "32a093ac-418a-40f1-a14a-f4193ea92b59"},
}

// TestSamplesArrive posts every documented payload, signed, and looks for it over gRPC, REST and SSE.
func TestSamplesArrive(t *testing.T) {
	g := start(t, signedConfig(t.TempDir()))
	var order []string
	for _, name := range slices.Sorted(maps.Keys(samples(t))) {
		if got := g.post(samples(t)[name]); got != http.StatusOK {
			t.Fatalf("%s: %d", name, got)
		}
		if name != "test" {
			order = append(order, name)
		}
	}
	got := g.stored(nil)
	if len(got) != len(order) {
		t.Fatalf("%d events arrived of %d samples", len(got), len(order))
	}
	for i, name := range order {
		e := got[i]
		w, known := want[name]
		if !known {
			t.Errorf("%s: the test does not know what it should become", name)
		}
		event, _, _ := strings.Cut(name, ".other-values")
		if e.GetEventId() != w.id || e.GetEventType() != event || e.GetSource() != "acme" || e.GetCursor() == "" || !e.GetReceivedAt().IsValid() {
			t.Errorf("%s arrived as %v", name, e)
		}
		var payload proto.Message
		switch p := e.GetPayload().(type) {
		case *headgatev1.Event_Relation:
			payload = p.Relation
		case *headgatev1.Event_Associate:
			payload = p.Associate
		}
		if diff := cmp.Diff(w.payload, payload, protocmp.Transform()); diff != "" {
			t.Errorf("%s: payload (-want +got):\n%s", name, diff)
		}
	}
	checkREST(t, g, got)
	checkSSE(t, g, got)
}

func checkREST(t *testing.T, g *gateway, want []*headgatev1.Event) {
	code, text := g.get("/v1/events")
	var page headgatev1.ListEventsResponse
	if err := protojson.Unmarshal([]byte(text), &page); err != nil || code != http.StatusOK {
		t.Fatalf("GET /v1/events: %d, %v", code, err)
	}
	if diff := cmp.Diff(want, page.GetEvents(), protocmp.Transform()); diff != "" {
		t.Errorf("REST (-gRPC +REST):\n%s", diff)
	}
	code, text = g.get("/v1/events:subscribe?start.at=earliest&stop_when_caught_up=true")
	var got []*headgatev1.Event
	for line := range strings.Lines(text) {
		var item struct{ Result json.RawMessage }
		var m headgatev1.SubscribeResponse
		if err := json.Unmarshal([]byte(line), &item); err != nil {
			t.Fatalf("%d %s: %v", code, line, err)
		}
		if err := protojson.Unmarshal(item.Result, &m); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, m.GetEvents()...)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("NDJSON (-gRPC +NDJSON):\n%s", diff)
	}
}

// checkSSE reads half of the events, leaves, and lets Last-Event-ID bring the rest.
func checkSSE(t *testing.T, g *gateway, want []*headgatev1.Event) {
	var got []*headgatev1.Event
	last := ""
	for _, until := range []int{len(want) / 2, len(want)} {
		header := []string{"Accept", "text/event-stream"}
		if last != "" {
			header = append(header, "Last-Event-ID", last)
		}
		resp := g.open("/v1/events:subscribe?start.at=earliest", header...)
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 1<<20)
		named := false
		for len(got) < until && lines.Scan() {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch {
			case key == "":
				named = false
			case key == "event":
				named = true
			case key == "id" && !named:
				last = value
			case key == "data" && !named:
				e := new(headgatev1.Event)
				if err := protojson.Unmarshal([]byte(value), e); err != nil {
					t.Fatal(err)
				}
				got = append(got, e)
			}
		}
		resp.Body.Close()
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("SSE (-gRPC +SSE):\n%s", diff)
	}
}

func TestSignatureVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/signature-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name, Secret, Signature string
		BodyB64                 string `json:"body_b64"`
	}
	if err := json.Unmarshal(raw, &vectors); err != nil || len(vectors) < 6 {
		t.Fatal(len(vectors), err)
	}
	cfg := signedConfig(t.TempDir())
	src := cfg.Sources["acme"]
	src.Secrets = nil
	for i, secret := range []string{"Something Super Secret", "håndsyd-æøå-€"} {
		src.Secrets = append(src.Secrets, server.Secret{ID: fmt.Sprint(i), Key: server.SecretKey(secret)})
	}
	cfg.Sources["acme"] = src
	g := start(t, cfg)
	for _, v := range vectors {
		body, err := base64.StdEncoding.DecodeString(v.BodyB64)
		if err != nil {
			t.Fatal(err)
		}
		if got := postTo(t, g.addr.Webhook, body, v.Signature); got != http.StatusOK {
			t.Errorf("%s: %d", v.Name, got)
		}
		if got := postTo(t, g.addr.Webhook, append(body, ' '), v.Signature); got != http.StatusUnauthorized {
			t.Errorf("%s with one more byte: %d", v.Name, got)
		}
	}
}

// TestFilteredAmongOthers: a reader with a filter on entity, event type and context gets exactly what it should, while 100 others with other
// filters read and events are posted concurrently.
func TestFilteredAmongOthers(t *testing.T) {
	const writers, each = 8, 50
	g := start(t, signedConfig(t.TempDir()))
	events := []string{"relation.created", "relation.changed", "associate.created", "contact.changed"}
	tenants := []string{"Cust26759", "Cust1234"}
	total := map[string]int{}

	var readers sync.WaitGroup
	defer readers.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read := func(f *headgatev1.Filter, n int) error {
		stream, err := g.events().Subscribe(ctx, &headgatev1.SubscribeRequest{Filter: f, Start: earliest()})
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for len(seen) < n {
			m, err := stream.Recv()
			if err != nil {
				return fmt.Errorf("after %d of %d: %w", len(seen), n, err)
			}
			for _, e := range m.GetEvents() {
				if seen[e.GetCursor()] || !slices.Contains(f.EventTypes, e.GetEventType()) || !slices.Contains(f.Contexts, e.GetContext()) {
					return fmt.Errorf("got twice or unasked: %v", e)
				}
				seen[e.GetCursor()] = true
			}
		}
		return nil
	}
	for n := range writers * each {
		total[events[n%4]+tenants[n/4%2]]++
	}
	fail := make(chan error, 101)
	for i := range 101 {
		event, tenant := events[i%4], tenants[i/4%2]
		readers.Go(func() {
			fail <- read(&headgatev1.Filter{Entities: []string{strings.Split(event, ".")[0]}, EventTypes: []string{event}, Contexts: []string{tenant}}, total[event+tenant])
		})
	}
	var posts sync.WaitGroup
	for w := range writers {
		posts.Go(func() {
			for i := range each {
				n := w*each + i
				if err := deliver(g.addr.Webhook, body(n, events[n%4], tenants[n/4%2])); err != nil {
					t.Errorf("post %d: %v", n, err)
				}
			}
		})
	}
	posts.Wait()
	for range 101 {
		if err := <-fail; err != nil {
			t.Fatal(err)
		}
	}
	if got := len(g.stored(nil)); got != writers*each {
		t.Errorf("%d events stored, want %d", got, writers*each)
	}
}

// TestPromisedAnswers: what is wrong gets the answer that the contract promises, over gRPC and REST.
func TestPromisedAnswers(t *testing.T) {
	dir := t.TempDir()
	expired := trimmedLog(t, dir)
	g := start(t, signedConfig(dir))
	g.post(body(1, "relation.created", "Cust1234"))
	other := start(t, signedConfig(t.TempDir()))
	foreign := other.postOne()

	for _, c := range []struct {
		name, query string
		req         *headgatev1.SubscribeRequest
		code        codes.Code
		reason      string
		http        int
	}{
		{"typo", "start.at=earliest&filter.entities=relatoin", &headgatev1.SubscribeRequest{Start: earliest(), Filter: &headgatev1.Filter{Entities: []string{"relatoin"}}}, codes.InvalidArgument, "FILTER_INVALID", 400},
		{"foreign cursor", "start.after_cursor=" + foreign, &headgatev1.SubscribeRequest{Start: &headgatev1.Start{Position: &headgatev1.Start_AfterCursor{AfterCursor: foreign}}}, codes.FailedPrecondition, "CURSOR_FOREIGN", 400},
		{"expired cursor", "start.after_cursor=" + expired, &headgatev1.SubscribeRequest{Start: &headgatev1.Start{Position: &headgatev1.Start_AfterCursor{AfterCursor: expired}}}, codes.OutOfRange, "CURSOR_EXPIRED", 410},
		{"no start", "", &headgatev1.SubscribeRequest{}, codes.InvalidArgument, "START_REQUIRED", 400},
		{"unknown parameter", "start.at=earliest&filter.entitis=relation", nil, 0, "FILTER_INVALID", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.req != nil {
				stream, err := g.events().Subscribe(t.Context(), c.req)
				if err == nil {
					_, err = stream.Recv()
				}
				if status.Code(err) != c.code || !strings.Contains(fmt.Sprint(status.Convert(err).Details()), c.reason) {
					t.Errorf("gRPC: %v, details %v", err, status.Convert(err).Details())
				}
			}
			code, text := g.get("/v1/events:subscribe?" + c.query)
			if code != c.http || !strings.Contains(text, c.reason) {
				t.Errorf("REST: %d %s", code, text)
			}
			if c.reason == "CURSOR_EXPIRED" && !strings.Contains(text, "earliest_cursor") {
				t.Errorf("the earliest cursor is missing: %s", text)
			}
		})
	}
	b := body(2, "relation.created", "Cust1234")
	if got := postTo(t, g.addr.Webhook, b, sign("another secret of 16+", b)); got != http.StatusUnauthorized {
		t.Errorf("wrong signature: %d", got)
	}
	large := []byte(strings.Repeat(" ", 1<<20+1))
	if got := g.post(large); got != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", got)
	}
}

// postOne posts one event and returns its cursor.
func (g *gateway) postOne() string {
	g.post(body(1, "relation.created", "Cust1234"))
	return g.stored(nil)[0].GetCursor()
}

// trimmedLog makes a log whose first event is no longer kept, and returns the cursor of the place before it.
func trimmedLog(t *testing.T, dir string) string {
	t.Helper()
	store, err := pebblestore.Open(dir, pebblestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	log, err := eventlog.Open(store, eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		keys := eventlog.Keys{Source: "acme", Context: "Cust1234", Entity: "relation", EventType: "relation.created", Action: "created", EventID: fmt.Sprint(i)}
		if _, err := log.Append(t.Context(), &eventlog.Record{Kind: eventlog.KindEvent, Keys: keys}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Trim(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	return log.Cursor(0)
}

// TestFullDisk: with more reserve asked for than the disk has, the log is full. Webhooks get 503, readers are served.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	g := start(t, signedConfig(dir))
	g.post(body(1, "relation.created", "Cust1234"))
	g.stop()

	cfg := signedConfig(dir)
	cfg.Retention.DiskReserve = 1 << 60
	g = start(t, cfg)
	if got := g.post(body(2, "relation.created", "Cust1234")); got != http.StatusServiceUnavailable {
		t.Errorf("on a full disk: %d", got)
	}
	if got := g.stored(nil); len(got) != 1 {
		t.Errorf("readers get %d events, want 1", len(got))
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/metrics": 200} {
		resp, err := http.Get("http://" + g.addr.Admin + path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
	}
}

// TestDrain: a stopping server tells its readers where to go on, and stores what is posted meanwhile.
func TestDrain(t *testing.T) {
	dir := t.TempDir()
	g := start(t, signedConfig(dir))
	g.post(body(1, "relation.created", "Cust1234"))
	stream, err := g.events().Subscribe(t.Context(), &headgatev1.SubscribeRequest{Start: earliest()})
	if err != nil {
		t.Fatal(err)
	}
	health, err := grpc_health_v1.NewHealthClient(g.conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err != nil || health.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", health, err)
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if m.GetCheckpoint().GetCaughtUp() {
			break
		}
	}
	go g.stop()
	cursor := ""
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.GetClosing().GetReason() == headgatev1.Closing_REASON_DRAINING && m.GetClosing().GetRetryAfter().AsDuration() > 0 {
			cursor = m.GetCursor()
		}
	}
	if cursor == "" {
		t.Fatal("the stream ended without Closing")
	}
	g.stop()

	g = start(t, signedConfig(dir))
	g.post(body(2, "relation.created", "Cust1234"))
	list, err := g.events().ListEvents(t.Context(), &headgatev1.ListEventsRequest{AfterCursor: cursor})
	if err != nil || len(list.GetEvents()) != 1 || list.GetEvents()[0].GetPrimaryKey() != 2 {
		t.Errorf("after the closing cursor: %v, %v", list, err)
	}
}

func timestamp(text string) *timestamppb.Timestamp {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return timestamppb.New(at)
}

// TestUnknownFieldsAreRefused: what protobuf would pass over could be a field of a filter, in every single call. (That streams refuse it the feed's tests show.)
func TestUnknownFieldsAreRefused(t *testing.T) {
	g := start(t, signedConfig(t.TempDir()))
	for _, file := range []protoreflect.FileDescriptor{
		headgatev1.File_headgate_v1_event_service_proto, headgatev1.File_headgate_v1_subscription_service_proto, adminv1.File_headgate_admin_v1_admin_service_proto,
	} {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				m := service.Methods().Get(j)
				if m.IsStreamingServer() {
					continue
				}
				req := dynamicpb.NewMessage(m.Input())
				req.SetUnknown([]byte{0xfa, 0x07, 1, 'x'}) // field 127
				method := fmt.Sprintf("/%s/%s", service.FullName(), m.Name())
				err := g.conn.Invoke(t.Context(), method, req, dynamicpb.NewMessage(m.Output()))
				if st := status.Convert(err); st.Code() != codes.InvalidArgument || !strings.Contains(st.Message(), "does not know") {
					t.Errorf("%s: %v", method, err)
				}
			}
		}
	}
}
