package feed

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
)

// savedOr is the saved position, or for a new subscription the start.
func savedOr(start *headgatev1.Start) *headgatev1.Start {
	saved := &headgatev1.Saved{}
	switch p := start.GetPosition().(type) {
	case *headgatev1.Start_At:
		saved.Otherwise = &headgatev1.Saved_At{At: p.At}
	case *headgatev1.Start_AfterCursor:
		saved.Otherwise = &headgatev1.Saved_AfterCursor{AfterCursor: p.AfterCursor}
	case *headgatev1.Start_FromTime:
		saved.Otherwise = &headgatev1.Saved_FromTime{FromTime: p.FromTime}
	}
	return &headgatev1.Start{Position: &headgatev1.Start_Saved{Saved: saved}}
}

// joining is a request for a shard of the subscription "billing".
func joining(member string, shards uint32) *headgatev1.SubscribeRequest {
	return &headgatev1.SubscribeRequest{
		Subscription: "billing", SubscriptionShards: shards, Member: member, Start: savedOr(earliest()), HeartbeatInterval: durationpb.New(time.Minute),
	}
}

// next returns the next message, which may have no cursor.
func (r *reader) next() *headgatev1.SubscribeResponse {
	r.t.Helper()
	m, err := r.stream.Recv()
	if err != nil {
		r.t.Fatalf("the stream ended: %v", err)
	}
	return m
}

// assigned reads up to Assigned.
func (r *reader) assigned() *headgatev1.SubscribeResponse {
	r.t.Helper()
	if m := r.next(); m.GetStarted() == nil || m.GetCursor() != "" {
		r.t.Fatalf("the first message is %v", m)
	}
	for {
		switch m := r.next(); {
		case m.GetStandby() != nil && m.GetCursor() == "":
		case m.GetAssigned() != nil && m.GetCursor() != "":
			return m
		default:
			r.t.Fatalf("before Assigned comes %v", m)
		}
	}
}

// events reads until it has n events.
func (r *reader) events(n int) (events []*headgatev1.Event) {
	r.t.Helper()
	for len(events) < n {
		events = append(events, r.recv().GetEvents()...)
	}
	return events
}

func saving(name string, saves ...*headgatev1.ShardSave) *headgatev1.SaveCursorsRequest {
	return &headgatev1.SaveCursorsRequest{Name: name, Saves: saves}
}

// save saves the cursor under the lease of a; release gives the shard on.
func (g *gateway) save(a *headgatev1.SubscribeResponse, cursor string, release bool) {
	g.t.Helper()
	_, err := g.named.SaveCursors(g.t.Context(), saving("billing", &headgatev1.ShardSave{
		Shard: a.GetAssigned().GetShard().GetIndex(), Lease: a.GetAssigned().GetLease(), Cursor: cursor, Release: release,
	}))
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) subscription() *headgatev1.GetSubscriptionResponse {
	g.t.Helper()
	resp, err := g.named.GetSubscription(g.t.Context(), &headgatev1.GetSubscriptionRequest{Name: "billing"})
	if err != nil {
		g.t.Fatal(err)
	}
	return resp
}

