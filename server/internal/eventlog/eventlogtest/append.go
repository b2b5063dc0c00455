package eventlogtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/server/internal/eventlog"
)

var appendTests = []test{
	{"an empty log", func(r *rig) {
		st := r.State()
		if st.Earliest != 1 || st.Head != 0 || !st.EarliestAt.IsZero() || !st.HeadAt.IsZero() || st.Err != nil {
			r.Fatalf("state %+v", st)
		}
		if list := r.all(0, nil); len(list) != 0 {
			r.Fatalf("%d records", len(list))
		}
		if _, err := r.Raw(ctx, 1); !errors.Is(err, eventlog.ErrNotFound) {
			r.Fatalf("Raw: %v", err)
		}
	}},
	{"what comes back is what was appended", func(r *rig) {
		rec := event("s", "c", "id")
		rec.Retries, rec.Traced = 2, true
		before := time.Now()
		r.add(rec)
		for range 2 {
			list := r.all(0, nil)
			wantWhole(r, list, 1, 1)
			st := list[0]
			if st.Kind != rec.Kind || st.Keys != rec.Keys || st.Duplicate != rec.Duplicate || st.Retries != rec.Retries || st.Traced != rec.Traced || !bytes.Equal(st.Body, rec.Body) {
				r.Fatalf("stored %+v, appended %+v", st, rec)
			}
			if st.ReceivedAt.Before(before.Add(-time.Second)) || st.ReceivedAt.After(time.Now().Add(time.Second)) {
				r.Fatalf("received at %s", st.ReceivedAt)
			}
			if s := r.State(); s.Head != 1 || s.Earliest != 1 || !s.EarliestAt.Equal(st.ReceivedAt) || !s.HeadAt.Equal(st.ReceivedAt) {
				r.Fatalf("state %+v", s)
			}
			r.reopen()
		}
	}},
	{"16 writers make one order without holes", func(r *rig) {
		const writers, each = 16, 150
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if dup, err := r.Append(ctx, event("s", fmt.Sprint("c", w), fmt.Sprintf("%d-%d", w, i))); dup || err != nil {
						r.Errorf("dup %v, %v", dup, err)
					}
				}
			})
		}
		wg.Wait()
		for range 2 {
			list := r.all(0, nil)
			wantWhole(r, list, 1, writers*each)
			next := make(map[string]int) // each writer's records stand in the order in which it appended them
			for _, st := range list {
				if want := fmt.Sprintf("%s-%d", st.Keys.Context[1:], next[st.Keys.Context]); st.Keys.EventID != want {
					r.Fatalf("record %d is %s, want %s", st.Seq, st.Keys.EventID, want)
				}
				next[st.Keys.Context]++
			}
			r.reopen()
		}
	}},
	{"large and empty bodies", func(r *rig) {
		for i, n := range []int{0, 1, 3 << 20, 100, 9 << 20} {
			rec := event("s", "c", fmt.Sprint(i))
			rec.Body, rec.Raw = bytes.Repeat([]byte{byte(i)}, n), bytes.Repeat([]byte{byte(i + 100)}, n)
			r.add(rec)
		}
		r.reopen()
		for i, st := range r.all(0, nil) {
			n := []int{0, 1, 3 << 20, 100, 9 << 20}[i]
			raw, err := r.Raw(ctx, st.Seq)
			if (n == 0) != errors.Is(err, eventlog.ErrNotFound) || len(st.Body) != n || len(raw) != n {
				r.Fatalf("record %d: body %d, raw %d (%v), want %d bytes", st.Seq, len(st.Body), len(raw), err, n)
			}
		}
	}},
	{"a cancelled append and its retry give exactly one", func(r *rig) {
		for i := range 200 {
			id := fmt.Sprint("id", i)
			cancelled, cancel := context.WithCancel(ctx)
			if i%2 == 0 {
				cancel()
			} else {
				go cancel()
			}
			_, err := r.Append(cancelled, event("s", "c", id))
			if err != nil && !errors.Is(err, context.Canceled) {
				r.Fatal(err)
			}
			_, err = r.Append(ctx, event("s", "c", id))
			r.must(err)
		}
		wantWhole(r, r.all(0, nil), 1, 200)
	}},
	{"tenants are known at once and after reopening", func(r *rig) {
		r.add(event("s", "c1", "1"), event("s", "c2", "2"), event("t", "c1", "3"), event("s", "c1", "4"))
		for range 2 {
			list := r.Tenants()
			slices.SortFunc(list, func(a, b eventlog.Tenant) int {
				return bytes.Compare([]byte(a.Source+a.Context), []byte(b.Source+b.Context))
			})
			if want := []eventlog.Tenant{{Source: "s", Context: "c1"}, {Source: "s", Context: "c2"}, {Source: "t", Context: "c1"}}; !slices.Equal(list, want) {
				r.Fatalf("tenants %v", list)
			}
			r.reopen()
		}
	}},
}

