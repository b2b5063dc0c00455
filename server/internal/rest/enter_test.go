package rest

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// counting is an Enter that lets everybody in. asked are those that it was asked for, in their order.
type counting struct {
	asked chan string
	open  atomic.Int32
	left  chan struct{}
}

func newCounting() *counting {
	return &counting{asked: make(chan string, 10), left: make(chan struct{}, 10)}
}

func (c *counting) enter(_ context.Context, what string) (func(), error) {
	c.asked <- what
	c.open.Add(1)
	return func() {
		if c.open.Add(-1) == 0 {
			c.left <- struct{}{}
		}
	}, nil
}

func TestTheCallerIsKnownBeforeTheBody(t *testing.T) {
	api := newTestAPI(t, refusingScript(t), Options{Enter: func(ctx context.Context, what string) (func(), error) {
		md, _ := metadata.FromOutgoingContext(ctx)
		if what != "REST POST" || strings.Join(md.Get("authorization"), ",") != "Bearer x" || len(md.Get(AddressHeader)) != 1 {
			t.Errorf("asked for %s with %v", what, md)
		}
		return nil, failure(t, codes.Unauthenticated, "nobody knows you")
	}}, 100*time.Millisecond)
	c := dial(t, serveAPI(t, api))
	if _, err := io.WriteString(c, "POST /v1/events:list HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: 100000\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	wantError(t, resp, 401)
}

// TestTheCallerIsKnownBeforeTheQuery: nobody else learns what there is to ask for.
func TestTheCallerIsKnownBeforeTheQuery(t *testing.T) {
	for _, accept := range []string{"application/json", eventStream} {
		asked := 0
		api := newTestAPI(t, refusingScript(t), Options{Enter: func(context.Context, string) (func(), error) {
			asked++
			return nil, failure(t, codes.Unauthenticated, "nobody knows you")
		}}, stall)
		base, n := serveAPI(t, api), 0
		for _, path := range []string{"/v1/events:subscribe", "/v1/events", "/v1/events/c", "/v1/log", "/v1/subscriptions", "/admin/v1/status"} {
			for _, query := range []string{"?nonsense=1", "?start.at=%zz", "?a=b;c", "?start.at=latest"} {
				n++
				wantError(t, call(t, "GET", base+path+query, "", "Accept", accept), 401)
			}
			n++
			wantError(t, call(t, "GET", base+path, "a body", "Accept", accept), 401)
		}
		if asked != n {
			t.Errorf("%d requests, and it was asked %d times", n, asked)
		}
	}
}

func TestNoAnswerIsMadeForWhoMayHaveNoMore(t *testing.T) {
	api := newTestAPI(t, refusingScript(t), Options{Enter: func(_ context.Context, what string) (func(), error) {
		if what != headgatev1.EventService_DescribeLog_FullMethodName {
			t.Errorf("asked for %s", what)
		}
		return nil, failure(t, codes.ResourceExhausted, "too many", &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
	}}, stall)
	resp := call(t, "GET", serveAPI(t, api)+"/v1/log", "")
	wantError(t, resp, 429)
	if got := resp.Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After %q", got)
	}
}

// TestAnAnswerCountsUntilItIsTaken: the answer is more than the network's own buffers hold.
func TestAnAnswerCountsUntilItIsTaken(t *testing.T) {
	for _, takes := range []bool{true, false} {
		c := newCounting()
		api := newTestAPI(t, &script{get: func(*headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) {
			return &headgatev1.GetEventResponse{RawBody: make([]byte, 40<<20)}, nil
		}}, Options{Enter: c.enter}, stall)
		conn := dial(t, serveAPI(t, api))
		if _, err := io.WriteString(conn, "GET /v1/events/c HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.open.Load() != 1 || len(c.asked) != 1 {
			t.Error("an answer that nobody took counts no more")
		}
		if takes {
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Error(err)
			}
		}
		_ = conn.Close()
		<-c.left
	}
}

// TestAStreamCountsUntilItIsTaken: as a stream, and no more as the request that it began with. The gRPC server is done with it long before.
func TestAStreamCountsUntilItIsTaken(t *testing.T) {
	const subscribe = headgatev1.EventService_Subscribe_FullMethodName
	for request, want := range map[string][]string{
		"GET /v1/events:subscribe?start.at=latest HTTP/1.1\r\nHost: x\r\n\r\n":                                              {subscribe},
		"POST /v1/events:subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 27\r\n\r\n" + `{"start":{"at": "latest"}}` + "\n": {"REST POST", subscribe},
	} {
		c, ended := newCounting(), make(chan struct{})
		api := newTestAPI(t, &script{subscribe: func(_ *headgatev1.SubscribeRequest, out subscribeStream) error {
			defer close(ended)
			if err := out.Send(started("c0")); err != nil {
				return err
			}
			return out.Send(event("c1", strings.Repeat("x", 40<<20))) // more than the network's own buffers hold
		}}, Options{Enter: c.enter}, stall)
		conn := dial(t, serveAPI(t, api))
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v, %v", resp, err)
		}
		<-ended
		if c.open.Load() != 1 {
			t.Errorf("a stream that was not taken counts %d times", c.open.Load())
		}
		_ = conn.Close()
		for range want {
			<-c.left
		}
		close(c.asked)
		var asked []string
		for what := range c.asked {
			asked = append(asked, what)
		}
		if !slices.Equal(asked, want) {
			t.Errorf("it was asked for %v, want %v", asked, want)
		}
	}
}
