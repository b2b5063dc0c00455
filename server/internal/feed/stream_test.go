package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
)

// smallTail makes the log keep next to nothing in memory, so that reads go to the engine.
func smallTail(s *setup) { s.log.TailBytes = 1 }

// TestDurableBeforeSent: what a reader was sent is there after a power cut, and its cursor resumes.
func TestDurableBeforeSent(t *testing.T) {
	g := newGateway(t)
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest(), MaxBatchSize: 1})
	r.caughtUp()
	g.append(event(1), event(2))
	first := r.recv()

	again := newGateway(t, func(s *setup) { crash(t, g, s) })
	if got := keys(again.all(&headgatev1.SubscribeRequest{Start: after(first.GetCursor())})); !cmp.Equal(got, numbers(2, 2)) {
		t.Errorf("got %v", got)
	}
}

// TestAtLeastOnceLive: events reach a caught-up reader one by one, without waiting for a heartbeat.
func TestAtLeastOnceLive(t *testing.T) {
	g := newGateway(t)
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: latest(), HeartbeatInterval: durationpb.New(5 * time.Minute)})
	r.caughtUp()
	for n := 1; n <= 100; n++ {
		g.append(event(n))
		if m := r.recv(); !cmp.Equal(keys([]*headgatev1.SubscribeResponse{m}), numbers(n, n)) || m.GetCursor() != m.GetEvents()[0].GetCursor() {
			t.Fatalf("event %d: got %v", n, m)
		}
	}
}

func TestBatches(t *testing.T) {
	for name, tail := range map[string]func(*setup){"tail": func(*setup) {}, "disk": smallTail} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, tail)
			g.appendMany(100, func(i int) *eventlog.Record { return event(i) })
			g.appendMany(200, func(i int) *eventlog.Record { return event(100+i, sized(20*i)) })
			full := false
			for _, m := range g.all(&headgatev1.SubscribeRequest{Start: earliest()}) {
				n, size := len(m.GetEvents()), 0
				for _, e := range m.GetEvents() {
					size += protowire.SizeTag(2) + protowire.SizeBytes(proto.Size(e))
				}
				full = full || n == maxBatchEvents
				if n > maxBatchEvents || (n > 1 && size > 16<<10) {
					t.Errorf("a batch of %d events, %d bytes", n, size)
				}
				if last := m.GetEvents()[n-1].GetCursor(); m.GetCursor() != last {
					t.Errorf("the cursor is %s, that of the last event is %s", m.GetCursor(), last)
				}
			}
			if !full {
				t.Error("no full batch for a reader that is behind")
			}
			for size, most := range map[uint32]int{1: 1, 7: 7, 1000: maxBatchEvents} {
				for _, m := range g.all(&headgatev1.SubscribeRequest{Start: earliest(), MaxBatchSize: size}) {
					if len(m.GetEvents()) > most {
						t.Errorf("max_batch_size %d: %d events", size, len(m.GetEvents()))
					}
				}
			}
		})
	}
}

// TestHugeEvent: the largest event that the webhook takes arrives with a client's default limit of 4 MiB.
func TestHugeEvent(t *testing.T) {
	g := newGateway(t)
	g.append(event(1), event(2, sized(3<<20-200)), event(3))
	if got := keys(g.all(&headgatev1.SubscribeRequest{Start: earliest()})); !cmp.Equal(got, numbers(1, 3)) {
		t.Error(got)
	}
	page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{AfterCursor: g.log.Cursor(1)})
	if err != nil || len(page.GetEvents()) != 1 || page.GetEvents()[0].GetPrimaryKey() != 2 || !page.GetHasMore() {
		t.Errorf("a page of %d events, more: %v, %v", len(page.GetEvents()), page.GetHasMore(), err)
	}
}

// rawCodec gives messages as they came over the wire.
type rawCodec struct{ encoding.CodecV2 }

