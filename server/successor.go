package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"
)

// succession is where a gateway that runs is asked for its sockets. It is there while the gateway has the log.
type succession struct {
	listener *net.UnixListener
	path     string
	ready    chan *successor // who has all it needs but the log
}

// openSuccession must be called with the log open: whatever stands at its path then is nobody's any more. Without it a gateway runs as well.
func openSuccession(dir string) *succession {
	if !canHandOver {
		return nil
	}
	s := &succession{path: filepath.Join(dir, handOverSocket), ready: make(chan *successor, 1)}
	_ = os.Remove(s.path) // what is wrong with it, listening tells
	var err error
	if s.listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: s.path, Net: "unix"}); err == nil {
		s.listener.SetUnlinkOnClose(false) // by then it may be the successor's
		err = os.Chmod(s.path, 0o600)
	}
	if err != nil {
		slog.Warn("no other gateway can take over from this one; a shorter path of the data directory may help", "error", err)
		s.close()
		return nil
	}
	return s
}

// close must be called before the log is closed.
func (s *succession) close() {
	if s == nil || s.listener == nil {
		return
	}
	_ = os.Remove(s.path)
	_ = s.listener.Close() // there is nothing to lose
}

// successor is the gateway that takes over from this one.
type successor struct{ other }

// asked returns a channel of the one successor.
func (s *succession) asked() <-chan *successor {
	if s == nil {
		return nil
	}
	return s.ready
}

// serve answers who asks for the sockets, until one of them is ready or ctx ends.
func (s *succession) serve(ctx context.Context, sockets []handedSocket, listeners []*net.TCPListener) {
	if s == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = s.listener.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		conn, err := s.listener.AcceptUnix()
		if err != nil {
			return
		}
		next := &successor{other{conn}}
		unhang := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
		err = next.prepare(sockets, listeners)
		unhang()
		if err == nil {
			s.ready <- next
			return
		}
		_ = conn.Close()
		slog.Warn("a gateway that was to take over did not; this one goes on", "error", err)
	}
}

// prepare gives it the sockets and waits until it is ready.
func (n *successor) prepare(sockets []handedSocket, listeners []*net.TCPListener) error {
	if err := n.conn.SetReadDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	m, extra, err := n.hear(stepTakeOver)
	closeSockets(extra)
	if err != nil {
		return err
	}
	if m.Version != handOverVersion {
		why := fmt.Sprintf("it knows version %d of handing over and was asked for %d; stop it and start this one", handOverVersion, m.Version)
		return errors.Join(errors.New("it asked in another way"), n.tell(message{Step: stepSockets, Why: why}))
	}
	if err := n.tell(message{Step: stepSockets, Version: handOverVersion, Sockets: sockets}, listeners...); err != nil {
		return err
	}
	slog.Info("another gateway takes over; this one serves until that is ready")
	if err := n.conn.SetReadDeadline(time.Now().Add(successorWithin)); err != nil {
		return err
	}
	_, extra, err = n.hear(stepReady)
	closeSockets(extra)
	return err
}

// close leaves it to the log's lock whether it serves.
func (n *successor) close() {
	if n != nil {
		_ = n.conn.Close()
	}
}

// handOver tells it that the log is closed, and returns nil once it serves.
func (n *successor) handOver() error {
	defer n.close()
	if err := n.tell(message{Step: stepClosed}); err != nil {
		return err
	}
	if err := n.conn.SetReadDeadline(time.Now().Add(successorWithin)); err != nil {
		return err
	}
	_, extra, err := n.hear(stepServing)
	closeSockets(extra)
	return err
}
