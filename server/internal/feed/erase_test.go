package feed

import (
	"testing"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// TestErasedWhileStalled: what a stalled stream has read and not sent yet, it does not send once that is erased: it says Erased in its place, in the order of
// the log. So does one that stops at the head of when it began.
func TestErasedWhileStalled(t *testing.T) {
	for _, stop := range []bool{false, true} {
		g := newGateway(t, smallTail, func(s *setup) { s.dialOpts = smallWindows })
		const n, size = 300, 8 << 10 // some thirty times what a stalled stream takes
		var seqs []uint64
		g.appendMany(n, func(i int) *eventlog.Record { return event(i, sized(size)) })
		for seq := range uint64(n) {
			seqs = append(seqs, seq+1)
		}
		r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest(), StopWhenCaughtUp: stop})
		r.started()
		sent := func() uint64 { return g.feed.Streams(t.Context())[0].EventsSent }
		until(t, "the stream stalls", func() bool { return sent() >= 64<<10/size })
		if err := g.log.Erase(t.Context(), seqs); err != nil {
			t.Fatal(err)
		}
		most, events := sent(), uint64(0)
		for next := uint64(1); next <= n; {
			m := r.recv()
			for _, e := range m.GetEvents() {
				if g.seq(e.GetCursor()) != next {
					t.Fatalf("record %d came, expected %d", g.seq(e.GetCursor()), next)
				}
				next++
				events++
			}
			if m.GetErased() != nil {
				if g.seq(m.GetCursor()) != next {
					t.Fatalf("record %d was erased, expected %d", g.seq(m.GetCursor()), next)
				}
				next++
			}
		}
		// The message that was being sent is of at most 16 KiB.
		if events > most+2 {
			t.Errorf("%d events came, %d were sent when they were erased", events, most)
		}
		if stop && r.recv().GetClosing().GetReason() != headgatev1.Closing_REASON_CAUGHT_UP {
			t.Error("the stream does not end at the head")
		}
	}
}