// TestSavedPosition: whoever subscribes gets what comes after the saved cursor, and "latest" is when the subscription was made.
func TestSavedPosition(t *testing.T) {
	g := newGateway(t, named)
	g.append(event(1))
	req := joining("a", 0)
	req.Start = savedOr(latest())
	r := g.subscribe(req)
	a := r.assigned()
	if got := a.GetAssigned().GetShard(); got.GetIndex() != 0 || got.GetCount() != 1 || g.seq(a.GetCursor()) != 1 {
		t.Fatalf("assigned %v", a)
	}
	g.append(event(2), event(3))
	first := r.events(2)
	// Nothing was saved: it all comes again, although latest was asked for.
	g.save(a, "", true)
	if m := r.next(); m.GetCheckpoint() == nil && m.GetClosing().GetReason() != headgatev1.Closing_REASON_HANDED_OVER {
		t.Fatalf("after the release comes %v", m)
	}
	r.cancel()
	r = g.subscribe(req)
	a = r.assigned()
	if again := r.events(2); !proto.Equal(again[0], first[0]) || !proto.Equal(again[1], first[1]) {
		t.Fatalf("first %v, then %v", first, again)
	}
	g.save(a, first[0].GetCursor(), true)
	r.cancel()
	r = g.subscribe(req)
	if a := r.assigned(); a.GetCursor() != first[0].GetCursor() {
		t.Errorf("assigned %v", a)
	}
	if got := r.events(1); !proto.Equal(got[0], first[1]) {
		t.Errorf("after the saved one comes %v", got)
	}
}

// TestStandbyTakesOver: one is served, the other hears that it waits, and gets the shard when the first is done with it, with nothing twice.
func TestStandbyTakesOver(t *testing.T) {
	g := newGateway(t, named)
	g.append(event(1), event(2))
	one := g.subscribe(joining("a", 1))
	a := one.assigned()
	one.events(2)
	two := g.subscribe(joining("b", 1))
	if m := two.next(); m.GetStarted() == nil {
		t.Fatal(m)
	}
	if m := two.next(); m.GetStandby() == nil {
		t.Fatal(m)
	}
	if sub := g.subscription().GetSubscription(); sub.GetServed() != 1 || sub.GetStandingBy() != 1 {
		t.Errorf("%v", sub)
	}
	g.save(a, g.log.Cursor(2), false)
	one.cancel() // nothing is on its way: no need to wait
	m := two.next()
	for m.GetStandby() != nil {
		m = two.next()
	}
	if m.GetAssigned() == nil || g.seq(m.GetCursor()) != 2 {
		t.Fatalf("the second gets %v", m)
	}
	g.append(event(3))
	if got := two.events(1); got[0].GetPrimaryKey() != 3 {
		t.Errorf("the second reads %v", got)
	}
}

// pump reads the stream on and on. The channel is closed when the stream ends.
func (r *reader) pump() <-chan *headgatev1.SubscribeResponse {
	ch := make(chan *headgatev1.SubscribeResponse)
	go func() {
		defer close(ch)
		for {
			m, err := r.stream.Recv()
			if err != nil {
				return
			}
			select {
			case ch <- m:
			case <-r.stream.Context().Done():
				return
			}
		}
	}()
	return ch
}

// served is a stream that is served a shard.
type served struct {
	*reader
	a  *headgatev1.SubscribeResponse
	in <-chan *headgatev1.SubscribeResponse
}

func (g *gateway) served(req *headgatev1.SubscribeRequest) served {
	g.t.Helper()
	r := g.subscribe(req)
	return served{r, r.assigned(), r.pump()}
}

// tally counts how often each event came.
type tally map[int32]int

// until takes messages of either stream until done says so of one, which it returns with its stream's index.
func (h tally) until(a, b <-chan *headgatev1.SubscribeResponse, done func(m *headgatev1.SubscribeResponse) bool) (int, *headgatev1.SubscribeResponse) {
	for {
		var m *headgatev1.SubscribeResponse
		which := 0
		select {
		case m = <-a:
		case m = <-b:
			which = 1
		}
		for _, e := range m.GetEvents() {
			h[e.GetPrimaryKey()]++
		}
		if done(m) {
			return which, m
		}
	}
}

