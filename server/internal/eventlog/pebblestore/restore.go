package pebblestore

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// unfinished is a file that lies in a store's folder while it is being restored. With it, no store is opened.
const unfinished = "restoring"

// restoreBatch is how much a restoration writes at a time.
const restoreBatch = 4 << 20

// Restoration fills a store with a copy. Either Finish or Abort must be called; until Finish has returned there is nothing that opens as a log.
type Restoration struct {
	s        *Store
	lock     *pebble.Lock
	batch    *pebble.Batch
	identity []byte
}

// BeginRestore begins to make a store in dir, which must not hold anything but what an earlier restoration has left.
func BeginRestore(dir string, opt Options) (*Restoration, error) {
	s := newStore(dir, opt)
	if err := s.opt.FS.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	remains, err := s.remains()
	if err != nil {
		return nil, err
	}
	lock, err := pebble.LockDirectory(dir, s.opt.FS)
	if err != nil {
		return nil, openError(dir, err)
	}
	r := &Restoration{s: s, lock: lock}
	if err = s.clear(remains); err == nil {
		err = r.open(true)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	r.batch = s.db.NewBatch()
	return r, nil
}

// open opens the store. In bulk, nothing goes through the log of writes: none of it counts before all of it does.
func (r *Restoration) open(bulk bool) error {
	return r.s.openDB(func(o *pebble.Options) { o.DisableWAL, o.Lock = bulk, r.lock })
}

// remains returns the files that a restoration which was not finished has left.
func (s *Store) remains() ([]string, error) {
	names, err := s.opt.FS.List(s.dir)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", s.dir, err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "lost+found" || name == "LOCK" })
	again := slices.Contains(names, unfinished)
	for _, name := range names {
		if !again || !ours(name) {
			return nil, fmt.Errorf("%s is not empty, %s is in it: restore into an empty folder, or move away what is there", s.dir, name)
		}
	}
	return names, nil
}

// clear marks the folder, and then removes what is left from before.
func (s *Store) clear(remains []string) error {
	f, err := s.opt.FS.Create(s.opt.FS.PathJoin(s.dir, unfinished), vfs.WriteCategoryUnspecified)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close(), s.syncDir())
	}
	for _, name := range remains {
		if name != unfinished && err == nil {
			err = s.opt.FS.RemoveAll(s.opt.FS.PathJoin(s.dir, name))
		}
	}
	if err != nil {
		return fmt.Errorf("data directory %s: %w", s.dir, err)
	}
	return nil
}

// ours says whether a file is one that a restoration makes.
func ours(name string) bool {
	for _, is := range []string{unfinished, "watermark", "ballast", "CURRENT", "positions.db"} {
		if name == is {
			return true
		}
	}
	for _, begins := range []string{"MANIFEST-", "OPTIONS-", "marker.", "temporary.", "CURRENT."} {
		if strings.HasPrefix(name, begins) {
			return true
		}
	}
	return strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".log") || strings.HasSuffix(name, ".dbtmp")
}

func (s *Store) syncDir() error {
	d, err := s.opt.FS.OpenDir(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// checkRestored refuses a folder in which a restoration was not finished.
func (s *Store) checkRestored() error {
	_, err := s.opt.FS.Stat(s.opt.FS.PathJoin(s.dir, unfinished))
	switch {
	case err == nil:
		return fmt.Errorf("a restoration into %s was not finished: run headgated restore again", s.dir)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return fmt.Errorf("data directory %s: %w", s.dir, err)
}

// Add takes one pair of the copy. Its bytes are not kept.
func (r *Restoration) Add(key, value []byte) error {
	switch {
	case string(key) == string(keyIdentity):
		r.identity = slices.Clone(value)
		return nil
	case string(key) == string(keyFormat): // the new store has its own
		return nil
	}
	if err := r.batch.Set(key, value, nil); err != nil {
		return err
	}
	if r.batch.Len() < restoreBatch {
		return nil
	}
	return r.write()
}

func (r *Restoration) write() error {
	err := r.s.db.Apply(r.batch, pebble.NoSync)
	r.batch.Reset()
	return err
}

// Abort ends a restoration that did not work.
func (r *Restoration) Abort() error {
	return errors.Join(r.batch.Close(), r.s.db.Close(), r.lock.Close())
}

// Finish makes a log of it. It begins a new epoch behind the copy, with a gap for what may have been accepted after it.
func (r *Restoration) Finish(about eventlog.Copied) (err error) {
	s := r.s
	defer func() { err = errors.Join(err, r.lock.Close()) }()
	err = errors.Join(r.write(), r.batch.Close(), s.db.Flush(), s.db.Close())
	if err != nil {
		return fmt.Errorf("restore into %s: %w", s.dir, err)
	}
	if s.identity, err = decodeIdentity(r.identity); err != nil {
		return err
	}
	if err := r.open(false); err != nil {
		return err
	}
	if err := errors.Join(s.beginRestored(about), s.db.Close()); err != nil {
		return err
	}
	if err := errors.Join(s.opt.FS.Remove(s.opt.FS.PathJoin(s.dir, unfinished)), s.syncDir()); err != nil {
		return fmt.Errorf("restore into %s: %w", s.dir, err)
	}
	return nil
}

// beginRestored begins the epoch.
func (s *Store) beginRestored(about eventlog.Copied) (err error) {
	if s.state, err = s.readState(); err != nil {
		return err
	}
	if st := s.state; st.Head != about.Head || st.Head+1-st.Earliest != about.Records {
		return fmt.Errorf("%w: the backup has records %d to %d, and should have %d up to %d", eventlog.ErrDamaged, st.Earliest, st.Head, about.Records, about.Head)
	}
	if err := s.tenants.load(s.db); err != nil {
		return err
	}
	if s.mark, err = openWatermark(s.opt.FS, s.opt.FS.PathJoin(s.dir, "watermark")); err != nil {
		return err
	}
	s.format = s.formatToCreate()
	epoch := eventlog.NewEpoch(s.state.Head, s.opt.Now())
	epoch.Restored = true
	gap, err := eventlog.DataLossGap(about.At, s.opt.Now())
	if err == nil {
		err = s.begin(epoch, gap)
	}
	return errors.Join(err, s.mark.file.Close())
}
