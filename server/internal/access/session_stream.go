package access

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/headgate/headgate/server/internal/aside"
	"github.com/headgate/headgate/server/internal/fault"
)

// requestWithin is how long a request may take to arrive, once its headers have. None is larger than a few packets.
const requestWithin = 10 * time.Second

// lastRequest is how long it may once the server leaves.
const lastRequest = time.Second

var errRequestSlow = fault.Retry(codes.Unavailable, fault.Unavailable, "the request did not arrive within "+requestWithin.String(), time.Second)

type sessionStream struct {
	grpc.ServerStream
	ctx   context.Context
	kind  Kind
	heard bool
	sent  *sent // nil inside the process
	// staying ends when the server leaves.
	staying context.Context
}

func (g *Guard) newSessionStream(ctx context.Context, ss grpc.ServerStream, kind Kind) *sessionStream {
	s := &sessionStream{ServerStream: ss, ctx: ctx, kind: kind, staying: g.staying}
	if !isInside(ctx) { // REST takes everything at once
		s.sent = newSent()
	}
	return s
}

// settle waits until what the handler sent has left the server's memory. The handler has returned, and the client does not have the call's status yet.
func (s *sessionStream) settle() {
	if s.sent != nil {
		waitFor(s.ctx, s.sent.all())
	}
}

// SendMsg sends a message, and keeps account of it.
func (s *sessionStream) SendMsg(m any) error {
	if s.sent == nil {
		return s.ServerStream.SendMsg(m)
	}
	return s.sent.sendOn(s.ServerStream, m)
}

// RecvMsg waits no longer than requestWithin for the first message, which is the request. Only a stream in two directions has others, which are requests too. When
// the server leaves, none is waited for.
func (s *sessionStream) RecvMsg(m any) error {
	further := s.heard
	s.heard = true
	defer s.await(further)()
	if s.kind != Stream {
		err := s.ServerStream.RecvMsg(m)
		if session := SessionOf(s.ctx); err == nil && session != nil {
			err = session.confirm()
		}
		return err
	}
	var err error
	aside.Do(func() { err = s.ServerStream.RecvMsg(m) }) // decoding goes deep, and the stream stays
	if session := SessionOf(s.ctx); err == nil && further && session != nil {
		err = session.Pay()
	}
	return err
}

// await cuts the stream off if heard is not called in time.
func (s *sessionStream) await(further bool) (heard func()) {
	var is atomic.Bool
	cut := func(cause error) {
		if !is.Load() {
			cutOff(s.ctx, cause)
		}
	}
	stop := context.AfterFunc(s.staying, func() { time.AfterFunc(lastRequest, func() { cut(errLeaving) }) })
	late := func() bool { return true }
	if !further {
		late = time.AfterFunc(requestWithin, func() { cut(errRequestSlow) }).Stop
	}
	return func() {
		is.Store(true)
		stop()
		late()
	}
}

func (s *sessionStream) Context() context.Context { return s.ctx }
