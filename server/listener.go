package server

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

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
	return &sharedConn{Conn: conn, leave: sync.OnceFunc(func() {
		s.open.Dec()
		leave()
	})}
}

func (s *shared) isExempt(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := at.Addr().Unmap()
	return s.local(addr) || slices.ContainsFunc(*s.exempt.Load(), func(p netip.Prefix) bool { return p.Contains(addr) })
}

// sharedConn counts until it is closed.
type sharedConn struct {
	net.Conn
	leave func()
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
