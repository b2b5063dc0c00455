package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/headgate/headgate/server"
)

// offline are the commands on a data directory with which no gateway runs.
type offline struct {
	Restore struct {
		File string `arg:"" help:"What headgate backup made."`
	} `cmd:"" help:"Make a data directory of a backup. Cursors from before the backup go on, later ones are refused, and a gap tells the readers. Needs --data-dir DIR, empty or not there yet."`
	UpgradeStore struct{} `cmd:"" help:"Bring the log in --data-dir DIR to the newest stored format. The releases before cannot open it any more; until then, going back to them is possible."`
}

// commands are the offline ones, by what kong calls them.
func (f *flags) commands() map[string]func(stdout io.Writer) error {
	return map[string]func(io.Writer) error{"restore <file>": f.restore, "upgrade-store": f.upgradeStore}
}

func (f *flags) restore(stdout io.Writer) error {
	in, err := os.Open(f.Restore.File)
	if err != nil {
		return err
	}
	restored, err := server.Restore(*f.DataDir, in)
	if err = errors.Join(err, in.Close()); err != nil {
		return fmt.Errorf("restore %s into %s: %w", f.Restore.File, *f.DataDir, err)
	}
	_, err = fmt.Fprintf(stdout, "%s: %d records, all that was accepted by %s; a new epoch begins there, and readers are told with a gap that later events may be missing\n",
		*f.DataDir, restored.Of.Records, restored.Of.At.Format(time.RFC3339))
	return err
}

func (f *flags) upgradeStore(stdout io.Writer) error {
	from, to, err := server.UpgradeStore(*f.DataDir)
	if err != nil {
		return err
	}
	if from == to {
		_, err = fmt.Fprintf(stdout, "%s: already in format %d, the newest\n", *f.DataDir, to)
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: brought from format %d to %d\n", *f.DataDir, from, to)
	return err
}
