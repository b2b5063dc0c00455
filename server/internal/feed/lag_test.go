package feed

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
	"github.com/headgate/headgate/server/internal/subscription"
)

// TestLagIsTheSubscriptionsOwn: neither events of other shards count nor those that its filter leaves out.
func TestLagIsTheSubscriptionsOwn(t *testing.T) {
	g := newGateway(t, named)
	req := joining("a", 4)
	req.Filter = sales()
	r := g.subscribe(req)
	r.assigned()
	g.append(event(1), event(2), event(3))
	g.clock.advance(time.Minute)
	if resp := g.subscription(); resp.GetSubscription().GetLag() != nil {
		t.Errorf("with nothing of its filter behind it: %v", resp)
	}
	g.append(event(4, of("sale", "created")))
	g.clock.advance(time.Minute)
	resp := g.subscription()
	if got := resp.GetSubscription().GetLag().AsDuration(); got != time.Minute {
		t.Errorf("the lag is %v", got)
	}
	behind := 0
	for _, sh := range resp.GetShards() {
		if sh.GetLag() != nil {
			behind++
		}
	}
	if behind != 1 {
		t.Errorf("%d shards are behind for one event", behind)
	}
}

// TestDifferentFilters: the operator hears of members that would take events from each other.
func TestDifferentFilters(t *testing.T) {
	var lines bytes.Buffer
	g := newGateway(t, named, func(s *setup) { s.subscriptions.Logger = slog.New(slog.NewTextHandler(&lines, nil)) })
	g.subscribe(joining("a", 2)).assigned()
	g.subscribe(joining("b", 2)).assigned()
	if lines.Len() > 0 {
		t.Errorf("with the same filters: %s", lines.String())
	}
	req := joining("c", 2)
	req.Filter = sales()
	g.subscribe(req).next()
	if got := lines.String(); !strings.Contains(got, "different filters") || !strings.Contains(got, "member=c") {
		t.Errorf("with different filters: %q", got)
	}
}

// TestSavedPositionsOfOthers: neither an error nor what is shown of a subscription tells a reader whether others' records lie between two of its positions.
func TestSavedPositionsOfOthers(t *testing.T) {
	for _, between := range []int{0, 3, 2000} { // more than one read of what is shared looks at
		g := newGateway(t, named, under(onlyCreatedOfOne{}))
		g.append(event(1))
		save := func(cursor string, back bool) error {
			_, err := g.named.SaveCursors(t.Context(), saving("billing", &headgatev1.ShardSave{Cursor: cursor, AllowBack: back}))
			return err
		}
		before := g.log.Position(1)
		g.appendMany(between, func(i int) *eventlog.Record { return event(10+i, in("globex", "Default")) })
		after := g.log.Position(g.log.Head())
		g.append(event(2))
		if _, err := g.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "billing", Start: earliest()}); err != nil {
			t.Fatal(err)
		}
		for _, cursor := range []string{after, before, after} {
			if err := save(cursor, false); err != nil {
				t.Errorf("%d records of others between: %v", between, err)
			}
			if got := g.subscription().GetShards()[0].GetCursor(); got != cursor {
				t.Errorf("%d records of others between: what was saved is not shown", between)
			}
		}
		// Its own it may know of.
		if err := save(g.log.Position(g.log.Head()), false); err != nil {
			t.Fatal(err)
		}
		wantFailure(t, save(before, false), codes.FailedPrecondition, fault.CursorBehind)
		if err := save(before, true); err != nil {
			t.Error(err)
		}
	}
}

// TestDangerOfOthers: how many events others have does not decide whether a subscription is in danger.
func TestDangerOfOthers(t *testing.T) {
	for _, others := range []int{0, 50} {
		g := newGateway(t, named, under(onlyCreatedOfOne{}), func(s *setup) { s.feed.Retention = maxAge })
		g.append(event(1))
		g.clock.advance(time.Hour)
		g.append(event(2))
		g.trim(1)
		g.clock.advance(time.Hour)
		if _, err := g.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "billing", Start: latest()}); err != nil {
			t.Fatal(err)
		}
		g.append(event(3))
		for i := range others {
			g.append(event(10+i, in("globex", "Default")))
		}
		g.clock.advance(time.Minute)
		if g.subscription().GetSubscription().GetEndangered() {
			t.Errorf("in danger with %d events of others", others)
		}
		g.clock.advance(maxAge / 100 * 95)
		if !g.subscription().GetSubscription().GetEndangered() {
			t.Errorf("not in danger with %d events of others, and its own among the oldest", others)
		}
	}
}