// TestHandOver: a member that joins gets half of the shards. Who gives one up is told up to where it was sent; once that is saved the newcomer goes on
// there, with nothing lost or doubled.
func TestHandOver(t *testing.T) {
	g := newGateway(t, named)
	const n = 200
	g.appendMany(n, func(i int) *eventlog.Record { return event(i + 1) })
	handled := tally{}
	all := func(n int) func(*headgatev1.SubscribeResponse) bool {
		return func(*headgatev1.SubscribeResponse) bool { return len(handled) == n }
	}
	old := []served{g.served(joining("a", 2)), g.served(joining("a", 2))}
	handled.until(old[0].in, old[1].in, all(n))
	newcomer := g.subscribe(joining("b", 2))
	which, closing := handled.until(old[0].in, old[1].in, func(m *headgatev1.SubscribeResponse) bool { return m.GetClosing() != nil })
	if closing.GetClosing().GetReason() != headgatev1.Closing_REASON_HANDED_OVER {
		t.Fatalf("the giver hears %v", closing)
	}
	giver, keeper := old[which], old[1-which]
	if a, b := newcomer.next(), newcomer.next(); a.GetStarted() == nil || b.GetStandby() == nil {
		t.Fatalf("before the giver has saved comes %v, %v", a, b)
	}
	g.save(giver.a, closing.GetCursor(), false)
	a := newcomer.next()
	if a.GetAssigned().GetShard().GetIndex() != giver.a.GetAssigned().GetShard().GetIndex() || a.GetCursor() != closing.GetCursor() {
		t.Fatalf("the newcomer gets %v", a)
	}
	_, err := g.named.SaveCursors(t.Context(), saving("billing",
		&headgatev1.ShardSave{Shard: a.GetAssigned().GetShard().GetIndex(), Lease: giver.a.GetAssigned().GetLease(), Cursor: closing.GetCursor()},
		&headgatev1.ShardSave{Shard: keeper.a.GetAssigned().GetShard().GetIndex(), Lease: keeper.a.GetAssigned().GetLease(), Cursor: closing.GetCursor()}))
	info, _ := wantFailure(t, err, codes.Aborted, fault.LeaseLost)
	if got := info.GetMetadata()["shards"]; got != fmt.Sprint(a.GetAssigned().GetShard().GetIndex()) {
		t.Errorf("the lease of shards %q is lost", got)
	}
	if got := g.subscription().GetShards()[keeper.a.GetAssigned().GetShard().GetIndex()].GetCursor(); got != closing.GetCursor() {
		t.Error("what was saved together with a lost one is not saved")
	}
	g.appendMany(100, func(i int) *eventlog.Record { return event(n + i + 1) })
	handled.until(keeper.in, newcomer.pump(), all(n+100))
	for key, times := range handled {
		if times != 1 {
			t.Errorf("event %d was delivered %d times", key, times)
		}
	}
}

// TestPoison: an event that is skipped does not come again, all others do, and it can still be read.
func TestPoison(t *testing.T) {
	g := newGateway(t, named)
	g.append(event(1), event(2), event(3))
	s := g.served(joining("a", 1))
	handled := tally{}
	handled.until(s.in, nil, func(*headgatev1.SubscribeResponse) bool { return len(handled) == 3 })
	g.save(s.a, g.log.Cursor(1), false)
	skip, err := g.named.SkipEvent(t.Context(), &headgatev1.SkipEventRequest{Name: "billing", Cursor: g.log.Cursor(2), Reason: "no such customer"})
	if err != nil {
		t.Fatal(err)
	}
	_, closing := handled.until(s.in, nil, func(m *headgatev1.SubscribeResponse) bool { return m.GetClosing() != nil })
	if closing.GetClosing().GetReason() != headgatev1.Closing_REASON_HANDED_OVER {
		t.Errorf("the stuck stream hears %v", closing)
	}
	again := g.subscribe(joining("a", 1))
	again.assigned()
	if got := again.events(1); got[0].GetPrimaryKey() != 3 {
		t.Errorf("after the skip comes %v", got)
	}
	skips := g.subscription().GetSkips()
	if len(skips) != 1 || !proto.Equal(skips[0], skip.GetSkip()) || skips[0].GetReason() != "no such customer" || skips[0].GetSkippedBy() != "tester, token 1" {
		t.Errorf("skips: %v", skips)
	}
	if _, err := g.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: skips[0].GetCursor()}); err != nil {
		t.Error("the skipped event cannot be read:", err)
	}
	for cursor, reason := range map[string]string{g.log.Cursor(1): fault.CursorBehind, g.log.Position(3): fault.EventNotFound, "?": fault.CursorMalformed} {
		_, err := g.named.SkipEvent(t.Context(), &headgatev1.SkipEventRequest{Name: "billing", Cursor: cursor, Reason: "x"})
		if info := infoOf(err); info.GetReason() != reason {
			t.Errorf("skipping %q: %v, want %s", cursor, err, reason)
		}
	}
}

