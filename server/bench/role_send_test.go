//go:build linux || darwin

package bench

import (
	"context"
	"net"

	"google.golang.org/grpc"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/filter"
)

// sender is the plain way to serve Subscribe: for each event and subscriber a message that grpc-go encodes.
type sender struct {
	headgatev1.UnimplementedEventServiceServer

	held *memory
}

// Subscribe sends from the first event on.
func (s *sender) Subscribe(req *headgatev1.SubscribeRequest, out grpc.ServerStreamingServer[headgatev1.SubscribeResponse]) error {
	var wanted *filter.Predicate // nil: all
	if req.GetFilter() != nil {
		var err error
		if wanted, err = filter.Compile(req.GetFilter(), nil); err != nil {
			return err
		}
	}
	if err := out.Send(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Started{Started: &headgatev1.Started{}}}); err != nil {
		return err
	}
	for pos := 0; ; {
		shown, _, changed := s.held.visible()
		for ; pos < shown; pos++ {
			if wanted != nil && !wanted.Match(eventlog.KindEvent, &s.held.keys[pos]) {
				continue
			}
			if err := sendOne(out, s.held.events[pos]); err != nil {
				return err
			}
		}
		if err := await(out.Context(), changed); err != nil {
			return err
		}
	}
}

func sendOne(out grpc.ServerStreamingServer[headgatev1.SubscribeResponse], e *headgatev1.Event) error {
	return out.Send(&headgatev1.SubscribeResponse{Cursor: e.GetCursor(), Events: []*headgatev1.Event{e}})
}

func await(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
		return nil
	}
}

func startSend(string) (*process, error) {
	p := &process{held: newMemory()}
	return p, p.serveGRPC(&sender{held: p.held})
}

// serveGRPC serves readers until p.stop.
func (p *process) serveGRPC(service headgatev1.EventServiceServer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := grpc.NewServer()
	headgatev1.RegisterEventServiceServer(srv, service)
	go func() { _ = srv.Serve(l) }() // ends with Stop
	p.Readers = l.Addr().String()
	p.stop = func() error {
		srv.Stop()
		return nil
	}
	return nil
}
