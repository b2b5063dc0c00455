//go:build unix

package conformance

import (
	"context"
	"flag"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/client"
)

var restarts = flag.Int("restarts", 10, "restarts of each kind in TestRollingRestarts")

// TestRollingRestarts: a gateway is restarted again and again while the CRM posts and services read. The CRM gets nothing but 200, and every reader all
// events once, in the order of the log.
func TestRollingRestarts(t *testing.T) {
	for name, way := range map[string]func(*testing.T) *restarting{"handing over": handingOver, "socket activation": socketActivation} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := way(t)
			t.Cleanup(r.g.kill)
			r.g.asker = newAsker(t, r.g.at.GRPC)
			r.g.sender = newSender(t, "http://"+r.g.at.Webhook+"/webhooks/superoffice/", secret)
			r.roll(*restarts)
		})
	}
}

// restarting is a gateway that is restarted in one way.
type restarting struct {
	*testing.T
	g       *gateway
	restart func()
}

func newRestarting(t *testing.T) *restarting {
	g := &gateway{t: t, dir: t.TempDir(), at: addresses{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"}}
	g.configure(settings{})
	return &restarting{T: t, g: g}
}

// handingOver: the new process takes over from the old one, without anybody else. Nobody but them has the sockets.
func handingOver(t *testing.T) *restarting {
	r := newRestarting(t)
	r.g.launch()
	r.restart = func() {
		r.badSuccessor()
		old := r.g.now
		r.g.run(r.g.command("--take-over"))
		select {
		case <-old.exited:
			if old.exit != nil {
				t.Errorf("the old gateway ended with %v:\n%s", old.exit, old.log)
			}
		case <-time.After(patience):
			t.Fatalf("the old gateway does not end:\n%s", old.log)
		}
	}
	return r
}

// badSuccessor is a new process that cannot run. The old one must not notice.
func (r *restarting) badSuccessor() {
	r.Helper()
	out, err := r.g.command("--take-over", "--listen-admin=192.0.2.1:1").CombinedOutput()
	if err == nil {
		r.Errorf("a gateway with an address of another machine runs; it said:\n%s", out)
	}
	select {
	case <-r.g.now.exited:
		r.Fatalf("the gateway ended with one that was to take over; it said:\n%s", r.g.now.log)
	default:
	}
}

// socketActivation: the sockets are the test's, as they are systemd's; the old process ends before the new one starts.
func socketActivation(t *testing.T) *restarting {
	r := newRestarting(t)
	var files []*os.File
	for range 4 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		t.Cleanup(func() { _ = f.Close() })
		files = append(files, f)
	}
	start := func() {
		cmd := r.g.command()
		// The process's number is known only to itself.
		cmd.Args = slices.Concat([]string{"sh", "-c", `LISTEN_PID=$$ exec "$@"`, "sh", cmd.Path}, cmd.Args[1:])
		cmd.Path, cmd.Err = exec.LookPath("sh")
		cmd.ExtraFiles, cmd.Env = files, append(os.Environ(), "LISTEN_FDS=4", "LISTEN_FDNAMES=webhook:api:grpc:admin")
		r.g.run(cmd)
	}
	start()
	r.restart = func() {
		r.g.stop()
		start()
	}
	return r
}

// roll restarts the gateway so often, at any time of what goes on.
func (r *restarting) roll(times int) {
	const pause = 20 * time.Millisecond // 50 posts a second
	ctx, cancel := context.WithTimeout(r.Context(), time.Duration(times)*10*time.Second+patience)
	defer cancel()
	readers := []*reader{r.read(ctx, client.Subscription{Start: client.Earliest()}), r.read(ctx, client.Subscription{Name: "saved", Start: client.Earliest()})}
	var posts sync.WaitGroup
	var slowest longest
	done, posted := make(chan struct{}), 0
	posts.Go(func() {
		tick, began := time.NewTicker(pause), time.Now()
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			for due := int(time.Since(began) / pause); posted < due; posted++ {
				n := posted
				posts.Go(func() {
					began := time.Now()
					r.g.sender.deliver(ctx, change{n: n, key: n})
					slowest.add(time.Since(began))
				})
			}
		}
	})
	var restarting longest
	for range times {
		for i, rd := range readers {
			if now := len(rd.await(ctx, rd.seen+1)); now > rd.seen {
				rd.seen = now
			} else {
				r.Fatalf("reader %d gets nothing any more after %d events", i, now)
			}
		}
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond) // the instant is what varies, nothing waits for it
		began := time.Now()
		r.restart()
		restarting.add(time.Since(began))
	}
	close(done)
	posts.Wait()
	r.Logf("%d restarts, the longest %v; %d posts, the slowest answered after %v", times, restarting.d, posted, slowest.d)
	if s := r.g.sender; s.refused > 0 || s.discarded > 0 || s.off {
		r.Errorf("the CRM was not answered 200 %d times, but %s; it discarded %d events; switched off: %v", s.refused, s.refusal, s.discarded, s.off)
	}
	if posted < 20*times {
		r.Errorf("only %d posts: that shows nothing", posted)
	}
	want := cursors(r.g.asker.log(), nil)
	if len(want) != posted {
		r.Errorf("the log has %d events of %d posts", len(want), posted)
	}
	for i, rd := range readers {
		if got := rd.await(ctx, len(want)); !slices.Equal(got, want) {
			r.Errorf("reader %d got %d events of %d, or not in the log's order", i, len(got), len(want))
		}
	}
	cancel()
	for _, rd := range readers {
		<-rd.ended
	}
}

// reader is a service that reads all the time.
type reader struct {
	mu    sync.Mutex
	got   []string
	seen  int           // how many there were before the last restart
	more  chan struct{} // has one when got grew
	ended chan struct{}
}

func (r *restarting) read(ctx context.Context, sub client.Subscription) *reader {
	rd := &reader{more: make(chan struct{}, 1), ended: make(chan struct{})}
	go func() {
		defer close(rd.ended)
		c, err := client.Dial(r.g.at.GRPC)
		if err != nil {
			r.Error(err)
			return
		}
		defer c.Close()
		for m, err := range c.Subscribe(ctx, sub) {
			if err != nil {
				if ctx.Err() == nil {
					r.Errorf("a reader ended with %v", err)
				}
				return
			}
			if m.Event != nil {
				rd.mu.Lock()
				rd.got = append(rd.got, m.Event.GetCursor())
				rd.mu.Unlock()
				select {
				case rd.more <- struct{}{}:
				default:
				}
			}
		}
	}()
	return rd
}

// await waits for so many events and returns what there is. What came twice counts twice.
func (rd *reader) await(ctx context.Context, n int) []string {
	for {
		rd.mu.Lock()
		got := slices.Clone(rd.got)
		rd.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-rd.more:
		case <-rd.ended:
			return got
		case <-ctx.Done():
			return got
		}
	}
}

// longest is the longest of durations.
type longest struct {
	mu sync.Mutex
	d  time.Duration
}

func (l *longest) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.d = max(l.d, d)
}
