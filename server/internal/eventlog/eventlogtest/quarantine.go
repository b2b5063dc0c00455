package eventlogtest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/headgate/headgate/server/internal/eventlog"
)

var quarantineTests = []test{
	{"quarantine, page by page", func(r *rig) {
		for i := range 25 {
			r.add(event("s", "c", fmt.Sprint(i)), quarantined("s", fmt.Sprint("raw", i)))
		}
		for range 2 {
			if n := r.State().Quarantined; n != 25 {
				r.Fatalf("%d in quarantine", n)
			}
			want := uint64(50)
			for before := uint64(0); ; {
				page, err := r.Quarantined(ctx, eventlog.QuarantineQuery{Before: before}, 10)
				r.must(err)
				for _, q := range page {
					raw, err := r.Raw(ctx, q.Seq)
					if err != nil || q.Seq != want || q.BodySize != len(raw) || q.Problem != "not JSON" || q.Quarantine.Context != "c" || q.Keys.Source != "s" {
						r.Fatalf("%+v, want record %d (%v)", q, want, err)
					}
					want -= 2
				}
				if len(page) < 10 {
					break
				}
				before = page[len(page)-1].Seq
			}
			if want != 0 {
				r.Fatalf("ended before %d", want)
			}
			r.reopen()
		}
		r.must(r.Trim(ctx, 10))
		if n := r.State().Quarantined; n != 20 {
			r.Fatalf("%d in quarantine after a trim", n)
		}
		for _, before := range []uint64{1, 3, 11} {
			if page, err := r.Quarantined(ctx, eventlog.QuarantineQuery{Before: before}, 10); err != nil || len(page) != 0 {
				r.Fatalf("before %d: %v, %v", before, page, err)
			}
		}
		r.must(r.Erase(ctx, []uint64{12, 12, 13, 14}))
		if n := r.State().Quarantined; n != 18 {
			r.Fatalf("%d in quarantine after an erasure", n)
		}
		r.reopen()
		if n := r.State().Quarantined; n != 18 {
			r.Fatalf("%d in quarantine after reopening", n)
		}
	}},
	{"quarantine, in all orders", func(r *rig) {
		for i := range 12 {
			r.add(quarantined([]string{"s", "other", "s"}[i%3], fmt.Sprint("raw", i)))
		}
		for _, c := range []struct {
			q    eventlog.QuarantineQuery
			n    int
			want []uint64
		}{
			{eventlog.QuarantineQuery{}, 3, []uint64{12, 11, 10}},
			{eventlog.QuarantineQuery{OldestFirst: true}, 3, []uint64{1, 2, 3}},
			{eventlog.QuarantineQuery{Source: "other"}, 9, []uint64{11, 8, 5, 2}},
			{eventlog.QuarantineQuery{Source: "other", OldestFirst: true, After: 2, Before: 11}, 9, []uint64{5, 8}},
			{eventlog.QuarantineQuery{After: 4, Before: 6}, 9, []uint64{5}},
			{eventlog.QuarantineQuery{Source: "nobody"}, 9, nil},
			{eventlog.QuarantineQuery{After: 12}, 9, nil},
		} {
			list, err := r.Quarantined(ctx, c.q, c.n)
			r.must(err)
			var got []uint64
			for _, q := range list {
				got = append(got, q.Seq)
			}
			if !slices.Equal(got, c.want) {
				r.Errorf("%+v: %v, want %v", c.q, got, c.want)
			}
		}
	}},
	{"an event settles the quarantine that it was made of, and so does its duplicate", func(r *rig) {
		r.add(quarantined("s", "a"), quarantined("s", "b"), quarantined("s", "c"), event("s", "c", "there"))
		made := event("s", "c", "made")
		made.Settles = 1
		if held, err := r.Holds(ctx, made); held || err != nil {
			r.Fatalf("held before it was: %v, %v", held, err)
		}
		r.add(made)
		again := event("s", "c", "there")
		again.Settles = 2
		held, err := r.Holds(ctx, again)
		r.must(err)
		if dup, err := r.Append(ctx, again); !dup || !held || err != nil {
			r.Fatalf("dup %v, held %v, %v", dup, held, err)
		}
		if dup, err := r.Append(ctx, made); !dup || err != nil { // as after an answer that was lost
			r.Fatalf("the same once more: dup %v, %v", dup, err)
		}
		for range 2 {
			r.wantQuarantined(map[string]uint64{"s": 1 + eventlog.QuarantineOverhead}, 3)
			if list := r.all(0, nil); len(list) != 5 || list[0].Kind != eventlog.KindGap || list[1].Kind != eventlog.KindGap {
				r.Fatalf("the gaps did not stay: %+v", list)
			}
			for seq, kept := range map[uint64]bool{1: false, 2: false, 3: true, 5: true} {
				if _, err := r.Raw(ctx, seq); (err == nil) != kept {
					r.Errorf("the body of %d: %v", seq, err)
				}
			}
			r.reopen()
		}
		r.must(r.Erase(ctx, []uint64{1, 3}))
		r.wantQuarantined(map[string]uint64{})
		r.must(r.Trim(ctx, 3))
		r.wantQuarantined(map[string]uint64{})
	}},
	{"what was settled is a duplicate still, unless it may come again", func(r *rig) {
		r.add(quarantined("s", "a"), quarantined("other", "bb"), quarantined("s", "c"))
		for _, again := range []bool{false, true} {
			seqs := map[bool][]uint64{false: {1, 1, 99}, true: {2, 1}}[again]
			if n, err := r.Settle(ctx, seqs, again); n != 1 || err != nil {
				r.Fatalf("%d settled, %v", n, err)
			}
		}
		r.wantQuarantined(map[string]uint64{"s": 1 + eventlog.QuarantineOverhead}, 3)
		r.reopen()
		if dup, err := r.Append(ctx, quarantined("s", "a")); !dup || err != nil {
			r.Errorf("dup %v, %v", dup, err)
		}
		r.add(quarantined("other", "bb"))
		r.wantQuarantined(map[string]uint64{"s": 1 + eventlog.QuarantineOverhead, "other": 2 + eventlog.QuarantineOverhead}, 4, 3)
	}},
	{"what is known of a quarantine can change", func(r *rig) {
		r.add(quarantined("s", "a"), event("s", "c", "1"))
		want := eventlog.Quarantine{Problem: "another", ContentType: "b", EventType: "c", Context: "d"}
		r.must(r.SetQuarantine(ctx, 1, want))
		for _, seq := range []uint64{2, 3} {
			wantErr(r, r.SetQuarantine(ctx, seq, want), eventlog.ErrNotFound)
		}
		r.reopen()
		list, err := r.Quarantined(ctx, eventlog.QuarantineQuery{}, 9)
		if err != nil || len(list) != 1 || list[0].Quarantine != want || list[0].BodySize != 1 {
			r.Errorf("%+v, %v", list, err)
		}
		r.wantQuarantined(map[string]uint64{"s": 1 + eventlog.QuarantineOverhead}, 1)
		r.must(r.Trim(ctx, 1))
		wantErr(r, r.SetQuarantine(ctx, 1, want), eventlog.ErrNotFound)
	}},
}

// wantQuarantined checks what lies in quarantine, newest first, and how much that is by source.
func (r *rig) wantQuarantined(sizes map[string]uint64, seqs ...uint64) {
	r.Helper()
	list, err := r.Quarantined(ctx, eventlog.QuarantineQuery{}, 100)
	r.must(err)
	var got []uint64
	for _, q := range list {
		got = append(got, q.Seq)
	}
	var total uint64
	for _, size := range sizes {
		total += size
	}
	st, held := r.State(), r.QuarantineSizes()
	if !slices.Equal(got, seqs) || st.Quarantined != uint64(len(seqs)) || st.QuarantinedBytes != total || !maps.Equal(held, sizes) {
		r.Fatalf("in quarantine are %v, %d counted, %d bytes, %v; want %v, %v", got, st.Quarantined, st.QuarantinedBytes, held, seqs, sizes)
	}
}
