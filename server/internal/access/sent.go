package access

import (
	"context"
	"runtime"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/peer"
)

// gRPC lets a handler return while what it sent waits in the server's memory, for as long as the client likes. What the call took of its reader's limits
// would then be given back too early. So each message of a call gets one more part, without bytes and the same for all of them. gRPC counts how often it
// refers to that part, and tells when it no longer does. This costs no copy and no allocation per message.

// sent knows whether gRPC still has any of the messages of one call. It is for one goroutine at a time, as sending is.
type sent struct {
	message any           // what is being sent, for the codec
	mark    mem.Buffer    // the part
	lender  *lender       // the mark's pool
	taken   chan struct{} // see all
}

func newSent() *sent {
	s := &sent{taken: make(chan struct{}, 1)}
	s.lender = &lender{taken: s.taken}
	s.mark = mem.NewBuffer(&markBytes, s.lender)
	return s
}

// markBytes are the bytes of every mark: none, but gRPC's buffers only tell of those that had room for more.
var markBytes = make([]byte, 0, 4<<10)

// sendOn sends a message of the call.
func (s *sent) sendOn(ss grpc.ServerStream, message any) error {
	s.message = message
	err := ss.SendMsg(s)
	s.message = nil
	return err
}

// all returns what gets a value once none of the messages is in the server's memory. Nothing may be sent after it.
func (s *sent) all() <-chan struct{} {
	s.mark.Free()
	// What gRPC gets while the client calls the stream off, it drops and does not free. Then the garbage collector tells.
	runtime.AddCleanup(s.lender, tell, s.taken)
	s.mark, s.lender = nil, nil
	return s.taken
}

// lender is a pool of one buffer, to which it comes back when all that referred to it was sent or dropped.
type lender struct {
	mem.BufferPool // none: nothing is got from it
	taken          chan struct{}
}

// Put takes the buffer back.
func (l *lender) Put(*[]byte) { tell(l.taken) }

func tell(taken chan struct{}) {
	select {
	case taken <- struct{}{}:
	default:
	}
}

// waitFor waits until gRPC has none of what a call sent, or the connection is gone. It does not end with the call: the client may call that off while
// messages wait behind others.
func waitFor(ctx context.Context, all <-chan struct{}) {
	select {
	case <-all:
	case <-goneOf(ctx):
	}
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

// Codec returns a codec that encodes as inner does, and also what the guard's streams send.
func Codec(inner encoding.CodecV2) encoding.CodecV2 { return codec{inner} }

type codec struct{ encoding.CodecV2 }

func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	s, ok := v.(*sent)
	if !ok {
		return c.CodecV2.Marshal(v)
	}
	data, err := c.CodecV2.Marshal(s.message)
	if err != nil {
		return nil, err
	}
	s.mark.Ref()
	return append(data, s.mark), nil
}
