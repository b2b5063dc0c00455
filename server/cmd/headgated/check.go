package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server"
)

// The verdicts of a check. A warning does not keep the gateway from running.
const (
	verdictOK   = "ok"
	verdictWarn = "warn"
	verdictFail = "fail"
)

// report prints one line for each check and counts the failures.
type report struct {
	out    io.Writer
	failed int
}

func (r *report) say(verdict, name, format string, args ...any) {
	if verdict == verdictFail {
		r.failed++
	}
	fmt.Fprintf(r.out, "%-4s  %-14s  %s\n", verdict, name, fmt.Sprintf(format, args...))
}

func (r *report) err() error {
	switch r.failed {
	case 0:
		return nil
	case 1:
		return errors.New("1 check failed")
	}
	return fmt.Errorf("%d checks failed", r.failed)
}

// check tells whether the gateway would run here, with the configuration that was loaded and what was wrong with it. It leaves nothing
// behind. It fails when one of the checks does.
func check(ctx context.Context, out io.Writer, file string, cfg server.Config, loadErr error) error {
	r := &report{out: out}
	var problems server.Problems
	switch {
	case errors.As(loadErr, &problems):
		for _, p := range problems {
			r.say(verdictFail, "config", "%s", p)
		}
		return r.err()
	case loadErr != nil:
		r.say(verdictFail, "config", "%s", loadErr)
		return r.err()
	case cfg.Dev:
		r.say(verdictOK, "config", "--dev")
		r.say(verdictWarn, "secrets", "--dev takes webhooks without a signature")
		r.say(verdictWarn, "readers", "--dev lets everybody on this machine read everything")
	default:
		r.say(verdictOK, "config", "%s", file)
		r.say(verdictOK, "secrets", "%d, of %d sources, could be read", countSecrets(cfg), len(cfg.Sources))
		checkReaders(r, cfg)
		checkCertificates(r, cfg.TLS, time.Now())
	}
	for _, warning := range cfg.Warnings {
		r.say(verdictWarn, "config", "%s", warning)
	}
	checkClock(r, time.Now())
	checkData(r, cfg)
	checkPort(ctx, r, "listen.webhook", cfg.Listen.Webhook)
	checkPort(ctx, r, "listen.api", cfg.Listen.API)
	checkPort(ctx, r, "listen.grpc", cfg.Listen.GRPC)
	checkPort(ctx, r, "listen.admin", cfg.Listen.Admin)
	return r.err()
}

func countSecrets(cfg server.Config) int {
	n := 0
	for _, s := range cfg.Sources {
		n += len(s.Secrets)
	}
	return n
}

// checkClock catches machines that start in 1970: retention and the dates of secrets go by the clock.
func checkClock(r *report, now time.Time) {
	if now.Year() < 2025 {
		r.say(verdictFail, "clock", "it says %s; set it, retention and secrets go by it", now.UTC().Format(time.RFC3339))
		return
	}
	r.say(verdictOK, "clock", "%s", now.UTC().Format(time.RFC3339))
}

// checkData looks at the data directory, or at the folder that it would be made in, and at its disk.
func checkData(r *report, cfg server.Config) {
	at, err := existing(cfg.DataDir)
	if err == nil {
		err = tryWrite(at)
	}
	switch {
	case err != nil:
		r.say(verdictFail, "data_dir", "%s cannot be used: %s; make it a folder that the server's user may write to", cfg.DataDir, err)
		return
	case at != filepath.Clean(cfg.DataDir):
		r.say(verdictOK, "data_dir", "%s does not exist yet and can be made", cfg.DataDir)
	default:
		r.say(verdictOK, "data_dir", "%s can be written to", cfg.DataDir)
	}
	usage, err := vfs.Default.GetDiskUsage(at)
	if err != nil {
		r.say(verdictFail, "disk", "cannot tell how much is free: %s", err)
		return
	}
	checkDisk(r, cfg.Retention, int64(usage.AvailBytes), folderSize(cfg.DataDir))
}

// checkDisk compares what is free, and what the log has already taken of it, with what the log may take.
func checkDisk(r *report, retention server.Retention, free, taken int64) {
	switch want := retention.MaxSize + retention.DiskReserve; {
	case free < retention.DiskReserve:
		r.say(verdictFail, "disk", "%s are free, less than retention.disk_reserve, %s; make room or lower it",
			inMiB(free), inMiB(retention.DiskReserve))
	case free+taken < want:
		r.say(verdictWarn, "disk", "%s are free, but retention.max_size and disk_reserve make %s; make room or lower max_size, or events are removed early",
			inMiB(free), inMiB(want))
	default:
		r.say(verdictOK, "disk", "%s are free", inMiB(free))
	}
}

func inMiB(n int64) string { return fmt.Sprintf("%dMiB", n>>20) }

// existing returns path or the nearest folder above it that exists.
func existing(path string) (string, error) {
	path = filepath.Clean(path)
	for {
		info, err := os.Stat(path)
		switch {
		case err == nil && !info.IsDir():
			return "", fmt.Errorf("%s is not a folder", path)
		case err == nil || !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path):
			return path, err
		}
		path = filepath.Dir(path)
	}
}

// tryWrite makes a file in the folder and removes it again.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".headgated-check-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("headgated check\n")
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// folderSize is what the files below dir take. What cannot be read does not count.
func folderSize(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

func checkPort(ctx context.Context, r *report, name, address string) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		r.say(verdictWarn, name, "%s is in use: by a gateway that runs with this configuration, or else choose another port", address)
	case err != nil:
		r.say(verdictFail, name, "cannot listen: %s; choose an address of this machine and a port that its user may take", err)
	default:
		r.say(verdictOK, name, "%s is free", address)
		_ = l.Close()
	}
}
