package client_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

func upTo(n int) (records []int) {
	for i := range n {
		records = append(records, i+1)
	}
	return records
}

// Of two replicas of an exclusive consumer one is served. When it leaves, by break or by its context, the other goes on exactly there.
func TestExclusiveHandOver(t *testing.T) {
	g := startGateway(t, t.TempDir())
	g.post(upTo(100)...)
	all := newLedger()
	a, b := g.dial(g.addr.GRPC), g.dial(g.addr.GRPC)
	waits := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		<-begun
		var last error
		for msg, err := range b.Subscribe(ctx, billing) {
			if last = err; msg.Standby != nil {
				waits <- struct{}{}
			}
			all.enter("b", msg)
		}
		ended <- last
	}()
	for msg, err := range a.Subscribe(t.Context(), billing) {
		if err != nil {
			t.Fatal(err)
		}
		if msg.Assigned != nil {
			close(begun)
			<-waits
		}
		if msg.Event.GetPrimaryKey() == 40 {
			break // not handled, so it is b's
		}
		all.enter("a", msg)
	}
	left := time.Now()
	all.await(t, "b", 61)
	if took := time.Since(left); took > 4*time.Second {
		t.Errorf("b began %v after a left: it was not told that a had", took)
	}
	cancel()
	if err := <-ended; err != context.Canceled {
		t.Errorf("b ended with %v", err)
	}
	all.check(g)
	got, err := g.subscriptions().GetSubscription(t.Context(), &headgatev1.GetSubscriptionRequest{Name: "billing"})
	if err != nil || got.GetShards()[0].GetLease() != "" || got.GetSubscription().GetLag() != nil {
		t.Errorf("b left %v, %v", got, err)
	}
}

// The replicas come and go while events come in. Each event is handled by one of them, those of a record in order.
func TestReplicasShareWithoutDoubling(t *testing.T) {
	g := startGateway(t, t.TempDir())
	all := newLedger()
	join := func(who string) (stop func()) {
		s := client.Subscription{Name: "billing", Start: client.Earliest(), Shards: 4, Member: who}
		return g.replica(g.dial(g.addr.GRPC), s, func(_ context.Context, m client.Message) error {
			all.enter(who, m)
			return nil
		})
	}
	// until posts while the replica has not yet handled some.
	until := func(who string) {
		t.Helper()
		all.mu.Lock()
		before := all.by[who]
		all.mu.Unlock()
		for n := 0; ; n++ {
			all.mu.Lock()
			some := all.by[who]-before >= 20
			all.mu.Unlock()
			if some {
				return
			}
			if n == 500 {
				t.Fatalf("%s gets nothing: %v", who, all.by)
			}
			g.post(upTo(16)...)
		}
	}
	leaveA := join("a")
	until("a")
	leaveB := join("b")
	until("b")
	until("a")
	leaveC := join("c")
	until("c")
	leaveA()
	until("b")
	leaveC()
	until("b")
	sent := 0
	for _, n := range g.sent {
		sent += n
	}
	all.mu.Lock()
	others := all.by["a"] + all.by["c"]
	all.mu.Unlock()
	all.await(t, "b", sent-others)
	leaveB()
	all.check(g)
}

// A replica that is cut off in the middle of an event loses its shard, not more, and learns it as soon as it is back.
func TestCutOffReplicaIsReplaced(t *testing.T) {
	g := startGateway(t, t.TempDir())
	front := newDoor(t, g.addr.GRPC)
	g.post(upTo(10)...)
	all := newLedger()
	stuck, told := make(chan struct{}), make(chan struct{})
	var fourth string
	stopA := g.replica(g.dial(front.listener.Addr().String()), billing, func(ctx context.Context, m client.Message) error {
		if m.Event.GetPrimaryKey() == 5 && all.total() == 4 {
			close(stuck)
			<-ctx.Done()
			close(told)
			return nil // too late
		}
		all.enter("a", m)
		fourth = m.Cursor()
		return nil
	})
	<-stuck
	g.await("billing", func(got *headgatev1.GetSubscriptionResponse) bool { return got.GetShards()[0].GetCursor() == fourth })
	stopB := g.replica(g.dial(g.addr.GRPC), billing, func(_ context.Context, m client.Message) error {
		all.enter("b", m)
		return nil
	})
	front.set(true)
	all.await(t, "b", 6)
	front.set(false)
	<-told
	stopA()
	stopB()
	all.check(g)
}

// What a broken connection leaves unsaved is saved over the next one: nothing is doubled.
func TestBrokenConnectionDoublesNothing(t *testing.T) {
	g := startGateway(t, t.TempDir())
	front := newDoor(t, g.addr.GRPC)
	g.post(upTo(300)...)
	all := newLedger()
	stop := g.replica(g.dial(front.listener.Addr().String()), billing, func(_ context.Context, m client.Message) error {
		all.enter("a", m)
		if n := m.Event.GetPrimaryKey(); n%50 == 0 {
			front.set(true)
			front.set(false)
		}
		return nil
	})
	all.await(t, "a", 300)
	stop()
	all.check(g)
}

