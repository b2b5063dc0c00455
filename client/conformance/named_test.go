package conformance

import (
	"context"
	"fmt"
	"sync"
	"time"
)

var consuming = []behaviour{
	{"members share", []string{"subscription", "acknowledge"}, membersShare},
	{"member killed", []string{"subscription", "acknowledge"}, memberKilled},
	{"poison", []string{"subscription", "acknowledge"}, poison},
	{"replicas under kills", []string{"subscription", "acknowledge"}, underKills},
}

// handsOver is the longest that a shard may take from a member that leaves to another. From one that died it takes five seconds.
const handsOver = 4 * time.Second

// membersShare: a second member gets its share while events come in, and when the first leaves in order it gets the rest at once. Nothing comes twice.
func membersShare(k *kit) {
	g := k.start(settings{})
	s := k.serve(g)
	a := s.join("a")
	posts := g.posting(40)
	s.await("a is served", func() bool { return s.by("a") >= 20 })
	b := s.join("b")
	s.await("b has its share", func() bool { return s.by("b") >= 20 })
	s.stall("a")
	posts.stop()
	a.leave() // with handlings that wait, and more to come
	left, log := time.Now(), g.asker.log()
	s.awaitAll(log)
	if took := time.Since(left); took > handsOver {
		k.Errorf("b had the rest %v after a left, want it at once: a did not give its shards back", took)
	}
	b.leave()
	s.check(log, true)
}

// memberKilled: of two members one is killed while it handles an event. The other takes over, and what was saved does not come again.
func memberKilled(k *kit) {
	g := k.start(settings{})
	s := k.serve(g)
	a, b := s.join("a"), s.join("b")
	posts := g.posting(40)
	s.await("both are served", func() bool { return s.by("a") >= 20 && s.by("b") >= 20 })
	posts.stop()
	s.awaitAll(g.asker.log())
	g.asker.saved("billing")
	posts = g.posting(40)
	s.stall("a")
	posts.stop()
	s.kill("a", a)
	log := g.asker.log()
	s.awaitAll(log)
	b.leave()
	s.check(log, true)
}

// poison: a handling that fails is tried again until it does not. Its shard waits, the others go on.
func poison(k *kit) {
	g := k.start(settings{})
	g.sender.burst(changes(1, 64, 16))
	log, in := g.asker.log(), g.asker.shards(shards)
	bad := log[0].GetCursor()
	others := 0
	for _, e := range log {
		if in[e.GetCursor()] != in[bad] {
			others++
		}
	}
	s := k.serve(g)
	tries, done := 0, 0
	s.rule(func(_ string, l line) verdict {
		switch {
		case l.Cursor == bad:
			if tries++; done < others || tries < 3 {
				return reject
			}
			bad = ""
		case bad == "":
		case in[l.Cursor] == in[bad]:
			k.Errorf("an event of the shard was handled before the one that fails")
		default:
			done++
		}
		return accept
	})
	a := s.join("a")
	s.awaitAll(log)
	s.await("each failure is told", func() bool { return s.failed == tries-1 })
	a.leave()
	s.check(log, true)
}

// underKills: three members are killed, one after the other, and replaced, while events come in.
func underKills(k *kit) {
	const kills = 5
	g := k.start(settings{})
	s := k.serve(g)
	members := map[string]*adapter{}
	for n := range 3 {
		name := fmt.Sprint("member-", n)
		members[name] = s.join(name)
	}
	posts := g.posting(60)
	for n := range kills {
		before := s.count()
		var busy string
		s.await("a member that is alive handles events", func() bool {
			if len(s.handled) < before+scale(100) {
				return false
			}
			busy = s.handled[len(s.handled)-1].member
			return members[busy] != nil
		})
		s.kill(busy, members[busy])
		delete(members, busy)
		name := fmt.Sprint("member-", n+3)
		members[name] = s.join(name)
	}
	posts.stop()
	log := g.asker.log()
	s.awaitAll(log)
	for _, a := range members {
		a.leave()
	}
	s.check(log, false)
}

// posts are changes of some records that come in one after the other until stop, at most 200 a second.
type posts struct {
	end  context.CancelFunc
	done sync.WaitGroup
}

func (g *gateway) posting(records int) *posts {
	ctx, cancel := context.WithCancel(g.t.Context())
	p := &posts{end: cancel}
	p.done.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			g.posted++
			if !g.sender.deliver(g.t.Context(), change{n: g.posted, key: g.posted % records}) {
				return
			}
		}
	})
	g.t.Cleanup(p.stop)
	return p
}

func (p *posts) stop() {
	p.end()
	p.done.Wait()
}
