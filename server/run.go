package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// Run serves until ctx ends, then drains and returns nil; or until something fails, and returns that. It may be called once.
//
// Draining: readers get Closing with their cursor and the API closes, while webhooks are still accepted; the door closes last, because an event
// that the CRM cannot deliver for five seconds is lost. All of it takes at most the configured time.
func (s *Server) Run(ctx context.Context) error {
	logCtx, stopLog := context.WithCancel(context.Background())
	defer stopLog()
	g, failed := errgroup.WithContext(context.Background())
	g.Go(func() error { return s.log.Run(logCtx) })
	g.Go(func() error { return ignoreStopped(s.grpc.Serve(s.listener[listenGRPC])) })
	g.Go(func() error { return ignoreStopped(s.innerGRPC.Serve(s.inner)) })
	g.Go(func() error { s.reload.run(logCtx); return nil })
	g.Go(func() error { s.feed.Watch(logCtx); return nil })
	for name, srv := range s.http {
		g.Go(func() error { return ignoreClosed(srv.Serve(s.listener[name])) })
	}
	g.Go(func() error {
		select {
		case <-ctx.Done():
		case <-failed.Done():
		}
		s.drain()
		stopLog()
		return nil
	})
	return errors.Join(g.Wait(), s.release())
}

// drain ends the readers, then the API, then the door, with one deadline for all of it.
func (s *Server) drain() {
	s.stopping.Store(true)
	s.health.Shutdown()
	deadline := time.Now().Add(s.cfg.Drain)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	s.feed.Drain()
	shutdown(ctx, s.http[listenAPI])
	stopGRPC(ctx, s.grpc)
	stopGRPC(ctx, s.innerGRPC)
	// Even when the readers used up the time, posts that are under way get a moment to be stored and answered.
	last, cancelLast := context.WithTimeout(context.Background(), max(time.Until(deadline), time.Second))
	defer cancelLast()
	shutdown(last, s.http[listenWebhook])
	shutdown(last, s.http[listenAdmin])
}

// shutdown lets requests end, and cuts off those that have not when ctx ends.
func shutdown(ctx context.Context, srv *http.Server) {
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

// release closes what New opened.
func (s *Server) release() error {
	var errs []error
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	for _, l := range s.listener {
		_ = l.Close() // most are closed already by the server that served them
	}
	if s.subscriptions != nil {
		s.subscriptions.Close()
	}
	if s.positions != nil {
		errs = append(errs, s.positions.Close())
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	return errors.Join(errs...)
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
