package access

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// gRPC asks interceptors of single calls when the request has been received and decoded, and forgets the call before its answer has been sent. So
// strangers could make the server receive, and readers make it keep, as much as they like. Over registers single calls as streams of one message
// instead, on the wire the same: Stream then stands before them, and they last until the answer is on its way.

// Over returns a registrar that registers services with r. The server must have the interceptor Stream, and a codec made by Codec.
func (g *Guard) Over(r grpc.ServiceRegistrar) grpc.ServiceRegistrar { return registrar{g, r} }

type registrar struct {
	guard *Guard
	grpc.ServiceRegistrar
}

// RegisterService is part of the interface. It is called before the server serves.
func (r registrar) RegisterService(desc *grpc.ServiceDesc, service any) {
	d := *desc
	d.Methods, d.Streams = nil, slices.Clone(desc.Streams)
	for _, m := range desc.Methods {
		r.guard.single["/"+desc.ServiceName+"/"+m.MethodName] = true
		d.Streams = append(d.Streams, grpc.StreamDesc{StreamName: m.MethodName, ServerStreams: true, Handler: single(m)})
	}
	r.ServiceRegistrar.RegisterService(&d, service)
}

func single(m grpc.MethodDesc) grpc.StreamHandler {
	return func(service any, ss grpc.ServerStream) error {
		message, err := m.Handler(service, ss.Context(), ss.RecvMsg, nil)
		if err != nil {
			return err
		}
		return answer(ss, message)
	}
}

// Unary refuses single calls that were not registered through Over: nobody has asked who calls.
func (g *Guard) Unary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(codes.PermissionDenied, "this method is for nobody")
}

// answer sends a message and waits until the connection has taken all of it, or is gone. It does not end with the stream: the client may call that
// off while the message waits behind others. (A message that gRPC gets while it calls the stream off is dropped and not reported; then this waits for
// the connection's end.)
func answer(ss grpc.ServerStream, message any) error {
	ctx := ss.Context()
	if isInside(ctx) {
		return ss.SendMsg(message) // REST takes it at once
	}
	a := &tracked{message: message, taken: make(chan struct{})}
	if err := ss.SendMsg(a); err != nil {
		return err
	}
	select {
	case <-a.taken:
	case <-goneOf(ctx):
	}
	return nil
}

// goneOf is closed when the connection of a call is. A connection that does not tell ends its calls, at least.
func goneOf(ctx context.Context) <-chan struct{} {
	if p, ok := peer.FromContext(ctx); ok {
		if addr, ok := p.Addr.(interface{ Gone() <-chan struct{} }); ok {
			return addr.Gone()
		}
	}
	return ctx.Done()
}

// tracked is a message, and what is closed once none of its bytes are in the server's memory.
type tracked struct {
	message any
	taken   chan struct{}
}

// Codec returns a codec that encodes as inner does, and also what answer sends.
func Codec(inner encoding.CodecV2) encoding.CodecV2 { return codec{inner} }

type codec struct{ encoding.CodecV2 }

func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	a, ok := v.(*tracked)
	if !ok {
		return c.CodecV2.Marshal(v)
	}
	data, err := c.CodecV2.Marshal(a.message)
	if err != nil {
		return nil, err
	}
	bytes := data.MaterializeToBuffer(mem.DefaultBufferPool()) // it does not copy one buffer
	data.Free()
	all := bytes.ReadOnlyData()
	if mem.IsBelowBufferPoolingThreshold(cap(all)) { // gRPC does not tell of these, and they are too small to matter
		close(a.taken)
		return mem.BufferSlice{bytes}, nil
	}
	return mem.BufferSlice{mem.NewBuffer(&all, &lender{bytes: bytes, taken: a.taken})}, nil
}

// lender is a pool of one buffer, to which it comes back when it was sent or dropped.
type lender struct {
	mem.BufferPool // none: nothing is got from it
	bytes          mem.Buffer
	taken          chan struct{}
}

// Put takes the buffer back.
func (l *lender) Put(*[]byte) {
	l.bytes.Free()
	close(l.taken)
}
