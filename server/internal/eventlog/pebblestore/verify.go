package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// Verification says how a store is looked at.
type Verification struct {
	// FS is where it lives. Default: the operating system's.
	FS vfs.FS
	// Damage is called with each damage: where it is, and what.
	Damage func(where, what string)
	// Progress is called now and then with what is looked at, and how much of it is done, 0 to 1. Nil: nobody is told.
	Progress func(what string, done float64)
}

// Verified is what was looked at.
type Verified struct {
	Format       uint32
	Tables       int
	Bytes        uint64 // of the tables
	Earliest     uint64
	Head         uint64
	Records      uint64 // that could be read
	Erased       uint64
	Raw          uint64
	Quarantined  uint64
	Duplicates   uint64
	Indexed      uint64
	Tenants      int
	Identity     eventlog.Identity // without epochs when it could not be read
	Watermark    uint64            // 0 when there is none
	HasWatermark bool
}

// Verify reads all of the closed store in dir, also of one that Open refuses, and changes nothing. What it finds it tells; it fails only when it could not look:
// there is no log, it is in use, or of a newer format.
func Verify(dir string, how Verification) (Verified, error) {
	v := &verifier{how: how, runs: make(map[string]*run), erased: make(map[uint64]bool), notes: make(map[uint64]int)}
	if v.how.Progress == nil {
		v.how.Progress = func(string, float64) {}
	}
	v.s = newStore(dir, Options{FS: how.FS, Fatal: func(reason string) { panic(reason) }})
	if err := v.s.checkRestored(); err != nil {
		return v.found, err
	}
	err := v.readWatermark()
	if err != nil {
		return v.found, err
	}
	about, err := pebble.Peek(dir, v.s.opt.FS)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !about.Exists && !v.found.HasWatermark:
		return v.found, fmt.Errorf("there is no log in %s", dir)
	case err == nil && !about.Exists:
		how.Damage("the store", "its manifest is gone; records up to "+fmt.Sprint(v.found.Watermark)+" were there")
		v.tables(v.allTables())
		return v.found, nil
	}
	if err := v.guarded(func() error { return v.s.openDB(func(o *pebble.Options) { o.ReadOnly = true }) }); err != nil {
		if errors.Is(err, ErrInUse) {
			return v.found, err
		}
		how.Damage("the store", err.Error())
		v.tables(v.allTables())
		return v.found, nil
	}
	defer func() { _ = v.s.db.Close() }() // it was only read
	v.tables(v.liveTables())
	if err := v.guarded(v.logic); err != nil {
		if errors.Is(err, errNewer) {
			return v.found, err
		}
		how.Damage("the store", err.Error())
	}
	v.flush()
	return v.found, nil
}

type verifier struct {
	s     *Store
	how   Verification
	found Verified

	marked  uint32 // the watermark's epoch
	through uint64 // up to where records are looked for
	tenants map[eventlog.Tenant]uint32
	erased  map[uint64]bool // the erased records
	notes   map[uint64]int  // quarantined records with the size of their body
	runs    map[string]*run
	// expectIndexed and expectUnique are how many records have an index entry and a duplicate key.
	expectIndexed, expectUnique uint64
}

// guarded turns a panic of the engine's, over data that it cannot make sense of, into an error.
func (v *verifier) guarded(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", eventlog.ErrDamaged, p)
		}
	}()
	return fn()
}

func (v *verifier) readWatermark() error {
	f, err := v.s.opt.FS.Open(v.s.opt.FS.PathJoin(v.s.dir, "watermark"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("watermark of %s: %w", v.s.dir, err)
	}
	mark := watermark{file: f}
	v.marked, v.found.Watermark, v.found.HasWatermark, err = mark.read()
	return errors.Join(err, f.Close())
}

// liveTables are the files that the store is made of.
func (v *verifier) liveTables() (names []string) {
	levels, err := v.s.db.SSTables()
	if err != nil {
		v.how.Damage("the store", "its tables cannot be listed: "+err.Error())
		return v.allTables()
	}
	seen := make(map[string]bool)
	for _, level := range levels {
		for _, t := range level {
			if name := fmt.Sprintf("%06d.sst", uint64(t.BackingSSTNum)); !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// allTables are the files that look like it: which of them count is not known where the manifest cannot be read.
func (v *verifier) allTables() (names []string) {
	list, err := v.s.opt.FS.List(v.s.dir)
	if err != nil {
		v.how.Damage("the store", "its folder cannot be listed: "+err.Error())
	}
	for _, name := range list {
		if strings.HasSuffix(name, ".sst") {
			names = append(names, name)
		}
	}
	return names
}

// tables reads every block of the files, those too that no record is read from.
func (v *verifier) tables(names []string) {
	for i, name := range names {
		v.how.Progress("tables", float64(i)/float64(len(names)))
		err := v.guarded(func() error { return v.table(v.s.opt.FS.PathJoin(v.s.dir, name)) })
		if err != nil {
			v.how.Damage("table "+name, err.Error())
		}
	}
}

func (v *verifier) table(path string) error {
	f, err := v.s.opt.FS.Open(path)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	v.found.Tables++
	v.found.Bytes += uint64(info.Size())
	readable, err := sstable.NewSimpleReadable(f)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	o := &pebble.Options{Logger: pebbleLogger{v.s}}
	o.EnsureDefaults()
	r, err := sstable.NewReader(context.Background(), readable, o.MakeReaderOptions())
	if err != nil {
		return errors.Join(err, readable.Close())
	}
	return errors.Join(r.ValidateBlockChecksums(), r.Close())
}

// run is a damage that several records after each other have.
type run struct{ from, to uint64 }

// bad tells that something is wrong with a record, in one line for those that lie side by side.
func (v *verifier) bad(seq uint64, what string) { v.badRange(seq, seq, what) }

func (v *verifier) badRange(from, to uint64, what string) {
	r := v.runs[what]
	if r != nil && from <= r.to+1 && from >= r.from {
		r.to = max(r.to, to)
		return
	}
	if r != nil {
		v.tell(r, what)
	}
	v.runs[what] = &run{from, to}
}

func (v *verifier) tell(r *run, what string) {
	where := fmt.Sprintf("records %d to %d", r.from, r.to)
	if r.from == r.to {
		where = fmt.Sprintf("record %d", r.from)
	}
	v.how.Damage(where, what)
}

func (v *verifier) flush() {
	for what, r := range v.runs {
		v.tell(r, what)
	}
}
