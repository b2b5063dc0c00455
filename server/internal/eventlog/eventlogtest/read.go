package eventlogtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// collect follows from a position until n records have come.
func (r *rig) collect(after uint64, n int, each func([]eventlog.Stored)) []eventlog.Stored {
	r.Helper()
	enough := errors.New("enough")
	limit, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var list []eventlog.Stored
	err := r.Follow(limit, after, func(group []eventlog.Stored) error {
		if each != nil {
			each(group)
		}
		if list = append(list, group...); len(list) >= n {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		r.Errorf("Follow after %d brought %d of %d records: %v", after, len(list), n, err)
	}
	return list
}

// watch returns a function that waits until the head is beyond a sequence. The follower behind it ends with stop.
func (r *rig) watch() (wait func(seq uint64), stop func()) {
	var mu sync.Mutex
	moved := sync.NewCond(&mu)
	watching, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		for watching.Err() == nil { // a trim may overtake it
			wake := func([]eventlog.Stored) error {
				mu.Lock()
				defer mu.Unlock()
				moved.Broadcast()
				return nil
			}
			head := r.State().Head
			_ = wake(nil) // for what came before Follow stands there
			err := r.Follow(watching, head, wake)
			if !errors.Is(err, eventlog.ErrTrimmed) && !errors.Is(err, context.Canceled) {
				r.Errorf("Follow: %v", err)
			}
		}
	})
	wait = func(seq uint64) {
		mu.Lock()
		defer mu.Unlock()
		for r.State().Head <= seq {
			moved.Wait()
		}
	}
	return wait, func() { cancel(); done.Wait() }
}

var followTests = []test{
	{"each once, in order, while they come", func(r *rig) {
		const n = 2000
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() { r.addN(n/4, "s", "c", fmt.Sprint("w", w, "-")) })
		}
		list := r.collect(0, n, nil)
		wg.Wait()
		wantWhole(r, list, 1, n)
		for i, st := range r.all(0, nil) {
			if st.Keys != list[i].Keys || string(st.Body) != string(list[i].Body) || !st.ReceivedAt.Equal(list[i].ReceivedAt) || st.Duplicate != list[i].Duplicate {
				r.Fatalf("record %d was followed as %+v and is read as %+v", st.Seq, list[i], st)
			}
		}
	}},
	{"from any position, and after reopening", func(r *rig) {
		r.addN(50, "s", "c", "id")
		for range 2 {
			for after := range uint64(50) {
				wantWhole(r, r.collect(after, 50-int(after), nil), after+1, 50)
			}
			r.reopen()
		}
	}},
	{"from the head nothing comes but what is new", func(r *rig) {
		r.addN(10, "s", "c", "a")
		var wg sync.WaitGroup
		wg.Go(func() { r.addN(10, "s", "c", "b") })
		wantWhole(r, r.collect(10, 10, nil), 11, 20)
		wg.Wait()
	}},
	{"slowly", func(r *rig) {
		const writers, each = 64, 160 // more than an engine keeps for its follower
		var wg sync.WaitGroup
		var once sync.Once
		list := []eventlog.Stored(nil)
		wg.Go(func() {
			list = r.collect(0, writers*each, func([]eventlog.Stored) {
				once.Do(func() {
					var writing sync.WaitGroup
					for w := range writers - 1 {
						writing.Go(func() { r.addN(each, "s", "c", fmt.Sprint(w, "-")) })
					}
					writing.Wait()
				})
			})
		})
		r.addN(each, "s", "c", "first")
		wg.Wait()
		wantWhole(r, list, 1, writers*each)
	}},
	{"ends with its context and with fn", func(r *rig) {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		wantErr(r, r.Follow(ended, 0, func([]eventlog.Stored) error { return nil }), context.Canceled)
		r.add(event("s", "c", "1"))
		stop := errors.New("stop")
		wantErr(r, r.Follow(ctx, 0, func([]eventlog.Stored) error { return stop }), stop)
	}},
}

// mixed appends n events, the i-th of context c<i%tenants>.
func (r *rig) mixed(n, tenants int) {
	r.Helper()
	for i := range n {
		r.add(event("s", fmt.Sprint("c", i%tenants), fmt.Sprint(i)))
	}
}

