package main

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/client/cmd/terminal"
	"github.com/headgate/headgate/client/internal/scripted"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

// copier answers Backup: what it has, its end, and then err.
type copier struct {
	adminv1.UnimplementedAdminServiceServer
	chunks  []string
	summary *adminv1.BackupSummary
	err     error
}

func (c *copier) Backup(_ *adminv1.BackupRequest, stream adminv1.AdminService_BackupServer) error {
	for _, chunk := range c.chunks {
		if err := stream.Send(&adminv1.BackupResponse{Chunk: []byte(chunk)}); err != nil {
			return err
		}
	}
	if c.summary != nil {
		if err := stream.Send(&adminv1.BackupResponse{Summary: c.summary}); err != nil {
			return err
		}
	}
	return c.err
}

func TestBackupIsWholeOrNotThere(t *testing.T) {
	sum := sha256.Sum256([]byte("onetwo"))
	good := &adminv1.BackupSummary{Sha256: sum[:], TakenAt: noon, Records: 12}
	for name, c := range map[string]struct {
		copier copier
		want   string // of the error; none: it is there
	}{
		"whole":      {copier{chunks: []string{"one", "two"}, summary: good}, ""},
		"cut":        {copier{chunks: []string{"one", "two"}}, "without a summary"},
		"changed":    {copier{chunks: []string{"one", "twO"}, summary: good}, "checksum"},
		"given up":   {copier{chunks: []string{"one"}, err: status.Error(codes.Unavailable, "the disk is needed")}, "the disk is needed"},
		"no backups": {copier{err: status.Error(codes.PermissionDenied, "this is for operators")}, "this is for operators"},
	} {
		address, _ := startGateway(t, &scripted.Gateway{Admin: &c.copier})
		dir := t.TempDir()
		file := filepath.Join(dir, "b.headgate")
		out, _, err := headgate(t, nil, "backup", file, "--address", address)
		entries, dirErr := os.ReadDir(dir)
		if dirErr != nil {
			t.Fatal(dirErr)
		}
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) || len(entries) != 0 {
				t.Errorf("%s: %v, %d files", name, err, len(entries))
			}
			continue
		}
		text, readErr := os.ReadFile(file)
		if err != nil || readErr != nil || string(text) != "onetwo" || len(entries) != 1 || !strings.Contains(out, "12 records") {
			t.Fatalf("%s: %v, %q, %v, printed %q", name, err, text, readErr, out)
		}
		if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: others can read it: %v, %v", name, info, err)
		}
		if _, _, err := headgate(t, nil, "backup", file, "--address", address); err == nil || !strings.Contains(err.Error(), "is there already") || exitCode(err) != 2 {
			t.Errorf("over a file: %v", err)
		}
	}
}

// slowCopier sends a little now and then until it is told that this was seen.
type slowCopier struct {
	adminv1.UnimplementedAdminServiceServer
	seen chan struct{}
}

func (c *slowCopier) Backup(_ *adminv1.BackupRequest, stream adminv1.AdminService_BackupServer) error {
	sum, now := sha256.New(), time.NewTicker(10*time.Millisecond)
	defer now.Stop()
	for {
		select {
		case <-stream.Context().Done():
			return stream.Context().Err()
		case <-c.seen:
			return stream.Send(&adminv1.BackupResponse{Summary: &adminv1.BackupSummary{Sha256: sum.Sum(nil), TakenAt: noon}})
		case <-now.C:
			sum.Write([]byte("12345678"))
			if err := stream.Send(&adminv1.BackupResponse{Chunk: []byte("12345678"), Progress: 0.25}); err != nil {
				return err
			}
		}
	}
}

// TestBackupShowsHowFarItIs on a terminal: a part, a rate and the time that is left, in a line that is gone at the end.
func TestBackupShowsHowFarItIs(t *testing.T) {
	c := &slowCopier{seen: make(chan struct{})}
	address, _ := startGateway(t, &scripted.Gateway{Admin: c})
	cmd := program(t, "backup", filepath.Join(t.TempDir(), "b.headgate"), "--address", address)
	screen, side, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, side
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = side.Close()
	giveUp := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer giveUp.Stop()
	want := regexp.MustCompile(`\r\x1b\[Kbackup  25 %  \d+ B  \d+ B/s  \S+ left`)
	told, shown, block := false, "", make([]byte, 4<<10)
	for {
		n, err := screen.Read(block)
		if shown += string(block[:n]); !told && want.MatchString(shown) {
			told = true
			close(c.seen)
		}
		if err != nil { // nobody has the other side any more
			break
		}
	}
	if err := cmd.Wait(); err != nil || !told || !strings.HasSuffix(shown, terminal.ClearLine) || !strings.Contains(out.String(), "b.headgate: 0 records") {
		t.Errorf("%v, it showed %q and wrote %q", err, shown, out.String())
	}
}
