package conformance

import (
	"net"
	"sync"
	"testing"
	"time"
)

// chunk is how much the front passes on at a time.
const chunk = 4 << 10

// front stands between the gateway and its clients, before both of its ports, and misbehaves as it is told to. Safe for concurrent use.
type front struct {
	grpc, rest string // where clients connect
	running    sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond
	closed  bool
	refuses bool
	rate    int   // bytes a second in each direction of a connection; 0: as fast as it can
	most    int   // bytes in one write; 0: any number
	cutIn   int64 // so many bytes more to clients, then a cut; negative: no cut
	cutNext []int64
	passed  int64 // bytes to clients
	cuts    int
	links   map[*link]bool
}

// link is one connection through the front.
type link struct {
	client, gateway net.Conn
	hushed          bool // guarded by the front's lock
}

func newFront(t *testing.T, grpc, rest string) *front {
	t.Helper()
	f := &front{cutIn: -1, links: map[*link]bool{}}
	f.changed = sync.NewCond(&f.mu)
	var listeners []net.Listener
	for _, to := range []string{grpc, rest} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
		f.running.Go(func() { f.accept(l, to) })
	}
	f.grpc, f.rest = listeners[0].Addr().String(), listeners[1].Addr().String()
	t.Cleanup(func() {
		for _, l := range listeners {
			_ = l.Close()
		}
		f.set(func() { f.closed = true })
		f.cut()
		f.running.Wait()
	})
	return f
}

// set changes how the front behaves.
func (f *front) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	f.changed.Broadcast()
}

// cut resets all connections. New ones pass.
func (f *front) cut() { f.set(f.cutLocked) }

func (f *front) cutLocked() {
	f.cuts++
	f.cutIn = -1
	for l := range f.links {
		for _, c := range []net.Conn{l.client, l.gateway} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // a reset, not an orderly end
			}
			_ = c.Close()
		}
		l.hushed = false
	}
	clear(f.links)
}

// cutAfter resets all connections once so many bytes more have been passed to clients, perhaps in the middle of a message, and again after each next number.
func (f *front) cutAfter(bytes ...int64) {
	f.set(func() { f.cutIn, f.cutNext = bytes[0], bytes[1:] })
}

// hush keeps all connections open and passes nothing more on, in neither direction, as when the network has lost them, until speak. New ones pass.
func (f *front) hush()  { f.hushAll(true) }
func (f *front) speak() { f.hushAll(false) }

func (f *front) hushAll(hushed bool) {
	f.set(func() {
		for l := range f.links {
			l.hushed = hushed
		}
	})
}

// slow passes on so many bytes a second.
func (f *front) slow(rate int) { f.set(func() { f.rate = rate }) }

// slice passes on at most so many bytes at a time, 0 as many as there are.
func (f *front) slice(most int) { f.set(func() { f.most = most }) }

// refuse turns away who connects, until admit. What is connected stays.
func (f *front) refuse() { f.set(func() { f.refuses = true }) }
func (f *front) admit()  { f.set(func() { f.refuses = false }) }

// toClients is how many bytes were passed to clients.
func (f *front) toClients() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.passed
}

// hasCut is how often the front has reset the connections.
func (f *front) hasCut() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cuts
}

func (f *front) accept(l net.Listener, to string) {
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		f.running.Go(func() { f.serve(in, to) })
	}
}

func (f *front) serve(in net.Conn, to string) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	l := &link{client: in, gateway: out}
	if !f.enter(l) {
		return
	}
	f.running.Go(func() {
		f.pass(l, false)
		_ = out.Close()
	})
	f.pass(l, true)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.links, l)
}

// enter reports whether the connection may be.
func (f *front) enter(l *link) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.refuses {
		_ = l.client.(*net.TCPConn).SetLinger(0)
		return false
	}
	f.links[l] = true
	return true
}

// pass copies in one direction until one of the connections ends.
func (f *front) pass(l *link, down bool) {
	from, to := l.client, l.gateway
	if down {
		from, to = to, from
	}
	buffer := make([]byte, chunk)
	for {
		n, err := from.Read(buffer)
		for rest := buffer[:n]; len(rest) > 0; {
			may, pause := f.may(l, len(rest), down)
			time.Sleep(pause) // the slow line
			if _, failed := to.Write(rest[:may]); failed != nil {
				return
			}
			rest = rest[may:]
			f.wrote(may, down)
		}
		if err != nil {
			return
		}
	}
}

// may waits while the link is hushed, and says how many of n bytes go on, and after what pause.
func (f *front) may(l *link, n int, down bool) (int, time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for l.hushed {
		f.changed.Wait()
	}
	if down && f.cutIn >= 0 {
		n = int(min(int64(n), f.cutIn))
	}
	if f.most > 0 {
		n = min(n, f.most)
	}
	if f.rate == 0 {
		return n, 0
	}
	n = min(n, max(1, f.rate/50))
	return n, time.Duration(n) * time.Second / time.Duration(f.rate)
}

// wrote counts, and cuts where that is due.
func (f *front) wrote(n int, down bool) {
	if !down {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed += int64(n)
	if f.cutIn < 0 {
		return
	}
	if f.cutIn = max(0, f.cutIn-int64(n)); f.cutIn == 0 {
		f.cutLocked()
		if len(f.cutNext) > 0 {
			f.cutIn, f.cutNext = f.cutNext[0], f.cutNext[1:]
		}
	}
}
