package conformance

import (
	"strings"
	"time"
)

var pressing = []behaviour{
	{"slow handling", []string{"acknowledge", "heartbeat_seconds"}, slowHandling},
	{"back-pressure", []string{"acknowledge"}, backPressure},
}

// slowHandling: a handling may take longer than two heartbeats. That is no silence of the gateway's.
func slowHandling(k *kit) {
	g := k.start(settings{})
	g.sender.send(changes(1, 2, 2)...)
	slow := k.run(g.front, request{Start: earliest, Acknowledge: true, HeartbeatSeconds: 1})
	first := slow.next("event")
	other := k.run(g.front, request{Start: earliest, HeartbeatSeconds: 1})
	for range 4 { // the first tells that it is caught up, the others come after a heartbeat each
		other.next("checkpoint")
	}
	slow.ok(first.Cursor)
	k.want(cursors(g.asker.log(), nil), append([]string{first.Cursor}, slow.events(1, true)...))
	slow.next("checkpoint")
	if n := slow.count("retry"); n > 0 {
		k.Errorf("it gave up its stream %d times because its own handling took long", n)
	}
	slow.leave()
	other.leave()
}

const (
	waiting   = 50 << 20 // bytes for a client whose handling stands still
	eventSize = 100 << 10
	// mayTake is how many of them a client and the buffers of the line may take all the same.
	mayTake = 8 << 20
	// watched is for how long. A client that reads without bound takes all that waits in less.
	watched = 3 * time.Second
)

// backPressure: while the handling stands still the client stops reading. When it goes on, everything comes.
func backPressure(k *kit) {
	const n = waiting / eventSize
	g := k.start(settings{})
	var large []change
	for _, c := range changes(1, n, n+1) {
		c.values = map[string]any{"comment": strings.Repeat("x", eventSize)}
		large = append(large, c)
	}
	g.sender.burst(large)
	a := k.run(g.front, request{Start: earliest, Acknowledge: true})
	first := a.next("event")
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for began := time.Now(); time.Since(began) < watched; <-look.C {
		if took := g.front.toClients(); took > mayTake {
			k.Fatalf("it took %d bytes while its handling stood still, want less than %d", took, mayTake)
		}
	}
	a.ok(first.Cursor)
	k.want(cursors(g.asker.log(), nil), append([]string{first.Cursor}, a.events(n-1, true)...))
	a.leave()
}
