package server

import (
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"

	"github.com/headgate/headgate/server/internal/access"
	"github.com/headgate/headgate/server/internal/webhook"
)

// maxConnections are how many a listener has at once, see connectionBounds. More wait until one of them ends. There are fewer than the files that the process
// may have open, so that nobody can keep the log from opening its own.
var maxConnections = map[string]int{listenWebhook: 4_000, listenAPI: 4_000, listenGRPC: 10_000, listenAdmin: 500, listenPProf: 10}

// maxFromOneHost are how many of them one host has. More are closed at once. Readers can be many behind one address, the CRM's machines are few
// behind one, and the admin port has few callers altogether.
var maxFromOneHost = map[string]int{listenWebhook: 500, listenAPI: 1_000, listenGRPC: 1_000, listenAdmin: 100, listenPProf: 10}

// shared is a listener of whose connections no host gets more than its share. Proxies speak for many and are exempt: those that shared was told of,
// and whoever is on this machine. A bound on what a proxy may have would only make it easier to keep others out.
type shared struct {
	net.Listener
	hosts   *access.Tally
	exempt  atomic.Pointer[[]netip.Prefix]
	local   func(netip.Addr) bool // on this machine
	mu      sync.Mutex
	conns   map[*sharedConn]bool // that are open; guarded by mu
	refused prometheus.Counter
	open    prometheus.Gauge
}

func newShared(l net.Listener, most int, refused prometheus.Counter, open prometheus.Gauge) *shared {
	s := &shared{Listener: l, hosts: access.NewTally(most), local: netip.Addr.IsLoopback, refused: refused, open: open}
	s.exempt.Store(&[]netip.Prefix{})
	return s
}

// Accept returns the next connection that its host may have.
func (s *shared) Accept() (net.Conn, error) {
	for {
		conn, err := s.Listener.Accept()
		if err != nil {
			return nil, err
		}
		remote := conn.RemoteAddr().String()
		if s.isExempt(remote) {
			return s.keep(conn, func() {}), nil
		}
		host := access.HostOf(remote)
		if s.hosts.Add(host) {
			return s.keep(conn, func() { s.hosts.Remove(host) }), nil
		}
		s.refused.Inc()
		_ = conn.Close() // whether that works is no business of the others
	}
}

// keep counts the connection until it is closed, and calls leave then.
func (s *shared) keep(conn net.Conn, leave func()) net.Conn {
	s.open.Inc()
	c := &sharedConn{Conn: conn}
	c.leave = sync.OnceFunc(func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		s.open.Dec()
		leave()
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		s.conns = make(map[*sharedConn]bool)
	}
	s.conns[c] = true
	return c
}

// hangUp closes what is open. TLS could wait with that for whoever takes nothing.
func (s *shared) hangUp() {
	s.mu.Lock()
	conns := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, c := range conns {
		_ = c.Conn.Close()
	}
}

func (s *shared) isExempt(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := at.Addr().Unmap()
	return s.local(addr) || slices.ContainsFunc(*s.exempt.Load(), func(p netip.Prefix) bool { return p.Contains(addr) })
}

// sharedConn counts until it is closed. A write to it for which nobody has set a deadline, or from which somebody takes it, lasts no longer than writeWithin: TLS
// answers some messages in what reads, and gRPC takes all deadlines away when a connection is made.
type sharedConn struct {
	net.Conn
	leave func()

	mu      sync.Mutex
	bounded bool // there is a deadline of writes; guarded by mu
}

// SetDeadline is part of the interface.
func (c *sharedConn) SetDeadline(t time.Time) error {
	return errors.Join(c.Conn.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetWriteDeadline is part of the interface.
func (c *sharedConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bounded = !t.IsZero()
	if !c.bounded {
		t = time.Now().Add(writeWithin) // of what is being written
	}
	return c.Conn.SetWriteDeadline(t)
}

// Write is part of the interface.
func (c *sharedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if !c.bounded {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(writeWithin)) // it fails when the connection is closed, as the write then does
	}
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// Close is part of the interface.
func (c *sharedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// listen begins the server's turn at the socket of that name, with all bounds on its connections.
func (s *Server) listen(name string, most int, metrics listenerMetrics) (net.Listener, error) {
	t, err := newTurn(s.sockets[name])
	if err != nil {
		return nil, err
	}
	s.turns[name] = t
	var l net.Listener = t
	if share := maxFromOneHost[name]; share > 0 {
		one := newShared(l, share, metrics.refused.WithLabelValues(name), metrics.open.WithLabelValues(name))
		s.shared[name] = one
		l = one
	}
	// Outside of the other: what is closed at once takes nobody's place.
	return netutil.LimitListener(l, most), nil
}

// exemptSenders lets those have any number of connections to the door that it trusts, or that a source is restricted to.
func (s *Server) exemptSenders(sources []webhook.Source) {
	exempt := slices.Clone(s.cfg.Webhook.TrustedProxies)
	for _, src := range sources {
		exempt = append(exempt, src.AllowAddresses...)
	}
	s.shared[listenWebhook].exempt.Store(&exempt)
}