// TestSeek: the position goes where it is sent, forward and back, and streams begin there.
func TestSeek(t *testing.T) {
	g := newGateway(t, named)
	g.append(event(1), event(2))
	g.clock.advance(time.Hour)
	g.append(event(3))
	for _, c := range []struct {
		to    *headgatev1.Start
		first int32
	}{{after(g.log.Cursor(1)), 2}, {at(g.clock.now()), 3}, {earliest(), 1}} {
		s := g.served(joining("a", 1))
		if _, err := g.named.SeekSubscription(t.Context(), &headgatev1.SeekSubscriptionRequest{Name: "billing", Start: c.to}); err != nil {
			t.Fatal(err)
		}
		tally{}.until(s.in, nil, func(m *headgatev1.SubscribeResponse) bool { return m.GetClosing() != nil })
		r := g.subscribe(joining("a", 1))
		a := r.assigned()
		if got := r.events(1); got[0].GetPrimaryKey() != c.first {
			t.Errorf("after seeking to %v comes %v", c.to, got)
		}
		g.save(a, "", true)
		r.cancel()
	}
	_, err := g.named.SeekSubscription(t.Context(), &headgatev1.SeekSubscriptionRequest{Name: "billing", Start: earliest(), Shard: proto.Uint32(1)})
	wantFailure(t, err, codes.InvalidArgument, fault.FilterInvalid)
}

// TestOvertaken: when the retention has passed the saved position, the stream fails or says so with a gap, as it chose; before, the subscription is in danger.
func TestOvertaken(t *testing.T) {
	g := newGateway(t, named, func(s *setup) { s.feed.Retention = maxAge })
	g.append(event(1))
	first := g.served(joining("a", 1))
	g.save(first.a, "", true)
	first.cancel()
	for i := 2; i <= 6; i++ {
		g.clock.advance(time.Hour)
		g.append(event(i))
	}
	if g.subscription().GetSubscription().GetEndangered() {
		t.Error("in danger although the retention is far")
	}
	g.clock.advance(maxAge / 100 * 95)
	sub := g.subscription().GetSubscription()
	if !sub.GetEndangered() || sub.GetLag().AsDuration() < maxAge/100*95 {
		t.Errorf("with the retention near: %v", sub)
	}
	g.trim(3)
	if !g.subscription().GetSubscription().GetEndangered() {
		t.Error("not in danger although events are gone")
	}
	fail := g.subscribe(joining("b", 1))
	fail.next()
	for {
		if _, err := fail.stream.Recv(); err != nil {
			wantFailure(t, err, codes.OutOfRange, fault.CursorExpired)
			break
		}
	}
	req := joining("b", 1)
	req.OnLostCursor = headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST
	r := g.subscribe(req)
	r.assigned()
	if m := r.recv(); m.GetGap().GetReason() != headgatev1.Gap_REASON_CURSOR_EXPIRED {
		t.Fatalf("instead of a gap comes %v", m)
	}
	if got := r.events(1); got[0].GetPrimaryKey() != 4 {
		t.Errorf("after the gap comes %v", got)
	}
}

