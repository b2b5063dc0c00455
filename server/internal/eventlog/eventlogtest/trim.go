package eventlogtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/server/internal/eventlog"
)

var trimTests = []test{
	{"forgets the oldest and keeps the numbers", func(r *rig) {
		r.addN(20, "s", "c", "id")
		r.must(r.Trim(ctx, 8))
		r.must(r.Trim(ctx, 3)) // a step back changes nothing
		for range 2 {
			if st := r.State(); st.Earliest != 9 || st.Head != 20 || st.EarliestAt.IsZero() {
				r.Fatalf("state %+v", st)
			}
			for after := range uint64(8) {
				for _, w := range []wants{nil, func(_, c string) bool { return c == "c" }} {
					_, err := r.Read(ctx, after, w, func(eventlog.Stored) bool { return true })
					wantErr(r, err, eventlog.ErrTrimmed)
				}
			}
			wantWhole(r, r.all(8, nil), 9, 20)
			_, err := r.Raw(ctx, 8)
			wantErr(r, err, eventlog.ErrNotFound)
			r.reopen()
		}
	}},
	{"is told to whom it concerns", func(r *rig) {
		const tenants = 100 // more than are read by their indexes
		r.mixed(1000, tenants)
		before := r.all(0, nil)
		one := func(_, c string) bool { return c == "c7" }
		most := func(_, c string) bool { return c > "c2" }
		for _, through := range []uint64{0, 1, 7, 8, 150, 450, 451, 999, 1000} {
			r.must(r.Trim(ctx, through))
			for range 2 {
				for _, w := range []wants{nil, one, most, func(_, _ string) bool { return false }} {
					wantTrimmed(r, before, through, w)
				}
				r.reopen()
			}
		}
	}},
	{"of everything, and on from there", func(r *rig) {
		r.addN(5, "s", "c", "a")
		r.must(r.Trim(ctx, math.MaxUint64))
		for range 2 {
			if st := r.State(); st.Earliest != 6 || st.Head != 5 || !st.EarliestAt.IsZero() || !st.HeadAt.IsZero() {
				r.Fatalf("state %+v", st)
			}
			if list := r.all(5, nil); len(list) != 0 {
				r.Fatal("records after a trim of everything")
			}
			r.reopen()
		}
		r.addN(5, "s", "c", "b")
		if st := r.State(); st.Earliest != 6 || st.Head != 10 || st.EarliestAt.IsZero() {
			r.Fatalf("state %+v", st)
		}
		wantWhole(r, r.all(5, nil), 6, 10)
	}},
	{"more than one batch", func(r *rig) {
		var wg sync.WaitGroup
		for w := range 50 {
			wg.Go(func() { r.addN(200, "s", "c", fmt.Sprint(w, "-")) })
		}
		wg.Wait()
		r.must(r.Trim(ctx, 9500))
		wantWhole(r, r.all(9500, nil), 9501, 10000)
	}},
	{"during a read leaves no hole", func(r *rig) {
		r.mixed(400, 4)
		for i, w := range []wants{nil, func(_, c string) bool { return c == "c1" }} {
			trimmed := false
			var seqs []uint64
			_, err := r.Read(ctx, uint64(i*100), w, func(st eventlog.Stored) bool {
				if !trimmed {
					trimmed = true
					r.must(r.Trim(ctx, uint64((i+1)*100)))
				}
				if w == nil || w(st.Keys.Source, st.Keys.Context) {
					seqs = append(seqs, st.Seq)
				}
				return true
			})
			if err != nil && !errors.Is(err, eventlog.ErrTrimmed) {
				r.Fatal(err)
			}
			for j := 1; j < len(seqs); j++ {
				if step := uint64(1 + 3*i); seqs[j] != seqs[j-1]+step {
					r.Fatalf("record %d follows %d", seqs[j], seqs[j-1])
				}
			}
		}
	}},
	{"overtaking a reader of many tenants leaves no hole", func(r *rig) {
		const n, tenants = 600, 50 // it takes time to look at that many: a trim comes in between
		var wg sync.WaitGroup
		for w := range tenants {
			wg.Go(func() { r.addN(n/tenants, "s", fmt.Sprint("c", w), fmt.Sprint(w, "-")) })
		}
		wg.Wait()
		r.add(event("s", "other", "last"))
		wg.Go(func() {
			for through := uint64(2); through <= n; through += 2 {
				if err := r.Trim(ctx, through); err != nil {
					r.Error(err)
				}
			}
		})
		all := func(_, c string) bool { return c != "other" }
		for after := uint64(0); after < n; after = r.State().Earliest - 1 {
			last := after
			_, err := r.Read(ctx, after, all, func(st eventlog.Stored) bool {
				if st.Seq != last+1 {
					r.Errorf("record %d follows %d", st.Seq, last)
				}
				last = st.Seq
				return last < after+3
			})
			if err != nil && !errors.Is(err, eventlog.ErrTrimmed) {
				r.Fatal(err)
			}
		}
		wg.Wait()
	}},
	{"beside readers and writers leaves no hole", func(r *rig) {
		const n, tenants = 3000, 3
		wait, stop := r.watch()
		defer stop()
		var work, readers sync.WaitGroup
		work.Go(func() {
			var wg sync.WaitGroup
			for w := range 12 { // four writers a tenant
				wg.Go(func() { r.addN(n/12, "s", fmt.Sprint("c", w%tenants), fmt.Sprint(w, "-")) })
			}
			wg.Wait()
		})
		work.Go(func() {
			for st := r.State(); st.Head < n; st = r.State() {
				wait(st.Head)
				if err := r.Trim(ctx, (st.Earliest+st.Head)/2); err != nil {
					r.Error(err)
				}
			}
		})
		for _, w := range []wants{nil, func(_, c string) bool { return c == "c1" }, func(_, c string) bool { return c == "c1" || c == "c2" }} {
			readers.Go(func() { readBesideTrims(r, n, w, wait) })
		}
		readers.Wait()
		work.Wait()
	}},
}

