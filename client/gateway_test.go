package client_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

// gateway is a real one.
type gateway struct {
	t    *testing.T
	addr server.Addresses
	stop func()
	http *http.Client
	sent map[int]int // events by record
}

// startGateway starts one on free ports, with its log in dir.
func startGateway(t *testing.T, dir string) *gateway {
	t.Helper()
	cfg := server.Dev()
	cfg.DataDir = dir
	cfg.Retention.DiskReserve = 1 << 20
	cfg.Listen = server.Listen{Webhook: "127.0.0.1:0", API: "127.0.0.1:0", GRPC: "127.0.0.1:0", Admin: "127.0.0.1:0"}
	return runGateway(t, cfg)
}

func runGateway(t *testing.T, cfg server.Config) *gateway {
	t.Helper()
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	transport := &http.Transport{}
	g := &gateway{t: t, addr: s.Addresses(), http: &http.Client{Transport: transport}, sent: map[int]int{}}
	g.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the gateway ended with %v", err)
		}
		transport.CloseIdleConnections()
	})
	t.Cleanup(g.stop)
	return g
}

// post posts the next change of each record. Its number among the record's changes is said to be an associate's.
func (g *gateway) post(records ...int) {
	g.t.Helper()
	for _, record := range records {
		g.sent[record]++
		body := fmt.Appendf(nil, `{"EventId":"00000000-0000-4000-%04d-%012d","Timestamp":"2026-01-02T03:04:05Z","Changes":["updated"],"Event":"contact.changed","PrimaryKey":%d,`+
			`"Entity":"contact","ContextIdentifier":"Cust26759","ChangedByAssociateId":%d,"WebhookName":"test"}`, g.sent[record], record, record, g.sent[record])
		resp, err := g.http.Post("http://"+g.addr.Webhook+"/webhooks/superoffice/dev", "application/json", bytes.NewReader(body))
		if err != nil {
			g.t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if _ = resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			g.t.Fatalf("a post was answered with %d, %v", resp.StatusCode, err)
		}
	}
}

// dial connects to the gateway, or to what stands before it.
func (g *gateway) dial(address string) *client.Client {
	g.t.Helper()
	c, err := client.Dial(address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (g *gateway) subscriptions() headgatev1.SubscriptionServiceClient {
	return headgatev1.NewSubscriptionServiceClient(g.dial(g.addr.GRPC).Conn())
}

// await waits until the subscription is as wanted.
func (g *gateway) await(name string, wanted func(*headgatev1.GetSubscriptionResponse) bool) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Minute)
	defer cancel()
	for subscriptions := g.subscriptions(); ; {
		got, err := subscriptions.GetSubscription(ctx, &headgatev1.GetSubscriptionRequest{Name: name})
		if err != nil {
			g.t.Fatal(err)
		}
		if wanted(got) {
			return
		}
	}
}

// ledger is what the replicas of a service have done, all of them together.
type ledger struct {
	mu      sync.Mutex
	changes map[int][]int  // by record, in the order of handling
	by      map[string]int // how many each replica handled
	moved   chan struct{}  // closed and made anew at each entry
}

func newLedger() *ledger {
	return &ledger{changes: map[int][]int{}, by: map[string]int{}, moved: make(chan struct{})}
}

func (l *ledger) enter(who string, m client.Message) {
	if m.Event == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	record := int(m.Event.GetPrimaryKey())
	l.changes[record] = append(l.changes[record], int(m.Event.GetChangedByAssociateId()))
	l.by[who]++
	close(l.moved)
	l.moved = make(chan struct{})
}

// await waits until the replica has handled as many.
func (l *ledger) await(t *testing.T, who string, n int) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		l.mu.Lock()
		got, moved := l.by[who], l.moved
		l.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-moved:
		case <-late:
			t.Fatalf("%s handled %d, want %d; the ledger is %v", who, got, n, l.changes)
		}
	}
}

func (l *ledger) total() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.by {
		n += k
	}
	return n
}

// check wants each change of each record once, in order.
func (l *ledger) check(g *gateway) {
	g.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for record, n := range g.sent {
		var want []int
		for i := range n {
			want = append(want, i+1)
		}
		if !slices.Equal(l.changes[record], want) {
			g.t.Errorf("record %d: handled %v, want 1 to %d", record, l.changes[record], n)
		}
	}
}

// replica runs Consume until stop is called, which fails the test when Consume does not return nil.
func (g *gateway) replica(c *client.Client, s client.Subscription, handle func(context.Context, client.Message) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Consume(ctx, s, handle) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			g.t.Errorf("Consume ended with %v", err)
		}
	})
	g.t.Cleanup(stop)
	return stop
}

// door stands before the gateway and can be shut: what is connected is cut off, and what comes is turned away.
type door struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	shut     bool
	conns    map[net.Conn]bool
	running  sync.WaitGroup
}

func newDoor(t *testing.T, to string) *door {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{listener: listener, to: to, conns: map[net.Conn]bool{}}
	d.running.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			d.running.Go(func() { d.pass(in) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		d.set(true)
		d.running.Wait()
	})
	return d
}

func (d *door) pass(in net.Conn) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial("tcp", d.to)
	if err != nil || !d.enter(in, out) {
		return
	}
	defer func() { _ = out.Close() }()
	d.running.Go(func() {
		_, _ = io.Copy(out, in)
		_ = out.Close()
	})
	_, _ = io.Copy(in, out)
}

func (d *door) enter(conns ...net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range conns {
		if d.shut {
			_ = c.Close()
		}
		d.conns[c] = true
	}
	return !d.shut
}

func (d *door) set(shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = shut
	for c := range d.conns {
		if shut {
			_ = c.Close()
			delete(d.conns, c)
		}
	}
}
