package feed

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
)

// smallWindows make a client that does not receive hold up its stream after 64 KiB. Without them the windows grow.
var smallWindows = []grpc.DialOption{grpc.WithInitialWindowSize(64 << 10), grpc.WithInitialConnWindowSize(64 << 10)}

// crash gives s a copy of the disk of g as a power cut would leave it: without what was not synced.
func crash(t *testing.T, g *gateway, s *setup) {
	t.Helper()
	fs, ok := g.setup.fs.(*vfs.MemFS)
	if !ok {
		t.Fatal("not in memory")
	}
	s.fs = fs.CrashClone(vfs.CrashCloneCfg{})
}

// TestNoSilentGapForWhoStoodStill: a reader that does not receive until the retention has passed it is told, and goes on as it asked to.
func TestNoSilentGapForWhoStoodStill(t *testing.T) {
	for on, want := range map[headgatev1.OnLostCursor]int{
		headgatev1.OnLostCursor_ON_LOST_CURSOR_FAIL:     -1,
		headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST: 141, // the first key after the gap
		headgatev1.OnLostCursor_ON_LOST_CURSOR_LATEST:   151,
	} {
		t.Run(on.String(), func(t *testing.T) {
			g := newGateway(t, smallTail, func(s *setup) { s.dialOpts = smallWindows })
			r := g.subscribe(&headgatev1.SubscribeRequest{Start: earliest(), OnLostCursor: on, HeartbeatInterval: durationpb.New(5 * time.Minute)})
			r.caughtUp()
			begin := g.clock.now()
			// 150 events of 32 KiB: the windows and one chunk hold a dozen.
			g.appendMany(140, func(i int) *eventlog.Record { return event(1+i, sized(32<<10)) })
			g.clock.advance(time.Hour)
			g.appendMany(10, func(i int) *eventlog.Record { return event(141+i, sized(32<<10)) })
			g.trim(140)

			seen, last := 0, g.log.Cursor(0)
			var gap *headgatev1.SubscribeResponse
			for gap == nil {
				m, err := r.stream.Recv()
				if err != nil {
					if on != headgatev1.OnLostCursor_ON_LOST_CURSOR_FAIL {
						t.Fatal(err)
					}
					wantFailure(t, err, codes.OutOfRange, fault.CursorExpired)
					wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: after(last)}), codes.OutOfRange, fault.CursorExpired)
					return
				}
				if gap = m; m.GetGap() == nil {
					gap, last = nil, m.GetCursor()
					seen += len(m.GetEvents())
				}
			}
			if seen == 0 || seen > 50 {
				t.Fatalf("the reader was sent %d events before the gap; it did not stand still", seen)
			}
			to := g.clock.now()
			if want == 141 {
				to = begin
			}
			if w := gap.GetGap(); w.GetReason() != headgatev1.Gap_REASON_CURSOR_EXPIRED || !w.GetFromTime().AsTime().Equal(begin) || !w.GetToTime().AsTime().Equal(to) {
				t.Errorf("the gap is %v", w)
			}
			g.append(event(151))
			if pos := g.seq(gap.GetCursor()); pos != uint64(want-1) {
				t.Errorf("the gap has the cursor of record %d", pos)
			}
			for next := uint64(want); next <= 151; {
				for _, e := range r.recv().GetEvents() {
					if g.seq(e.GetCursor()) != next {
						t.Fatalf("record %d came, expected %d", g.seq(e.GetCursor()), next)
					}
					next++
				}
			}
		})
	}
}

// scripted is the log with a step before its reads and searches.
type scripted struct {
	Log
	before func(call string, after uint64) error
}

func (l *scripted) Read(ctx context.Context, after uint64, wants func(source, context string) bool) (eventlog.Chunk, error) {
	if err := l.before("Read", after); err != nil {
		return eventlog.Chunk{}, err
	}
	return l.Log.Read(ctx, after, wants)
}

func (l *scripted) SeekTime(ctx context.Context, t time.Time) (uint64, error) {
	if err := l.before("SeekTime", 0); err != nil {
		return 0, err
	}
	return l.Log.SeekTime(ctx, t)
}

// withStep lets the test act before a call on the log.
func withStep(before func(call string, after uint64) error) func(*setup) {
	return func(s *setup) { s.wrap = func(l Log) Log { return &scripted{l, before} } }
}

