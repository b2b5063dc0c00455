//go:build unix

package server

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func listening(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.(*net.TCPListener)
}

func beginTurn(t *testing.T, socket *net.TCPListener) *turn {
	t.Helper()
	at, err := newTurn(socket)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// call connects and says something, without waiting to be heard.
func call(t *testing.T, to net.Addr, text string) net.Conn {
	t.Helper()
	conn := dialFrom(t, "127.0.0.1", to.String())
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// hears accepts one connection and expects it to say the text.
func hears(t *testing.T, l net.Listener, text string) {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Errorf("it says %q, %v; want %q", got, err, text)
	}
}

// TestTurns: who connects after a turn at a socket has ended is heard in the next one.
func TestTurns(t *testing.T) {
	socket := listening(t)
	first := beginTurn(t, socket)
	call(t, socket.Addr(), "one")
	hears(t, first, "one")
	ended := make(chan error, 1)
	go func() {
		_, err := first.Accept()
		ended <- err
	}()
	first.stop(t.Context())
	call(t, socket.Addr(), "two")
	select {
	case err := <-ended:
		t.Fatalf("it ended before it was closed, with %v", err)
	default:
	}
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("it ended with %v", err)
	}
	next := beginTurn(t, socket)
	hears(t, next, "two")
	call(t, socket.Addr(), "three")
	hears(t, next, "three")
}

// TestLastTurn: all who wait when the last turn at a socket ends are still accepted; afterwards one is refused at once.
func TestLastTurn(t *testing.T) {
	const waiting = 200
	socket := listening(t)
	last := beginTurn(t, socket)
	last.isLast()
	for range waiting {
		call(t, socket.Addr(), "me too")
	}
	stopped := make(chan struct{})
	go func() {
		last.stop(t.Context())
		close(stopped)
	}()
	// The server is only now accepting.
	eventually(t, "it is told to stop", func() bool { last.mu.Lock(); defer last.mu.Unlock(); return last.stopping })
	for range waiting {
		hears(t, last, "me too")
	}
	ended := make(chan error, 1)
	go func() {
		_, err := last.Accept()
		ended <- err
	}()
	<-stopped
	if conn, err := net.Dial("tcp", socket.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("the socket still listens")
	}
	if err := last.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("it ended with %v", err)
	}
}

// TestStopIsBounded: a server that is full accepts nobody; its stopping does not wait for that.
func TestStopIsBounded(t *testing.T) {
	last := beginTurn(t, listening(t))
	last.isLast()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	last.stop(ctx)
	if err := last.Close(); err != nil {
		t.Error(err)
	}
}

// passed are sockets as a process is passed them.
func passed(t *testing.T, names ...string) (files []*os.File, at []net.Addr) {
	t.Helper()
	for _, name := range names {
		l := listening(t)
		files, at = append(files, copyOf(t, l, name)), append(at, l.Addr())
	}
	return files, at
}

func copyOf(t *testing.T, of syscall.Conn, name string) (f *os.File) {
	t.Helper()
	raw, err := of.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	controlErr := raw.Control(func(fd uintptr) {
		var own int
		own, err = syscall.Dup(int(fd))
		f = os.NewFile(uintptr(own), name)
	})
	if err := errors.Join(err, controlErr); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSocketsThatArePassed: they are taken by their names, and whatever cannot be meant is told.
func TestSocketsThatArePassed(t *testing.T) {
	files, at := passed(t, "webhook", "grpc")
	cfg := Config{}
	if err := cfg.TakeSockets(files); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"webhook", "grpc"} {
		got := cfg.Sockets[name]
		if got == nil {
			t.Fatalf("%s is missing", name)
		}
		if got.Addr().String() != at[i].String() {
			t.Errorf("%s is %v", name, got.Addr())
		}
		_ = got.Close()
	}
	twice, _ := passed(t, "api", "api")
	unknown, _ := passed(t, "webhooks")
	unnamed, _ := passed(t, "LISTEN_FD_3")
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	local, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	for _, c := range []struct {
		files []*os.File
		want  string
	}{
		{twice, "two sockets were passed under the name api"},
		{unknown, `under the name "webhooks", which is none of webhook, api, grpc, admin and pprof`},
		{unnamed, "name each by FileDescriptorName="},
		{[]*os.File{copyOf(t, udp.(*net.UDPConn), "admin")}, "under the name admin cannot be used: it does not listen"},
		{[]*os.File{copyOf(t, local.(*net.UnixListener), "admin")}, "under the name admin cannot be used: it is not one of TCP"},
	} {
		if err := new(Config).TakeSockets(c.files); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want %s", err, c.want)
		}
	}
}

// TestSocketsOfOthersAreLookedAt: a socket that was bound for more than the configuration may serve is refused.
func TestSocketsOfOthersAreLookedAt(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	dir := folder(t, good(map[string]string{"data_dir": "log", "top": listenerFile}))
	cfg, err := Load(dir+"/headgate.yaml", environ(nil))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Sockets = map[string]*net.TCPListener{"grpc": l.(*net.TCPListener)}
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "listen.grpc: is not a loopback address") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(cfg.DataDir); err == nil {
		t.Error("it opened the log")
	}
}