var duplicateTests = []test{
	{"within a group: one is new, all others are duplicates", func(r *rig) {
		for round := range 20 {
			results := make(chan bool, 16)
			var wg sync.WaitGroup
			for range cap(results) {
				wg.Go(func() {
					dup, err := r.Append(ctx, event("s", "c", fmt.Sprint(round)))
					if err != nil {
						r.Error(err)
					}
					results <- dup
				})
			}
			wg.Wait()
			close(results)
			fresh := 0
			for dup := range results {
				if !dup {
					fresh++
				}
			}
			if fresh != 1 {
				r.Fatalf("%d appends of one event were new", fresh)
			}
		}
		wantWhole(r, r.all(0, nil), 1, 20)
	}},
	{"across groups and after reopening", func(r *rig) {
		r.addN(300, "s", "c", "id")
		for range 2 {
			for i := range 300 {
				if dup, err := r.Append(ctx, event("s", "c", fmt.Sprint("id", i))); err != nil || !dup {
					r.Fatalf("dup %v, %v", dup, err)
				}
			}
			r.reopen()
		}
		wantWhole(r, r.all(0, nil), 1, 300)
	}},
	{"the same event id of another source, context, type or record is another event", func(r *rig) {
		for i, parts := range [][]string{{"s", "c", "t", "1"}, {"s2", "c", "t", "1"}, {"s", "c2", "t", "1"}, {"s", "c", "t2", "1"}, {"s", "c", "t", "2"}, {"sc", "", "t", "1"}} {
			rec := event(parts[0], parts[1], "same")
			rec.Duplicate = eventlog.DuplicateKey(parts...)
			r.add(rec)
			seqs, err := r.Find(ctx, "same", nil)
			r.must(err)
			if len(seqs) != i+1 {
				r.Fatalf("Find: %v", seqs)
			}
		}
	}},
	{"a zero key is never a duplicate", func(r *rig) {
		rec := event("s", "c", "id")
		rec.Duplicate = [16]byte{}
		r.add(rec, rec, rec)
		wantWhole(r, r.all(0, nil), 1, 3)
	}},
	{"forgotten with the record that was trimmed", func(r *rig) {
		r.addN(10, "s", "c", "id")
		r.must(r.Trim(ctx, 5))
		for range 2 {
			dup, err := r.Append(ctx, event("s", "c", "id9"))
			if r.must(err); !dup {
				r.Fatal("a kept record's duplicate was taken")
			}
			r.reopen()
		}
		r.add(event("s", "c", "id0"))
		dup, err := r.Append(ctx, event("s", "c", "id0"))
		if r.must(err); !dup {
			r.Fatal("taken twice after the trim")
		}
		wantWhole(r, r.all(5, nil), 6, 11)
	}},
}

var clockTests = []test{
	{"received_at never decreases", func(r *rig) {
		start := time.Date(2026, 3, 29, 1, 0, 0, 123456789, time.UTC)
		step := func(d time.Duration, want time.Duration) {
			r.Helper()
			r.SetNow(start.Add(d))
			r.add(event("s", "c", fmt.Sprint(d, r.State().Head)))
			if at := r.State().HeadAt; !at.Equal(start.Add(want)) {
				r.Fatalf("received at %s, want %s", at, start.Add(want))
			}
		}
		step(0, 0)
		step(time.Second, time.Second)
		step(-time.Hour, time.Second)
		r.reopen()
		step(-time.Hour, time.Second)
		r.must(r.Trim(ctx, r.State().Head))
		step(-2*time.Hour, time.Second)
		r.must(r.Trim(ctx, r.State().Head))
		r.reopen()
		step(-3*time.Hour, time.Second)
		step(time.Minute, time.Minute)
	}},
}

var closeTests = []test{
	{"identity survives reopening", func(r *rig) {
		id := r.Identity()
		r.add(event("s", "c", "1"))
		r.reopen()
		again := r.Identity()
		if id.Key != again.Key || len(id.Epochs) != 1 || len(again.Epochs) != 1 || id.Epochs[0].ID != again.Epochs[0].ID {
			r.Fatal("another identity after reopening")
		}
	}},
	{"waits for what is under way", func(r *rig) {
		var mu sync.Mutex
		acked := make(map[string]bool)
		var wg sync.WaitGroup
		started := make(chan struct{}, 8)
		for w := range 8 {
			wg.Go(func() {
				for i := 0; ; i++ {
					id := fmt.Sprintf("%d-%d", w, i)
					if _, err := r.Append(ctx, event("s", "c", id)); err != nil {
						return
					}
					mu.Lock()
					acked[id] = true
					mu.Unlock()
					if i == 5 {
						started <- struct{}{}
					}
				}
			})
		}
		for range 8 {
			<-started
		}
		r.close()
		wg.Wait()
		r.open()
		list := r.all(0, nil)
		wantWhole(r, list, 1, r.State().Head)
		for _, st := range list {
			delete(acked, st.Keys.EventID)
		}
		if len(acked) > 0 || len(list) < 48 {
			r.Fatalf("%d acknowledged records are gone, %d are there", len(acked), len(list))
		}
	}},
	{"an append afterwards fails", func(r *rig) {
		r.close()
		if _, err := r.Append(ctx, event("s", "c", "late")); err == nil {
			r.Fatal("taken after Close")
		}
		r.open()
		if head := r.State().Head; head != 0 {
			r.Fatalf("head %d", head)
		}
	}},
}
