//go:build linux

package server_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

var benchIdle = flag.Int("bench-idle", 10_000, "streams of BenchmarkIdle")

// BenchmarkIdle: what the gateway keeps for a stream that waits, of many on 100 connections, each with a filter on a context of its own.
func BenchmarkIdle(b *testing.B) {
	const connections = 100
	p := startPeer(b, roleHeadgate)
	p.mustAsk("begin ")
	before := p.resident()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var wg sync.WaitGroup
	for c := range connections {
		conn, err := grpc.NewClient(p.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		wg.Go(func() {
			for i := c; i < *benchIdle; i += connections {
				if err := idle(ctx, headgatev1.NewEventServiceClient(conn), i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	p.mustAsk("begin ") // it collects garbage
	each := float64(p.resident()-before) / float64(*benchIdle)
	fmt.Printf("\nidle: %d streams on %d connections take %.1f KB each, resident\n\n", *benchIdle, connections, each/1000)
	b.ReportMetric(0, "ns/op") // of no meaning here; zero hides it
	b.ReportMetric(each, "B/stream")
}

// idle begins a stream and waits until it stands at the head.
func idle(ctx context.Context, client headgatev1.EventServiceClient, i int) error {
	stream, err := client.Subscribe(ctx, &headgatev1.SubscribeRequest{
		Filter:            &headgatev1.Filter{Contexts: []string{fmt.Sprint("Cust", i)}},
		Start:             &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}},
		HeartbeatInterval: durationpb.New(5 * time.Minute),
	})
	for err == nil {
		var m *headgatev1.SubscribeResponse
		if m, err = stream.Recv(); m.GetCheckpoint().GetCaughtUp() {
			return nil
		}
	}
	return err
}

// resident is how many bytes of memory the process has.
func (p *peer) resident() int {
	p.b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				p.b.Fatal(err)
			}
			return kib << 10
		}
	}
	p.b.Fatal("no VmRSS")
	return 0
}
