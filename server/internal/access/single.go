package access

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// gRPC asks interceptors of single calls when the request has been received and decoded, and forgets the call before its answer has been sent. So
// strangers could make the server receive, and readers make it keep, as much as they like. Over registers single calls as streams of one message
// instead, on the wire the same: Stream then stands before them, and they last until the answer has been taken.

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
		message, err := m.Handler(service, ss.Context(), ss.RecvMsg, inTurn)
		if err != nil {
			return err
		}
		return ss.SendMsg(message)
	}
}

// inTurn has a reader's calls answered few at a time, once their requests are there. Each may take a processor some time; all that one reader may make at
// once would take them all, and the webhooks' too.
func inTurn(ctx context.Context, req any, _ *grpc.UnaryServerInfo, answer grpc.UnaryHandler) (any, error) {
	if s := SessionOf(ctx); s != nil && s.kind == Single && !s.Operator() { // an erasure takes minutes, and an operator must see how it goes on
		turns := s.turns()
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
			if err := s.confirm(); err != nil { // it waited
				return nil, err
			}
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
	return answer(ctx, req)
}

// Unary refuses single calls that were not registered through Over: nobody has asked who calls.
func (g *Guard) Unary(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, status.Error(codes.PermissionDenied, "this method is for nobody")
}
