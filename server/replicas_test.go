package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

var (
	replicaEvents = flag.Int("replicas.events", 6_000, "events of TestReplicasUnderKills")
	replicaKills  = flag.Int("replicas.kills", 8, "kills of TestReplicasUnderKills")
)

// replicaEnv makes the test binary run a replica of a service instead of the tests.
const replicaEnv = "HEADGATE_TEST_REPLICA"

// replicaTerms are what a replica is told.
type replicaTerms struct {
	Address, Ledger string
	Shards          int
}

// replica is a service as its users write it. Its effect is a line in a file that all replicas append to, so that the file shows the order of all effects.
func replica() int {
	var terms replicaTerms
	if err := json.Unmarshal([]byte(os.Getenv(replicaEnv)), &terms); err != nil {
		panic(err)
	}
	ledger, err := os.OpenFile(terms.Ledger, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	c, err := client.Dial(terms.Address)
	if err != nil {
		panic(err)
	}
	defer c.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err = c.Consume(ctx, client.Subscription{Name: "billing", Shards: terms.Shards, Start: client.Earliest()}, func(_ context.Context, m client.Message) error {
		if m.Event == nil {
			return fmt.Errorf("it got %v", m)
		}
		_, err := fmt.Fprintf(ledger, "%d %s\n", os.Getpid(), m.Event.GetEventId())
		return err
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "replica:", err)
		return 1
	}
	return 0
}

// fleet is a gateway and the replicas of one service, each in a process of its own.
type fleet struct {
	t        *testing.T
	dir      string
	gateway  *process
	listen   server.Listen
	terms    replicaTerms
	replicas []*exec.Cmd
}

const fleetShards, fleetReplicas, fleetRecords = 8, 3, 512

func newFleet(t *testing.T) *fleet {
	f := &fleet{t: t, dir: t.TempDir()}
	f.terms = replicaTerms{Ledger: filepath.Join(t.TempDir(), "ledger"), Shards: fleetShards}
	if err := os.WriteFile(f.terms.Ledger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.gateway = startProcess(t, f.dir, nil)
	f.listen = f.gateway.listen
	f.terms.Address = f.listen.GRPC
	t.Cleanup(func() {
		for _, r := range f.replicas {
			_ = r.Process.Kill()
			_ = r.Wait()
		}
		_ = f.gateway.kill()
	})
	for range fleetReplicas {
		f.startReplica()
	}
	return f
}

func (f *fleet) startReplica() {
	f.t.Helper()
	terms, _ := json.Marshal(f.terms)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), replicaEnv+"="+string(terms))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.replicas = append(f.replicas, cmd)
}

// endReplica ends a replica with the signal, and starts another in its place.
func (f *fleet) endReplica(i int, sig os.Signal) {
	f.t.Helper()
	r := f.replicas[i]
	f.replicas = append(f.replicas[:i:i], f.replicas[i+1:]...)
	if err := r.Process.Signal(sig); err != nil {
		f.t.Fatal(err)
	}
	if err := r.Wait(); err != nil && sig == syscall.SIGTERM {
		f.t.Errorf("a replica that was told to end: %v", err)
	}
	f.startReplica()
}

// restartGateway ends the gateway with the signal and starts it again.
func (f *fleet) restartGateway(sig os.Signal) {
	f.t.Helper()
	if err := f.gateway.cmd.Process.Signal(sig); err != nil {
		f.t.Fatal(err)
	}
	if err := f.gateway.cmd.Wait(); err != nil && sig == syscall.SIGTERM {
		f.t.Errorf("the gateway that was told to end: %v", err)
	}
	f.gateway = startProcess(f.t, f.dir, &f.listen)
}

// change is the n-th webhook: a change of one of some records.
func change(n int) []byte {
	b := body(n, "relation.changed", "Cust1234")
	return bytes.Replace(b, fmt.Appendf(nil, `"PrimaryKey":%d`, n), fmt.Appendf(nil, `"PrimaryKey":%d`, n%fleetRecords), 1)
}