func (c rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if raw, ok := v.(*[]byte); ok {
		*raw = data.Materialize()
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

// rawEvents returns the bytes of the next n events of a stream, by cursor and in order.
func rawEvents(t *testing.T, conn *grpc.ClientConn, start *headgatev1.Start, n int, ready chan<- struct{}) (list []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, headgatev1.EventService_Subscribe_FullMethodName,
		grpc.ForceCodecV2(rawCodec{encoding.GetCodecV2("proto")}))
	if err == nil {
		err = errors.Join(stream.SendMsg(&headgatev1.SubscribeRequest{Start: start}), stream.CloseSend())
	}
	for err == nil && len(list) < n {
		var raw []byte
		if err = stream.RecvMsg(&raw); ready != nil {
			close(ready)
			ready = nil
		}
		for len(raw) > 0 {
			num, typ, tag := protowire.ConsumeTag(raw)
			size := protowire.ConsumeFieldValue(num, typ, raw[tag:])
			if num == 2 {
				list = append(list, string(raw[tag:tag+size]))
			}
			raw = raw[tag+size:]
		}
	}
	if err != nil {
		t.Error(err)
	}
	return list
}

// TestStableIdentity: an event has the same bytes and the same cursor live, from the tail, from the disk, after a restart, and listed.
func TestStableIdentity(t *testing.T) {
	g := newGateway(t)
	const n = 200
	live := make(chan []string, 1)
	ready := make(chan struct{})
	go func() { live <- rawEvents(t, g.conn, latest(), n, ready) }()
	<-ready
	g.appendMany(n, func(i int) *eventlog.Record { return event(i, sized(i)) })
	want := <-live
	if got := rawEvents(t, g.conn, earliest(), n, nil); !slices.Equal(got, want) {
		t.Error("replayed from the tail, the events differ")
	}
	again := newGateway(t, smallTail, func(s *setup) { crash(t, g, s) })
	if got := rawEvents(t, again.conn, earliest(), n, nil); !slices.Equal(got, want) {
		t.Error("replayed from the disk, the events differ")
	}
	list, err := again.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{PageSize: n})
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range list.GetEvents() {
		same := new(headgatev1.Event)
		raw, _ := protowire.ConsumeBytes([]byte(want[i]))
		if err := proto.Unmarshal(raw, same); err != nil || !proto.Equal(e, same) {
			t.Fatalf("listed event %d differs: %v", i, err)
		}
		if got, err := again.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: e.GetCursor()}); err != nil || !proto.Equal(got.GetEvent(), e) {
			t.Fatalf("event %d, got by its cursor, differs: %v", i, err)
		}
	}
}

// TestGapAndErased: they have their place in the order, in streams and in pages.
func TestGapAndErased(t *testing.T) {
	for name, tail := range map[string]func(*setup){"tail": func(*setup) {}, "disk": smallTail} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, tail)
			g.append(event(1), gap("acme", ""), event(3), event(4, of("associate", "created")), event(5), gap("acme", "Cust2"), event(7, in("b", "B")), event(8))
			if err := g.log.Erase(t.Context(), []uint64{4, 5, 7}); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				filter *headgatev1.Filter
				want   []string
			}{
				{nil, []string{"1", "REASON_QUARANTINED", "3", "erased", "erased", "REASON_QUARANTINED", "erased", "8"}},
				{&headgatev1.Filter{Contexts: []string{"Cust1"}}, []string{"1", "REASON_QUARANTINED", "3", "erased", "erased", "8"}},
				{&headgatev1.Filter{Entities: []string{"relation"}, Sources: []string{"acme"}}, []string{"1", "REASON_QUARANTINED", "3", "erased", "REASON_QUARANTINED", "8"}},
				{&headgatev1.Filter{Sources: []string{"b"}}, []string{"erased"}},
			} {
				all := g.all(&headgatev1.SubscribeRequest{Start: earliest(), Filter: c.filter})
				if got := keys(all); !cmp.Equal(got, c.want) {
					t.Errorf("%v: got %v, want %v", c.filter, got, c.want)
				}
				for _, m := range all {
					if m.GetSignal() != nil && len(m.GetEvents()) > 0 {
						t.Error("a message with events and a signal")
					}
				}
				if got := pages(g, c.filter, 100); !cmp.Equal(got, c.want) {
					t.Errorf("%v: pages give %v, want %v", c.filter, got, c.want)
				}
			}
			all := g.all(&headgatev1.SubscribeRequest{Start: earliest(), MaxBatchSize: 1})
			for i, m := range all {
				if g.seq(m.GetCursor()) != uint64(i+1) {
					t.Errorf("message %d has the cursor of record %d", i, g.seq(m.GetCursor()))
				}
			}
			if e := all[3].GetErased(); e.GetSource() != "acme" || e.GetContext() != "Cust1" || e.GetEntity() != "associate" {
				t.Error(e)
			}
			if gap := all[5].GetGap(); gap.GetSource() != "acme" || !cmp.Equal(gap.GetContexts(), []string{"Cust2"}) {
				t.Error(gap)
			}
		})
	}
}

