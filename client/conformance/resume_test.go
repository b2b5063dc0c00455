package conformance

import (
	"path/filepath"
	"sync"
	"time"
)

var resuming = []behaviour{
	{"client killed", []string{"store", "acknowledge"}, clientKilled},
	{"connection cut", nil, connectionCut},
	{"gateway killed", nil, gatewayKilled},
	{"gateway drained", nil, gatewayDrained},
	{"gateway not there yet", nil, gatewayNotThere},
	{"gateway silent", []string{"heartbeat_seconds"}, gatewaySilent},
	{"slow line", nil, slowLine},
}

// clientKilled: with a store, what was handled before a kill -9 does not come again, and what was not does.
func clientKilled(k *kit) {
	g := k.start(settings{})
	g.sender.send(changes(1, 40, 7)...)
	log := cursors(g.asker.log(), nil)
	req := request{Start: earliest, Store: filepath.Join(k.TempDir(), "cursor"), Acknowledge: true}
	handled := 0
	for range 3 {
		a := k.run(g.front, req)
		k.want(log[handled:handled+10], a.events(10, true))
		k.want(log[handled+10:handled+11], []string{a.next("event").Cursor}) // not answered, so it comes again
		handled += 10
		a.kill()
	}
	a := k.run(g.front, req)
	k.want(log[handled:], a.events(len(log)-handled, true))
	g.sender.send(change{n: 41, key: 1})
	k.want(cursors(g.asker.log()[40:], nil), a.events(1, true))
	a.leave()
}

// connectionCut: resets in the middle of messages.
func connectionCut(k *kit) {
	const n = 600
	cuts := []int64{9_999, 11_111, 8_888, 13_131}
	g := k.start(settings{})
	g.sender.burst(changes(1, n, 100))
	log := cursors(g.asker.log(), nil)
	g.front.cutAfter(cuts...)
	a := k.run(g.front, request{Start: earliest, Acknowledge: k.has("acknowledge")})
	k.want(log, a.events(n, k.has("acknowledge")))
	if cut, told := g.front.hasCut(), a.count("retry"); cut != len(cuts) || told < cut {
		k.Errorf("it was cut off %d times and told of %d, want %d", cut, told, len(cuts))
	}
	a.leave()
}

// gatewayKilled: kill -9 of the gateway while events come in and the client is behind. What was acknowledged to the CRM arrives.
func gatewayKilled(k *kit) {
	g := k.start(settings{})
	g.sender.burst(changes(1, 400, 10))
	a := k.run(g.front, request{Start: earliest, Acknowledge: k.has("acknowledge")})
	got := a.events(20, k.has("acknowledge"))
	k.restart(g, g.kill)
	log := cursors(g.asker.log(), nil)
	k.want(log, append(got, a.events(len(log)-len(got), k.has("acknowledge"))...))
	if a.count("retry") == 0 {
		k.Error("it did not tell that it lost its stream")
	}
	a.leave()
}

// gatewayDrained: a rolling restart while events come in and the client is at the head.
func gatewayDrained(k *kit) {
	g := k.start(settings{})
	g.sender.send(changes(1, 50, 10)...)
	a := k.run(g.front, request{Start: earliest})
	a.next("started")
	got := a.events(50, false)
	k.restart(g, func() {
		g.stop()
		before, _ := a.until("retry") // what came in before it stopped can be among it
		got = append(got, eventsOf(before)...)
	})
	a.next("started")
	log := cursors(g.asker.log(), nil)
	k.want(log, append(got, a.events(len(log)-len(got), false)...))
	a.leave()
}

// restart ends the gateway and starts it again. Changes come in all the while, and of them the CRM gives up none. No client is let in before they are there.
func (k *kit) restart(g *gateway, end func()) {
	k.Helper()
	var sending sync.WaitGroup
	sending.Go(func() {
		for _, c := range changes(1001, 1050, 10) {
			g.sender.deliver(k.Context(), c)
		}
	})
	g.front.refuse()
	end()
	g.launch()
	sending.Wait()
	g.front.admit()
	g.sender.mu.Lock()
	defer g.sender.mu.Unlock()
	if g.sender.discarded > 0 || g.sender.off {
		k.Errorf("the CRM gave up %d events, the webhook switched off: %v", g.sender.discarded, g.sender.off)
	}
}

// gatewayNotThere: a client that starts before its gateway waits for it.
func gatewayNotThere(k *kit) {
	g := k.start(settings{})
	g.sender.send(change{n: 1, key: 1})
	g.front.refuse()
	a := k.run(g.front, request{Start: earliest})
	a.next("retry")
	a.next("retry")
	g.front.admit()
	k.want(cursors(g.asker.log(), nil), a.events(1, false))
	a.leave()
}

// gatewaySilent: the connection stays open and nothing comes over it any more, not even what would end it. After two heartbeats the client gives it up, and reads on
// over another: whatever waits on the old one waits for keepalive, for tens of seconds.
func gatewaySilent(k *kit) {
	g := k.start(settings{})
	g.sender.send(change{n: 1, key: 1})
	a := k.run(g.front, request{Start: earliest, HeartbeatSeconds: 1})
	got := a.events(1, false)
	a.next("checkpoint")
	began := time.Now()
	g.front.hush()
	g.sender.send(change{n: 2, key: 2})
	a.next("retry")
	if took := time.Since(began); took < time.Second || took > 10*time.Second {
		k.Errorf("it gave up after %v, want two heartbeats of a second", took)
	}
	k.want(cursors(g.asker.log(), nil), append(got, a.events(1, false)...))
	if took := time.Since(began); took > 15*time.Second {
		k.Errorf("it read on after %v, want it as soon as the silence was noticed", took)
	}
	a.leave()
}

// slowLine: a line that is slow is no dead one.
func slowLine(k *kit) {
	g := k.start(settings{})
	g.sender.send(changes(1, 100, 10)...)
	g.front.slow(8 << 10)
	k.want(cursors(g.asker.log(), nil), k.run(g.front, request{Start: earliest, StopWhenCaughtUp: true}).toEnd())
}

// has tells whether the client has the part.
func (k *kit) has(part string) bool { return !k.subject.lacks([]string{part}) }
