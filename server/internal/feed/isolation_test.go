package feed

import (
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// TestIsolationFromStalledReaders: streams that are never received from delay neither appends nor a reader beside them, be it on their connection or
// on another. Afterwards they still get everything.
func TestIsolationFromStalledReaders(t *testing.T) {
	g := newGateway(t, smallTail, func(s *setup) { s.dialOpts = smallWindows })
	var stalled []*reader
	for range 20 {
		r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()})
		r.caughtUp()
		stalled = append(stalled, r)
	}
	other, err := grpc.NewClient(g.conn.Target(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	fast := []*reader{
		g.subscribe(&headgatev1.SubscribeRequest{Start: earliest()}),
		subscribe(t, headgatev1.NewEventServiceClient(other), &headgatev1.SubscribeRequest{Start: earliest()}),
	}
	for _, r := range fast {
		r.caughtUp()
	}
	const n = 500 // of 8 KiB: some thirty times what a stalled stream takes
	appended := make(chan struct{})
	go func() {
		defer close(appended)
		g.appendMany(n, func(i int) *eventlog.Record { return event(i, sized(8<<10)) })
	}()
	for _, r := range fast {
		for got := 0; got < n; got += len(r.recv().GetEvents()) {
		}
	}
	<-appended
	behind := 0
	for _, st := range g.feed.Streams(t.Context()) {
		if !st.CaughtUp {
			behind++
		}
	}
	if behind < len(stalled) {
		t.Fatalf("%d of %d streams are stalled; the test shows nothing", behind, len(stalled))
	}
	for _, r := range stalled[:3] {
		next := uint64(1)
		for next <= n {
			for _, e := range r.recv().GetEvents() {
				if g.seq(e.GetCursor()) != next {
					t.Fatalf("record %d came, expected %d", g.seq(e.GetCursor()), next)
				}
				next++
			}
		}
	}
}
