package conformance

import (
	"context"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// askerToken is the asker's own, where readers are told apart.
const askerToken = "the asker's token"

// asker asks the gateway for what is true: it reads pages and subscriptions with the generated client, past the front.
type asker struct {
	t             *testing.T
	events        headgatev1.EventServiceClient
	subscriptions headgatev1.SubscriptionServiceClient
}

func newAsker(t *testing.T, address string) *asker {
	t.Helper()
	c, err := client.Dial(address, client.WithToken(askerToken), client.WithDialOptions(grpc.WithDefaultCallOptions(grpc.WaitForReady(true))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &asker{
		t: t, events: headgatev1.NewEventServiceClient(c.Conn()), subscriptions: headgatev1.NewSubscriptionServiceClient(c.Conn()),
	}
}

// log returns all events in the log's order.
func (a *asker) log() []*headgatev1.Event { return a.after("") }

// after returns the events after the cursor.
func (a *asker) after(cursor string) (all []*headgatev1.Event) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	for {
		page, err := a.events.ListEvents(ctx, &headgatev1.ListEventsRequest{AfterCursor: cursor, PageSize: 1000})
		if err != nil {
			a.t.Fatal(err)
		}
		all, cursor = append(all, page.GetEvents()...), page.GetNextCursor()
		if !page.GetHasMore() {
			return all
		}
	}
}

// cursors are those of the events for which keep, if given, is true.
func cursors(events []*headgatev1.Event, keep func(*headgatev1.Event) bool) (list []string) {
	for _, e := range events {
		if keep == nil || keep(e) {
			list = append(list, e.GetCursor())
		}
	}
	return list
}

// until waits until something holds at the gateway. Each look asks it, so this is no busy waiting.
func (a *asker) until(what string, holds func() bool) {
	a.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			a.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// shards tells in which of so many shards each event is, by cursor.
func (a *asker) shards(count uint32) map[string]uint32 {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	in := map[string]uint32{}
	for i := range count {
		stream, err := a.events.Subscribe(ctx, &headgatev1.SubscribeRequest{
			Start: client.Earliest(), Shard: &headgatev1.Shard{Index: i, Count: count}, StopWhenCaughtUp: true,
		})
		if err != nil {
			a.t.Fatal(err)
		}
		for {
			m, err := stream.Recv()
			if err == io.EOF {
				break
			}
			if err != nil {
				a.t.Fatal(err)
			}
			for _, e := range m.GetEvents() {
				in[e.GetCursor()] = i
			}
		}
	}
	return in
}

// saved waits until the subscription's positions cover everything.
func (a *asker) saved(name string) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	a.until("everything handled is saved", func() bool {
		got, err := a.subscriptions.GetSubscription(ctx, &headgatev1.GetSubscriptionRequest{Name: name})
		if err != nil {
			a.t.Fatal(err)
		}
		return got.GetSubscription().GetLag() == nil
	})
}
