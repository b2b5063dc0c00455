package proof

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestKilled: the gateway is killed at random instants, in the middle of its posts, and started again. What it accepted is there, once, where it was.
func TestKilled(t *testing.T) {
	kills := counts(200, 20_000)
	g := newGateway(t, t.TempDir(), "")
	g.start()
	c := newCRM(g)
	end := c.write(16, 0)
	var o order
	slowest, before := time.Duration(0), 0
	for n := range kills {
		eventually(t, "events come in", func() bool { return c.took() > before })
		time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond) // the instant is what varies
		if n%8 == 7 {
			if err := o.extend(g); err != nil {
				t.Fatalf("after %d kills: %v", n, err)
			}
		}
		g.kill()
		before = c.took()
		slowest = max(slowest, g.start())
	}
	end()
	o.check(t, g, c)
	g.kill()
	checkStore(t, g.dir, len(o.places))
	t.Logf("%d kills of a gateway with 16 writers: %d events accepted, %d posts failed, 0 lost, moved or doubled; slowest restart %v",
		kills, c.took(), c.failed, slowest.Round(time.Millisecond))
	if c.took() < 20*kills || c.failed < kills {
		t.Error("too little happened for the run to mean anything")
	}
}
