package server_test

import (
	"flag"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

var consoleLoad = flag.Duration("console.load", 0, "how long TestConsoleUnderLoad sends a thousand events a second")

// TestConsoleUnderLoad measures the page while events come faster than anybody reads. Each is counted, and rows stay bounded.
func TestConsoleUnderLoad(t *testing.T) {
	if *consoleLoad == 0 {
		t.Skip("-console.load says no duration")
	}
	const perSecond, senders = 1000, 20
	n := int(consoleLoad.Seconds()) * perSecond
	g, p := console(t, browse(t), nil, 1280)
	p.until(isLive)
	p.run(`window.frames_ = 0; window.longest = 0;
		new PerformanceObserver((l) => l.getEntries().forEach((e) => { longest = Math.max(longest, e.duration); })).observe({type: "longtask"});
		const count = () => { frames_++; requestAnimationFrame(count); }; count();`)
	busy := p.busy()
	begun := time.Now()
	bodies := make(chan []byte)
	var sending sync.WaitGroup
	for range senders {
		sending.Go(func() {
			for body := range bodies {
				if got, err := tryPost(g.addr.Webhook, body, sign(testSecret, body)); got != http.StatusOK {
					t.Errorf("a post was answered with %d, %v", got, err)
				}
			}
		})
	}
	for i := range n {
		if wait := time.Until(begun.Add(time.Duration(i) * time.Second / perSecond)); wait > 0 {
			time.Sleep(wait) // this is the rate, nothing is waited for
		}
		bodies <- body(i+1, "relation.changed", "Cust1234")
	}
	close(bodies)
	sending.Wait()
	took := time.Since(begun)
	frames, longest, worked := p.number("frames_"), p.number("longest"), p.busy()-busy
	p.picture("load")
	p.until(fmt.Sprintf("%s === %d", figure("received"), n))
	t.Logf("%d events in %v: %.0f a second; %.0f frames a second, the page worked for %v, at the longest for %.0f ms; %.0f passed over", n, took, float64(n)/took.Seconds(),
		frames/took.Seconds(), worked.Round(time.Millisecond), longest, p.number(figure("passed")))
	if rows := p.number(rowsWith()); rows != 500 {
		t.Errorf("%v rows are kept", rows)
	}
}
