//go:build linux || darwin

package server_test

// The benchmark of the gateway against the plain way of doing the same:
//
//	go test -run '^$' -bench . -benchtime 1x ./server
//
// takes about a minute. Each variant's server is a process of its own, so that its CPU is told apart from that of the load, which is this process.
// The variants take turns, in rounds. The tables show medians with the least and the greatest; "ratio" compares within each round, so that whatever
// else the machine does weighs on both sides of it. Look at the ratios first: times depend on the machine, and events per second on its disk
// and on what the load itself costs.
//
// BenchmarkIntake: signed posts over 64 connections, each answered after its fsync, beside a handler that reads, checks the signature and answers.
//
// BenchmarkFanout: every event to each of 100 subscribers, each on a connection of its own. send-per-subscriber is a gRPC server that holds the
// same events in memory and sends one message for each event and subscriber.
//
//   - burst: "tail" is read from the log's shared tail by subscribers that start at the earliest event; "live" is posted while they listen, so that
//     its CPU includes the intake. "intake" are the same posts without subscribers, per delivery that they would have led to: what to subtract.
//   - trickle: 500 events a second to subscribers that sleep in between.
//
// BenchmarkSaves: BenchmarkIntake's posts while 10,000 positions of subscriptions are saved a second.
//
// BenchmarkIdle: the memory of streams that wait.
//
// A run fails unless every subscriber got every event, exactly once and in the one order.

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"
)

var (
	benchRounds   = flag.Int("bench-rounds", 3, "rounds of each benchmark")
	benchEvents   = flag.Int("bench-events", 10_000, "events of a burst")
	benchProfiles = flag.String("bench-profiles", "", "folder for CPU profiles of the servers")
)

const (
	subscribers   = 100
	trickleRate   = 500 // events a second
	trickleEvents = 3 * trickleRate
)

func BenchmarkIntake(b *testing.B) {
	n := *benchEvents
	requests := renderPosts(1, n)
	results := newResults(roleHeadgate, roleNoLog)
	for round := range *benchRounds {
		for _, role := range []string{roleHeadgate, roleNoLog} {
			p := startPeer(b, role)
			results.add(role, p.measure(profileName("intake-"+role, round), n, func() error { return p.post(requests, 0) }))
			p.stop()
		}
	}
	results.print(fmt.Sprintf("intake: %d signed posts over %d connections, %d rounds", n, postConnections, *benchRounds), events, roleNoLog)
	results.report(b, events, roleNoLog)
}

// The variants of BenchmarkFanout.
const (
	burstSend     = "burst/send-per-subscriber"
	burstTail     = "burst/headgate-tail"
	burstLive     = "burst/headgate-live"
	burstIntake   = "burst/headgate-intake"
	trickleSend   = "trickle/send-per-subscriber"
	trickleLive   = "trickle/headgate-live"
	trickleIntake = "trickle/headgate-intake"
)

func BenchmarkFanout(b *testing.B) {
	n := *benchEvents
	f := fanout{
		n: n, burst: renderPosts(1, n), trickle: renderPosts(n+1, trickleEvents),
		liveBurst: renderPosts(n+trickleEvents+1, n), liveTrickle: renderPosts(2*n+trickleEvents+1, trickleEvents),
		burstResults:   newResults(burstSend, burstTail, burstLive, burstIntake),
		trickleResults: newResults(trickleSend, trickleLive, trickleIntake),
	}
	for round := range *benchRounds {
		f.headgate(b, round)
		f.send(b, round)
	}
	f.burstResults.print(fmt.Sprintf("fan-out in a burst: %d events to %d subscribers, %d rounds", n, subscribers, *benchRounds), deliveries, burstSend)
	f.trickleResults.print(fmt.Sprintf("fan-out in a trickle: %d events at %d/s to %d subscribers, %d rounds",
		trickleEvents, trickleRate, subscribers, *benchRounds), deliveries, trickleSend)
	f.burstResults.report(b, deliveries, burstSend)
	f.trickleResults.report(b, deliveries, trickleSend)
}

type fanout struct {
	n                                      int
	burst, trickle, liveBurst, liveTrickle [][]byte // posts, in the order of their use
	burstResults, trickleResults           *results
}

// headgate takes one server through all its phases.
func (f *fanout) headgate(b *testing.B, round int) {
	p := startPeer(b, roleHeadgate)
	// Nobody reads yet.
	f.burstResults.add(burstIntake, p.measure(profileName("burst-intake", round), f.n*subscribers, func() error { return p.post(f.burst, 0) }))
	f.trickleResults.add(trickleIntake, p.measure(profileName("trickle-intake", round), trickleEvents*subscribers, func() error { return p.post(f.trickle, trickleRate) }))

	readers := newReaders(b, p.grpc)
	total := f.n + trickleEvents
	f.burstResults.add(burstTail, readers.during(p.measure(profileName("tail", round), total*subscribers, func() error {
		if err := readers.subscribe(); err != nil {
			return err
		}
		return readers.read(total)
	})))
	total += f.n
	f.burstResults.add(burstLive, readers.during(p.measure(profileName("live", round), f.n*subscribers, func() error {
		return readers.readWhile(total, func() error { return p.post(f.liveBurst, 0) })
	})))
	total += trickleEvents
	f.trickleResults.add(trickleLive, readers.during(p.measure(profileName("trickle", round), trickleEvents*subscribers, func() error {
		return readers.readWhile(total, func() error { return p.post(f.liveTrickle, trickleRate) })
	})))
	p.stop()
	readers.finish(total)
}

// send does the same with the plain gRPC server, which makes its events itself.
func (f *fanout) send(b *testing.B, round int) {
	p := startPeer(b, roleSend)
	total := f.n + trickleEvents
	p.mustAsk(fmt.Sprintf("hold %d", total))
	readers := newReaders(b, p.grpc)
	if err := readers.subscribe(); err != nil {
		b.Fatal(err)
	}
	f.burstResults.add(burstSend, readers.during(p.measure(profileName("send", round), f.n*subscribers, func() error {
		p.mustAsk(fmt.Sprintf("publish %d 0", f.n))
		return readers.read(f.n)
	})))
	f.trickleResults.add(trickleSend, readers.during(p.measure(profileName("send-trickle", round), trickleEvents*subscribers, func() error {
		p.mustAsk(fmt.Sprintf("publish %d %d", trickleEvents, trickleRate))
		return readers.read(total)
	})))
	p.stop()
	readers.finish(total)
}

// profileName is where a measurement's profile goes, empty when none is asked for.
func profileName(variant string, round int) string {
	if *benchProfiles == "" {
		return ""
	}
	return filepath.Join(*benchProfiles, fmt.Sprintf("%s-%d.pprof", variant, round+1))
}
