package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/http2"
	"golang.org/x/net/netutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/access"
)

const listenerFile = `
listen: {webhook: "127.0.0.1:0", api: "127.0.0.1:0", grpc: "127.0.0.1:0", admin: "127.0.0.1:0"}
retention: {max_size: 64MiB, disk_reserve: 1MiB}
`

// onTheInternet is a gateway to which this machine is like any other.
func onTheInternet(t *testing.T) (s *Server, dir string) {
	t.Helper()
	dir = folder(t, good(map[string]string{"data_dir": "log", "top": listenerFile}))
	read := func() (Config, error) { return Load(filepath.Join(dir, "headgate.yaml"), environ(nil)) }
	cfg, err := read()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Reload = read
	if s, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	for _, l := range s.shared {
		l.local = func(netip.Addr) bool { return false }
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return s, dir
}

func dialFrom(t *testing.T, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.Dial("tcp", to)
	if err != nil && from != "127.0.0.1" {
		t.Skipf("this machine has no address %s: %v", from, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// isOpen says whether the server has not closed the connection yet.
func isOpen(conn net.Conn) bool {
	_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := conn.Read(make([]byte, 1))
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// until waits until something is so.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never happens: " + what)
		}
	}
}

// TestOneHostDoesNotShutTheDoor: an address that opens as many connections to the door as it can gets its share, and others are heard. Who the
// configuration says may post is not counted, as soon as it says so.
func TestOneHostDoesNotShutTheDoor(t *testing.T) {
	const many, share = 600, 500
	s, dir := onTheInternet(t)
	for _, name := range []string{listenWebhook, listenAPI, listenGRPC, listenAdmin} {
		if s.shared[name] == nil {
			t.Errorf("%s has no bound for one address", name)
		}
	}
	refused := func() (n float64) {
		families, err := s.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "headgate_connections_refused_total" {
				for _, m := range f.GetMetric() {
					n += m.GetCounter().GetValue()
				}
			}
		}
		return n
	}
	door := s.Addresses().Webhook
	var conns []net.Conn
	for range many {
		conns = append(conns, dialFrom(t, "127.0.0.1", door))
	}
	until(t, "the connections beyond the share are counted", func() bool { return refused() == many-share })
	open := 0
	for _, c := range conns {
		if isOpen(c) {
			open++
		}
	}
	if open != share {
		t.Errorf("one address has %d connections", open)
	}
	transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.2")}}).DialContext}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Post("http://"+door+"/webhooks/superoffice/acme", "application/json", bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("another address was answered %d", resp.StatusCode)
	}

	writeFile(t, filepath.Join(dir, "headgate.yaml"), good(map[string]string{"data_dir": "log", "more": "allow_addresses: [127.0.0.0/30]", "top": listenerFile}))
	s.Reload()
	isFull := func() bool {
		hosts, host := s.shared[listenWebhook].hosts, access.HostOf("127.0.0.1:1")
		if !hosts.Add(host) {
			return true
		}
		hosts.Remove(host)
		return false
	}
	until(t, "an address that a source names is not counted", func() bool {
		taken := isOpen(dialFrom(t, "127.0.0.1", door))
		if !isFull() {
			t.Fatal("the others went before it was seen")
		}
		return taken
	})
	for _, c := range conns {
		_ = c.Close()
	}
	until(t, "what was closed counts no more", func() bool { return !isFull() })
}

// TestOneHostDoesNotShutTheAdminPort: one that opens as many connections as it can leaves room for who collects metrics and asks for the health.
func TestOneHostDoesNotShutTheAdminPort(t *testing.T) {
	const many, share = 130, 100
	s, _ := onTheInternet(t)
	admin := s.Addresses().Admin
	var conns []net.Conn
	for range many {
		conns = append(conns, dialFrom(t, "127.0.0.1", admin))
	}
	until(t, "the connections beyond the share are closed", func() bool {
		open := 0
		for _, c := range conns {
			if isOpen(c) {
				open++
			}
		}
		return open == share
	})
	transport := &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.2")}}).DialContext}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("http://" + admin + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("another address was answered %d", resp.StatusCode)
	}
}

// slowMetric is a metric that takes its time.
type slowMetric struct {
	asked chan struct{} // one for each time
	value chan struct{} // closed when it has one
}

