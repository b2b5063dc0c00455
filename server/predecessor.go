package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
)

// predecessor is the gateway that a new one takes over from, as the new one sees it. Nil when there is none.
type predecessor struct {
	other
	// sockets are those that it has, by name, and addresses what its configuration says of them.
	sockets   map[string]*net.TCPListener
	addresses map[string]string
}

// findPredecessor asks the gateway that runs with the data directory for its sockets. Without one it returns nil.
func findPredecessor(dir string) (*predecessor, error) {
	if !canHandOver {
		return nil, errors.New("this system cannot hand sockets from one process to another; stop the running gateway, and start this one without --take-over")
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: filepath.Join(dir, handOverSocket), Net: "unix"})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		slog.Info("there is no gateway to take over from; starting as usual", "data", dir)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot ask the running gateway for its sockets: %w; run as the same user", err)
	}
	p := &predecessor{other: other{conn}, sockets: make(map[string]*net.TCPListener), addresses: make(map[string]string)}
	if err := p.ask(); err != nil {
		p.close()
		return nil, fmt.Errorf("the running gateway does not hand over its sockets: %w; it goes on", err)
	}
	return p, nil
}

func (p *predecessor) ask() error {
	if err := p.tell(message{Step: stepTakeOver, Version: handOverVersion}); err != nil {
		return err
	}
	if err := p.conn.SetReadDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	m, sockets, err := p.hear(stepSockets)
	if err == nil && m.Why != "" {
		err = errors.New(m.Why)
	}
	if err == nil && (m.Version != handOverVersion || len(sockets) != len(m.Sockets)) {
		err = errors.New("it does so in another way; stop it and start this one")
	}
	if err != nil {
		closeSockets(sockets)
		return err
	}
	for i, s := range m.Sockets {
		p.sockets[s.Name], p.addresses[s.Name] = sockets[i], s.Address
	}
	return nil
}

// socket returns the predecessor's socket for the listener, if it is what the new configuration says: the same setting, or the address that it has.
func (p *predecessor) socket(name, address string) *net.TCPListener {
	if p == nil || p.sockets[name] == nil || address != p.addresses[name] && address != p.sockets[name].Addr().String() {
		return nil
	}
	l := p.sockets[name]
	delete(p.sockets, name)
	return l
}

// release has the predecessor end, and returns when it has closed the log. A predecessor that went away has closed it too.
func (p *predecessor) release(ctx context.Context) error {
	if err := p.tell(message{Step: stepReady}); err != nil {
		return fmt.Errorf("the running gateway does not listen any more: %w", err)
	}
	// It takes the time that its readers and its disk take.
	if err := p.conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = p.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	_, _, err := p.hear(stepClosed)
	if ctx.Err() != nil {
		return fmt.Errorf("told to end before the running gateway had closed the log: %w", ctx.Err())
	}
	if err != nil {
		slog.Warn("the running gateway ended without a word; whether it has closed the log, the log will tell", "error", err)
	}
	return nil
}

// serving tells the predecessor that it can go.
func (p *predecessor) serving() {
	if p == nil {
		return
	}
	if err := p.tell(message{Step: stepServing}); err != nil {
		slog.Warn("the gateway that was taken over from is gone already", "error", err)
	}
	p.close()
}

// close leaves the predecessor, which goes on unless it was told that this one serves.
func (p *predecessor) close() {
	if p == nil {
		return
	}
	_ = p.conn.Close()
	for _, l := range p.sockets {
		_ = l.Close() // a copy that is not used
	}
}

// lockWithin is how long one waits for the lock of a process that is about to be gone.
const lockWithin = 3 * time.Second

// openStore opens the log, and waits so long when somebody else has it.
func openStore(dir string, opt pebblestore.Options, wait time.Duration) (store *pebblestore.Store, err error) {
	for end := time.Now().Add(wait); ; time.Sleep(20 * time.Millisecond) {
		if store, err = pebblestore.Open(dir, opt); !errors.Is(err, pebblestore.ErrInUse) || !time.Now().Before(end) {
			return store, err
		}
	}
}
