package server

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/headgate/headgate/server/internal/backup"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
	"github.com/headgate/headgate/server/internal/subscription"
)

// Verify reads all of a data directory on which no gateway runs, also of one that is refused, and changes nothing. It calls damage with each damage, where it is
// and what, and progress now and then. It returns what was looked at, in lines, and fails only when it could not look.
func Verify(dir string, damage func(where, what string), progress func(what string, done float64)) (looked []string, err error) {
	log, err := pebblestore.Verify(dir, pebblestore.Verification{Damage: damage, Progress: progress})
	if err != nil {
		return nil, err
	}
	line := func(format string, args ...any) { looked = append(looked, fmt.Sprintf(format, args...)) }
	line("format %d, %d tables with %d bytes", log.Format, log.Tables, log.Bytes)
	line("%d records, %d to %d, %d of them erased; %d epochs; watermark %d", log.Records, log.Earliest, log.Head, log.Erased, len(log.Identity.Epochs), log.Watermark)
	line("%d tenants, %d index entries, %d duplicate keys", log.Tenants, log.Indexed, log.Duplicates)
	line("%d raw bodies, %d in quarantine", log.Raw, log.Quarantined)
	var locate func(cursor string) error
	if len(log.Identity.Epochs) > 0 {
		if locate, err = eventlog.CheckCursors(log.Identity, log.Head); err != nil {
			return looked, err
		}
	}
	saved, err := subscription.Verify(filepath.Join(dir, positionsFile), locate, damage)
	line("%d subscriptions with %d positions", saved.Subscriptions, saved.Positions)
	return looked, err
}

// VerifyBackup reads all of a backup, and fails when it is not whole.
func VerifyBackup(in io.Reader) (about eventlog.Copied, err error) {
	err = backup.Read(in, func(a eventlog.Copied) error { about = a; return nil }, func(backup.Part, []byte, []byte) error { return nil })
	return about, err
}
