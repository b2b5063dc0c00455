package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/time/rate"
)

// readConn is a connection that only reads.
type readConn struct {
	net.Conn
	io.Reader
}

func (c readConn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// TestEmptyFrames: frames that carry nothing are told from the others however the bytes arrive.
func TestEmptyFrames(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(http2.ClientPreface)
	f := http2.NewFramer(&b, nil)
	write := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		write(f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: make([]byte, 300), EndHeaders: true}))
		write(f.WriteData(1, false, make([]byte, 16_384)))
		write(f.WriteData(1, true, nil))
		write(f.WriteWindowUpdate(0, 1))
		write(f.WritePing(false, [8]byte{}))
	}
	const want = 6
	write(f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}))
	write(f.WriteData(1, false, nil))
	write(f.WriteRSTStream(1, http2.ErrCodeCancel))
	write(f.WritePriority(1, http2.PriorityParam{StreamDep: 3}))
	write(f.WriteContinuation(1, false, make([]byte, 300)))
	write(f.WriteRawFrame(0x42, 0xff, 0, make([]byte, 300)))
	for name, slice := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "halves": iotest.HalfReader,
	} {
		for allowed, is := range map[int]error{want: nil, want - 1: errEmptyFrames} {
			conn := &calmConn{
				Conn: readConn{Reader: slice(bytes.NewReader(b.Bytes()))}, frames: frames{skip: len(http2.ClientPreface)}, empty: rate.NewLimiter(0, allowed), asked: rate.NewLimiter(0, 5),
			}
			n, err := io.Copy(io.Discard, conn)
			if !errors.Is(err, is) || (err == nil && n != int64(b.Len())) {
				t.Errorf("%s, %d allowed: %d of %d bytes, %v", name, allowed, n, b.Len(), err)
			}
		}
	}
}

// stuckConn is a connection whose client takes nothing.
type stuckConn struct {
	net.Conn
	deadlines chan time.Time
	closed    chan struct{}
}

func (c stuckConn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

func (c stuckConn) SetWriteDeadline(t time.Time) error {
	c.deadlines <- t
	return nil
}

func (c stuckConn) Write([]byte) (int, error) {
	<-c.closed
	return 0, net.ErrClosed
}

func (c stuckConn) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}

// TestWritesEnd: every write has a deadline, a longer one once a call was admitted on the connection, and what fails closes it.
func TestWritesEnd(t *testing.T) {
	conn := stuckConn{deadlines: make(chan time.Time, 10), closed: make(chan struct{})}
	c := &calmConn{Conn: conn, gone: make(chan struct{}), known: make(chan struct{}), patience: refusedWithin}
	c.calls = newOneByOne(c, 0)
	failed := make(chan error)
	go func() {
		_, err := c.Write(nil)
		failed <- err
	}()
	within := func(d time.Duration) {
		t.Helper()
		if got := time.Until(<-conn.deadlines); got > d || got < d/2 {
			t.Errorf("a write may take %v, want %v", got, d)
		}
	}
	within(refusedWithin)
	for range 2 {
		c.RemoteAddr().(interface{ Admitted() }).Admitted()
	}
	within(writeWithin)
	if n := len(conn.deadlines); n != 0 {
		t.Errorf("the deadline was put off %d times", n)
	}
	_ = conn.Close() // as the kernel would end the write
	if err := <-failed; err == nil {
		t.Error("a write to nobody succeeded")
	}
	<-c.gone
}

// TestTooManyQuestions: a connection that asked more than it may is read on once it is known whose it is, and ends when that does not become known.
func TestTooManyQuestions(t *testing.T) {
	begin := func(leaving <-chan struct{}) *calmConn {
		var b bytes.Buffer
		f := http2.NewFramer(&b, nil)
		for range 4 {
			if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: make([]byte, readAtOnce), EndHeaders: true}); err != nil {
				t.Fatal(err)
			}
		}
		c := &calmConn{
			Conn: readConn{Conn: stuckConn{deadlines: make(chan time.Time, 10), closed: make(chan struct{})}, Reader: &b}, gone: make(chan struct{}), known: make(chan struct{}),
			decided: make(chan struct{}, 1), leaving: leaving, asked: rate.NewLimiter(0, 3), empty: rate.NewLimiter(0, 0),
		}
		c.calls = newOneByOne(c, 0)
		return c
	}
	type line interface {
		Asked(int)
		Undecided()
		Decided()
		Admitted()
	}
	for name, c := range map[string]struct {
		undecided bool // a call
		then      func(c *calmConn, a line, leave func())
		want      error
		after     time.Duration
	}{
		"known":                 {true, func(_ *calmConn, a line, _ func()) { a.Admitted() }, nil, 0},
		"known by a later call": {true, func(_ *calmConn, a line, _ func()) { a.Undecided(); a.Decided(); a.Admitted(); a.Decided() }, nil, 0},
		"closed":                {true, func(c *calmConn, _ line, _ func()) { _ = c.Close() }, errAsksTooOften, 0},
		"by health":             {true, func(c *calmConn, a line, _ func()) { a.Asked(3); _ = c.Close() }, errAsksTooOften, 0},
		"the server leaves":     {true, func(_ *calmConn, _ line, leave func()) { leave() }, errAsksTooOften, 0},
		"refused":               {true, func(_ *calmConn, a line, _ func()) { a.Decided() }, errAsksTooOften, answeredWithin},
		"nothing to decide":     {false, func(*calmConn, line, func()) {}, errAsksTooOften, answeredWithin},
		"never decided":         {true, func(*calmConn, line, func()) {}, errAsksTooOften, knownWithin + answeredWithin},
	} {
		synctest.Test(t, func(t *testing.T) {
			leaving := make(chan struct{})
			conn, begun := begin(leaving), time.Now()
			a := conn.RemoteAddr().(line)
			if c.undecided {
				a.Undecided()
			}
			ended := make(chan error)
			go func() {
				_, err := io.Copy(io.Discard, struct{ io.Reader }{conn})
				ended <- err
			}()
			synctest.Wait()
			select {
			case err := <-ended:
				t.Fatalf("%s: it was read to its end: %v", name, err)
			default:
			}
			c.then(conn, a, func() { close(leaving) })
			if err := <-ended; !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
			if got := time.Since(begun); got != c.after {
				t.Errorf("%s: it ended after %v, want %v", name, got, c.after)
			}
		})
	}
}

// TestConnectionsAreLimited: one that is too many waits until another one ends.
func TestConnectionsAreLimited(t *testing.T) {
	before := maxConnections[listenAdmin]
	maxConnections[listenAdmin] = 2
	defer func() { maxConnections[listenAdmin] = before }()
	s, _ := running(t, "")
	held := make([]net.Conn, 2)
	for i := range held {
		var err error
		if held[i], err = net.Dial("tcp", s.Addresses().Admin); err != nil {
			t.Fatal(err)
		}
		defer held[i].Close()
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(within time.Duration) error {
		client.Timeout = within
		resp, err := client.Get("http://" + s.Addresses().Admin + "/healthz")
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	if get(100*time.Millisecond) == nil {
		t.Error("a third connection was served")
	}
	_ = held[0].Close()
	if err := get(20 * time.Second); err != nil {
		t.Error(err)
	}
}
