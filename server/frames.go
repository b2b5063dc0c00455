package server

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/time/rate"
	"google.golang.org/grpc/credentials"
)

// Frames that carry nothing cost a client next to nothing. An honest one sends some when it cancels calls: of those it has at most maxStreamsPerConnection at once.
const (
	emptyFramesPerSecond = 500
	emptyFramesAtOnce    = 5_000
)

var (
	errEmptyFrames  = errors.New("the client sends too many frames that carry nothing")
	errAsksTooOften = errors.New("the client asks too often for what is not known to be its business")
)

// calm are gRPC's credentials on connections that end when the client sends too many frames that carry nothing. gRPC itself counts only pings.
type calm struct {
	credentials.TransportCredentials
	knows   func(credentials.AuthInfo) bool // whether its client is a known caller already
	leaving <-chan struct{}                 // closed when nobody unknown is to be waited for
	unknown *unknown                        // is told of all connections
}

func (c calm) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	c.unknown.add(raw)
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		c.unknown.remove(raw)
		return nil, nil, err
	}
	quiet := &calmConn{
		Conn: conn, raw: raw, unknown: c.unknown, frames: frames{skip: len(http2.ClientPreface)}, empty: rate.NewLimiter(emptyFramesPerSecond, emptyFramesAtOnce), gone: make(chan struct{}),
		known: make(chan struct{}), decided: make(chan struct{}, 1), leaving: c.leaving, patience: refusedWithin, asked: rate.NewLimiter(askedPerSecond, askedAtOnce),
	}
	quiet.calls = newOneByOne(quiet, 0)
	quiet.calls.known, quiet.calls.increasing = quiet.admitted.Load, true
	if c.knows(info) {
		quiet.admit()
	}
	return quiet.calls, info, nil
}

// Clone is part of the interface.
func (c calm) Clone() credentials.TransportCredentials {
	return calm{c.TransportCredentials.Clone(), c.knows, c.leaving, c.unknown}
}

// What a client does not take from its socket, gRPC would wait with for ever, and keep all calls that it has not answered meanwhile; it looks only at what
// comes from the client. A client of HTTP/2 that is well takes everything at once, however slow those are that read its streams.
const (
	// writeWithin is how long a write may take at most. It may always take half of that.
	writeWithin = 30 * time.Second
	// refusedWithin is the same until a call was admitted on the connection.
	refusedWithin = 2 * time.Second
)

// Until a known caller's call was admitted, a connection may ask that often, and more than that at once. gRPC keeps every call with its headers, which cost the
// client next to nothing, until a processor is free for it and its answer has left. So that few more arrive than are looked at, little is read at a time.
// Headers are counted before gRPC reads them: malformed ones it answers itself, and nobody else sees them.
const (
	askedPerSecond = 10
	askedAtOnce    = 100
	readAtOnce     = 512
)

// A connection that has asked too often is not read any more. It is read again if it turns out to be a known caller's.
const (
	// knownWithin is how long that may take while it is not decided yet who makes some call on it: keys may have to be fetched.
	knownWithin = 10 * time.Second
	// answeredWithin is for what was refused to leave, so that its client learns why.
	answeredWithin = 250 * time.Millisecond
)

// calmConn is a connection whose client speaks HTTP/2. One goroutine at a time may read from it, and one may write to it.
type calmConn struct {
	net.Conn
	raw      net.Conn // below TLS
	unknown  *unknown // knows raw until it is admitted or closed
	mu       sync.Mutex
	patience time.Duration // how long a write may take; guarded by mu
	until    time.Time     // the deadline of writes; guarded by mu
	admitted atomic.Bool   // a call was, of a known caller
	known    chan struct{} // closed when admitted becomes true
	asked    *rate.Limiter
	over     atomic.Bool   // it asked more than it may
	open     atomic.Int32  // calls of which it is not decided who makes them
	decided  chan struct{} // has one when open may have become 0
	leaving  <-chan struct{}
	empty    *rate.Limiter
	frames   frames    // that are read
	calls    *oneByOne // around this one: what has to wait there was counted here
	once     sync.Once
	gone     chan struct{} // closed with the connection
}

// Close is part of the interface.
func (c *calmConn) Close() error {
	defer c.once.Do(func() {
		c.unknown.remove(c.raw)
		close(c.gone)
	})
	return c.Conn.Close()
}

