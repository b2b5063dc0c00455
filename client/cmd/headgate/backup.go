package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/cmd/terminal"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
)

type backupCommand struct {
	File text `arg:"" help:"The file to make. It must not be there yet."`
}

// Run writes the backup beside the file's name and gives it that name when it is whole and on the disk.
func (c *backupCommand) Run(ctx context.Context, g *gateway, std *stdio) (err error) {
	path := string(c.File)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return usagef("%s is there already: name a file that is not, or move it away", path)
	}
	connection, err := g.dial()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	// Private from its first byte on: it holds the key of the cursors and what the CRM sent of people.
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ignoreGone(os.Remove(part.Name()))) }()
	progress := terminal.NewProgress(std.err, "backup", terminal.Bytes)
	summary, length, err := c.receive(ctx, adminv1.NewAdminServiceClient(connection.Conn()), part, progress)
	progress.Clear()
	if err != nil {
		if _, called := status.FromError(err); called {
			err = g.explain(client.ErrorOf(err))
		}
		return errors.Join(err, part.Close())
	}
	if err := errors.Join(part.Sync(), part.Close()); err != nil {
		return err
	}
	if err := errors.Join(os.Rename(part.Name(), path), syncFolder(filepath.Dir(path))); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s: %d records, all that was accepted by %s, %s\n", path, summary.GetRecords(), moment(summary.GetTakenAt()), terminal.Bytes(float64(length)))
	return err
}

// receive writes what comes to out. The error is the call's own.
func (c *backupCommand) receive(ctx context.Context, admin adminv1.AdminServiceClient, out io.Writer, progress *terminal.Progress) (*adminv1.BackupSummary, uint64, error) {
	stream, err := admin.Backup(ctx, &adminv1.BackupRequest{})
	if err != nil {
		return nil, 0, err
	}
	sum, length := sha256.New(), uint64(0)
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			err = errors.New("the gateway ended the backup without a summary: it is not whole")
		}
		if err != nil {
			return nil, 0, err
		}
		if s := m.GetSummary(); s != nil {
			if !bytes.Equal(s.GetSha256(), sum.Sum(nil)) {
				return nil, 0, errors.New("the backup was changed on its way: its checksum is another one; try again")
			}
			return s, length, nil
		}
		sum.Write(m.GetChunk())
		if _, err := out.Write(m.GetChunk()); err != nil {
			return nil, 0, err
		}
		length += uint64(len(m.GetChunk()))
		progress.Tell(float64(length), float64(m.GetProgress()))
	}
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // it has no such thing
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
