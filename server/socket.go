package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// names are the listeners that there are, in the order in which they are told of.
func (l *Listen) names() []string {
	if l.PProf == "" {
		return allListeners[:len(allListeners)-1]
	}
	return allListeners
}

// of returns the address of the listener of that name.
func (l *Listen) of(name string) *string {
	switch name {
	case listenWebhook:
		return &l.Webhook
	case listenAPI:
		return &l.API
	case listenGRPC:
		return &l.GRPC
	case listenAdmin:
		return &l.Admin
	case listenPProf:
		return &l.PProf
	}
	return nil
}

// TakeSockets has the server take sockets that listen already, as systemd passes them: each file is named after the listener that it is for, webhook,
// api, grpc, admin or pprof. The address of such a listener in the configuration then means nothing; listeners without a socket are bound as configured.
// The files are closed.
func (c *Config) TakeSockets(files []*os.File) error {
	defer func() {
		for _, f := range files {
			_ = f.Close() // what is used of it is a copy
		}
	}()
	sockets := make(map[string]*net.TCPListener)
	for _, f := range files {
		if !slices.Contains(allListeners, f.Name()) {
			return fmt.Errorf("a socket was passed under the name %q, which is none of webhook, api, grpc, admin and pprof; name each by FileDescriptorName=", f.Name())
		}
		if sockets[f.Name()] != nil {
			return fmt.Errorf("two sockets were passed under the name %s; pass one", f.Name())
		}
		l, err := listenerOf(f)
		if err != nil {
			return fmt.Errorf("the socket that was passed under the name %s cannot be used: %w", f.Name(), err)
		}
		sockets[f.Name()] = l
	}
	if l := sockets[listenPProf]; l != nil {
		c.Listen.PProf = l.Addr().String() // whoever passes it wants it used
	}
	c.Sockets = sockets
	return nil
}

// listenerOf is a copy of the file as what it is.
func listenerOf(f *os.File) (*net.TCPListener, error) {
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("it does not listen: %w", err)
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, errors.Join(errors.New("it is not one of TCP; use ListenStream= with a port"), l.Close())
	}
	return tcp, nil
}

// bind listens where the configuration says, unless the socket is there already. It fails before anything was served.
func (s *Server) bind() error {
	at := s.cfg.Listen
	for _, name := range at.names() {
		address := at.of(name)
		if l := s.cfg.Sockets[name]; l != nil {
			s.sockets[name] = l
		} else if l := s.predecessor.socket(name, *address); l != nil {
			s.sockets[name] = l
		} else {
			l, err := net.Listen("tcp", *address)
			if err != nil {
				return fmt.Errorf("listen.%s: %w", name, withoutHost(err))
			}
			s.sockets[name] = l.(*net.TCPListener)
			continue
		}
		*address = s.sockets[name].Addr().String()
	}
	// Sockets that somebody else bound may be open to more than the configuration says.
	bound := s.cfg
	bound.Listen = at
	return bound.Validate()
}

// withoutHost is the error of net.Listen. It repeats the host's name, which any word can be, a secret in the wrong place too.
func withoutHost(err error) error {
	var unknown *net.DNSError
	if errors.As(err, &unknown) {
		return fmt.Errorf("the host's address cannot be found (%s); correct the host, or write an address, like 127.0.0.1:8080", unknown.Err)
	}
	return err
}

// remains says whether the listener's socket outlives this process: somebody else has it too, and who connects waits until it is accepted there.
func (s *Server) remains(name string, handing bool) bool {
	return handing || s.cfg.Sockets[name] != nil
}

// turn is the use that a server makes of a listening socket. When it ends the socket still listens, for whose turn comes next, here or in another
// process: who has connected and was not accepted waits. Unless the turn is the last: then the socket is closed, and who connects is refused at once.
type turn struct {
	*net.TCPListener
	stopped chan struct{} // closed when, after stop, Accept was called and accepts nobody any more
	over    chan struct{} // closed by Close

	mu       sync.Mutex // of what follows, and of the socket's deadline
	last     bool
	stopping bool // stop was called
	closed   bool // Close was called
}

// moment is how long nobody must have connected for a socket to count as empty.
const moment = 2 * time.Millisecond

func newTurn(socket *net.TCPListener) (*turn, error) {
	return &turn{TCPListener: socket, stopped: make(chan struct{}), over: make(chan struct{})}, socket.SetDeadline(time.Time{})
}

// Accept returns net.ErrClosed once the turn is closed. After stop it waits for that.
func (t *turn) Accept() (net.Conn, error) {
	for {
		accept, emptying, err := t.before()
		if err != nil {
			return nil, err
		}
		if accept {
			conn, err := t.TCPListener.Accept()
			if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
				return conn, err
			}
		}
		if emptying || !accept {
			close(t.stopped)
			<-t.over
		}
	}
}

// before says whether to accept, and whether only who waits already.
func (t *turn) before() (accept, emptying bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return false, false, net.ErrClosed
	case t.stopping && t.last:
		return true, true, t.SetDeadline(time.Now().Add(moment))
	}
	return !t.stopping, false, nil
}

// stop ends the accepting, without the end of Accept. Who waits in a socket whose last turn this is, is accepted before. It returns when that is done, or
// when ctx ends: every connection that was accepted has been seen by the server then.
func (t *turn) stop(ctx context.Context) {
	t.mu.Lock()
	t.stopping = true
	_ = t.wake() // a socket that is closed accepts nobody
	t.mu.Unlock()
	select {
	case <-t.stopped:
	case <-ctx.Done():
	}
	if t.last {
		_ = t.TCPListener.Close() // there is nothing to lose any more
	}
}

// wake has Accept look again what it is to do.
func (t *turn) wake() error { return t.SetDeadline(time.Unix(1, 0)) }

// Close ends the turn. It may be called more than once.
func (t *turn) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	close(t.over)
	if !t.last {
		return t.wake()
	}
	if err := t.TCPListener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// isLast says that nobody's turn comes next.
func (t *turn) isLast() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = true
}
