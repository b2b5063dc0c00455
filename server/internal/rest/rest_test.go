package rest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/headgate/headgate/gen"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type subscribeStream = grpc.ServerStreamingServer[headgatev1.SubscribeResponse]

// script is an EventService that does what the test says.
type script struct {
	headgatev1.UnimplementedEventServiceServer
	subscribe func(*headgatev1.SubscribeRequest, subscribeStream) error
	list      func(context.Context, *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error)
	get       func(*headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error)
	describe  func(context.Context) (*headgatev1.DescribeLogResponse, error)
}

func (s *script) Subscribe(r *headgatev1.SubscribeRequest, out subscribeStream) error {
	return s.subscribe(r, out)
}

func (s *script) ListEvents(ctx context.Context, r *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
	return s.list(ctx, r)
}

func (s *script) GetEvent(_ context.Context, r *headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) {
	return s.get(r)
}

func (s *script) DescribeLog(ctx context.Context, _ *headgatev1.DescribeLogRequest) (*headgatev1.DescribeLogResponse, error) {
	return s.describe(ctx)
}

type adminScript struct {
	adminv1.UnimplementedAdminServiceServer
}

func (adminScript) ListQuarantine(_ context.Context, r *adminv1.ListQuarantineRequest) (*adminv1.ListQuarantineResponse, error) {
	return &adminv1.ListQuarantineResponse{HasMore: r.GetPageSize() == 7}, nil
}

// serve serves the REST API before s and returns its URL.
func serve(t *testing.T, s *script) string {
	t.Helper()
	return serveStalling(t, s, stall)
}

func serveStalling(t *testing.T, s *script, stall time.Duration) string {
	t.Helper()
	return serveAPI(t, newTestAPI(t, s, Options{}, stall))
}

func serveAPI(t *testing.T, a *api) string {
	t.Helper()
	h := httptest.NewServer(a)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		h.CloseClientConnections()
		h.Close()
	})
	return h.URL
}

// newTestAPI starts the gRPC server with s, and returns the REST API before it.
func newTestAPI(t *testing.T, s *script, options Options, stall time.Duration) *api {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	headgatev1.RegisterEventServiceServer(g, s)
	adminv1.RegisterAdminServiceServer(g, adminScript{})
	served := make(chan error, 1)
	go func() { served <- g.Serve(lis) }()
	t.Cleanup(func() {
		g.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient(lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	api, err := newAPI(t.Context(), conn, options, stall)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// call sends a request and returns the answer, whose body is closed when the test ends. headers are names and values in turn.
func call(t *testing.T, method, url, body string, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// body returns the whole body of an answer.
func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantJSON compares JSON regardless of white space and order.
func wantJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("not JSON: %v: %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	gb, _ := json.Marshal(g)
	wb, _ := json.Marshal(w)
	if string(gb) != string(wb) {
		t.Errorf("got  %s\nwant %s", gb, wb)
	}
}

// wantError checks the HTTP status and returns the error in the body with its ErrorInfo.
func wantError(t *testing.T, resp *http.Response, httpStatus int) (*spb.Status, *errdetails.ErrorInfo) {
	t.Helper()
	text := body(t, resp)
	if resp.StatusCode != httpStatus {
		t.Errorf("status %d, want %d: %s", resp.StatusCode, httpStatus, text)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %q", ct)
	}
	st := &spb.Status{}
	if err := protojson.Unmarshal([]byte(text), st); err != nil {
		t.Fatalf("not a google.rpc.Status: %v: %s", err, text)
	}
	for _, d := range status.FromProto(st).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return st, info
		}
	}
	return st, &errdetails.ErrorInfo{}
}

// failure makes an error as the services do.
func failure(t *testing.T, code codes.Code, message string, details ...protoadapt.MessageV1) error {
	t.Helper()
	st, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		t.Fatal(err)
	}
	return st.Err()
}

func TestSingleAnswersHaveProtoNamesAndOnlyWhatIsSet(t *testing.T) {
	url := serve(t, &script{list: func(_ context.Context, r *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
		if r.GetPageSize() != 3 || r.GetFilter().GetEntities()[1] != "associate" {
			t.Errorf("got %v", r)
		}
		e := &headgatev1.Event{Cursor: "c1", EventType: "relation.created", Payload: &headgatev1.Event_Relation{Relation: &headgatev1.RelationEvent{ReldefId: new(int32)}}}
		return &headgatev1.ListEventsResponse{Events: []*headgatev1.Event{e}, NextCursor: "c1"}, nil
	}})
	want := `{"events":[{"cursor":"c1","event_type":"relation.created","relation":{"reldef_id":0}}],"next_cursor":"c1"}`

	resp := call(t, "GET", url+"/v1/events?page_size=3&filter.entities=relation&filter.entities=associate", "")
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || ct != "application/json" {
		t.Errorf("got %d %s", resp.StatusCode, ct)
	}
	wantJSON(t, body(t, resp), want)

	resp = call(t, "POST", url+"/v1/events:list", `{"page_size":3,"filter":{"entities":["relation","associate"]}}`, "Content-Type", "text/event-stream")
	wantJSON(t, body(t, resp), want)
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %s", ct)
	}
}

func TestSingleAnswersAreJSONEvenToWhoAcceptsSSE(t *testing.T) {
	url := serve(t, &script{describe: func(context.Context) (*headgatev1.DescribeLogResponse, error) {
		return &headgatev1.DescribeLogResponse{Epoch: "e"}, nil
	}})
	resp := call(t, "GET", url+"/v1/log", "", "Accept", "text/event-stream")
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %s", ct)
	}
	wantJSON(t, body(t, resp), `{"epoch":"e"}`)
}