// wantTrimmed checks what is said of the trimmed ones among the records, and that whoever lost nothing reads on.
func wantTrimmed(r *rig, before []eventlog.Stored, through uint64, w wants) {
	r.Helper()
	var last eventlog.Stored
	var rest []uint64
	for _, st := range before {
		switch {
		case w != nil && !w(st.Keys.Source, st.Keys.Context):
		case st.Seq <= through:
			last = st
		default:
			rest = append(rest, st.Seq)
		}
	}
	if seq, at := r.Trimmed(w); seq != last.Seq || !at.Equal(last.ReceivedAt) {
		r.Fatalf("after a trim of %d: up to %d of %s, want %d of %s", through, seq, at, last.Seq, last.ReceivedAt)
	}
	if last.Seq > 0 {
		_, err := r.Read(ctx, last.Seq-1, w, func(eventlog.Stored) bool { return true })
		wantErr(r, err, eventlog.ErrTrimmed)
	}
	var got []uint64
	for _, st := range r.all(last.Seq, w) {
		if w == nil || w(st.Keys.Source, st.Keys.Context) {
			got = append(got, st.Seq)
		}
	}
	if !slices.Equal(got, rest) {
		r.Fatalf("after a trim of %d: read %v, want %v", through, got, rest)
	}
}

// readBesideTrims reads what there is from the earliest on until the n-th record; each writer's numbers must follow each other within a read that does not
// say ErrTrimmed.
func readBesideTrims(r *rig, n uint64, w wants, wait func(uint64)) {
	for last := uint64(0); last < n; {
		next := make(map[string]int)
		for {
			wait(last)
			through, err := r.Read(ctx, last, w, func(st eventlog.Stored) bool {
				if w != nil && !w(st.Keys.Source, st.Keys.Context) {
					return true
				}
				var writer, i int
				if _, err := fmt.Sscanf(st.Keys.EventID, "%d-%d", &writer, &i); err != nil {
					r.Error(err)
				}
				key := fmt.Sprint(writer)
				if want, ok := next[key]; ok && i != want {
					r.Errorf("record %d is the writer's %d, want %d", st.Seq, i, want)
				}
				next[key] = i + 1
				return true
			})
			if errors.Is(err, eventlog.ErrTrimmed) {
				last = r.State().Earliest - 1
				break // begin anew: what lies between is gone, and the reader was told
			}
			if err != nil {
				r.Error(err)
				return
			}
			if last = through; last >= n {
				return
			}
		}
	}
}

