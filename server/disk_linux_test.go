package server_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// smallDisk is a disk of so many MiB, in memory.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", size)); err != nil {
		t.Skipf("this user cannot mount a disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillDisk takes all of the disk but some bytes, and returns what gives it back.
func fillDisk(t *testing.T, dir string, leave int64) (free func()) {
	t.Helper()
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Fallocate(int(f.Fd()), 0, 0, int64(disk.Bavail)*disk.Bsize-leave); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
	}
}

// timed posts once.
func (g *gateway) timed(n, size int) (status int, took time.Duration) {
	text := strings.Repeat(mark(), size/78)
	body := fmt.Appendf(nil, `{"EventId":"%d","Event":"sale.sold","PrimaryKey":%d,"ContextIdentifier":"Cust26759","FieldValues":{"text":"%s"}}`, n, n, text)
	begin := time.Now()
	status = g.post(body)
	return status, time.Since(begin)
}

// TestDiskThatGetsFull: whether the reserve is left or, in the middle of a write, nothing at all, webhooks are answered with 503 at once, readers are served, the gateway says what to do,
// and soon after there is room again it takes webhooks, all of them once, without a restart.
func TestDiskThatGetsFull(t *testing.T) {
	for name, c := range map[string]struct {
		reserve, leave int64
		size           int
	}{"the reserve": {32 << 20, 8 << 20, 50_000}, "nothing": {1 << 20, 600 << 10, 900_000}} {
		t.Run(name, func(t *testing.T) {
			dir := smallDisk(t, 160)
			cfg := signedConfig(filepath.Join(dir, "log"))
			cfg.Retention.DiskReserve = c.reserve
			g := start(t, cfg)
			live, _ := g.follow(t.Context(), &headgatev1.SubscribeRequest{Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}})
			accepted, n := 0, 0
			refused, back := time.Hour, time.Hour // the best of three: the machine has other work too
			for range 3 {
				free := fillDisk(t, dir, c.leave)
				status := http.StatusOK
				for begin := time.Now(); status == http.StatusOK; n++ {
					if status, _ = g.timed(n, c.size); status == http.StatusOK {
						accepted++
					}
					if time.Since(begin) > 20*time.Second {
						t.Fatal("the disk does not get full")
					}
				}
				for range 10 {
					status, took := g.timed(n, c.size)
					if status != http.StatusServiceUnavailable {
						t.Fatalf("on a full disk: %d", status)
					}
					refused = min(refused, took)
				}
				if got := len(g.stored(nil)); got != accepted {
					t.Errorf("readers get %d events, want %d", got, accepted)
				}
				if code, text := g.ready(t); code != http.StatusServiceUnavailable || !strings.Contains(text, "make room") {
					t.Errorf("/readyz: %d %s", code, text)
				}
				free()
				begin := time.Now()
				for status != http.StatusOK && time.Since(begin) < 20*time.Second {
					status, _ = g.timed(n, c.size)
				}
				back = min(back, time.Since(begin))
				accepted, n = accepted+1, n+1
				eventually(t, "the live reader gets it", func() bool { return len(live()) == accepted })
			}
			if refused > 100*time.Millisecond || back > time.Second {
				t.Errorf("refused after %s, back after %s", refused, back)
			}
			t.Logf("refused after %s, back after %s", refused, back)
		})
	}
}

// ready asks whether webhooks are accepted.
func (g *gateway) ready(t *testing.T) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + g.addr.Admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
