package feed

import (
	"context"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
)

// readCounter counts how often the log is read.
type readCounter struct {
	Log
	n atomic.Int32
}

func (r *readCounter) Read(ctx context.Context, after uint64, wants func(source, context string) bool) (eventlog.Chunk, error) {
	r.n.Add(1)
	return r.Log.Read(ctx, after, wants)
}

// TestGoingBackIsCheap: a save is not counted as a request, so one that goes back reads the log once for each shard, and a few times for many. What of its own
// the reader finds so keeps the position where it is.
func TestGoingBackIsCheap(t *testing.T) {
	var reads *readCounter
	g := newGateway(t, named, smallTail, under(onlyCreatedOfOne{}), func(s *setup) {
		s.wrap = func(l Log) Log {
			reads = &readCounter{Log: l}
			return reads
		}
	})
	g.append(event(1))
	before := g.log.Position(g.log.Head())
	for n := range 2000 { // of the same tenant, so that the engine does not leave them out
		g.append(event(10+n, of("relation", "changed")))
	}
	others := g.log.Position(g.log.Head())
	g.append(event(2))
	own := g.log.Position(g.log.Head())
	const shards = 8
	if _, err := g.named.CreateSubscription(t.Context(), &headgatev1.CreateSubscriptionRequest{Name: "billing", ShardCount: shards, Start: earliest()}); err != nil {
		t.Fatal(err)
	}
	save := func(cursor string, shards uint32) error {
		req := saving("billing")
		for i := range shards {
			req.Saves = append(req.Saves, &headgatev1.ShardSave{Shard: i, Cursor: cursor})
		}
		_, err := g.named.SaveCursors(t.Context(), req)
		return err
	}
	for _, c := range []struct {
		shards uint32
		most   int32
	}{{1, 1}, {shards, backReads}} {
		if err := save(others, c.shards); err != nil {
			t.Fatal(err)
		}
		was := reads.n.Load()
		if err := save(before, c.shards); err != nil {
			t.Errorf("back over what is not its own: %v", err)
		}
		if n := reads.n.Load() - was; n > c.most {
			t.Errorf("%d shards that go back read the log %d times, want %d at most", c.shards, n, c.most)
		}
	}
	if err := save(own, 1); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, save(others, 1), codes.FailedPrecondition, fault.CursorBehind)
}