// TestShardsPartition: every event goes to exactly one shard, all of a record's to the same one, and gaps to every shard.
func TestShardsPartition(t *testing.T) {
	g := newGateway(t)
	actions := []string{"created", "changed", "deleted"}
	g.appendMany(300, func(i int) *eventlog.Record { return event(i/3, of("relation", actions[i%3])) })
	g.append(gap("acme", "Cust1"))
	const count = 5
	shardOf := map[int32]uint32{}
	total := 0
	for index := range uint32(count) {
		all := g.all(&headgatev1.SubscribeRequest{Start: earliest(), Shard: &headgatev1.Shard{Index: index, Count: count}})
		if all[len(all)-1].GetGap() == nil {
			t.Errorf("shard %d got no gap", index)
		}
		for _, m := range all {
			for _, e := range m.GetEvents() {
				total++
				if s, ok := shardOf[e.GetPrimaryKey()]; ok && s != index {
					t.Errorf("record %d is in the shards %d and %d", e.GetPrimaryKey(), s, index)
				}
				shardOf[e.GetPrimaryKey()] = index
			}
		}
	}
	if total != 300 || len(shardOf) != 100 {
		t.Errorf("%d events of %d records in all shards", total, len(shardOf))
	}
}

// TestStopWhenCaughtUp: the stream ends at the head of when it started, also while appends go on.
func TestStopWhenCaughtUp(t *testing.T) {
	g := newGateway(t)
	g.appendMany(500, func(i int) *eventlog.Record { return event(i) })
	stop := make(chan struct{})
	appended := make(chan error, 1)
	go func() {
		for n := 1000; ; n++ {
			select {
			case <-stop:
				appended <- nil
				return
			default:
			}
			if _, err := g.log.Append(context.Background(), event(n)); err != nil {
				appended <- err
				return
			}
		}
	}()
	for range 20 {
		r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest(), StopWhenCaughtUp: true})
		low := g.log.Head()
		r.started()
		high := g.log.Head()
		all, end := r.rest()
		closing := all[len(all)-1]
		if !errors.Is(end, io.EOF) || closing.GetClosing().GetReason() != headgatev1.Closing_REASON_CAUGHT_UP || closing.GetClosing().GetRetryAfter() != nil {
			t.Fatalf("the end is %v, %v", closing, end)
		}
		// The request may have arrived before low was read, but the 500 were there before all.
		at := g.seq(closing.GetCursor())
		if n := uint64(len(keys(all))) - 1; n != at || at < 500 || at > high {
			t.Errorf("%d events up to %d, while the head went from %d to %d", n, at, low, high)
		}
	}
	close(stop)
	if err := <-appended; err != nil {
		t.Error(err)
	}
	if got := g.all(&headgatev1.SubscribeRequest{Start: latest()}); len(got) > 0 {
		t.Error("a stream that starts at the head got", keys(got))
	}
}

// TestResumableAfterDraining: every stream gets Closing with a cursor that resumes, and new ones are told to come back.
func TestResumableAfterDraining(t *testing.T) {
	g := newGateway(t)
	g.append(event(1), event(2), event(3))
	var readers []*reader
	for range 10 {
		r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest(), HeartbeatInterval: durationpb.New(5 * time.Minute)})
		r.caughtUp()
		readers = append(readers, r)
	}
	g.feed.Drain()
	g.feed.Drain()
	for _, r := range readers {
		all, end := r.rest()
		if !cmp.Equal(keys(all), []string{"REASON_DRAINING"}) || !errors.Is(end, io.EOF) || all[0].GetClosing().GetRetryAfter().AsDuration() <= 0 {
			t.Errorf("the end is %v, %v", all, end)
		}
		if g.seq(all[0].GetCursor()) != 3 {
			t.Error("Closing has the cursor of record", g.seq(all[0].GetCursor()))
		}
	}
	_, retry := wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: latest()}), codes.Unavailable, fault.Draining)
	if retry.GetRetryDelay().AsDuration() <= 0 {
		t.Error("without RetryInfo")
	}
	if _, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{}); err != nil {
		t.Error("a page is refused while draining:", err)
	}
}

