package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

// childEnv makes the test binary run a gateway instead of the tests: its value is the directory, and the addresses are printed as JSON.
const childEnv = "HEADGATE_TEST_CHILD"

func child() int {
	cfg := signedConfig(os.Getenv(childEnv))
	if given := os.Getenv(childEnv + "_LISTEN"); given != "" {
		if err := json.Unmarshal([]byte(given), &cfg.Listen); err != nil {
			panic(err)
		}
	}
	if os.Getenv(childEnv+"_READERS") != "" {
		cfg.Readers = abusedReaders()
	}
	s, err := server.New(cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	line, _ := json.Marshal(server.Listen(s.Addresses()))
	fmt.Println(string(line))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := s.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a gateway in a process of its own.
type process struct {
	cmd    *exec.Cmd
	listen server.Listen
}

func startProcess(t *testing.T, dir string, listen *server.Listen) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	if listen != nil {
		given, _ := json.Marshal(listen)
		cmd.Env = append(cmd.Env, childEnv+"_LISTEN="+string(given))
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &p.listen)
	}
	if err != nil {
		_ = p.kill()
		t.Fatalf("the server's first line: %q, %v", line, err)
	}
	return p
}

func (p *process) kill() error {
	return errors.Join(p.cmd.Process.Kill(), ignoreExit(p.cmd.Wait()))
}

func ignoreExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

// TestKilledBetweenPosts: the process is killed at random instants, between posts and in their middle, and started again. The Go client, which is
// itself stopped and started, gets every acknowledged event exactly once, in the order of the log.
func TestKilledBetweenPosts(t *testing.T) {
	const posts, kills = 300, 8
	dir := t.TempDir()
	p := startProcess(t, dir, nil)
	listen := p.listen
	defer func() { _ = p.kill() }()

	acked := make(map[int32]bool)
	reader := startLedger(t, listen.GRPC)
	for n := range posts {
		if n%(posts/kills) == posts/kills-1 {
			done := make(chan error, 1)
			go func(p *process) {
				time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond) // the instant is what varies, nothing waits for it
				done <- p.kill()
			}(p)
			for { // posts on, until the server is gone
				b := body(10_000+n, "relation.created", "Cust1234")
				status, err := tryPost(listen.Webhook, b, sign(testSecret, b))
				if err != nil {
					break
				}
				if status == http.StatusOK {
					acked[int32(10_000+n)] = true
				}
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			p = startProcess(t, dir, &listen)
			if n%2 == 0 {
				reader.stop()
				reader.start()
			}
		}
		b := body(n, "relation.created", "Cust1234")
		if status, err := tryPost(listen.Webhook, b, sign(testSecret, b)); err != nil || status != http.StatusOK {
			t.Fatalf("post %d: %d, %v", n, status, err)
		}
		acked[int32(n)] = true
	}
	reader.await(acked)
	reader.stop()
	got := reader.got
	seen := make(map[int32]bool)
	for _, pk := range got {
		if seen[pk] {
			t.Errorf("event %d came twice", pk)
		}
		seen[pk] = true
	}
	for pk := range acked {
		if !seen[pk] {
			t.Errorf("event %d was acknowledged and is lost", pk)
		}
	}
	regular := slices.DeleteFunc(got, func(pk int32) bool { return pk >= 10_000 })
	if !slices.IsSorted(regular) {
		t.Error("the order changed")
	}
}

// ledger is a service as the contract describes it: it keeps the cursor together with its effects, and so takes effect exactly once.
type ledger struct {
	t       *testing.T
	address string
	cancel  context.CancelFunc
	done    chan struct{}

	mu     sync.Mutex
	more   *sync.Cond
	got    []int32 // the effects
	cursor string  // changes with them
}

func startLedger(t *testing.T, address string) *ledger {
	r := &ledger{t: t, address: address}
	r.more = sync.NewCond(&r.mu)
	r.start()
	return r
}

func (r *ledger) start() {
	ctx, cancel := context.WithCancel(r.t.Context())
	r.cancel, r.done = cancel, make(chan struct{})
	start := client.Earliest()
	if r.cursor != "" {
		start = client.After(r.cursor)
	}
	go func() {
		defer close(r.done)
		if err := r.read(ctx, start); err != nil && ctx.Err() == nil {
			r.t.Error(err)
		}
	}()
}

func (r *ledger) read(ctx context.Context, start *headgatev1.Start) error {
	c, err := client.Dial(r.address)
	if err != nil {
		return err
	}
	defer c.Close()
	for m, err := range c.Subscribe(ctx, client.Subscription{Start: start}) {
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.cursor = m.Cursor()
		if m.Event != nil {
			r.got = append(r.got, m.Event.GetPrimaryKey())
			r.more.Broadcast()
		}
		r.mu.Unlock()
	}
	return nil
}

func (r *ledger) stop() {
	r.cancel()
	<-r.done
}

// await waits for all of the events. There can be more: a post whose answer was lost may have been stored.
func (r *ledger) await(events map[int32]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for missing := true; missing; {
		missing = false
		for pk := range events {
			missing = missing || !slices.Contains(r.got, pk)
		}
		if missing {
			r.more.Wait()
		}
	}
}