var readTests = []test{
	{"everything, from any position", func(r *rig) {
		r.mixed(60, 3)
		for after := range uint64(61) {
			wantWhole(r, r.all(after, nil), after+1, 60)
		}
		if through, err := r.Read(ctx, 99, nil, nil); err != nil || through != 99 {
			r.Fatalf("beyond the head: through %d, %v", through, err)
		}
	}},
	{"of some tenants, few and many", func(r *rig) {
		const n, tenants = 900, 150
		r.mixed(n, tenants)
		for range 2 {
			for _, some := range []int{0, 1, 2, 63, 64, 65, 100, 149, 150} {
				wanted := make(map[string]bool)
				for i := range some {
					wanted[fmt.Sprint("c", i*7%tenants)] = true
				}
				next := uint64(0)
				for _, st := range r.all(n/3, func(_, c string) bool { return wanted[c] }) {
					if wanted[st.Keys.Context] { // an engine may show others too
						for next = max(next, n/3) + 1; !wanted[fmt.Sprint("c", (next-1)%tenants)]; next++ {
						}
						if st.Seq != next {
							r.Fatalf("%d tenants: record %d, want %d", some, st.Seq, next)
						}
					}
				}
				for next++; next <= n; next++ {
					if next > n/3 && wanted[fmt.Sprint("c", (next-1)%tenants)] {
						r.Fatalf("%d tenants: record %d was not visited", some, next)
					}
				}
			}
			r.reopen()
		}
	}},
	{"nobody wanted looks through to the head", func(r *rig) {
		r.mixed(30, 3)
		through, err := r.Read(ctx, 3, func(_, _ string) bool { return false }, func(eventlog.Stored) bool { return true })
		if err != nil || through != 30 {
			r.Fatalf("through %d, %v", through, err)
		}
	}},
	{"wants is asked for the gaps of a source and of everybody", func(r *rig) {
		r.add(event("s", "c", "1"), &eventlog.Record{Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: "s"}, Body: []byte("g")},
			&eventlog.Record{Kind: eventlog.KindGap, Body: []byte("g")}, event("t", "d", "2"), event("s", "e", "3"))
		var got []uint64
		for _, st := range r.all(0, func(s, c string) bool { return s == "" || s == "s" && (c == "" || c == "e") }) {
			if st.Keys.Context == "e" || st.Kind == eventlog.KindGap {
				got = append(got, st.Seq)
			}
		}
		if fmt.Sprint(got) != "[2 3 5]" {
			r.Fatalf("visited %v", got)
		}
	}},
	{"stops when fn says so", func(r *rig) {
		r.mixed(40, 4)
		for _, w := range []wants{nil, func(_, c string) bool { return c == "c1" || c == "c2" }} {
			var last uint64
			for n := 0; last < 39; n++ {
				visited := 0
				through, err := r.Read(ctx, last, w, func(st eventlog.Stored) bool {
					visited++
					last = st.Seq
					return false
				})
				if err != nil || visited != 1 || through < last {
					r.Fatalf("visited %d, through %d after %d, %v", visited, through, last, err)
				}
			}
		}
	}},
	{"a context that has ended", func(r *rig) {
		r.mixed(20, 2)
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err := r.Read(ended, 0, nil, func(eventlog.Stored) bool { return true })
		wantErr(r, err, context.Canceled)
	}},
	{"a tenant that appears while it is read for", func(r *rig) {
		r.mixed(20, 2)
		w := func(_, c string) bool { return c == "c1" || c == "new" }
		once := false
		last, saw := uint64(0), false
		see := func(st eventlog.Stored) bool {
			if !once {
				once = true
				r.add(event("s", "new", "n1"), event("s", "c0", "n2"), event("s", "new", "n3"))
			}
			saw = saw || st.Keys.EventID == "n1"
			return true
		}
		for last < 23 {
			through, err := r.Read(ctx, last, w, see)
			r.must(err)
			last = through
		}
		if !saw {
			r.Fatal("the new tenant's first record was passed over")
		}
	}},
	{"while records are appended", func(r *rig) {
		const n, tenants = 3000, 10
		done := make(chan struct{})
		go func() {
			defer close(done)
			var wg sync.WaitGroup
			for w := range tenants {
				wg.Go(func() { r.addN(n/tenants, "s", fmt.Sprint("c", w), fmt.Sprint(w, "-")) })
			}
			wg.Wait()
		}()
		wait, stop := r.watch()
		defer stop()
		var readers sync.WaitGroup
		for _, w := range []wants{nil, func(_, c string) bool { return c == "c3" || c == "c4" }} {
			readers.Go(func() {
				next := map[string]int{"c3": 0, "c4": 0}
				for last := uint64(0); last < n; {
					wait(last)
					through, err := r.Read(ctx, last, w, func(st eventlog.Stored) bool {
						if i, ok := next[st.Keys.Context]; ok {
							if want := fmt.Sprintf("%s-%d", st.Keys.Context[1:], i); st.Keys.EventID != want {
								r.Errorf("%s, want %s", st.Keys.EventID, want)
							}
							next[st.Keys.Context]++
						}
						return true
					})
					if err != nil {
						r.Error(err)
						return
					}
					last = through
				}
				if next["c3"] != n/tenants || next["c4"] != n/tenants {
					r.Errorf("saw %v", next)
				}
			})
		}
		readers.Wait()
		<-done
	}},
}
