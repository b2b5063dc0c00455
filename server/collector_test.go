package server_test

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/headgate/headgate/server"
)

// collector takes traces as OpenTelemetry's own does, by gRPC or over HTTP.
type collector struct {
	collectorv1.UnimplementedTraceServiceServer
	url string

	mu       sync.Mutex
	requests []*collectorv1.ExportTraceServiceRequest // guarded by mu
	headers  []string                                 // authorization of each; guarded by mu
}

func (c *collector) take(req *collectorv1.ExportTraceServiceRequest, authorization []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests, c.headers = append(c.requests, req), append(c.headers, strings.Join(authorization, "|"))
}

// Export is part of the service.
func (c *collector) Export(ctx context.Context, req *collectorv1.ExportTraceServiceRequest) (*collectorv1.ExportTraceServiceResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	c.take(req, md.Get("authorization"))
	return &collectorv1.ExportTraceServiceResponse{}, nil
}

// ServeHTTP is the other way.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	req := &collectorv1.ExportTraceServiceRequest{}
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, req) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	c.take(req, r.Header.Values("Authorization"))
}

func newCollector(t testing.TB, protocol string) *collector {
	t.Helper()
	c := &collector{}
	if protocol == server.TracingHTTP {
		srv := httptest.NewServer(c)
		t.Cleanup(srv.Close)
		c.url = srv.URL
		return c
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := grpc.NewServer()
	collectorv1.RegisterTraceServiceServer(srv, c)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // it ends with Stop
	}()
	t.Cleanup(func() {
		srv.Stop()
		<-done
	})
	c.url = "http://" + l.Addr().String()
	return c
}

// spans are all that came.
func (c *collector) spans() (list []*tracev1.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, req := range c.requests {
		for _, of := range req.GetResourceSpans() {
			for _, in := range of.GetScopeSpans() {
				list = append(list, in.GetSpans()...)
			}
		}
	}
	return list
}

// named are the spans of that name.
func (c *collector) named(name string) []*tracev1.Span {
	return slices.DeleteFunc(c.spans(), func(s *tracev1.Span) bool { return s.GetName() != name })
}

// text is everything that came, as text.
func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, req := range c.requests {
		b.WriteString(protojson.Format(req))
	}
	return b.String()
}

// attributes of a span, as text.
func attributes(s *tracev1.Span) map[string]string {
	all := map[string]string{}
	for _, a := range s.GetAttributes() {
		v := a.GetValue()
		if all[a.GetKey()] = v.GetStringValue(); v.GetStringValue() == "" {
			all[a.GetKey()] = strconv.FormatInt(v.GetIntValue(), 10)
		}
	}
	return all
}

func keys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