// post posts the changes from one number to the other, those of one record in order, each until it is accepted. It returns when all are.
func (f *fleet) post(from, to int) {
	const writers = 16
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := from; n < to; n++ {
				if n%fleetRecords%writers != w {
					continue
				}
				b := change(n)
				for {
					status, err := tryPost(f.listen.Webhook, b, sign(testSecret, b))
					if err == nil && status == http.StatusOK {
						break
					}
					if f.t.Context().Err() != nil {
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// effects are the numbers of the changes in the order in which they took effect.
func (f *fleet) effects() (list []int) {
	f.t.Helper()
	content, err := os.ReadFile(f.terms.Ledger)
	if err != nil {
		f.t.Fatal(err)
	}
	for line := range bytes.Lines(content) {
		n, err := strconv.Atoi(string(bytes.TrimSpace(line[bytes.LastIndexByte(line, '-')+1:])))
		if err != nil {
			f.t.Fatalf("line %q: %v", line, err)
		}
		list = append(list, n)
	}
	return list
}

// await waits until all changes up to the number have taken effect.
func (f *fleet) await(to int) {
	f.t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		seen := make(map[int]bool)
		for _, n := range f.effects() {
			seen[n] = true
		}
		if len(seen) == to {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			f.t.Fatalf("%d of %d changes took effect", len(seen), to)
		}
	}
}

// check holds the effects to the promises and returns how many there were twice.
func check(t *testing.T, effects []int) (doubled int) {
	t.Helper()
	seen := make(map[int]bool)
	last := make(map[int]int) // by record
	for _, n := range effects {
		if seen[n] {
			doubled++
			continue
		}
		seen[n] = true
		if before, any := last[n%fleetRecords]; any && before > n {
			t.Errorf("record %d: change %d took effect after %d", n%fleetRecords, n, before)
		}
		last[n%fleetRecords] = n
	}
	return doubled
}

// TestReplicasUnderKills: three replicas of a service share a subscription while they and the gateway are killed at random. Every change takes effect, those
// of a record in order, and few take effect twice. When the same processes are restarted properly, one after the other, none does.
func TestReplicasUnderKills(t *testing.T) {
	f := newFleet(t)
	var posted atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.post(0, *replicaEvents)
		posted.Store(true)
	}()
	kills := 0
	for ; kills < *replicaKills; kills++ {
		time.Sleep(time.Duration(rand.IntN(600)) * time.Millisecond) // the instant is what varies, nothing waits for it
		if rand.IntN(3) == 0 {
			f.restartGateway(syscall.SIGKILL)
		} else {
			f.endReplica(rand.IntN(len(f.replicas)), syscall.SIGKILL)
		}
	}
	early := posted.Load()
	<-done
	f.await(*replicaEvents)
	first := f.effects()
	doubled := check(t, first)
	t.Logf("%d changes, %d kills, %d took effect twice; all posted before the last kill: %v", *replicaEvents, kills, doubled, early)
	// What a kill doubles is what one replica handled while a save was under way.
	if doubled > kills*500 {
		t.Errorf("%d changes took effect twice after %d kills", doubled, kills)
	}

	more := *replicaEvents + *replicaEvents/4
	rolled := make(chan struct{})
	go func() {
		defer close(rolled)
		f.post(*replicaEvents, more)
	}()
	for range fleetReplicas { // the oldest goes first
		f.endReplica(0, syscall.SIGTERM)
	}
	f.restartGateway(syscall.SIGTERM)
	<-rolled
	f.await(more)
	if again := check(t, f.effects()) - doubled; again != 0 {
		t.Errorf("%d changes took effect twice although everybody was asked to end", again)
	}
	f.checkSaved(more)
}

// checkSaved: once the replicas have ended, the saved positions cover everything.
func (f *fleet) checkSaved(changes int) {
	f.t.Helper()
	for len(f.replicas) > 0 {
		r := f.replicas[0]
		f.replicas = f.replicas[1:]
		_ = r.Process.Signal(syscall.SIGTERM)
		if err := r.Wait(); err != nil {
			f.t.Errorf("a replica that was told to end: %v", err)
		}
	}
	c, err := client.Dial(f.listen.GRPC)
	if err != nil {
		f.t.Fatal(err)
	}
	defer c.Close()
	got, err := headgatev1.NewSubscriptionServiceClient(c.Conn()).GetSubscription(f.t.Context(), &headgatev1.GetSubscriptionRequest{Name: "billing"})
	if err != nil {
		f.t.Fatal(err)
	}
	for _, sh := range got.GetShards() {
		if sh.GetSavedAt() == nil {
			f.t.Errorf("after all have ended: %v", sh)
		}
	}
	left := 0
	for _, sh := range got.GetShards() {
		for m, err := range c.Subscribe(f.t.Context(), client.Subscription{
			Start: client.After(sh.GetCursor()), StopWhenCaughtUp: true, Shard: &headgatev1.Shard{Index: sh.GetIndex(), Count: fleetShards},
		}) {
			if err != nil {
				f.t.Fatal(err)
			}
			if m.Event != nil {
				left++
			}
		}
	}
	if left > 0 {
		f.t.Errorf("%d of %d changes took effect and are not covered by what is saved", left, changes)
	}
}
