//go:build linux || darwin

package bench

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
	"github.com/headgate/headgate/server/internal/superoffice"
	"github.com/headgate/headgate/server/internal/webhook"
)

// logSender is sender over the gateway's log. An event is decoded once, for all subscribers.
type logSender struct {
	headgatev1.UnimplementedEventServiceServer

	log     *eventlog.Log
	mu      sync.Mutex
	decoded []*headgatev1.Event // by sequence; guarded by mu
}

// Subscribe sends from the first event on.
func (s *logSender) Subscribe(_ *headgatev1.SubscribeRequest, out grpc.ServerStreamingServer[headgatev1.SubscribeResponse]) error {
	if err := out.Send(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Started{Started: &headgatev1.Started{}}}); err != nil {
		return err
	}
	for after := uint64(0); ; {
		changed := s.log.Changed()
		chunk, err := s.log.Read(out.Context(), after, nil)
		if err != nil {
			return err
		}
		for i := range chunk.Frames {
			e, err := s.decode(&chunk.Frames[i])
			if err != nil {
				return err
			}
			if err := sendOne(out, e); err != nil {
				return err
			}
		}
		if chunk.Through > after {
			after = chunk.Through
			continue
		}
		if err := await(out.Context(), changed); err != nil {
			return err
		}
	}
}

func (s *logSender) decode(f *eventlog.Frame) (*headgatev1.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for uint64(len(s.decoded)) <= f.Seq {
		s.decoded = append(s.decoded, nil)
	}
	if s.decoded[f.Seq] == nil {
		e := new(headgatev1.Event)
		if err := proto.Unmarshal(f.Event(), e); err != nil {
			return nil, err
		}
		s.decoded[f.Seq] = e
	}
	return s.decoded[f.Seq], nil
}

// startSendLog wires the door and the log as the gateway does.
func startSendLog(dir string) (*process, error) {
	store, err := pebblestore.Open(dir, pebblestore.Options{})
	if err != nil {
		return nil, err
	}
	log, err := eventlog.Open(store, eventlog.Options{})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- log.Run(ctx) }()
	p := &process{}
	if err := p.serveGRPC(&logSender{log: log}); err != nil {
		cancel()
		return nil, errors.Join(err, <-done, store.Close())
	}
	door := webhook.New(log, []webhook.Source{{
		Source: superoffice.Source{Name: source, Location: time.UTC}, Contexts: []string{tenant}, Secrets: []webhook.Secret{{ID: "a", Key: []byte(secret)}},
	}}, webhook.Options{})
	closeDoor, err := p.servePosts(door)
	stopGRPC := p.stop
	p.stop = func() error {
		err := errors.Join(stopGRPC(), closeDoor())
		cancel()
		return errors.Join(err, <-done, store.Close())
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// servePosts serves what is posted, with the gateway's time limits, until it is closed.
func (p *process) servePosts(h http.Handler) (closing func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return func() error { return nil }, err
	}
	srv := &http.Server{
		Handler: h, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: 10 * time.Second,
	}
	go func() { _ = srv.Serve(l) }() // ends with Close
	p.Posts = l.Addr().String()
	return srv.Close, nil
}
