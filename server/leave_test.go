package server

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// TestNobodyWaitsForStrangers: whoever watches the health, without credentials and without an end, does not hold up the end of the server.
func TestNobodyWaitsForStrangers(t *testing.T) {
	cfg, err := Load(filepath.Join(folder(t, testFile("shutdown_timeout: 2m\n")), "headgate.yaml"), environ(nil))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(run) }()
	conn, err := grpc.NewClient(s.Addresses().GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	watch, err := grpc_health_v1.NewHealthClient(conn).Watch(t.Context(), &grpc_health_v1.HealthCheckRequest{})
	if err == nil {
		_, err = watch.Recv()
	}
	if err != nil {
		t.Fatal(err)
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the server waits for somebody who watches its health")
	}
	for err == nil {
		_, err = watch.Recv()
	}
	if status.Code(err) != codes.Unavailable {
		t.Errorf("the watch ended with %v", err)
	}
}

// TestNobodyWaitsForHalfRequests: neither do those whose requests are not whole, or who take no answers, and do not even say that they heard of the server's end.
func TestNobodyWaitsForHalfRequests(t *testing.T) {
	h := newHouseOf(t, "shutdown_timeout: 2m\n"+houseFile(houseReaders))
	for _, address := range []string{h.s.Addresses().API, h.s.Addresses().GRPC} {
		silent, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	for _, bad := range [][]string{nil, {"te", "gzip"}} { // an answer of the gateway's own, and one of net/http's
		c := dialHTTP2(t, h, h.s.Addresses().API)
		c.get(t, bad...)
		c.await(t, func(f http2.Frame) bool { _, is := f.(*http2.MetaHeadersFrame); return is })
	}
	for _, more := range [][]string{{"/grpc.health.v1.Health/Check"}, {headgatev1.EventService_ListEvents_FullMethodName, "authorization", "Bearer " + h.token("all")}} {
		c := dialHTTP2(t, h, h.s.Addresses().GRPC)
		c.begin(t, "POST", more[0], false, append(more[1:], "content-type", "application/grpc")...)
		if err := c.WritePing(false, [8]byte{1}); err != nil {
			t.Fatal(err)
		}
		c.await(t, func(f http2.Frame) bool { p, is := f.(*http2.PingFrame); return is && p.IsAck() })
		if len(more) > 1 { // known: it is told, and answers
			go c.await(t, func(f http2.Frame) bool {
				if p, is := f.(*http2.PingFrame); is && !p.IsAck() {
					_ = c.WritePing(true, p.Data)
				}
				return false
			})
		}
	}
	ended := make(chan struct{})
	go func() {
		h.stop()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(8 * time.Second): // less than any of them may take otherwise
		t.Fatal("the server waits for somebody whom it need not wait for")
	}
}
