package upstream

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

const (
	notReady = headgatev1.Gap_CAUSE_NOT_READY
	retried  = headgatev1.Gap_CAUSE_RETRIED
	reported = headgatev1.Gap_CAUSE_CRM_REPORTED
	silence  = headgatev1.Gap_CAUSE_SILENCE
)

func of(source string, cause headgatev1.Gap_Cause, from, to time.Time) suspicion {
	return suspicion{window: window{from, to}, Source: source, Cause: cause}
}

// TestTimeAway: a restart that is shorter than the CRM tries is no gap, a longer one is one of all sources, from when the gateway was last ready.
func TestTimeAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "acme")
		r.start(false)
		pass(time.Hour)
		r.post("acme", "", 0)
		r.end()
		pass(4900 * time.Millisecond)
		r.start(false)
		r.want("a short restart")
		pass(time.Minute)
		var want []suspicion
		for _, end := range []func(){r.end, r.crash} {
			pass(300 * time.Millisecond) // between two looks
			from := time.Now()
			end()
			if len(want) == 1 {
				from = from.Add(-300 * time.Millisecond) // the last look
			}
			pass(7 * time.Second)
			r.start(false)
			pass(time.Minute)
			want = append(want, of("", notReady, from, from.Add(time.Since(from)).Add(-time.Minute)))
		}
		r.want("longer ones", want...)
		if gap := r.watch.NotReady(); gap.GetToTime().AsTime() != want[1].To.UTC() {
			t.Errorf("the status shows %v", gap)
		}
		r.end()
	})
}

// TestTimeAwayStandsFirst: the gap of the time away stands before the first event that comes after it, however soon that comes.
func TestTimeAwayStandsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "acme")
		r.start(false)
		pass(time.Minute)
		r.end()
		pass(time.Hour)
		r.first = func() { r.post("acme", "", 0) }
		r.start(false)
		pass(time.Minute)
		if stored, _ := r.engine.after(0); len(stored) != 2 || stored[0].Kind != eventlog.KindGap || stored[1].Kind != eventlog.KindEvent {
			t.Errorf("the log has %v, want a gap and an event", stored)
		}
		r.end()
	})
}

// TestWhenItWasReadyIsNotKnown: a gateway that never wrote it down tells nothing, and one whose note a power cut tore counts from the newest record.
func TestWhenItWasReadyIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "acme")
		r.start(false)
		r.post("acme", "", 0)
		posted := time.Now()
		pass(time.Hour)
		file := filepath.Join(r.dir, "ready")
		r.end()
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		r.start(false)
		r.want("without the file")
		r.end()
		if err := os.WriteFile(file, []byte("\x00\x00\x00"), 0o600); err != nil {
			t.Fatal(err)
		}
		r.start(false)
		r.want("with a torn one", of("", notReady, posted, time.Now()))
		r.end()
	})
}

// TestLogThatTakesNothing: while nothing can be stored the gateway is not ready, and says so when it can again. The machine's sleep is such a time too.
func TestLogThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "acme")
		r.start(false)
		pass(time.Minute)
		r.engine.fail(eventlog.ErrFull)
		pass(3 * time.Second)
		r.engine.fail(nil)
		pass(time.Minute)
		r.want("for a moment")
		from := time.Now()
		r.engine.fail(eventlog.ErrFull)
		pass(time.Hour)
		if r.want("while it lasts"); time.Since(from) != time.Hour {
			t.Fatal(time.Since(from))
		}
		r.engine.fail(nil)
		pass(time.Minute)
		r.want("for an hour", of("", notReady, from, from.Add(time.Hour+time.Second)))
		r.end()
	})
}

