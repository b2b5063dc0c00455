package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/headgate/headgate/client/cmd/terminal"
	"github.com/headgate/headgate/server"
)

// offline are the commands on a data directory with which no gateway runs.
type offline struct {
	Restore struct {
		File string `arg:"" help:"What headgate backup made."`
	} `cmd:"" help:"Make a data directory of a backup. Cursors from before the backup go on, later ones are refused, and a gap tells the readers. Needs --data-dir DIR, empty or not there yet."`
	Verify struct {
		Backup string `placeholder:"FILE" help:"Look at what headgate backup made instead."`
	} `cmd:"" help:"Read all that lies in --data-dir DIR and name every damage, also where the gateway refuses to start. It changes nothing, and no gateway may run there. Exit code 0: all is well; 1: damaged; 2: it could not be looked at."`
	UpgradeStore struct{} `cmd:"" help:"Bring the log in --data-dir DIR to the newest stored format. The releases before cannot open it any more; until then, going back to them is possible."`
}

// commands are the offline ones, by what kong calls them.
func (f *flags) commands() map[string]func(stdout, stderr io.Writer) error {
	return map[string]func(io.Writer, io.Writer) error{"restore <file>": f.restore, "upgrade-store": f.upgradeStore, "verify": f.verify}
}

func (f *flags) restore(stdout, stderr io.Writer) error {
	in, err := os.Open(f.Restore.File)
	if err != nil {
		return err
	}
	progress := terminal.NewProgress(stderr, "restore", terminal.Bytes)
	restored, err := server.Restore(*f.DataDir, progress.Reader(in, sizeOf(in)))
	progress.Clear()
	if err = errors.Join(err, in.Close()); err != nil {
		return fmt.Errorf("restore %s into %s: %w", f.Restore.File, *f.DataDir, err)
	}
	_, err = fmt.Fprintf(stdout, "%s: %d records, all that was accepted by %s; a new epoch begins there, and readers are told with a gap that later events may be missing\n",
		*f.DataDir, restored.Of.Records, restored.Of.At.Format(time.RFC3339))
	return err
}

func (f *flags) upgradeStore(stdout, _ io.Writer) error {
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

// failure is an error with an exit code of its own.
type failure struct {
	error
	code int
}

func (f *flags) verify(stdout, stderr io.Writer) error {
	if f.Verify.Backup != "" {
		return f.verifyBackup(stdout, stderr)
	}
	found := 0
	progress, clear := phasesOn(stderr)
	looked, err := server.Verify(*f.DataDir, func(where, what string) {
		found++
		clear()
		fmt.Fprintf(stdout, "damaged  %s: %s\n", where, what)
	}, progress)
	clear()
	if err != nil {
		return failure{err, 2}
	}
	for _, line := range looked {
		fmt.Fprintf(stdout, "looked at  %s\n", line)
	}
	if found > 0 {
		return failure{fmt.Errorf("%s is damaged in %d places: restore a backup; or save the folder, and start with what is left of it", *f.DataDir, found), 1}
	}
	_, err = fmt.Fprintln(stdout, "all is well")
	return err
}

func (f *flags) verifyBackup(stdout, stderr io.Writer) error {
	in, err := os.Open(f.Verify.Backup)
	if err != nil {
		return failure{err, 2}
	}
	defer in.Close()
	progress := terminal.NewProgress(stderr, "verify", terminal.Bytes)
	about, err := server.VerifyBackup(progress.Reader(in, sizeOf(in)))
	progress.Clear()
	if err != nil {
		return failure{fmt.Errorf("%s: %w", f.Verify.Backup, err), 1}
	}
	_, err = fmt.Fprintf(stdout, "%s: all is well: %d records, all that was accepted by %s\n", f.Verify.Backup, about.Records, about.At.Format(time.RFC3339))
	return err
}

// phasesOn shows how far each part of something is. clear takes the line away.
func phasesOn(out io.Writer) (tell func(what string, done float64), clear func()) {
	var phase string
	progress := terminal.NewProgress(out, phase, nil)
	tell = func(what string, done float64) {
		if what != phase {
			progress.Clear()
			phase, progress = what, terminal.NewProgress(out, what, nil)
		}
		progress.Tell(0, done)
	}
	return tell, func() { progress.Clear() }
}

// sizeOf is how many bytes a file has, 0 where that is not known, as of a pipe.
func sizeOf(f *os.File) int64 {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}
