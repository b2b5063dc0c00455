//go:build linux || darwin

package server_test

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

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

const (
	saveRate   = 10_000 // a second
	saveShards = 128
	saveGroups = 8  // subscriptions, each with so many shards
	saveBatch  = 16 // shards of a replica, which it saves together
)

// The variants of BenchmarkSaves.
const (
	intakeAlone = "intake/alone"
	intakeSaves = "intake/with-saves"
)

// BenchmarkSaves: signed posts with fsync, alone and while 10,000 positions a second are saved, by 64 replicas with 16 shards each, durable when they are
// answered.
func BenchmarkSaves(b *testing.B) {
	n := *benchEvents
	results := newResults(intakeAlone, intakeSaves)
	for round := range *benchRounds {
		p := startPeer(b, roleHeadgate)
		if err := p.post(renderPosts(1, n), 0); err != nil {
			b.Fatal(err)
		}
		s := newSavers(b, p.grpc, n)
		next := n + 1
		p.poster.close() // the gateway has ended what was idle
		p.poster = poster{}
		alone := func() {
			posts := renderPosts(next, n)
			next += n
			results.add(intakeAlone, p.measure(profileName("saves-alone", round), n, func() error { return p.post(posts, 0) }))
		}
		saving := func() {
			posts := renderPosts(next, n)
			next += n
			results.add(intakeSaves, p.measure(profileName("saves", round), n, func() error {
				return s.during(func() error { return p.post(posts, 0) })
			}))
		}
		if round%2 == 0 {
			alone()
			saving()
		} else {
			saving()
			alone()
		}
		p.stop()
		fmt.Printf("round %d: %.0f saves/s\n", round+1, s.rate)
	}
	results.print(fmt.Sprintf("intake: %d signed posts, alone and beside %d saves/s, %d rounds", n, saveRate, *benchRounds), events, intakeAlone)
	results.report(b, events, intakeAlone)
}

// savers save positions of many shards, as replicas would.
type savers struct {
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
	s := &savers{client: headgatev1.NewSubscriptionServiceClient(conn)}
	events := headgatev1.NewEventServiceClient(conn)
	for after := ""; len(s.cursors) < n; {
		page, err := events.ListEvents(b.Context(), &headgatev1.ListEventsRequest{AfterCursor: after, PageSize: 1000})
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range page.GetEvents() {
			s.cursors = append(s.cursors, e.GetCursor())
		}
		after = page.GetNextCursor()
	}
	for i := range saveGroups {
		_, err := s.client.CreateSubscription(b.Context(), &headgatev1.CreateSubscriptionRequest{Name: fmt.Sprint("s", i), ShardCount: saveShards, Start: earliest()})
		if err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// during saves while f runs.
func (s *savers) during(f func() error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wg sync.WaitGroup
	var saved atomic.Int64
	const workers = saveGroups * saveShards / saveBatch
	errs := make([]error, workers)
	start := time.Now()
	for w := range workers {
		wg.Go(func() {
			tick := time.NewTicker(workers * saveBatch * time.Second / saveRate)
			defer tick.Stop()
			first := w * saveBatch
			req := &headgatev1.SaveCursorsRequest{Name: fmt.Sprint("s", first/saveShards)}
			for i := range saveBatch {
				req.Saves = append(req.Saves, &headgatev1.ShardSave{Shard: uint32((first + i) % saveShards)})
			}
			for ctx.Err() == nil {
				s.at[w]++
				for _, one := range req.GetSaves() {
					one.Cursor = s.cursors[s.at[w]]
				}
				if _, err := s.client.SaveCursors(ctx, req); err != nil && ctx.Err() == nil {
					errs[w] = err
					return
				}
				saved.Add(saveBatch)
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	err := f()
	s.rate = float64(saved.Load()) / time.Since(start).Seconds()
	cancel()
	wg.Wait()
	return errors.Join(append(errs, err)...)
}
