//go:build linux || darwin

package bench

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"
)

// sinks are readers that count and check what they get, and decode nothing more than that takes. Many may share a connection.
type sinks struct {
	b      *testing.B
	role   string
	conns  []*sinkConn
	tuning tuning

	started, caughtUp, events, messages counter

	failed   chan error  // the first failure
	ending   atomic.Bool // the server was told to stop: that streams end is no failure
	received sync.WaitGroup
}

// tuning says how sinks are other than usual.
type tuning struct {
	sent    *posts // how long these took is wanted
	stalled bool   // they have room for little, and never make more
	blind   bool   // they look at signals only
	keep    bool   // the order of the keys is wanted
}

// sinkConn is one connection.
type sinkConn struct {
	sinks   *sinks
	conn    net.Conn
	parser  parser
	tallies []*tally // by reader

	writing sync.Mutex // of who writes to conn
	now     int64      // when the last read returned, in Unix nanoseconds
}

// parser understands what a server sends.
type parser interface {
	// open begins a stream for each request. It returns what is to be written.
	open(requests [][]byte) ([]byte, error)
	// parse takes what it can of b, as much as it says.
	parse(b []byte) (used int, err error)
}

// connect opens the connections. Nothing is read yet.
func connect(p *peer, connections int, how tuning) *sinks {
	p.b.Helper()
	s, err := dial(p, connections, how)
	p.b.Cleanup(s.close)
	if err != nil {
		p.b.Fatal(err)
	}
	return s
}

// receiveBuffer is how much the system may take of a connection ahead of its reader. Left to itself it takes a whole burst: then what is measured is how the
// system finds memory, which depends on when the readers had their turn.
const receiveBuffer = 64 << 10

var dialer = net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
	failed := c.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, receiveBuffer)
	})
	return errors.Join(failed, err)
}}

// dial is connect for other goroutines than the benchmark's. The sinks must be closed, also after an error.
func dial(p *peer, connections int, how tuning) (*sinks, error) {
	s := &sinks{b: p.b, role: p.role, tuning: how, failed: make(chan error, 1)}
	for _, c := range []*counter{&s.started, &s.caughtUp, &s.events, &s.messages} {
		c.moved = make(chan struct{}, 1)
	}
	for range connections {
		conn, err := dialer.Dial("tcp", p.Readers)
		if err != nil {
			return s, err
		}
		c := &sinkConn{sinks: s, conn: conn}
		s.conns = append(s.conns, c)
		switch p.role {
		case rawTCP:
			c.parser = &rawParser{c}
		case natsCore:
			c.parser = &natsParser{c}
		default:
			h := &http2Parser{sinkConn: c, headers: hpack.NewDecoder(4096, nil)}
			c.parser = h
			if err := h.greet(); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

// open begins the streams: the i-th on the i-th connection, and so on round and round. It does not wait for them, and may be called once.
func (s *sinks) open(requests [][]byte) error {
	for i, c := range s.conns {
		var own [][]byte
		for n := i; n < len(requests); n += len(s.conns) {
			own = append(own, requests[n])
			c.tallies = append(c.tallies, &tally{keep: s.tuning.keep, sent: s.tuning.sent})
		}
		out, err := c.parser.open(own)
		if err != nil {
			return err
		}
		s.received.Go(c.receive)
		if err := c.write(out); err != nil {
			return err
		}
	}
	return nil
}

// mustOpen returns when all streams have started.
func (s *sinks) mustOpen(requests [][]byte) {
	s.b.Helper()
	err := s.open(requests)
	if err == nil {
		err = s.await(&s.started, len(requests))
	}
	if err != nil {
		s.b.Fatalf("%s: %v", s.role, err)
	}
}

// patience is how long nothing may happen before a run is given up.
const patience = 30 * time.Second

// await returns when so much was counted.
func (s *sinks) await(c *counter, total int) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	c.goal.Store(int64(total))
	for last := int64(-1); c.value.Load() < int64(total); {
		select {
		case <-c.moved:
		case err := <-s.failed:
			s.failed <- err
			return err
		case <-timer.C:
			if at := c.value.Load(); at == last {
				return fmt.Errorf("nothing has come for %s, after %d of %d", patience, at, total)
			}
			last = c.value.Load()
			timer.Reset(patience)
		}
	}
	return nil
}

// counter can be waited for by one goroutine.
type counter struct {
	value, goal atomic.Int64
	moved       chan struct{}
}

func (c *counter) add(n int) {
	if n > 0 && c.value.Add(int64(n)) >= c.goal.Load() {
		select {
		case c.moved <- struct{}{}:
		default:
		}
	}
}

// readSize is what one read may bring. It holds the largest HTTP/2 frame.
const readSize = 64 << 10

// receive reads until the connection ends.
func (c *sinkConn) receive() {
	buf := make([]byte, readSize)
	have := 0
	for {
		n, err := c.conn.Read(buf[have:])
		have += n
		c.now = time.Now().UnixNano()
		used, wrong := c.parser.parse(buf[:have])
		have = copy(buf, buf[used:have])
		if wrong != nil {
			c.sinks.fail(wrong)
			return
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the connection has ended")
			}
			c.sinks.fail(err)
			return
		}
		if have == len(buf) {
			c.sinks.fail(errors.New("a piece is larger than any that is sent"))
			return
		}
	}
}

func (s *sinks) fail(err error) {
	if s.ending.Load() {
		return
	}
	select {
	case s.failed <- err:
	default:
	}
}

func (c *sinkConn) write(b []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.conn.Write(b)
	return err
}

// close ends the connections and waits until nothing reads any more. It may be called more than once.
func (s *sinks) close() {
	s.ending.Store(true)
	for _, c := range s.conns {
		_ = c.conn.Close()
	}
	s.received.Wait()
}

// during awaits the events that the load brings, while it is under way.
func (s *sinks) during(total int, load func() error) error {
	done := make(chan error, 1)
	go func() {
		err := load()
		if err != nil {
			s.fail(err) // what it did not bring is not waited for
		}
		done <- err
	}()
	err := s.await(&s.events, total)
	return errors.Join(<-done, err)
}
