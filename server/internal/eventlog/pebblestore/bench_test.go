package pebblestore

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// bareFile is the least that durable acceptance costs: one file and one fsync a group, with the groups of the log itself.
type bareFile struct {
	queue committer
	done  sync.WaitGroup
}

func openBare(b *testing.B, path string) *bareFile {
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	bare := &bareFile{}
	bare.queue.init()
	bare.done.Go(func() {
		defer f.Close()
		for range bare.queue.wake {
			group, last := bare.queue.take()
			var buf []byte
			for _, p := range group {
				buf = append(append(buf, p.rec.Body...), p.rec.Raw...)
			}
			_, err := f.Write(buf)
			if err == nil {
				err = f.Sync()
			}
			for _, p := range group {
				p.done <- outcome{err: err}
			}
			if last {
				return
			}
		}
	})
	return bare
}

func (f *bareFile) append(rec *eventlog.Record) error {
	p := &pending{rec: rec, size: len(rec.Body), done: make(chan outcome, 1)}
	if err := f.queue.add(p); err != nil {
		return err
	}
	return (<-p.done).err
}

// write makes n appends from several writers and returns how long that took.
func write(b *testing.B, writers, n int, one func(i int) error) time.Duration {
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range writers {
		wg.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				if err := one(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// BenchmarkAppend holds the log against a bare file beside it, in turns, so that both meet the same disk. "ratio" is how many times as long it takes.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			dir := b.TempDir()
			s := open(b, filepath.Join(dir, "log"), Options{})
			bare := openBare(b, filepath.Join(dir, "bare"))
			body := make([]byte, 295)
			rec := func(i int) *eventlog.Record {
				r := event("c", fmt.Sprint("id", i))
				r.Body = body
				return r
			}
			var log, file time.Duration
			for done := 0; done < b.N; {
				n := min(b.N-done, max(64, 4*writers))
				from := done
				log += write(b, writers, n, func(i int) error { _, err := s.Append(ctx, rec(from+i)); return err })
				file += write(b, writers, n, func(i int) error { return bare.append(rec(i)) })
				done += n
			}
			b.ReportMetric(float64(log)/float64(b.N), "log-ns/op")
			b.ReportMetric(float64(file)/float64(b.N), "file-ns/op")
			b.ReportMetric(float64(log)/float64(file), "ratio")
			b.ReportMetric(0, "ns/op")
			bare.queue.close()
			bare.done.Wait()
			closeStore(b, s)
		})
	}
}

// BenchmarkReadByTenant reads one small tenant of a large log, by its index and by scanning.
func BenchmarkReadByTenant(b *testing.B) {
	const n, every = 200_000, 1000
	s := open(b, "log", Options{FS: vfs.NewMem()})
	defer closeStore(b, s)
	write(b, 1024, n, func(i int) error {
		tenant := "large"
		if i%every == 0 {
			tenant = "small"
		}
		_, err := s.Append(ctx, event(tenant, fmt.Sprint(i)))
		return err
	})
	flushed, err := s.flush()
	if err != nil {
		b.Fatal(err)
	}
	<-flushed
	small := func(_, c string) bool { return c == "small" }
	for name, wants := range map[string]func(_, c string) bool{"index": small, "scan": nil} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				found := 0
				for after := uint64(0); after < n; {
					through, err := s.Read(ctx, after, wants, func(st eventlog.Stored) bool {
						if small(st.Keys.Source, st.Keys.Context) {
							found++
						}
						return true
					})
					if err != nil {
						b.Fatal(err)
					}
					after = through
				}
				if found != n/every {
					b.Fatalf("%d records", found)
				}
			}
		})
	}
}
