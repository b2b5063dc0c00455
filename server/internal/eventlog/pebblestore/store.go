// Package pebblestore is the log's engine on one machine: Pebble, with one committer that groups waiting appends into one synced batch.
//
// Three rules carry its promises. Nothing is read, followed or answered as a duplicate beyond the durable head, because Pebble shows a batch before
// its fsync and also after that fsync failed. After a failed write nothing touches the store until it is reopened. And whatever belongs to a record
// is written in the batch of the record.
package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// Options say how a store is opened.
type Options struct {
	// FS is where it lives. Default: the operating system's.
	FS vfs.FS
	// MinFree is how many bytes must be free on the disk for an append to be taken. Default 64 MiB.
	MinFree uint64
	// AppendTimeout is how long an append waits for the disk before ErrBusy. Default 1 s: the CRM tries again after that.
	AppendTimeout time.Duration
	// AcceptLoss opens a log that came back shorter than it was: the log is cut there, a new epoch begins, and a gap tells the readers.
	AcceptLoss bool
	// Logger gets what an operator should know. Default: none.
	Logger *slog.Logger
	// Fatal is called when Pebble cannot go on, with the reason; it must not return. Default: exit the process, so that whoever supervises
	// it starts it again.
	Fatal func(reason string)
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Committed is told how long each group of records took to be durable. Default: nobody is.
	Committed func(took time.Duration)

	memTableSize uint64 // default 16 MiB; tests make it small, so that tables are written
}

// Store implements eventlog.Engine.
type Store struct {
	dir   string
	opt   Options
	fs    vfs.FS
	fresh *freshLogs // part of fs
	log   *slog.Logger

	// use is held for reading by whoever uses db, for writing only to reopen it.
	use sync.RWMutex
	db  *pebble.DB
	// writing is held by whoever writes to db, after use: a group, a trim, an erasure, a flush. Its holder looks at state.Err first, so that
	// nothing comes behind a failed write.
	writing sync.Mutex

	identity eventlog.Identity
	format   uint32 // of what is stored
	mark     *watermark

	commits  committer
	pendings sync.Pool // of newPending, but for those whose appender has given up: the committer may still have them
	purges   chan chan<- error
	tenants  tenantTable
	trimming sync.Mutex // one trim or erasure at a time

	copyMu  sync.Mutex
	copying *copying // guarded by copyMu; nil while no copy is made

	mu          sync.Mutex
	state       eventlog.State // guarded by mu
	changed     chan struct{}  // closed and replaced when the head moves; guarded by mu
	recent      []eventlog.Stored
	quarantine  holdings
	recentBytes int // recent holds the newest records for Follow; guarded by mu

	outOfRoom atomic.Uint64 // writes that failed because the disk was full
	failures  atomic.Uint64 // those that failed otherwise

	diskFull  atomic.Bool  // a write ran out of space
	noBallast atomic.Bool  // the ballast was given to a write
	trimmedAt atomic.Int64 // when the oldest trim was that has not been flushed, in Unix nanoseconds; 0: none
	resting   atomic.Bool  // no compaction begins any more
	blind     sync.Once    // says once that the disk cannot be measured
	stop      context.CancelFunc
	done      sync.WaitGroup
}

var _ eventlog.Engine = (*Store)(nil)

// ErrInUse says that another process has the log.
var ErrInUse = errors.New("it is in use: another headgated runs with this data directory")