// TestOperatorActsForAReader: an operator deletes and skips for readers, and the record says who it was.
func TestOperatorActsForAReader(t *testing.T) {
	caller := Caller{Reader: "billing"}
	g := newGateway(t, named, func(s *setup) { s.feed.Caller = func(context.Context) Caller { return caller } })
	g.append(event(1), event(2))
	name := subscription.Name{Reader: "billing", Name: "billing"}
	if _, err := g.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "billing", Start: earliest()}); err != nil {
		t.Fatal(err)
	}
	caller = Caller{Reader: "operations", Credential: "token 7"}
	for cursor, reason := range map[string]string{"?": fault.CursorMalformed, g.log.Position(2): fault.EventNotFound} {
		if _, err := g.feed.SkipOf(t.Context(), name, cursor, "x"); infoOf(err).GetReason() != reason {
			t.Errorf("%q: %v", cursor, err)
		}
	}
	skip, err := g.feed.SkipOf(t.Context(), name, g.log.Cursor(1), "poison")
	if err != nil || skip.GetSkippedBy() != "operations, token 7" {
		t.Fatal(skip, err)
	}
	caller.Reader = "billing"
	r := g.subscribe(joining("a", 1))
	r.assigned()
	if got := r.events(1); got[0].GetPrimaryKey() != 2 {
		t.Errorf("after the skip comes %v", got)
	}
	if err := g.feed.DeleteOf(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, g.feed.DeleteOf(t.Context(), name), codes.NotFound, fault.SubscriptionNotFound)
}

// TestGrantGrows: what was saved while a reader could read less stands where it stood. What it may read since comes, and is saved and skipped like any other.
func TestGrantGrows(t *testing.T) {
	var grant Grant = onlyCreatedOfOne{}
	g := newGateway(t, named, func(s *setup) { s.feed.Grant = func(context.Context) Grant { return grant } })
	g.append(event(1))
	for i := range 10 {
		g.append(event(10+i, in("globex", "Default")))
	}
	g.append(event(2))
	first := g.served(joining("a", 1))
	g.save(first.a, g.log.Cursor(1), true)
	first.cancel()
	grant = everything{}
	again := g.subscribe(joining("a", 1))
	a := again.assigned()
	events := again.events(11)
	if resp := g.subscription(); resp.GetSubscription().GetLag() == nil {
		t.Errorf("nothing is behind: %v", resp)
	}
	g.save(a, events[2].GetCursor(), false)
	if _, err := g.named.SkipEvent(t.Context(), &headgatev1.SkipEventRequest{Name: "billing", Cursor: events[4].GetCursor(), Reason: "x"}); err != nil {
		t.Error(err)
	}
}

// TestCheckpointsHoldUpNobody: whoever was sent no event since the last save has nothing on its way, and its shard goes on at once. So neither does the time that
// this takes tell whether others had events.
func TestCheckpointsHoldUpNobody(t *testing.T) {
	g := newGateway(t, named, under(onlyCreatedOfOne{}))
	g.append(event(1))
	req := joining("a", 1)
	req.HeartbeatInterval = durationpb.New(time.Second)
	one := g.subscribe(req)
	a := one.assigned()
	one.events(1)
	g.save(a, g.log.Cursor(1), false)
	for range 2 {
		g.append(event(10+int(g.log.Head()), in("globex", "Default")))
		one.caughtUp()
	}
	one.cancel()
	two := g.subscribe(joining("b", 1))
	if started, next := two.next(), two.next(); started.GetStarted() == nil || next.GetAssigned() == nil {
		t.Errorf("the next one gets %v, %v", started, next)
	}
}

// endsAfterRead is a log that ends the grant as soon as something was read under it.
type endsAfterRead struct {
	Log
	end func()
}

func (l endsAfterRead) Read(ctx context.Context, after uint64, wants func(source, context string) bool) (eventlog.Chunk, error) {
	chunk, err := l.Log.Read(ctx, after, wants)
	if len(chunk.Frames) > 0 {
		l.end()
	}
	return chunk, err
}

type endingGrant struct {
	everything
	ended chan struct{}
}

func (g endingGrant) Ended() <-chan struct{} { return g.ended }

// TestNoGapAfterTheGrant: gaps and erased ones are not sent either once the grant has ended.
func TestNoGapAfterTheGrant(t *testing.T) {
	grant := endingGrant{ended: make(chan struct{})}
	end := sync.OnceFunc(func() { close(grant.ended) })
	g := newGateway(t, under(grant), func(s *setup) { s.wrap = func(l Log) Log { return endsAfterRead{l, end} } })
	g.append(gap("acme", ""), gap("globex", ""))
	r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()})
	r.started()
	if m := r.recv(); m.GetClosing().GetReason() != headgatev1.Closing_REASON_GRANT_CHANGED || g.seq(m.GetCursor()) != 0 {
		t.Errorf("after the end of the grant comes %v", m)
	}
}
