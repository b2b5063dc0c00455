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
	saveGroups = 8 // subscriptions, each with so many shards
)

// The variants of BenchmarkSaves.
const (
	intakeAlone = "intake/alone"
	intakeSaves = "intake/with-saves"
)

// BenchmarkSaves: signed posts with fsync, alone and while 10,000 positions a second are saved, each with its own call and durable when it is answered.
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
	at      [saveGroups * saveShards]int // where each shard stands
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
	const workers = 256
	errs := make([]error, workers)
	start := time.Now()
	for w := range workers {
		wg.Go(func() {
			tick := time.NewTicker(workers * time.Second / saveRate)
			defer tick.Stop()
			for shard := w; ctx.Err() == nil; shard += workers {
				shard %= len(s.at)
				s.at[shard]++
				_, err := s.client.SaveCursor(ctx, &headgatev1.SaveCursorRequest{
					Name: fmt.Sprint("s", shard/saveShards), Shard: uint32(shard % saveShards), Cursor: s.cursors[s.at[shard]%len(s.cursors)],
				})
				if err != nil && ctx.Err() == nil {
					errs[w] = err
					return
				}
				saved.Add(1)
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
