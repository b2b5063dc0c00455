//go:build linux || darwin

package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

const (
	saveRate   = 10_000 // a second
	saveShards = 128
	saveGroups = 8  // subscriptions, each with so many shards
	saveBatch  = 16 // shards of a replica, which it saves together
)

// BenchmarkSaves: signed posts with fsync, alone and while 10,000 positions a second are saved, by 64 replicas with 16 shards each, durable when they are
// answered.
func BenchmarkSaves(b *testing.B) {
	const alone, saving = "alone", "with saves"
	n := theSizes().events
	r := newResults(fmt.Sprintf("saves: %d signed posts, alone and beside %d saves/s", n, saveRate), alone, []string{alone, saving}, perSecond)
	first, all := render(1, n, 1), render(n+1, n, 1)
	inTurns(theSizes().rounds, r.variants, func(round int, variant string) {
		p := startPeer(b, headgate)
		defer p.stop()
		if err := p.post(first, 0); err != nil {
			b.Fatal(err)
		}
		s := newSavers(b, p.Readers, n)
		load := func() error { return p.post(all, 0) }
		if variant == saving {
			load = func() error { return s.during(func() error { return p.post(all, 0) }) }
		}
		r.addRate(variant, p.measure("saves", variant, round, load), n)
		r.add(variant, "saves/s", s.rate)
	})
	r.done(b)
}

// savers save positions of many shards, as replicas would.
type savers struct {
	ctx     context.Context // with the reader's token
	client  headgatev1.SubscriptionServiceClient
	cursors []string
	at      [saveGroups * saveShards / saveBatch]int // where each replica stands
	rate    float64
}

func newSavers(b *testing.B, address string, n int) *savers {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	s := &savers{
		ctx:    metadata.AppendToOutgoingContext(b.Context(), "authorization", "Bearer "+token),
		client: headgatev1.NewSubscriptionServiceClient(conn),
	}
	events := headgatev1.NewEventServiceClient(conn)
	for after := ""; len(s.cursors) < n; {
		page, err := events.ListEvents(s.ctx, &headgatev1.ListEventsRequest{AfterCursor: after, PageSize: 1000})
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range page.GetEvents() {
			s.cursors = append(s.cursors, e.GetCursor())
		}
		after = page.GetNextCursor()
	}
	start := &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}
	for i := range saveGroups {
		_, err := s.client.CreateSubscription(s.ctx, &headgatev1.CreateSubscriptionRequest{Name: fmt.Sprint("s", i), ShardCount: saveShards, Start: start})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// during saves while f runs.
func (s *savers) during(f func() error) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	var wg sync.WaitGroup
	var saved atomic.Int64
	errs := make([]error, len(s.at))
	start := time.Now()
	for w := range s.at {
		wg.Go(func() { errs[w] = s.save(ctx, w, &saved) })
	}
	err := f()
	s.rate = float64(saved.Load()) / time.Since(start).Seconds()
	cancel()
	wg.Wait()
	return errors.Join(append(errs, err)...)
}

// save is one replica, until ctx ends.
func (s *savers) save(ctx context.Context, w int, saved *atomic.Int64) error {
	tick := time.NewTicker(time.Duration(len(s.at)) * saveBatch * time.Second / saveRate)
	defer tick.Stop()
	first := w * saveBatch
	req := &headgatev1.SaveCursorsRequest{Name: fmt.Sprint("s", first/saveShards)}
	for i := range saveBatch {
		req.Saves = append(req.Saves, &headgatev1.ShardSave{Shard: uint32((first + i) % saveShards)})
	}
	for ctx.Err() == nil && s.at[w]+1 < len(s.cursors) {
		s.at[w]++
		for _, one := range req.GetSaves() {
			one.Cursor = s.cursors[s.at[w]]
		}
		if _, err := s.client.SaveCursors(ctx, req); err != nil && ctx.Err() == nil {
			return err
		}
		saved.Add(saveBatch)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return nil
}
