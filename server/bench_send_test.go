//go:build linux || darwin

package server_test

import (
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/superoffice"
)

// sendServer is what the fan-out is compared with: events in memory, and for each event and subscriber a message that grpc-go encodes.
type sendServer struct {
	headgatev1.UnimplementedEventServiceServer

	mu      sync.Mutex
	held    []*headgatev1.Event
	shown   int           // how many of held subscribers may see
	changed chan struct{} // closed and replaced when shown moves
}

// hold makes the events that the gateway makes of the same posts.
func (s *sendServer) hold(n int) error {
	src := superoffice.Source{Name: "acme", Location: time.UTC}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		e, err := superoffice.Translate(&src, benchBody(i+1))
		if err != nil {
			return err
		}
		e.Cursor, e.ReceivedAt = fmt.Sprintf("%022d", i+1), timestamppb.Now()
		s.held = append(s.held, e)
	}
	return nil
}

// publish shows the next n events, all at once or as many a second as rate says.
func (s *sendServer) publish(n, rate int) {
	if rate == 0 {
		s.show(n)
		return
	}
	start := time.Now()
	for i := range n {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		s.show(1)
	}
}

func (s *sendServer) show(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown += n
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *sendServer) visible() ([]*headgatev1.Event, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[:s.shown], s.changed
}

// Subscribe sends from the first event on.
func (s *sendServer) Subscribe(_ *headgatev1.SubscribeRequest, out grpc.ServerStreamingServer[headgatev1.SubscribeResponse]) error {
	if err := out.Send(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Started{Started: &headgatev1.Started{}}}); err != nil {
		return err
	}
	for pos := 0; ; {
		events, changed := s.visible()
		for ; pos < len(events); pos++ {
			e := events[pos]
			if err := out.Send(&headgatev1.SubscribeResponse{Cursor: e.GetCursor(), Events: []*headgatev1.Event{e}}); err != nil {
				return err
			}
		}
		select {
		case <-out.Context().Done():
			return out.Context().Err()
		case <-changed:
		}
	}
}