// TestWeekend: a service that was away for sixty hours, finds everything that came meanwhile, in order; how far
// it is behind shows all the time.
func TestWeekend(t *testing.T) {
	g := newGateway(t, named, smallTail)
	req := joining("a", 4)
	g.append(event(1))
	friday := make([]served, 4)
	for i := range friday {
		friday[i] = g.served(req)
	}
	for _, s := range friday {
		g.save(s.a, g.log.Cursor(1), true)
		s.cancel()
	}
	g.clock.advance(time.Second)
	var want []string
	for hour := range 60 {
		for i := range 50 {
			g.append(event(2 + hour*50 + i))
			want = append(want, fmt.Sprint(2+hour*50+i))
		}
		g.clock.advance(time.Hour)
		if sub := g.subscription().GetSubscription(); sub.GetLag().AsDuration() != time.Duration(hour+1)*time.Hour || sub.GetServed() != 0 || sub.GetEndangered() {
			t.Fatalf("after %d hours: %v", hour+1, sub)
		}
	}
	type found struct {
		at  uint64
		key string
	}
	var got []found
	for range 4 {
		s := g.served(req)
		for m := range s.in {
			for _, e := range m.GetEvents() {
				got = append(got, found{g.seq(e.GetCursor()), fmt.Sprint(e.GetPrimaryKey())})
			}
			if m.GetCheckpoint().GetCaughtUp() {
				g.save(s.a, m.GetCursor(), false)
				break
			}
		}
	}
	slices.SortFunc(got, func(a, b found) int { return cmp.Compare(a.at, b.at) })
	var keys []string
	for _, f := range got {
		keys = append(keys, f.key)
	}
	if diff := gocmp.Diff(want, keys); diff != "" {
		t.Error(diff)
	}
	if sub := g.subscription().GetSubscription(); sub.GetLag() != nil || sub.GetServed() != 4 {
		t.Errorf("on Monday: %v", sub)
	}
}

// TestDeletedSubscription ends its streams with an error that says so.
func TestDeletedSubscription(t *testing.T) {
	g := newGateway(t, named)
	r := g.subscribe(joining("a", 1))
	r.assigned()
	if _, err := g.named.DeleteSubscription(t.Context(), &headgatev1.DeleteSubscriptionRequest{Name: "billing"}); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := r.stream.Recv(); err != nil {
			wantFailure(t, err, codes.NotFound, fault.SubscriptionNotFound)
			break
		}
	}
	list, err := g.named.ListSubscriptions(t.Context(), &headgatev1.ListSubscriptionsRequest{})
	if err != nil || len(list.GetSubscriptions()) != 0 {
		t.Error(list, err)
	}
}

