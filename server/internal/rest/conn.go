package rest

import (
	"context"
	"errors"
	"io"
	"math"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// conn stands between grpc-gateway and the gRPC server. It fills each request from what the client sent, so that a mistake in there is told
// like one that the server finds.
type conn struct {
	grpc.ClientConnInterface
	ask func(ctx context.Context, what string) (leave func(), err error)
}

// whatever lets answers of any size through: the server is the same process and knows its limits.
var whatever = grpc.MaxCallRecvMsgSize(math.MaxInt32)

// Invoke fills args, in which grpc-gateway has set what stands in the path.
func (c conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	in := inputOf(ctx)
	if err := in.enter(ctx, c.ask, method); err != nil {
		return err
	}
	if err := fill(in, args.(proto.Message)); err != nil {
		return err
	}
	return c.ClientConnInterface.Invoke(ctx, method, args, reply, append(opts, whatever)...)
}

// NewStream opens a stream for Subscribe, the only streaming method that has a REST form.
func (c conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if method != headgatev1.EventService_Subscribe_FullMethodName {
		return nil, status.Errorf(codes.Unimplemented, "%s has no REST form", method)
	}
	in := inputOf(ctx)
	if in.leave != nil { // it sent a body, and was counted as something that is soon over
		in.leave()
		in.leave = nil
	}
	if err := in.enter(ctx, c.ask, method); err != nil {
		return nil, err
	}
	req := &headgatev1.SubscribeRequest{}
	if err := fill(in, req); err != nil {
		return nil, err
	}
	in.body = nil
	// One line or one SSE message holds one event.
	req.MaxBatchSize = 1
	if in.lastEventID != "" && req.GetSubscription() == "" {
		// EventSource reconnects to its first URL: what that says of the start is history. A subscription's saved position is not.
		req.Start = &headgatev1.Start{Position: &headgatev1.Start_AfterCursor{AfterCursor: in.lastEventID}}
	}
	s, err := c.ClientConnInterface.NewStream(ctx, desc, method, append(opts, whatever)...)
	if err != nil {
		return nil, err
	}
	return &stream{ClientStream: s, req: req}, nil
}

// stream is a Subscribe stream as grpc-gateway uses one: SendMsg, CloseSend, Header, then RecvMsg until it fails.
type stream struct {
	grpc.ClientStream
	req   *headgatev1.SubscribeRequest
	first *headgatev1.SubscribeResponse
}

// SendMsg sends the request that was filled. grpc-gateway's own is empty.
func (s *stream) SendMsg(any) error {
	return s.ClientStream.SendMsg(s.req)
}

// Header waits for the first message. grpc-gateway fixes the HTTP status after Header, and that of a gRPC stream does not tell whether the
// stream was refused. The server sends Started before any wait, so this holds nothing back.
func (s *stream) Header() (metadata.MD, error) {
	first := &headgatev1.SubscribeResponse{}
	switch err := s.ClientStream.RecvMsg(first); {
	case errors.Is(err, io.EOF):
		return nil, status.Error(codes.Internal, "the stream ended before it began")
	case err != nil:
		return nil, err
	}
	s.first = first
	return nil, nil
}

// RecvMsg returns the message that Header has read, then the others.
func (s *stream) RecvMsg(m any) error {
	if s.first == nil {
		return s.ClientStream.RecvMsg(m)
	}
	proto.Merge(m.(proto.Message), s.first)
	s.first = nil
	return nil
}