var eraseTests = []test{
	{"removes the contents and keeps the place", func(r *rig) {
		r.addN(5, "s", "c", "id")
		before := r.all(0, nil)
		r.must(r.Erase(ctx, []uint64{4, 2}))
		for range 2 {
			list := r.all(0, nil)
			wantWhole(r, list, 1, 5)
			for i, st := range list {
				was := before[i]
				if !st.ReceivedAt.Equal(was.ReceivedAt) || st.Duplicate != was.Duplicate {
					r.Fatalf("record %d: %+v, was %+v", st.Seq, st, was)
				}
				if st.Seq != 2 && st.Seq != 4 {
					if st.Kind != eventlog.KindEvent || string(st.Body) != string(was.Body) {
						r.Fatalf("record %d was changed", st.Seq)
					}
					continue
				}
				if want := (eventlog.Keys{Source: "s", Context: "c", Entity: "relation", EventID: was.Keys.EventID}); st.Kind != eventlog.KindErased || len(st.Body) != 0 || st.Keys != want {
					r.Fatalf("record %d: %+v", st.Seq, st)
				}
				_, err := r.Raw(ctx, st.Seq)
				wantErr(r, err, eventlog.ErrNotFound)
			}
			dup, err := r.Append(ctx, event("s", "c", "id1"))
			if r.must(err); !dup {
				r.Fatal("an erased event came back")
			}
			r.reopen()
		}
	}},
	{"is seen by who reads by tenant and by who follows", func(r *rig) {
		r.addN(5, "s", "c", "id")
		r.add(event("s", "d", "other"))
		r.must(r.Erase(ctx, []uint64{3}))
		list := r.all(0, func(_, c string) bool { return c == "c" })
		if got := ids(list); got != "id0 id1 id2 id3 id4" || list[2].Kind != eventlog.KindErased {
			r.Fatalf("read %s", got)
		}
		if list := r.collect(0, 6, nil); list[2].Kind != eventlog.KindErased || len(list[2].Body) != 0 {
			r.Fatal("the erased event was followed")
		}
	}},
	{"passes over what is trimmed, and knows nothing beyond the head", func(r *rig) {
		r.addN(5, "s", "c", "id")
		r.must(r.Trim(ctx, 2))
		r.must(r.Erase(ctx, []uint64{1, 2, 3}))
		wantErr(r, r.Erase(ctx, []uint64{4, 6}), eventlog.ErrNotFound)
		if list := r.all(2, nil); list[0].Kind != eventlog.KindErased || list[1].Kind != eventlog.KindEvent {
			r.Fatalf("kinds %d %d", list[0].Kind, list[1].Kind)
		}
	}},
	{"is purged, and nothing else is", func(r *rig) {
		r.must(r.Purge(ctx)) // of an empty log
		r.addN(5, "s", "c", "id")
		r.must(r.Trim(ctx, 1))
		r.must(r.Erase(ctx, []uint64{3}))
		want := r.all(1, nil)
		for range 2 {
			r.must(r.Purge(ctx))
			if diff := cmp.Diff(want, r.all(1, nil)); diff != "" {
				r.Fatal(diff)
			}
			for _, seq := range []uint64{2, 4, 5} {
				_, err := r.Raw(ctx, seq)
				r.must(err)
			}
			r.reopen()
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		wantErr(r, r.Purge(gone), context.Canceled)
	}},
}