func TestRestartedGatewayDoublesNothing(t *testing.T) {
	cfg := server.Dev()
	cfg.DataDir, cfg.Retention.DiskReserve = t.TempDir(), 1<<20
	own, err := scripted.OwnAddress()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen = server.Listen{Webhook: "127.0.0.1:0", API: "127.0.0.1:0", GRPC: own, Admin: "127.0.0.1:0"}
	g := runGateway(t, cfg)
	g.post(upTo(20)...)
	all := newLedger()
	halfway, on := make(chan struct{}), make(chan struct{})
	stop := g.replica(g.dial(g.addr.GRPC), client.Subscription{Name: "billing", Start: client.Earliest(), Shards: 2}, func(_ context.Context, m client.Message) error {
		all.enter("a", m)
		if m.Event.GetPrimaryKey() == 7 && m.Event.GetChangedByAssociateId() == 1 {
			close(halfway)
			<-on
		}
		return nil
	})
	<-halfway
	g.stop()
	again := runGateway(t, cfg)
	again.sent = g.sent
	close(on)
	again.post(upTo(20)...)
	all.await(t, "a", 40)
	stop()
	all.check(again)
}

// An event that cannot be handled stops its shard, until an operator leaves it out. The other shards go on.
func TestSkipUnblocksThePoisonedShard(t *testing.T) {
	g := startGateway(t, t.TempDir())
	g.post(upTo(16)...)
	all := newLedger()
	failed := make(chan client.Message, 100)
	s := client.Subscription{Name: "billing", Start: client.Earliest(), Shards: 4, OnFailure: func(m client.Message, _ error, _ time.Duration) { failed <- m }}
	stop := g.replica(g.dial(g.addr.GRPC), s, func(_ context.Context, m client.Message) error {
		if m.Event.GetPrimaryKey() == 9 && m.Event.GetChangedByAssociateId() == 2 {
			return errors.New("poison")
		}
		all.enter("a", m)
		return nil
	})
	// A skip takes the shard away at once, with what is not saved: here nothing is left to be.
	all.await(t, "a", 16)
	g.await("billing", func(got *headgatev1.GetSubscriptionResponse) bool { return got.GetSubscription().GetLag() == nil })
	g.post(9)
	poison := <-failed
	g.post(upTo(16)...)
	subscriptions := g.subscriptions()
	before, err := subscriptions.GetSubscription(t.Context(), &headgatev1.GetSubscriptionRequest{Name: "billing"})
	if err != nil {
		t.Fatal(err)
	}
	skipped, err := subscriptions.SkipEvent(t.Context(), &headgatev1.SkipEventRequest{Name: "billing", Cursor: poison.Cursor(), Reason: "poison"})
	if err != nil {
		t.Fatal(err)
	}
	all.await(t, "a", 32)
	after, err := subscriptions.GetSubscription(t.Context(), &headgatev1.GetSubscriptionRequest{Name: "billing"})
	if err != nil {
		t.Fatal(err)
	}
	for i, sh := range after.GetShards() {
		if same := sh.GetLease() == before.GetShards()[i].GetLease(); same == (uint32(i) == skipped.GetSkip().GetShard()) {
			t.Errorf("shard %d: the lease before was %s, now it is %s; skipped was %v", i, before.GetShards()[i].GetLease(), sh.GetLease(), skipped)
		}
	}
	stop()
	all.mu.Lock()
	if got := all.changes[9]; !slices.Equal(got, []int{1, 3}) {
		t.Errorf("of the poisoned record %v were handled", got)
	}
	all.mu.Unlock()
	delete(g.sent, 9)
	all.check(g)
}

func TestSeekBackDeliversAgain(t *testing.T) {
	g := startGateway(t, t.TempDir())
	g.post(upTo(5)...)
	all := newLedger()
	stop := g.replica(g.dial(g.addr.GRPC), billing, func(_ context.Context, m client.Message) error {
		all.enter("a", m)
		return nil
	})
	all.await(t, "a", 5)
	if _, err := g.subscriptions().SeekSubscription(t.Context(), &headgatev1.SeekSubscriptionRequest{Name: "billing", Start: client.Earliest()}); err != nil {
		t.Fatal(err)
	}
	all.await(t, "a", 10)
	stop()
	for record, changes := range all.changes {
		if !slices.Equal(changes, []int{1, 1}) {
			t.Errorf("record %d: handled %v", record, changes)
		}
	}
}

func TestWrongNumberOfShardsIsRefused(t *testing.T) {
	g := startGateway(t, t.TempDir())
	if _, err := g.subscriptions().CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "billing", ShardCount: 4, Start: client.Latest()}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := g.dial(g.addr.GRPC).Consume(ctx, billing, func(context.Context, client.Message) error { return nil })
	if answer, ok := errors.AsType[*client.Error](err); !ok || answer.Reason != client.ReasonSubscriptionMismatch {
		t.Errorf("ended with %v", err)
	}
	err = g.dial(g.addr.GRPC).Consume(ctx, client.Subscription{Name: "other"}, func(context.Context, client.Message) error { return nil })
	if answer, ok := errors.AsType[*client.Error](err); !ok || answer.Reason != client.ReasonSubscriptionNotFound {
		t.Errorf("ended with %v", err)
	}
}
