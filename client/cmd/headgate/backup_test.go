package main

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
