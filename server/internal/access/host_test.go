package access

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

func TestHostOf(t *testing.T) {
	for _, c := range []struct {
		one, other string
		same       bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true},
		{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
		{"192.0.2.1:1", "192.0.2.2:1", false},
		{"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:1", false},
		{"[2001:db8::1]:1", "[2001:db8::2:3:4:5]:1", true},
		{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
		{"[fe80::1%eth0]:1", "[fe80::2%eth1]:1", true},
		{"", "unreadable", true},
		{"", "0.0.0.0:1", false},
	} {
		if got := HostOf(c.one) == HostOf(c.other); got != c.same {
			t.Errorf("%s and %s are the same: %v", c.one, c.other, got)
		}
	}
}

func TestTally(t *testing.T) {
	a, b := HostOf("192.0.2.1:1"), HostOf("192.0.2.2:1")
	n := NewTally(2)
	for i, want := range []bool{true, true, false, false} {
		if got := n.Add(a); got != want {
			t.Errorf("number %d: %v", i+1, got)
		}
	}
	if !n.Add(b) {
		t.Error("another host has none")
	}
	n.Remove(a)
	if !n.Add(a) {
		t.Error("what was removed counts on")
	}
	if n.Add(a) {
		t.Error("more was removed than there was")
	}
	n.Remove(a)
	n.Remove(a)
	n.Remove(b)
	if len(n.of) > 0 {
		t.Errorf("hosts that have nothing are kept: %v", n.of)
	}
}

// TestSingleCallsGoThroughOver: one that was registered past it is for nobody.
func TestSingleCallsGoThroughOver(t *testing.T) {
	g := &guarded{t: t}
	guard := NewGuard(NewControl(Open()), map[string]Need{readerMethod: NeedReader}, slog.New(slog.DiscardHandler))
	srv := grpc.NewServer(grpc.UnaryInterceptor(guard.Unary), grpc.StreamInterceptor(guard.Stream))
	desc := g.service()
	for i := range desc.Methods {
		desc.Methods[i].Handler = func(srv any, ctx context.Context, _ func(any) error, chain grpc.UnaryServerInterceptor) (any, error) {
			return chain(ctx, nil, &grpc.UnaryServerInfo{Server: srv}, func(context.Context, any) (any, error) { panic("it was let in") })
		}
	}
	srv.RegisterService(desc, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- srv.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call(t, conn, readerMethod); status.Code(err) != codes.PermissionDenied {
		t.Errorf("answered %v", err)
	}
	_ = conn.Close()
	srv.Stop()
	<-done
}