func TestLimitOfStreams(t *testing.T) {
	g := newGateway(t, func(s *setup) { s.feed.MaxStreams = 2 })
	a := g.subscribe(&headgatev1.SubscribeRequest{Start: latest()})
	a.caughtUp()
	g.subscribe(&headgatev1.SubscribeRequest{Start: latest()}).caughtUp()
	_, retry := wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: latest()}), codes.ResourceExhausted, fault.Limit)
	if retry.GetRetryDelay().AsDuration() <= 0 {
		t.Error("without RetryInfo")
	}
	a.cancel()
	until(t, "the ended stream leaves its place", func() bool { return len(g.feed.Streams(t.Context())) == 1 })
	g.subscribe(&headgatev1.SubscribeRequest{Start: latest()}).caughtUp()
}

// until polls for what nothing announces.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("did not happen: ", what)
		}
	}
}

func TestStreamsTellLag(t *testing.T) {
	g := newGateway(t, func(s *setup) { s.dialOpts = smallWindows })
	slow := g.subscribe(&headgatev1.SubscribeRequest{Start: latest(), ClientName: "slow", Filter: &headgatev1.Filter{Entities: []string{"relation"}}})
	slow.caughtUp()
	g.subscribe(&headgatev1.SubscribeRequest{Start: latest(), ClientName: "quiet", Filter: &headgatev1.Filter{Entities: []string{"sale"}}}).caughtUp()
	started := g.clock.now()
	g.clock.advance(time.Hour)
	g.appendMany(100, func(i int) *eventlog.Record { return event(i, sized(32<<10)) })
	g.clock.advance(time.Minute)
	until(t, "the quiet stream passes what it does not want", func() bool { return g.feed.Streams(t.Context())[1].CaughtUp })
	list := g.feed.Streams(t.Context())
	a, b := list[0], list[1]
	if a.ClientName != "slow" || a.ID == b.ID || a.Caller.Reader != "tester" || !a.StartedAt.Equal(started) || a.CaughtUp || a.Lag != time.Minute {
		t.Errorf("slow: %+v", a)
	}
	if b.ClientName != "quiet" || b.Lag != 0 || b.EventsSent != 0 || fmt.Sprint(b.Filter.GetEntities()) != "[sale]" {
		t.Errorf("quiet: %+v", b)
	}
	for n := 0; n < 100; n += len(slow.recv().GetEvents()) {
	}
	until(t, "the slow stream catches up", func() bool { return g.feed.Streams(t.Context())[0].CaughtUp })
	if a = g.feed.Streams(t.Context())[0]; a.Lag != 0 || a.EventsSent != 100 {
		t.Errorf("slow, after it read: %+v", a)
	}
}

// TestMaxAge: an old stream is ended between two events, whether it is quiet or busy, with the cursor to go on from.
func TestMaxAge(t *testing.T) {
	g := newGateway(t, func(s *setup) { s.feed.MaxAge = 10 * time.Millisecond })
	for range 3 { // nothing comes, and the heartbeat is far
		r := g.subscribe(&headgatev1.SubscribeRequest{Start: latest(), HeartbeatInterval: durationpb.New(time.Minute)})
		r.started()
		all, end := r.rest()
		last := all[len(all)-1]
		if !errors.Is(end, io.EOF) || last.GetClosing().GetReason() != headgatev1.Closing_REASON_MAX_AGE || g.seq(last.GetCursor()) != 0 {
			t.Fatalf("the stream ended with %v, %v", last, end)
		}
	}
	const n = 4_000 // which takes longer than a stream lasts
	g.appendMany(n, func(i int) *eventlog.Record { return event(i + 1) })
	next := uint64(1)
	for start := earliest(); next <= n; {
		r := g.subscribe(&headgatev1.SubscribeRequest{Start: start, MaxBatchSize: 1})
		r.started()
		all, end := r.rest()
		last := all[len(all)-1]
		if !errors.Is(end, io.EOF) || last.GetClosing().GetReason() != headgatev1.Closing_REASON_MAX_AGE {
			t.Fatalf("the stream ended with %v, %v", last, end)
		}
		for _, m := range all {
			for _, e := range m.GetEvents() {
				if seq := g.seq(e.GetCursor()); seq != next {
					t.Fatalf("record %d follows %d", seq, next-1)
				}
				next++
			}
		}
		start = after(last.GetCursor())
	}
}
