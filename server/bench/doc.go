// Package bench measures the gateway beside the plain ways of doing the same. From the top of the repository:
//
//	CGO_ENABLED=0 go test -C server/bench -run '^$' -bench . -benchtime 1x -timeout 2h
//
// It is a module of its own, so that what it compares with is nobody's dependency. Flags: -rounds, -events, -resume-events, -idle-streams; -out DIR
// writes the tables as results.md and a chart of each as SVG, -profiles DIR the CPU profiles of the servers; -short is one small round of
// everything. A folder is relative to this one.
//
// Each variant's server is a process of its own, so that its CPU is told apart from that of the load, which is the test's process. The variants take
// turns, round by round, every second round backwards. A ratio compares within a round, so that whatever else the machine does weighs on both
// sides of it; shown is the median of the rounds, with the least and the greatest. Look at the ratios: times depend on the machine, and what is
// accepted a second on its disk.
//
// The variants:
//
//   - headgate: the gateway as shipped: signed posts, a log with fsync, all listeners, readers that are known by a token and may not read everything.
//   - send: a gRPC server that holds the same events in memory and sends one message for each event and subscriber.
//   - send-log: the same behind the gateway's own door and log.
//   - tcp: the same encoded bytes written to plain connections, a goroutine for each; up to 64 events in a write in a burst, one in a trickle.
//   - nats: an embedded NATS server, which is published to inside its process.
//   - no-log: a handler that reads a post, checks its signature and answers.
//
// A run fails unless every reader got every event that matches, exactly once and in the one order.
package bench