// Describe is part of the interface.
func (slowMetric) Describe(chan<- *prometheus.Desc) {}

// Collect is part of the interface.
func (m slowMetric) Collect(chan<- prometheus.Metric) {
	m.asked <- struct{}{}
	<-m.value
}

// TestMetricsAreNotMadeForEverybodyAtOnce: each page of them is work and memory, and costs whoever asks nothing.
func TestMetricsAreNotMadeForEverybodyAtOnce(t *testing.T) {
	s, _ := onTheInternet(t)
	slow := slowMetric{asked: make(chan struct{}, 10), value: make(chan struct{})}
	s.registry.MustRegister(slow)
	get := func() int {
		resp, err := http.Get("http://" + s.Addresses().Admin + "/metrics")
		if err != nil {
			t.Error(err)
			return 0
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	answers := make(chan int, 3)
	for range 2 {
		go func() { answers <- get() }()
		<-slow.asked
	}
	go func() { answers <- get() }()
	select {
	case got := <-answers:
		if got != http.StatusServiceUnavailable {
			t.Errorf("beside two others: answered %d", got)
		}
	case <-slow.asked:
		t.Error("a third is collected at once")
		answers <- 0
	}
	close(slow.value)
	for range 2 {
		if got := <-answers; got != http.StatusOK && got != 0 {
			t.Errorf("one of two: answered %d", got)
		}
	}
	if got := get(); got != http.StatusOK {
		t.Errorf("after them: answered %d", got)
	}
}

// TestFullListener: at its limit a listener takes no more, and goes on once there is room; what a host has too much takes nobody's place.
func TestFullListener(t *testing.T) {
	const most, share = 6, 4
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	one := newShared(raw, share, prometheus.NewCounter(prometheus.CounterOpts{Name: "refused"}), prometheus.NewGauge(prometheus.GaugeOpts{Name: "open"}))
	one.local = func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.3") }
	full := netutil.LimitListener(one, most)
	accepted := make(chan net.Conn, 2*most)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := full.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	t.Cleanup(func() {
		_ = full.Close()
		<-done
	})
	next := func() net.Conn {
		select {
		case conn := <-accepted:
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		case <-time.After(20 * time.Second):
			t.Fatal("no more connections are accepted")
			return nil
		}
	}
	at := raw.Addr().String()
	for range 2 * share {
		dialFrom(t, "127.0.0.1", at)
	}
	var held []net.Conn
	for range share {
		held = append(held, next())
	}
	for range most - share {
		dialFrom(t, "127.0.0.3", at)
		held = append(held, next())
	}
	waiting := dialFrom(t, "127.0.0.3", at)
	if len(accepted) > 0 {
		t.Fatal("there are more than the limit")
	}
	for _, c := range held {
		_ = c.Close()
		_ = c.Close() // as some servers do
	}
	if got := next(); got.RemoteAddr().String() != waiting.LocalAddr().String() {
		t.Errorf("accepted %s", got.RemoteAddr())
	}
	dialFrom(t, "127.0.0.1", at)
	next()
}

// TestIdleConnectionsEnd: a client that calls nothing is sent away.
func TestIdleConnectionsEnd(t *testing.T) {
	was := connectionIdle
	connectionIdle = 200 * time.Millisecond
	defer func() { connectionIdle = was }()
	s, _ := onTheInternet(t)
	conn := dialFrom(t, "127.0.0.1", s.Addresses().GRPC)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	f := http2.NewFramer(conn, conn)
	if err := f.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	for away := false; !away; {
		frame, err := f.ReadFrame()
		if err != nil {
			t.Fatalf("it ends with %v", err)
		}
		_, away = frame.(*http2.GoAwayFrame)
	}
	// One with a stream stays, and an honest client calls again after it was sent away.
	client, err := grpc.NewClient(s.Addresses().GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range 2 {
		if _, err := headgatev1.NewEventServiceClient(client).DescribeLog(t.Context(), &headgatev1.DescribeLogRequest{}); err != nil {
			t.Error(err)
		}
		if !client.WaitForStateChange(t.Context(), connectivity.Ready) {
			t.Error("it is not sent away")
		}
	}
}
