package server

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/headgate/headgate/server/internal/backup"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
	"github.com/headgate/headgate/server/internal/subscription"
)

// positionsFile is the subscriptions' file in the data directory.
const positionsFile = "positions.db"

var errStopping = errors.New("the server is stopping")

// backup writes the log and the positions, while all goes on.
func (s *Server) backup(ctx context.Context, out io.Writer, progress func(done float64)) (about eventlog.Copied, err error) {
	w, err := backup.NewWriter(out)
	if err != nil {
		return about, err
	}
	// The positions first: what is saved meanwhile may stand behind the log's copy, what was saved before does not.
	items, err := s.positions.List(ctx)
	if err != nil {
		return about, err
	}
	for _, it := range items {
		if err := w.Add(backup.Positions, []byte(it.Key), positionValue(it)); err != nil {
			return about, err
		}
	}
	pairs := 0.0
	err = s.store.Copy(ctx, func(a eventlog.Copied) error {
		about = a
		return w.Header(about)
	}, func(key, value []byte) error {
		if s.leaving.Load() {
			return errStopping
		}
		pairs++
		progress(min(pairs/float64(4*about.Records+1), 0.99)) // a record has about four
		return w.Add(backup.Log, key, value)
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		slog.Warn("a backup was not finished", "error", err)
		return about, err
	}
	slog.Info("a backup was made", "records", about.Records, "of", about.At)
	return about, nil
}

func positionValue(it subscription.Item) []byte {
	return append(binary.BigEndian.AppendUint64(nil, it.Version), it.Value...)
}

func positionOf(key, value []byte) (subscription.Item, error) {
	if len(value) < 8 {
		return subscription.Item{}, fmt.Errorf("%w: a position ends early", backup.ErrDamaged)
	}
	return subscription.Item{Key: string(key), Version: binary.BigEndian.Uint64(value), Value: append([]byte(nil), value[8:]...)}, nil
}

// Restored is what was restored.
type Restored struct {
	// Of is what the backup was of, Positions how many positions of subscriptions it had.
	Of        eventlog.Copied
	Positions int
}

// Restore makes a data directory of a backup. dir must be empty, or not there. Until it returns nil, there is nothing that a gateway would run with.
func Restore(dir string, in io.Reader) (r Restored, err error) {
	log, err := pebblestore.BeginRestore(dir, pebblestore.Options{})
	if err != nil {
		return r, err
	}
	var items []subscription.Item
	err = backup.Read(in, func(about eventlog.Copied) error {
		r.Of = about
		return pebblestore.CheckFormat(about.Format)
	}, func(part backup.Part, key, value []byte) error {
		if part == backup.Log {
			return log.Add(key, value)
		}
		it, err := positionOf(key, value)
		items = append(items, it)
		return err
	})
	if err == nil {
		r.Positions = len(items)
		err = fillPositions(filepath.Join(dir, positionsFile), items)
	}
	if err != nil {
		return r, errors.Join(err, log.Abort())
	}
	return r, log.Finish(r.Of)
}

func fillPositions(path string, items []subscription.Item) error {
	positions, err := subscription.OpenBolt(path)
	if err != nil {
		return err
	}
	return errors.Join(positions.Fill(items), positions.Close())
}

// UpgradeStore brings the log in a data directory to the newest stored format, which the releases before cannot open. It returns the format that it had and the
// one that it has. No gateway may run on it meanwhile.
func UpgradeStore(dir string) (from, to uint32, err error) {
	return pebblestore.Upgrade(dir, pebblestore.Options{Logger: slog.Default()})
}