func TestRawBodyIsBase64AndMayBeLarge(t *testing.T) {
	raw := make([]byte, 5<<20) // more than a gRPC client takes by default
	url := serve(t, &script{get: func(r *headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) {
		if r.GetCursor() == "large" {
			return &headgatev1.GetEventResponse{RawBody: raw}, nil
		}
		if r.GetCursor() != "c-_1" || !r.GetIncludeRawBody() {
			t.Errorf("got %v", r)
		}
		return &headgatev1.GetEventResponse{Event: &headgatev1.Event{Cursor: "c-_1"}, RawBody: []byte(`{"a":1}`)}, nil
	}})
	resp := call(t, "GET", url+"/v1/events/c-_1?include_raw_body=true", "")
	wantJSON(t, body(t, resp), `{"event":{"cursor":"c-_1"},"raw_body":"eyJhIjoxfQ=="}`)
	if resp = call(t, "GET", url+"/v1/events/large", ""); resp.StatusCode != 200 || len(body(t, resp)) < len(raw) {
		t.Errorf("a large body: got %d", resp.StatusCode)
	}
}

func TestAdminServiceIsServed(t *testing.T) {
	resp := call(t, "GET", serve(t, &script{})+"/admin/v1/quarantine?page_size=7", "")
	wantJSON(t, body(t, resp), `{"has_more":true}`)
}

func TestOpenAPI(t *testing.T) {
	resp := call(t, "GET", serve(t, &script{})+"/openapi.json", "")
	if ct := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || ct != "application/json" {
		t.Errorf("got %d %s", resp.StatusCode, ct)
	}
	got := body(t, resp)
	if got != string(gen.OpenAPI) || !strings.Contains(got, `"/v1/events:subscribe"`) {
		t.Errorf("got %.200s", got)
	}
}

func TestOnlyAuthorizationAndAddressReachTheServer(t *testing.T) {
	url := serve(t, &script{list: func(ctx context.Context, _ *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		if got := md.Get("authorization"); len(got) != 1 || got[0] != "Bearer t" {
			t.Errorf("authorization: %q", got)
		}
		if got := md.Get(AddressHeader); len(got) != 1 || !strings.HasPrefix(got[0], "127.0.0.1:") {
			t.Errorf("the address: %q", got)
		}
		for _, name := range []string{"x-role", "grpcgateway-cookie", "cookie"} {
			if got := md.Get(name); got != nil {
				t.Errorf("%s: %q", name, got)
			}
		}
		return &headgatev1.ListEventsResponse{}, errors.Join(
			grpc.SetHeader(ctx, metadata.Pairs("x-inner", "1")), grpc.SetTrailer(ctx, metadata.Pairs("x-inner", "1")))
	}})
	resp := call(t, "GET", url+"/v1/events", "", "Authorization", "Bearer t", "Grpc-Metadata-X-Role", "admin", "Cookie", "a=b",
		"X-Forwarded-For", "192.0.2.1", "TE", "trailers")
	body(t, resp)
	for _, h := range []http.Header{resp.Header, resp.Trailer} {
		for name := range h {
			if strings.HasPrefix(name, "Grpc-") {
				t.Errorf("header %s goes out", name)
			}
		}
	}
}

func TestWhoIsNotAuthenticatedIsToldHow(t *testing.T) {
	url := serve(t, &script{describe: func(context.Context) (*headgatev1.DescribeLogResponse, error) {
		return nil, failure(t, codes.Unauthenticated, "no such token")
	}})
	resp := call(t, "GET", url+"/v1/log", "")
	wantError(t, resp, 401)
	if got := resp.Header.Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("WWW-Authenticate %q", got)
	}
}