// TestPostsThatCouldNotBeStored: one that the CRM tries again with success is no loss, one that failed three times is.
func TestPostsThatCouldNotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "acme")
		r.start(false)
		r.post("acme", "", 0)
		pass(time.Minute)
		r.watch.Stored(false)
		pass(time.Second)
		r.post("acme", "", 1)
		pass(10 * time.Minute)
		r.want("tried again with success")
		from := time.Now()
		for _, wait := range []time.Duration{time.Second, 4 * time.Second, 10 * time.Minute} {
			r.watch.Stored(false)
			pass(wait)
		}
		if gaps := r.gaps(); len(gaps) != 1 || gaps[0].GetCause() != notReady || gaps[0].GetFromTime().AsTime().After(from) ||
			gaps[0].GetToTime().AsTime().Before(from.Add(lostAfter)) {
			t.Errorf("failed from %s on for 5 s: %v", from, gaps)
		}
		r.end()
	})
}

// TestRetriedWebhooks: those of one incident make one gap, from when the source was heard before to the last of them; a restart that explains them makes none.
func TestRetriedWebhooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "acme", "globex")
		r.start(false)
		pass(time.Minute)
		r.post("acme", "", 0)
		pass(time.Minute)
		before := time.Now()
		for i := range 20 {
			r.post("acme", "", uint8(i%2))
			r.post("globex", "", 0)
			pass(10 * time.Second)
		}
		to := time.Now().Add(-10 * time.Second)
		if got := r.watch.Status("acme"); !slices.Equal(got.Suspected, []headgatev1.Gap_Cause{retried}) || len(r.gaps()) > 0 {
			t.Errorf("while it lasts the status is %+v", got)
		}
		pass(10 * time.Minute)
		want := []suspicion{of("acme", retried, before, to)}
		r.want("one incident", want...)
		if got := r.watch.Status("acme"); len(got.Suspected) > 0 || got.Gaps != 1 || got.Last.GetCause() != retried {
			t.Errorf("afterwards the status is %+v", got)
		}
		r.end()
		pass(3 * time.Second)
		r.start(false)
		pass(time.Second)
		r.post("acme", "", 2)
		pass(10 * time.Minute)
		r.want("after a restart that explains it", want...)
		for range 5 * 60 {
			r.post("globex", "", 1)
			pass(time.Minute)
		}
		pass(time.Hour)
		if n := len(r.gaps()) - 1; n < 4 || n > 6 {
			t.Errorf("5 hours of them make %d gaps", n)
		}
		r.end()
	})
}

// TestReports: what the CRM says makes one gap when the feed is heard again, whatever happens to the gateway in between.
func TestReports(t *testing.T) {
	for _, action := range []string{"errors", "stopped"} {
		for how, interrupt := range map[string]func(r *rig){
			"at once":           func(*rig) {},
			"after a restart":   func(r *rig) { r.end(); r.start(false) },
			"after a crash":     func(r *rig) { r.crash(); r.start(false) },
			"with a full disk":  func(r *rig) { r.engine.fail(errors.New("not now")); pass(time.Second); r.engine.fail(nil) },
			"and reported more": func(r *rig) { r.post("acme", "errors", 0) },
		} {
			t.Run(action+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, "acme", "globex")
					r.start(false)
					r.post("acme", "", 0)
					before := time.Now()
					pass(time.Minute)
					r.post("acme", action, 0)
					pass(time.Hour)
					r.post("globex", "", 0)
					interrupt(r)
					pass(time.Minute)
					if got := r.watch.Status("acme").Suspected; !slices.Equal(got, []headgatev1.Gap_Cause{reported}) || len(r.gaps()) > 0 {
						t.Errorf("while it lasts %v are suspected, gaps %v", got, r.gaps())
					}
					r.post("acme", map[bool]string{true: "started"}[action == "stopped"], 0)
					again := time.Now()
					pass(time.Minute)
					r.want("heard again", of("acme", reported, before, again))
					interrupt(r)
					r.post("acme", "", 0)
					pass(time.Minute)
					if how != "and reported more" {
						r.want("and afterwards", of("acme", reported, before, again))
					}
					r.end()
				})
			})
		}
	}
}

