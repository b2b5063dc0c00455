package server

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

var errStream = errors.New("the client begins a call on a stream that it may not")

// oneByOne is a connection whose client speaks HTTP/2, and that lets its calls through one by one. The libraries answer by themselves what is malformed, or too large:
// nobody is asked whether the client may have that answer, and they keep it until the client takes it. So the next call is read when the one before has arrived
// at who asks, which takes no time, or when the answer to it has left. A connection keeps no more than one such answer, then, and its client alone waits. Headers
// that end a request count as a call too, though few clients send them: what they are, the library decides by what it made of those before.
//
// One goroutine at a time may read from it, and one may write to it.
type oneByOne struct {
	net.Conn
	forgets time.Duration // for how long a call is waited for that its client called off: a library may drop it and say nothing. 0: none does
	known   func() bool   // whether the client is a known caller, as it then remains: nothing is looked at any more, for it gets many messages. nil: it never is
	// increasing: a call on a stream that is not above the one before ends the connection, as does
	// what ends a request with headers, which no client of gRPC does. gRPC sees to it as well, but keeps an answer to
	// each such call, however many there are, until the first of them has left. net/http has one for all, and takes headers that end a request.
	increasing bool

	in, out frames
	last    uint32 // the stream of the last call that was let through
	rest    []byte // what was read, and not let through yet: the last byte of the header that a call begins with, and what follows
	// calledOff is when the client did that with the last call.
	calledOff time.Time

	mu      sync.Mutex
	open    uint32        // the stream of the call that neither arrived nor was answered, 0 if there is none; guarded by mu
	off     bool          // the client was told that no more calls are taken. Those that come are dropped without an answer; guarded by mu
	changed chan struct{} // has one when open may have become 0
	gone    chan struct{} // closed with the connection
	once    sync.Once
}

func newOneByOne(conn net.Conn, forgets time.Duration) *oneByOne {
	c := &oneByOne{Conn: conn, forgets: forgets, changed: make(chan struct{}, 1), gone: make(chan struct{})}
	c.in.skip = len(http2.ClientPreface)
	return c
}

// Close is part of the interface.
func (c *oneByOne) Close() error {
	defer c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

// arrived says that the call which was let through last has come to who asks whose it is.
func (c *oneByOne) arrived() { c.settle(0) }

// settle has the next call let through, if the one before is of that stream. 0: whatever it is.
func (c *oneByOne) settle(stream uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == 0 || stream != 0 && stream != c.open {
		return
	}
	c.open = 0
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Read waits before a call for the one before it, unless the client is known.
func (c *oneByOne) Read(p []byte) (n int, err error) {
	if c.isKnown() && len(c.rest) == 0 {
		return c.readKnown(p)
	}
	if len(c.rest) > 0 {
		n, err = c.let(c.rest[:min(len(c.rest), len(p))])
		copy(p, c.rest[:n])
		c.rest = c.rest[n:]
		return n, err
	}
	if n, err = c.Conn.Read(p); n == 0 {
		return 0, err
	}
	all := p[:n]
	n, let := c.let(all)
	if n == len(all) {
		return n, err
	}
	c.rest = bytes.Clone(all[n:]) // a failed read fails again
	return n, let
}

// readKnown reads what a known caller sends.
func (c *oneByOne) readKnown(p []byte) (n int, err error) {
	n, err = c.Conn.Read(p)
	for b := p[:n]; len(b) > 0; {
		k, whole := c.in.next(b)
		b = b[k:]
		if whole && c.in.kind() == http2.FrameHeaders {
			if !c.mayBegin(c.in.stream()) {
				return 0, errStream
			}
			c.last = c.in.stream()
		}
	}
	return n, err
}

// mayBegin says whether a call may begin on the stream.
func (c *oneByOne) mayBegin(stream uint32) bool {
	return !c.increasing || stream > c.last && stream%2 == 1
}

// let is how much of what was read may be let through. It waits only where that would be nothing.
func (c *oneByOne) let(b []byte) (n int, err error) {
	for n < len(b) {
		k, whole := c.in.next(b[n:])
		switch stream := c.in.stream(); {
		case !whole:
		case c.in.kind() == http2.FrameHeaders && !c.mayBegin(stream):
			return 0, errStream
		case c.in.kind() == http2.FrameHeaders:
			end := n + k - 1 // the header's last byte
			if end > 0 && c.pending() != 0 {
				c.in.back()
				return end, nil
			}
			if err := c.await(); err != nil {
				return 0, err
			}
			c.begin(stream)
		case c.in.kind() == http2.FrameRSTStream && stream == c.last && c.calledOff.IsZero():
			c.calledOff = time.Now()
		}
		n += k
	}
	return n, nil
}

func (c *oneByOne) begin(stream uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last, c.calledOff = stream, time.Time{}
	if !c.off {
		c.open = stream
	}
}

func (c *oneByOne) pending() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open
}

// isKnown says whether the client is a known caller.
func (c *oneByOne) isKnown() bool { return c.known != nil && c.known() }

// becameKnown must be called when known begins to be true.
func (c *oneByOne) becameKnown() { c.settle(0) }

// answerLasts is longer than an answer that a library gives by itself can wait to leave, over HTTP or gRPC.
const answerLasts = 6 * time.Second

// await waits until the call before has arrived or was answered, or will be neither.
func (c *oneByOne) await() error {
	wait := answerLasts
	if c.forgets > 0 && !c.calledOff.IsZero() {
		wait = time.Until(c.calledOff.Add(c.forgets))
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	for c.pending() != 0 && !c.isKnown() {
		select {
		case <-c.changed:
		case <-late.C:
			c.arrived()
		case <-c.gone:
			return net.ErrClosed
		}
	}
	return nil
}

// Write looks at what is answered.
func (c *oneByOne) Write(p []byte) (int, error) {
	if c.isKnown() {
		return c.Conn.Write(p)
	}
	open, answered, off := c.pending(), false, false
	for b := p; len(b) > 0; {
		k, whole := c.out.next(b)
		b = b[k:]
		switch {
		case !whole:
		case c.out.kind() == http2.FrameGoAway:
			off = off || c.out.lastStream() != 1<<31-1 // that announces another one
		case c.out.kind() == http2.FrameRSTStream, c.out.flags().Has(http2.FlagDataEndStream) && (c.out.kind() == http2.FrameData || c.out.kind() == http2.FrameHeaders):
			answered = answered || c.out.stream() == open
		}
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		_ = c.Close() // nothing will be answered any more
		return n, err
	}
	if answered {
		c.settle(open)
	}
	if off {
		c.mu.Lock()
		c.off = true
		c.mu.Unlock()
		c.arrived()
	}
	return n, nil
}