// TestNoSilentGapWhenTheRetentionOvertakesAStart: records that go between the look at the log and the first read.
func TestNoSilentGapWhenTheRetentionOvertakesAStart(t *testing.T) {
	var step atomic.Pointer[func(call string)]
	g := newGateway(t, withStep(func(call string, _ uint64) error {
		if f := step.Load(); f != nil {
			(*f)(call)
		}
		return nil
	}))
	begin := g.clock.now()
	for n := 1; n <= 6; n++ {
		g.append(event(n))
		g.clock.advance(time.Hour)
	}
	trimOnce := func(on string, through uint64) {
		var once atomic.Bool
		f := func(call string) {
			if call == on && once.CompareAndSwap(false, true) {
				g.trim(through)
			}
		}
		step.Store(&f)
	}
	trimOnce("SeekTime", 2) // 2 was received at the time asked for
	wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: at(begin.Add(time.Hour))}), codes.OutOfRange, fault.CursorExpired)

	trimOnce("Read", 3) // whoever asks for the earliest gets what is the earliest then
	if got := keys(g.all(&headgatev1.SubscribeRequest{Start: earliest()})); !cmp.Equal(got, numbers(4, 6)) {
		t.Error("earliest:", got)
	}
	trimOnce("Read", 4) // but a gap that was already told ended at 3: a second one must follow
	lost := &headgatev1.SubscribeRequest{Start: after(g.log.Cursor(1)), OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST}
	if got, want := keys(g.all(lost)), []string{"REASON_CURSOR_EXPIRED", "REASON_CURSOR_EXPIRED", "5", "6"}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	trimOnce("Read", 5)
	page, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{})
	if err != nil || len(page.GetEvents()) != 1 || page.GetHasMore() {
		t.Errorf("a page from the earliest: %v, %v", page, err)
	}
}

// silent is a logger of Pebble.
type silent struct{}

func (silent) Infof(string, ...any)           {}
func (silent) Errorf(string, ...any)          {}
func (silent) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

// TestDataLossIsNeverSkipped removes one record behind the log's back.
func TestDataLossIsNeverSkipped(t *testing.T) {
	first := newGateway(t)
	first.appendMany(1000, func(i int) *eventlog.Record { return event(i) })
	g := newGateway(t, func(s *setup) {
		crash(t, first, s)
		db, err := pebble.Open("data", &pebble.Options{FS: s.fs, FormatMajorVersion: pebble.FormatWALSyncChunks, Logger: silent{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Delete([]byte("r\x00\x00\x00\x00\x00\x00\x01\xf4"), pebble.Sync), db.Close()); err != nil { // 500
			t.Fatal(err)
		}
	})
	for name, f := range map[string]*headgatev1.Filter{"whole": nil, "by tenant": {Sources: []string{"acme"}, Contexts: []string{"Cust1"}}} {
		r := g.subscribe(&headgatev1.SubscribeRequest{Filter: f, Start: earliest(), OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST})
		r.started()
		all, end := r.rest()
		wantFailure(t, end, codes.DataLoss, fault.DataLoss)
		if n := len(keys(all)); n != 499 || g.seq(all[len(all)-1].GetCursor()) != 499 {
			t.Errorf("%s: %d events before the damage", name, n)
		}
		wantFailure(t, g.subscribe(&headgatev1.SubscribeRequest{Filter: f, Start: after(g.log.Cursor(499))}).endAfterStarted(), codes.DataLoss, fault.DataLoss)
		if got := len(keys(g.all(&headgatev1.SubscribeRequest{Filter: f, Start: after(g.log.Cursor(500))}))); got != 500 {
			t.Errorf("%s: %d events behind the damage", name, got)
		}
		_, err := g.client.ListEvents(t.Context(), &headgatev1.ListEventsRequest{Filter: f, AfterCursor: g.log.Cursor(499)})
		wantFailure(t, err, codes.DataLoss, fault.DataLoss)
	}
	_, err := g.client.GetEvent(t.Context(), &headgatev1.GetEventRequest{Cursor: g.log.Cursor(500)})
	wantFailure(t, err, codes.DataLoss, fault.DataLoss)
}

func (r *reader) endAfterStarted() error {
	r.t.Helper()
	r.started()
	all, end := r.rest()
	if len(all) > 0 {
		r.t.Errorf("expected only Started, got %v", keys(all))
	}
	return end
}