// TestWhatIsNoReport: entities that only look like the webhooks' own.
func TestWhatIsNoReport(t *testing.T) {
	for entity, want := range map[string]bool{"webhook": true, "webhook12": true, "webhooks": false, "y_webhook": false, "webhook1a": false} {
		if got := isReport(&eventlog.Keys{Entity: entity, Action: "errors"}); got != want {
			t.Errorf("%s: %v", entity, got)
		}
	}
	if isReport(&eventlog.Keys{Entity: "webhook", Action: "started"}) {
		t.Error("a started webhook is reported")
	}
}

// steady posts three times and more an hour for some weeks, so that every hour is busy.
func (r *rig) steady(weeks int) {
	for range weeks * 7 * 24 * 4 {
		r.post("acme", "", 0)
		pass(15 * time.Minute)
	}
}

func monday(t *testing.T) time.Time { return time.Date(2000, time.January, 3, 0, 1, 0, 0, oslo(t)) }

// TestSilence: what was learned outlives a restart; time in which the gateway was away is no silence, and what an operator tried again is no sign.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "acme")
		time.Sleep(time.Until(monday(t)))
		r.start(true)
		r.steady(weeksNeeded)
		if by := r.watch.Status("acme").ExpectedBy; !by.IsZero() {
			t.Errorf("after three weeks less 15 minutes it is expected by %s", by)
		}
		r.post("acme", "", 0)
		r.watch.Stop()
		pass(time.Minute)
		r.watch.save()
		r.stop()
		pass(10 * time.Hour)
		r.start(false)
		pass(time.Minute)
		r.post("acme", "", 0)
		pass(time.Hour)
		if gaps := r.gaps(); len(gaps) != 1 || gaps[0].GetCause() != notReady {
			t.Fatalf("after 10 hours away: %v", gaps)
		}
		r.post("acme", "", 0)
		last := time.Now()
		pass(2 * time.Hour)
		if by := r.watch.Status("acme").ExpectedBy; by.Sub(last) < 3*time.Hour || by.Sub(last) > 4*time.Hour {
			t.Errorf("last heard at %s, expected by %s", last, by)
		}
		r.retry()
		pass(2 * time.Hour)
		if got := r.watch.Status("acme"); !slices.Equal(got.Suspected, []headgatev1.Gap_Cause{silence}) || !got.LastHeard.Equal(last) {
			t.Errorf("after 4 hours of silence the status is %+v", got)
		}
		r.post("acme", "", 0)
		again := time.Now()
		pass(time.Minute)
		if gaps := r.gaps(); len(gaps) != 2 || !gaps[1].GetFromTime().AsTime().Equal(last) || !gaps[1].GetToTime().AsTime().Equal(again) {
			t.Errorf("silent from %s to %s: %v", last, again, gaps)
		}
		r.crash()
		r.start(false)
		pass(time.Minute)
		if n := len(r.gaps()); n != 2 {
			t.Errorf("after a crash there are %d gaps", n)
		}
		r.end()
	})
}

// retry appends what an operator had tried again.
func (r *rig) retry() {
	r.Helper()
	rec := &eventlog.Record{Kind: eventlog.KindEvent, Keys: eventlog.Keys{Source: "acme", Entity: "relation"}, Settles: 1}
	if _, err := r.log.Append(r.Context(), rec); err != nil {
		r.Fatal(err)
	}
}

// TestOldLog: of a log from before, weeks are learned and nothing is judged.
func TestOldLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "acme")
		time.Sleep(time.Until(monday(t)))
		log, err := eventlog.Open(r.engine, eventlog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r.log = log
		add := func(action string) {
			_, _ = log.Append(t.Context(), &eventlog.Record{Kind: eventlog.KindEvent, Keys: eventlog.Keys{Source: "acme", Entity: "webhook", Action: action}, Retries: 1})
		}
		for range 4 * 7 * 24 * 4 {
			add("created")
			time.Sleep(15 * time.Minute)
		}
		add("errors")
		time.Sleep(5 * time.Hour)
		add("created")
		r.start(false)
		pass(time.Hour)
		r.want("of an old log")
		if st := r.watch.Status("acme"); st.ExpectedBy.IsZero() || len(st.Suspected) > 0 {
			t.Errorf("it is known that %+v", st)
		}
		r.end()
	})
}
