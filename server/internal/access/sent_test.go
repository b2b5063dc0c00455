package access

import (
	"context"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/headgate/headgate/server/internal/fault"
)

// telling is a listener whose connections tell when they are gone.
type telling struct{ net.Listener }

func (l telling) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	gone := make(chan struct{})
	return &tellingConn{Conn: conn, gone: gone, leave: sync.OnceFunc(func() { close(gone) })}, nil
}

type tellingConn struct {
	net.Conn
	gone  chan struct{}
	leave func()
}

func (c *tellingConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

func (c *tellingConn) RemoteAddr() net.Addr { return tellingAddr{c.Conn.RemoteAddr(), c.gone} }

type tellingAddr struct {
	net.Addr
	gone <-chan struct{}
}

func (a tellingAddr) Gone() <-chan struct{} { return a.gone }

// TestAStreamThatWasCutOffCounts: until the client has taken what is on its way, called it off, or is gone.
func TestAStreamThatWasCutOffCounts(t *testing.T) {
	for name, free := range map[string]func(s grpc.ClientStream, cancel func(), g *guarded){
		"taken": func(s grpc.ClientStream, _ func(), _ *guarded) {
			for s.RecvMsg(&wrapperspb.StringValue{}) == nil {
			}
		},
		"called off": func(_ grpc.ClientStream, cancel func(), _ *guarded) { cancel() },
		"gone":       func(_ grpc.ClientStream, _ func(), g *guarded) { _ = g.tcp.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := func(grant Rule) *Policy {
				r := byToken("a", "a", grant)
				r.Limits = Limits{Streams: 1}
				return policy(t, r)
			}
			g := newGuarded(t, one(Rule{}))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stalled := open(t, ctx, g.tcp, floodMethod, "authorization", "Bearer a")
			if err := stalled.RecvMsg(&wrapperspb.StringValue{}); err != nil {
				t.Fatal(err)
			}
			g.control.Replace(one(Rule{Sources: []string{"acme"}}))
			select {
			case <-g.flooded:
			case <-time.After(patience):
				t.Fatal("the handler is still blocked")
			}
			another := func(conn *grpc.ClientConn) error {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				return open(t, ctx, conn, streamMethod, "authorization", "Bearer a").RecvMsg(&wrapperspb.StringValue{})
			}
			wantRefused(t, "another beside it", another(g.tcp), codes.ResourceExhausted, fault.Limit)
			free(stalled, cancel, g)
			for deadline := time.Now().Add(patience); another(g.inside) != nil; {
				if time.Now().After(deadline) {
					t.Fatal("it counts for ever")
				}
			}
		})
	}
}

// TestSent: all that was sent is gone when gRPC has let go of all of it, and not before.
func TestSent(t *testing.T) {
	encode := func(s *sent) mem.BufferSlice {
		s.message = wrapperspb.String("x")
		data, err := Codec(encoding.GetCodecV2("proto")).Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	s := newSent()
	first, second := encode(s), encode(s)
	first.Free()
	all := s.all()
	if len(all) != 0 {
		t.Error("all is gone, with one message there")
	}
	second.Free()
	if len(all) != 1 {
		t.Error("it does not tell that all is gone")
	}
	// gRPC does not free what it drops.
	s = newSent()
	data := encode(s)
	all = s.all()
	runtime.GC()
	runtime.GC()
	if len(all) != 0 {
		t.Error("all is gone, with one message there")
	}
	runtime.KeepAlive(data)
	for deadline := time.Now().Add(patience); len(all) == 0; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatal("it does not tell that the message was dropped")
		}
	}
}