// TestMembershipRefusals: each refusal names the field.
func TestMembershipRefusals(t *testing.T) {
	g := newGateway(t, named)
	base := func(change func(*headgatev1.SubscribeRequest)) *headgatev1.SubscribeRequest {
		req := joining("a", 2)
		change(req)
		return req
	}
	for field, req := range map[string]*headgatev1.SubscribeRequest{
		"start.saved":         {Start: savedOr(latest())},
		"member":              {Start: latest(), Member: "a"},
		"subscription_shards": {Start: latest(), SubscriptionShards: 1},
		"subscription":        base(func(r *headgatev1.SubscribeRequest) { r.Subscription = "a b" }),
		"start":               base(func(r *headgatev1.SubscribeRequest) { r.Start = latest() }),
		"shard.count":         base(func(r *headgatev1.SubscribeRequest) { r.Shard = &headgatev1.Shard{Count: 3} }),
	} {
		info := infoOf(g.refused(req))
		if got := info.GetMetadata()["field"]; got != field {
			t.Errorf("field %q is blamed, want %q", got, field)
		}
	}
	many := base(func(r *headgatev1.SubscribeRequest) { r.SubscriptionShards = 129 })
	wantFailure(t, g.refused(many), codes.InvalidArgument, fault.FilterInvalid)
	long := base(func(r *headgatev1.SubscribeRequest) { r.Member = strings.Repeat("x", 129) })
	wantFailure(t, g.refused(long), codes.InvalidArgument, fault.FilterInvalid)
	unknown := base(func(r *headgatev1.SubscribeRequest) { r.Start = savedOr(nil) })
	wantFailure(t, g.refused(unknown), codes.NotFound, fault.SubscriptionNotFound)
	future := base(func(r *headgatev1.SubscribeRequest) { r.Start = savedOr(at(g.clock.now().Add(time.Hour))) })
	wantFailure(t, g.refused(future), codes.InvalidArgument, fault.FilterInvalid)

	if _, err := g.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "billing", Start: earliest()}); err != nil {
		t.Fatal(err)
	}
	at := g.log.Cursor(0)
	for _, req := range []*headgatev1.SaveCursorsRequest{
		saving("billing"),
		saving("billing", &headgatev1.ShardSave{}),
		saving("billing", &headgatev1.ShardSave{Release: true}),
		saving("billing", &headgatev1.ShardSave{Lease: "1", Cursor: at, AllowBack: true}),
		saving("billing", &headgatev1.ShardSave{Shard: 1, Cursor: at}),
		saving("billing", &headgatev1.ShardSave{Cursor: at}, &headgatev1.ShardSave{Cursor: at}),
		saving("bil ling", &headgatev1.ShardSave{Cursor: at}),
	} {
		_, err := g.named.SaveCursors(t.Context(), req)
		wantFailure(t, err, codes.InvalidArgument, fault.FilterInvalid)
	}
	for _, reason := range []string{"", "a\nb\x00", strings.Repeat("x", 257)} {
		_, err := g.named.SkipEvent(t.Context(), &headgatev1.SkipEventRequest{Name: "billing", Cursor: g.log.Cursor(0), Reason: reason})
		wantFailure(t, err, codes.InvalidArgument, fault.FilterInvalid)
	}
}

// TestNamesAreTheReaders: one reader's subscription is not there for another, and its lag is that of what it may read.
func TestNamesAreTheReaders(t *testing.T) {
	caller := Caller{Reader: "one"}
	g := newGateway(t, named, under(onlyCreatedOfOne{}), func(s *setup) { s.feed.Caller = func(context.Context) Caller { return caller } })
	g.append(event(1))
	if _, err := g.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "billing", ShardCount: 2, Start: latest()}); err != nil {
		t.Fatal(err)
	}
	g.append(event(2, in("globex", "Default")))
	g.clock.advance(time.Hour)
	if sub := g.subscription().GetSubscription(); sub.GetLag() != nil || sub.GetShardCount() != 2 {
		t.Errorf("with another's event behind it: %v", sub)
	}
	g.append(event(3))
	g.clock.advance(time.Minute)
	resp := g.subscription()
	if got := resp.GetSubscription().GetLag().AsDuration(); got != time.Minute {
		t.Errorf("the lag is %v", got)
	}
	if a, b := resp.GetShards()[0].GetLag(), resp.GetShards()[1].GetLag(); (a == nil) == (b == nil) {
		t.Errorf("the shards' lags are %v and %v: the event is of one", a, b)
	}
	caller.Reader = "two"
	_, err := g.named.GetSubscription(t.Context(), &headgatev1.GetSubscriptionRequest{Name: "billing"})
	wantFailure(t, err, codes.NotFound, fault.SubscriptionNotFound)
	list, err := g.named.ListSubscriptions(t.Context(), &headgatev1.ListSubscriptionsRequest{})
	if err != nil || len(list.GetSubscriptions()) != 0 {
		t.Error(list, err)
	}
	if all := g.feed.Subscriptions(t.Context()); len(all) != 1 || all[0].Reader != "one" || len(all[0].GetShards()) != 2 {
		t.Errorf("the operator sees %v", all)
	}
}