func TestErrorsKeepTheirDetails(t *testing.T) {
	retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(1200 * time.Millisecond)}
	expired := &errdetails.ErrorInfo{Reason: "CURSOR_EXPIRED", Domain: "headgate", Metadata: map[string]string{"earliest_cursor": "c"}}
	for _, c := range []struct {
		name, retryAfter string
		err              error
		httpStatus       int
		reason           string
	}{
		{"expired", "", failure(t, codes.OutOfRange, "too old", expired), 410, "CURSOR_EXPIRED"},
		{"another out of range", "", failure(t, codes.OutOfRange, "x", &errdetails.ErrorInfo{Reason: "OTHER"}), 400, "OTHER"},
		{"draining", "2", failure(t, codes.Unavailable, "stopping", &errdetails.ErrorInfo{Reason: "DRAINING"}, retry), 503, "DRAINING"},
		{"limit", "2", failure(t, codes.ResourceExhausted, "full", &errdetails.ErrorInfo{Reason: "LIMIT"}, retry), 429, "LIMIT"},
		{"not found", "", failure(t, codes.NotFound, "no event", &errdetails.ErrorInfo{Reason: "EVENT_NOT_FOUND"}), 404, "EVENT_NOT_FOUND"},
		{"foreign", "", failure(t, codes.FailedPrecondition, "foreign", &errdetails.ErrorInfo{Reason: "CURSOR_FOREIGN"}), 400, "CURSOR_FOREIGN"},
		{"damage", "", failure(t, codes.DataLoss, "damaged", &errdetails.ErrorInfo{Reason: "DATA_LOSS"}), 500, "DATA_LOSS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := serve(t, &script{
				get:       func(*headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) { return nil, c.err },
				subscribe: func(*headgatev1.SubscribeRequest, subscribeStream) error { return c.err },
			})
			// A stream that is refused looks like a single answer that is.
			for _, path := range []string{"/v1/events/c", "/v1/events:subscribe?start.at=latest"} {
				resp := call(t, "GET", url+path, "")
				st, info := wantError(t, resp, c.httpStatus)
				if codes.Code(st.GetCode()) != status.Code(c.err) || st.GetMessage() != status.Convert(c.err).Message() || info.GetReason() != c.reason {
					t.Errorf("%s: got %v", path, st)
				}
				if got := resp.Header.Get("Retry-After"); got != c.retryAfter {
					t.Errorf("%s: Retry-After %q, want %q", path, got, c.retryAfter)
				}
			}
		})
	}
}

func TestRoutingErrorsAreJSON(t *testing.T) {
	url := serve(t, &script{})
	for _, c := range []struct {
		method, path string
		httpStatus   int
		code         codes.Code
	}{
		{"GET", "/v1/nothing", 404, codes.NotFound},
		{"GET", "/v1/events:subscrib", 404, codes.NotFound},
		{"DELETE", "/v1/log", 405, codes.Unimplemented},
		{"POST", "/v1/log", 405, codes.Unimplemented},
		{"GET", "/v1/events:list", 405, codes.Unimplemented},
		{"OPTIONS", "/v1/events", 405, codes.Unimplemented},
		{"POST", "/openapi.json", 405, codes.Unimplemented},
	} {
		st, _ := wantError(t, call(t, c.method, url+c.path, ""), c.httpStatus)
		if codes.Code(st.GetCode()) != c.code {
			t.Errorf("%s %s: got %v", c.method, c.path, st)
		}
	}
	// No other way to name the method.
	wantError(t, call(t, "POST", url+"/v1/log", "", "Content-Type", "application/x-www-form-urlencoded"), 405)
	wantError(t, call(t, "POST", url+"/v1/log", "", "Content-Type", "application/x-www-form-urlencoded", "X-HTTP-Method-Override", "GET"), 405)
	if resp := call(t, "HEAD", url+"/v1/log", ""); resp.StatusCode != 405 {
		t.Errorf("HEAD: got %d", resp.StatusCode)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	url := serve(t, &script{list: func(context.Context, *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
		return &headgatev1.ListEventsResponse{}, nil
	}})
	fits := `{"page_size":1}` + strings.Repeat(" ", maxBody-15)
	if resp := call(t, "POST", url+"/v1/events:list", fits); resp.StatusCode != 200 {
		t.Errorf("a body of the limit: got %d: %s", resp.StatusCode, body(t, resp))
	}
	_, info := wantError(t, call(t, "POST", url+"/v1/events:list", fits+" "), 413)
	if info.GetReason() != "FILTER_INVALID" {
		t.Errorf("got %v", info)
	}
}
