package eventlog_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// BenchmarkTailRead reads the whole tail, as each subscriber that has caught up does; per event.
func BenchmarkTailRead(b *testing.B) {
	l, _ := start(b, vfs.NewMem(), eventlog.Options{})
	addN(b, l, 10_000, 250)
	head := l.Head()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		after := uint64(0)
		left := 0
		for pb.Next() {
			if left > 0 {
				left--
				continue
			}
			if after == head {
				after = 0
			}
			c, err := l.Read(ctx, after, nil)
			if err != nil {
				b.Error(err)
				return
			}
			after, left = c.Through, len(c.Frames)-1
		}
	})
}

// BenchmarkDiskRead reads the log where the tail does not reach; per event.
func BenchmarkDiskRead(b *testing.B) {
	l, s := start(b, vfs.NewMem(), eventlog.Options{})
	addN(b, l, 10_000, 250)
	disk, err := eventlog.Open(s, eventlog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	head := disk.Head()
	b.ReportAllocs()
	after, left := uint64(0), 0
	for b.Loop() {
		if left > 0 {
			left--
			continue
		}
		if after == head {
			after = 0
		}
		c, err := disk.Read(ctx, after, nil)
		if err != nil {
			b.Fatal(err)
		}
		after, left = c.Through, len(c.Frames)-1
	}
}
