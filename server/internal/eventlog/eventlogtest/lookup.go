package eventlogtest

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/headgate/headgate/server/internal/eventlog"
)

var lookupTests = []test{
	{"raw bodies", func(r *rig) {
		rec := event("s", "c", "bare")
		rec.Raw = nil
		r.add(event("s", "c", "1"), rec)
		for range 2 {
			raw, err := r.Raw(ctx, 1)
			if err != nil || string(raw) != "raw of 1" {
				r.Fatalf("%q, %v", raw, err)
			}
			for _, seq := range []uint64{0, 2, 3, math.MaxUint64} {
				_, err := r.Raw(ctx, seq)
				wantErr(r, err, eventlog.ErrNotFound)
			}
			r.reopen()
		}
	}},
	{"by event id", func(r *rig) {
		other := event("s", "c", "a")
		other.Duplicate = eventlog.DuplicateKey("other")
		r.add(event("s", "c", "a"), event("s", "c", "ab"), event("s", "c", ""), other, event("s", "c", "a\xff"), event("s", "c", "b"))
		for range 2 {
			for id, want := range map[string]string{"a": "[1 4]", "ab": "[2]", "": "[3]", "a\xff": "[5]", "b": "[6]", "c": "[]"} {
				seqs, err := r.Find(ctx, id, nil)
				if err != nil || fmt.Sprint(seqs) != want {
					r.Fatalf("%q: %v, %v, want %s", id, seqs, err, want)
				}
			}
			r.reopen()
		}
		r.add(event("s", "d", "a"), event("t", "c", "a"))
		for want, w := range map[string]wants{
			"[1 4 7 8]": nil, "[1 4]": func(s, c string) bool { return s == "s" && c == "c" }, "[7]": func(_, c string) bool { return c == "d" },
			"[1 4 8]": func(_, c string) bool { return c == "c" }, "[]": func(_, _ string) bool { return false },
		} {
			if seqs, err := r.Find(ctx, "a", w); err != nil || fmt.Sprint(seqs) != want {
				r.Fatalf("of some tenants: %v, %v, want %s", seqs, err, want)
			}
		}
		r.must(r.Erase(ctx, []uint64{8}))
		r.must(r.Trim(ctx, 2))
		if seqs, err := r.Find(ctx, "a", nil); err != nil || fmt.Sprint(seqs) != "[4 7 8]" {
			r.Fatalf("after a trim: %v, %v", seqs, err)
		}
	}},
	{"by time", func(r *rig) {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for i := range 20 {
			r.SetNow(start.Add(time.Duration(i/2) * time.Minute)) // two at each minute
			r.add(event("s", "c", fmt.Sprint(i)))
		}
		check := func(d time.Duration, want uint64) {
			r.Helper()
			if after, err := r.SeekTime(ctx, start.Add(d)); err != nil || after != want {
				r.Fatalf("%s: after %d, %v, want %d", d, after, err, want)
			}
		}
		for range 2 {
			check(-time.Hour, 0)
			check(0, 0)
			check(time.Second, 2)
			check(time.Minute, 2)
			check(9*time.Minute, 18)
			check(9*time.Minute+1, 20)
			r.reopen()
		}
		r.must(r.Trim(ctx, 5))
		check(0, 5)
		check(3*time.Minute, 6)
		r.must(r.Trim(ctx, 20))
		check(0, 20)
		check(time.Hour, 20)
	}},
	{"by size", func(r *rig) {
		if after, err := r.SeekSize(ctx, 100); err != nil || after != 0 {
			r.Fatalf("empty: %d, %v", after, err)
		}
		const n = 3000
		var wg sync.WaitGroup
		for w := range 10 {
			wg.Go(func() {
				for i := range n / 10 {
					rec := event("s", "c", fmt.Sprint(w, "-", i))
					rec.Body, rec.Raw = noise(uint64(w*n+i), 1000), noise(uint64(w*n+i+1<<40), 1000)
					r.add(rec)
				}
			})
		}
		wg.Wait()
		last := uint64(n)
		for size := uint64(0); size < 16<<20; size += 1 << 18 {
			after, err := r.SeekSize(ctx, size)
			if err != nil || after > last {
				r.Fatalf("%d bytes: after %d, %v; less took %d", size, after, err, last)
			}
			last = after
		}
		if last != 0 {
			r.Fatalf("more than the whole keeps only what is after %d", last)
		}
		if half, err := r.SeekSize(ctx, 3<<20); err != nil || half < n/4 || half > 3*n/4 {
			r.Fatalf("half of the bytes: after %d of %d, %v", half, n, err)
		}
	}},
}

// noise returns bytes that do not compress.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		seed = seed*6364136223846793005 + 1442695040888963407
		b[i] = byte(seed >> 56)
	}
	return b
}