// Open opens or creates the store in dir. It holds a lock: a second process gets ErrInUse. ErrDamaged when the store is shorter than it once was.
func Open(dir string, opt Options) (*Store, error) {
	s := newStore(dir, opt)
	if err := s.opt.FS.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	if s.opt.FS == vfs.Default {
		if err := closeToOthers(dir); err != nil {
			return nil, err
		}
	}
	if err := s.checkRestored(); err != nil {
		return nil, err
	}
	if err := s.openDB(); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		if s.mark != nil {
			err = errors.Join(err, s.mark.file.Close())
		}
		return nil, errors.Join(err, s.db.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.commits.init()
	s.done.Go(s.commitLoop)
	s.done.Go(func() { s.tend(ctx) })
	s.done.Go(func() { s.purgeLoop(ctx) })
	return s, nil
}

// newStore returns a store that is not open yet.
func newStore(dir string, opt Options) *Store {
	if opt.FS == nil {
		opt.FS = vfs.Default
	}
	if opt.MinFree == 0 {
		opt.MinFree = 64 << 20
	}
	if opt.AppendTimeout == 0 {
		opt.AppendTimeout = time.Second
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.memTableSize == 0 {
		opt.memTableSize = 16 << 20
	}
	if opt.Committed == nil {
		opt.Committed = func(time.Duration) {}
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.Fatal == nil {
		opt.Fatal = func(string) { os.Exit(1) }
	}
	s := &Store{
		dir: dir, opt: opt, log: opt.Logger, changed: make(chan struct{}), purges: make(chan chan<- error), pendings: sync.Pool{New: newPending},
		fresh: &freshLogs{FS: opt.FS, room: int64(opt.memTableSize) / walRooms},
	}
	s.fs = namesFirst{vfs.OnDiskFull(s.fresh, s.onDiskFull)}
	return s
}

// closeToOthers takes the files of the folder from everybody but their owner. The folder itself may have been made by somebody else, and for more than the
// log; and what is written from now on is private by the process's mask.
func closeToOthers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("data directory %s: %w", dir, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
			if err := os.Chmod(filepath.Join(dir, e.Name()), 0o600); err != nil {
				return fmt.Errorf("data directory %s: others can read %s: %w", dir, e.Name(), err)
			}
		}
	}
	return nil
}

// openDB opens Pebble, with the options as adjust leaves them.
func (s *Store) openDB(adjust ...func(*pebble.Options)) error {
	version, err := s.pebbleVersion()
	if err != nil {
		return err
	}
	cache := pebble.NewCache(64 << 20)
	defer cache.Unref()
	o := &pebble.Options{
		FS:                          s.fs,
		Cache:                       cache,
		FormatMajorVersion:          version,
		MemTableSize:                s.opt.memTableSize,
		MemTableStopWritesThreshold: 4,
		// Pebble's own sizes, for 16 MiB: with smaller memtables all is smaller.
		LBaseMaxBytes:         4 * int64(s.opt.memTableSize),
		TargetFileSizes:       [7]int64{int64(s.opt.memTableSize) / 8},
		L0StopWritesThreshold: 40,
		MaxOpenFiles:          256,
		Logger:                pebbleLogger{s},
		// No FlushDelayDeleteRange: its timer would write behind a failed write, and Pebble ends the process then. See flushTrimmed.
		EventListener: &pebble.EventListener{
			// The default ends the process. Whoever reads the place gets ErrDamaged; all others go on.
			DataCorruption: func(info pebble.DataCorruptionInfo) { s.log.Error("the log is damaged", "error", info.String()) },
		},
	}
	o.Experimental.CompactionScheduler = newCompactions(&s.resting)
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	for _, fn := range adjust {
		fn(o)
	}
	db, err := pebble.Open(s.dir, o)
	if err != nil {
		return openError(s.dir, err)
	}
	s.db = db
	return nil
}

// openError is what is said of a store that cannot be opened.
func openError(dir string, err error) error {
	if errors.Is(err, syscall.EAGAIN) {
		return fmt.Errorf("the log in %s: %w", dir, ErrInUse)
	}
	return fmt.Errorf("open the log in %s: %w", dir, damaged(err))
}

// State implements eventlog.Engine.
func (s *Store) State() eventlog.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.state
	st.Format, st.NewestFormat = s.format, newestFormat
	st.Quarantined, st.QuarantinedBytes = s.quarantine.total()
	if st.Earliest > st.Head {
		st.HeadAt = time.Time{} // kept all the same: a new record must not be older
	}
	return st
}

// Identity implements eventlog.Engine.
func (s *Store) Identity() eventlog.Identity { return s.identity }

// Tenants implements eventlog.Engine.
func (s *Store) Tenants() []eventlog.Tenant { return s.tenants.all() }

// Close implements eventlog.Engine. Appends that wait are still committed.
func (s *Store) Close() error {
	s.commits.close()
	s.endCopy(fmt.Errorf("%w: it is closed", eventlog.ErrFailed))
	s.stop()
	s.done.Wait()
	err := s.mark.close(s.currentEpoch(), s.State().Head)
	s.use.Lock()
	defer s.use.Unlock()
	return errors.Join(err, s.closeDB())
}

// closeDB closes Pebble. After a failed write its own Close can panic; there is nothing left to save then.
func (s *Store) closeDB() (err error) {
	failed := s.State().Err != nil
	defer func() {
		if p := recover(); p != nil && !failed {
			panic(p)
		}
		if failed {
			err = nil
		}
	}()
	return s.db.Close()
}

func (s *Store) currentEpoch() uint32 {
	return s.identity.Epochs[len(s.identity.Epochs)-1].ID
}

// damaged wraps what Pebble says of data that it cannot read.
func damaged(err error) error {
	if errors.Is(err, pebble.ErrCorruption) {
		return fmt.Errorf("%w: %w", eventlog.ErrDamaged, err)
	}
	return err
}

// pebbleLogger passes Pebble's words on. Its information is about compactions and the like, nothing that an operator asks for.
type pebbleLogger struct{ s *Store }

func (pebbleLogger) Infof(string, ...any) {}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.s.log.Error("storage engine", "error", fmt.Sprintf(format, args...))
}

func (l pebbleLogger) Fatalf(format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	l.s.log.Error("storage engine cannot go on", "error", reason)
	l.s.opt.Fatal(reason)
}
