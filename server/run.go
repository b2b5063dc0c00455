package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// Run serves until ctx ends or another gateway takes over, then drains and returns nil; or until something fails, and returns that. It may be called once.
//
// Draining: readers get Closing with their cursor and the API closes, while webhooks are still accepted; the door closes last, because an event
// that the CRM cannot deliver for five seconds is lost. All of it takes at most the configured time.
//
// When another gateway takes over, or when the sockets are somebody else's who keeps them, nobody is refused: who connects afterwards waits for the next
// gateway. When that one does not come to serve, this one serves again.
func (s *Server) Run(ctx context.Context) error {
	defer s.tracing.Stop() // last, when nobody makes spans any more
	defer s.closeSockets()
	s.predecessor.serving()
	for {
		next, err := s.serve(ctx)
		if err != nil || next == nil {
			next.close()
			return err
		}
		if err = next.handOver(); err == nil {
			slog.Info("another gateway has taken over")
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		slog.Error("the gateway that was to take over failed; this one takes the log back and goes on", "error", err)
		s.cfg.AcceptDataLoss = false // it was meant for the first start
		if err := s.build(lockWithin); err != nil {
			return errors.Join(fmt.Errorf("take the log back: %w", err), s.release())
		}
	}
}

// serve serves until ctx ends, something fails, or a successor is ready, which it returns. By then the log is closed, and the sockets are not.
func (s *Server) serve(ctx context.Context) (next *successor, err error) {
	logCtx, stopLog := context.WithCancel(context.Background())
	defer stopLog()
	asked := s.succession.asked()
	s.upstream.Begin(ctx)
	g, failed := errgroup.WithContext(context.Background())
	g.Go(func() error { return s.log.Run(logCtx) })
	g.Go(func() error { return ignoreStopped(s.grpc.Serve(s.listener[listenGRPC])) })
	g.Go(func() error { return ignoreStopped(s.innerGRPC.Serve(s.inner)) })
	g.Go(func() error { s.reload.run(logCtx); return nil })
	g.Go(func() error { s.feed.Watch(logCtx); return nil })
	g.Go(func() error { s.rates.run(logCtx); return nil })
	g.Go(func() error { s.history.run(logCtx); return nil })
	g.Go(func() error { s.clock.run(logCtx); return nil })
	g.Go(func() error { s.awaitSuccessor(logCtx); return nil })
	g.Go(func() error { return s.upstream.Run(logCtx) })
	for name, srv := range s.http {
		g.Go(func() error { return ignoreClosed(srv.Serve(s.listener[name])) })
	}
	g.Go(func() error {
		select {
		case <-ctx.Done():
		case <-failed.Done():
		case next = <-asked:
		}
		s.drain(next != nil)
		stopLog()
		return nil
	})
	err = g.Wait()
	if next == nil {
		select {
		case next = <-asked: // it came while this one was told to end
		default:
		}
	}
	return next, errors.Join(err, s.release())
}

// awaitSuccessor lets another gateway have the sockets, until one is ready for the log too.
func (s *Server) awaitSuccessor(ctx context.Context) {
	var handed []handedSocket
	var listeners []*net.TCPListener
	for _, name := range s.cfg.Listen.names() {
		handed = append(handed, handedSocket{name, *s.cfg.Listen.of(name)})
		listeners = append(listeners, s.sockets[name])
	}
	s.succession.serve(ctx, handed, listeners)
}

// drain ends the readers, then the API, then the door, with one deadline for all of it. A successor also waits until the log can be closed at once.
func (s *Server) drain(handing bool) {
	if handing {
		ctx, cancel := context.WithTimeout(context.Background(), restWithin)
		s.store.Rest(ctx)
		cancel()
	}
	for name, t := range s.turns {
		if !s.remains(name, handing) {
			t.isLast()
		}
	}
	remains := s.remains(listenWebhook, handing)
	// Whoever asks whether webhooks are taken must not send them elsewhere while they are.
	s.stopping.Store(!remains)
	s.leaving.Store(true)
	s.health.Shutdown()
	s.guard.Leave()
	defer time.AfterFunc(lastWords, s.unknown.end).Stop()
	deadline := time.Now().Add(s.cfg.Drain)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	rested := make(chan struct{})
	go func() {
		s.store.Rest(ctx)
		close(rested)
	}()
	s.feed.Drain()
	if p := s.http[listenPProf]; p != nil {
		_ = p.Close() // a profile is not waited for
	}
	var readers sync.WaitGroup
	readers.Go(func() { s.shutdown(ctx, listenAPI) })
	readers.Go(func() { stopGRPC(ctx, s.grpc) })
	readers.Wait()
	stopGRPC(ctx, s.innerGRPC)
	<-rested
	s.closeDoor(ctx, remains)
}

// lastPosts is how long posts that were accepted get to arrive whole, and to be stored and answered, even when the readers used up the time.
const lastPosts = time.Second

// closeDoor answers the posts that were accepted, and then accepts no more. Where the socket remains others wait in it meanwhile: the time of those is not
// for connections that have nothing to say.
func (s *Server) closeDoor(ctx context.Context, remains bool) {
	limit := lastPosts
	if remains {
		// Each of them is used once more, and told that it was the last time; or it waited so long that it would have been closed anyway.
		s.posting.wait(ctx, http.StateIdle)
	} else if deadline, ok := ctx.Deadline(); ok {
		limit = max(limit, time.Until(deadline))
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	s.upstream.Stop()
	s.turns[listenWebhook].stop(ctx)
	s.posting.wait(ctx, http.StateNew, http.StateActive)
	var admin sync.WaitGroup
	admin.Go(func() { s.shutdown(ctx, listenAdmin) })
	s.shutdown(ctx, listenWebhook)
	admin.Wait()
}

// shutdown lets requests end, and cuts off those that have not when ctx ends.
func (s *Server) shutdown(ctx context.Context, name string) {
	srv := s.http[name]
	defer context.AfterFunc(ctx, s.shared[name].hangUp)() // net/http closes by TLS, which can wait for a client without end
	if srv.Shutdown(ctx) != nil {
		_ = srv.Close() // what it could not close is gone with the process
	}
}

// stopGRPC lets calls end, and cuts off those that have not when ctx ends.
func stopGRPC(ctx context.Context, srv *grpc.Server) {
	done := make(chan struct{})
	go func() {
		srv.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		srv.Stop()
		<-done
	}
}

// release closes what build opened. The sockets stay.
func (s *Server) release() error {
	var errs []error
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	for _, t := range s.turns {
		_ = t.Close() // most are closed already by the server that served them
	}
	if s.upstream != nil {
		errs = append(errs, s.upstream.Close())
	}
	if s.subscriptions != nil {
		s.subscriptions.Close()
	}
	if s.positions != nil {
		errs = append(errs, s.positions.Close())
	}
	s.succession.close()
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	s.conn, s.upstream, s.subscriptions, s.positions, s.succession, s.store = nil, nil, nil, nil, nil, nil
	return errors.Join(errs...)
}

func (s *Server) closeSockets() {
	for _, l := range s.sockets {
		_ = l.Close() // nobody accepts from it here
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func ignoreStopped(err error) error {
	if errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return err
}