// RemoteAddr is the address that calls find as their peer's. Through it they learn that the connection is gone, which gRPC tells them of only
// while it still sends for them.
func (c *calmConn) RemoteAddr() net.Addr { return lineAddr{c.Conn.RemoteAddr(), c} }

type lineAddr struct {
	net.Addr
	conn *calmConn
}

// Gone is closed when the connection is.
func (a lineAddr) Gone() <-chan struct{} { return a.conn.gone }

// arrived says that gRPC passed on the call that came last.
func (a lineAddr) arrived() { a.conn.calls.arrived() }

// Asked says that a call counts for more of the connection's questions than the one that it is.
func (a lineAddr) Asked(more int) { a.conn.ask(more) }

func (c *calmConn) ask(n int) {
	if !c.admitted.Load() && !c.asked.AllowN(time.Now(), n) {
		c.over.Store(true)
	}
}

// Undecided says that it takes time to find out who makes a call. Decided must be called when it is known.
func (a lineAddr) Undecided() { a.conn.open.Add(1) }

// Decided says that it is known who makes a call.
func (a lineAddr) Decided() {
	if a.conn.open.Add(-1) == 0 {
		select {
		case a.conn.decided <- struct{}{}:
		default:
		}
	}
}

// Admitted says that a call of a known caller was admitted. Behind a proxy those share a connection who know nothing of each other: where known callers are,
// strangers change nothing.
func (a lineAddr) Admitted() { a.conn.admit() }

func (c *calmConn) admit() {
	if c.admitted.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.admitted.Swap(true) {
		return
	}
	c.unknown.remove(c.raw)
	close(c.known)
	c.calls.becameKnown()
	c.patience = writeWithin
	c.extend() // of what is being written, too
}

// extend sets the deadline anew. The caller holds mu.
func (c *calmConn) extend() {
	c.until = time.Now().Add(c.patience)
	_ = c.Conn.SetWriteDeadline(c.until) // it fails when the connection is closed, as the write then does
}

// Write fails when the client takes nothing, and then closes the connection: gRPC would go on to read from it.
func (c *calmConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if !c.admitted.Load() || time.Until(c.until) < c.patience/2 {
		c.extend()
	}
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	if err != nil {
		_ = c.Close()
	}
	return n, err
}

// Read fails once the client has sent too many frames that carry nothing, or calls that nobody may make.
func (c *calmConn) Read(p []byte) (int, error) {
	if !c.admitted.Load() {
		if c.over.Load() && !c.becomesKnown() {
			return 0, errAsksTooOften
		}
		p = p[:min(len(p), readAtOnce)]
	}
	n, err := c.Conn.Read(p)
	calls, empty := c.count(p[:n])
	if empty > 0 && !c.empty.AllowN(time.Now(), empty) {
		return 0, errEmptyFrames
	}
	c.ask(calls)
	return n, err
}

// becomesKnown waits until it is known whose the connection is, but not for long.
func (c *calmConn) becomesKnown() bool {
	late := time.NewTimer(knownWithin)
	defer late.Stop()
	for c.open.Load() > 0 && c.wait(c.decided, late.C) {
	}
	late.Reset(answeredWithin)
	c.wait(nil, late.C)
	return c.admitted.Load()
}

// wait returns whether it goes on: the signal came, before the connection was known, too late, or gone.
func (c *calmConn) wait(signal <-chan struct{}, late <-chan time.Time) bool {
	select {
	case <-signal:
		return true
	case <-c.known:
	case <-c.gone:
	case <-c.leaving:
	case <-late:
	}
	return false
}

// count looks at what was read next: how many calls begin in it, and how many frames carry nothing.
func (c *calmConn) count(b []byte) (calls, empty int) {
	for len(b) > 0 {
		n, whole := c.frames.next(b)
		b = b[n:]
		switch {
		case !whole:
		case c.frames.kind() == http2.FrameHeaders:
			calls++
		case c.frames.carriesNothing():
			if empty++; c.frames.kind() == http2.FrameSettings { // gRPC keeps them, however many there are in a frame, until it has answered
				empty += c.frames.length() / 64
			}
		}
	}
	return calls, empty
}
