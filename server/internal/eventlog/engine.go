package eventlog

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Engine makes records durable, drops duplicates and orders them. One conformance suite (package eventlogtest) runs against every engine.
type Engine interface {
	// Append returns nil when r is durable; dup: it already was. Safe for concurrent use, groups inside. It fails with ErrFull, ErrFailed, ErrBusy or
	// the context's error; after the last two the outcome is unknown and a retry is safe.
	Append(ctx context.Context, r *Record) (dup bool, err error)
	// Follow calls fn with each durable record after the sequence, once, in order, until ctx ends or fn fails. One caller.
	// The records and their bytes may be kept.
	Follow(ctx context.Context, after uint64, fn func([]Stored) error) error
	// Read visits records after the sequence, ascending, up to the durable head, until fn returns false. Records of tenants that wants refuses may
	// be left out (a nil wants takes all): it is asked for (source, context), (source, "") and ("", ""). through says how far it looked: no wanted record
	// lies between the last one visited and through. It may stop before the head, so that one call stays short. Records and bytes are valid
	// within fn. ErrTrimmed when a record after the sequence was trimmed that wants takes, ErrDamaged where
	// the log is not whole; it never skips silently.
	Read(ctx context.Context, after uint64, wants func(source, context string) bool, fn func(Stored) bool) (through uint64, err error)
	// Raw returns the raw body that was appended with the record. ErrNotFound when there is none.
	Raw(ctx context.Context, seq uint64) ([]byte, error)
	// Find returns the sequences of the events with that id of the CRM's, ascending; those of tenants that wants refuses are left out (nil: none).
	Find(ctx context.Context, eventID string, wants func(source, context string) bool) ([]uint64, error)
	// SeekTime returns the sequence after which all records were received at t or later, and before which none was.
	SeekTime(ctx context.Context, t time.Time) (after uint64, err error)
	// SeekSize returns the sequence after which the records take about that many bytes on disk.
	SeekSize(ctx context.Context, bytes uint64) (after uint64, err error)
	// Holds says whether Append would find r to be a duplicate now.
	Holds(ctx context.Context, r *Record) (bool, error)
	// Quarantined lists quarantined records, at most n.
	Quarantined(ctx context.Context, q QuarantineQuery, n int) ([]QuarantinedRecord, error)
	// QuarantineSizes returns how much lies in quarantine, by source: the bodies, and QuarantineOverhead for each.
	QuarantineSizes() map[string]uint64
	// SetQuarantine replaces what is known of a quarantined record. ErrNotFound when it is none, or no longer.
	SetQuarantine(ctx context.Context, seq uint64, q Quarantine) error
	// Settle takes records out of the quarantine and forgets their bodies; their gaps stay. The same body is a duplicate still, unless again is set. Those
	// that are not in quarantine are passed over. It returns how many it took, durably.
	Settle(ctx context.Context, seqs []uint64, again bool) (int, error)
	// Trimmed returns the newest trimmed record of a tenant that wants takes, asked as in Read (nil: of any), and when it was received; zero when none
	// was trimmed.
	Trimmed(wants func(source, context string) bool) (seq uint64, at time.Time)
	// Tenants returns every (source, context) that records were appended for.
	Tenants() []Tenant
	// State returns where the log stands. It never blocks on the disk.
	State() State
	// Identity returns what cursors are made with. It does not change while the engine is open.
	Identity() Identity
	// Trim forgets the records up to and including the sequence, and what was kept beside them.
	Trim(ctx context.Context, through uint64) error
	// Erase replaces the records by ones of kind erased. Sequences that are trimmed are passed over. The bytes can be in files until a Purge.
	Erase(ctx context.Context, seqs []uint64) error
	// Copy calls start, then pair for all that the log keeps, as it stands at one moment, and in whatever pairs its restoration takes back. Appends go on beside
	// it. The bytes are valid within pair. One at a time: ErrBusy; ErrDamaged where the log is not whole. It ends with ErrBusy when pair takes more than a minute,
	// and with ErrFull when the disk is needed, because what is trimmed meanwhile is kept until its end.
	Copy(ctx context.Context, start func(Copied) error, pair func(key, value []byte) error) error
	// Purge returns when no file holds any more what was erased or trimmed before the call, as far as the files are the engine's own. It can take minutes. It
	// goes on without its caller, and what a crash left undone the next one does.
	Purge(ctx context.Context) error
	// Close waits for what is under way and makes the log reopenable. No other method may be called after it.
	Close() error
}

// Tenant is one CRM tenant as one source sees it.
type Tenant struct{ Source, Context string }

// QuarantineQuery says which quarantined records are listed.
type QuarantineQuery struct {
	// Source: only this one's. Empty means all.
	Source string
	// After and Before bound the sequences, and are outside. Zero is no bound.
	After, Before uint64
	// OldestFirst: the newest come first otherwise.
	OldestFirst bool
}

// QuarantineOverhead is what a quarantined record counts beside its body, so that there cannot be any number of small ones.
const QuarantineOverhead = 1 << 10

// QuarantinedRecord is a quarantined webhook without its body.
type QuarantinedRecord struct {
	Stored
	Quarantine
	BodySize int
}

// State is where an engine stands.
type State struct {
	// Earliest is the sequence of the oldest record held, Head that of the newest durable one. An empty log has Earliest = Head + 1.
	Earliest, Head uint64
	// EarliestAt and HeadAt are when those were received, zero in an empty log.
	EarliestAt, HeadAt time.Time
	// Err is nil while appends are taken, else ErrFull or ErrFailed, wrapped.
	Err error
	// Quarantined is how many quarantined records are held.
	Quarantined uint64
	// QuarantinedBytes is the sum of QuarantineSizes.
	QuarantinedBytes uint64
	// SizeBytes is what the records take on disk, FreeBytes what is left there.
	SizeBytes, FreeBytes uint64
	// Format is the version of the stored format, NewestFormat the one that the engine could bring it to when it is not open.
	Format, NewestFormat uint32
}

// Copied says what a copy is of.
type Copied struct {
	// Format is the version of the stored format.
	Format uint32 `json:"format"`
	// At is when the copy was begun: all that was durable then is in it.
	At time.Time `json:"at"`
	// Epoch is the log's current one, Head the newest record of the copy, Records how many there are.
	Epoch   uint32 `json:"epoch"`
	Head    uint64 `json:"head"`
	Records uint64 `json:"records"`
}

// Identity is a log's name and history.
type Identity struct {
	// Key is the AES key of the log's cursors.
	Key [16]byte
	// Epochs is the lineage, oldest first. The last one is current.
	Epochs []Epoch
}

// Epoch is a stretch of a log's life: from its creation, restoration or cutting to the next.
type Epoch struct {
	ID uint32
	// Start is the last sequence before the epoch's first: where it forked from its parent.
	Start     uint64
	CreatedAt time.Time
	// Restored: it began with a restoration from a backup.
	Restored bool `json:",omitempty"`
}

// Errors of engines and of the log. They are wrapped with what happened.
var (
	// ErrFull: there is no room, and nothing more may be trimmed. Appends are taken again once there is.
	ErrFull = errors.New("the log is full")
	// ErrFailed: the disk did not do what it was told. Nothing is accepted until the log is reopened.
	ErrFailed = errors.New("the log has failed")
	// ErrBusy: the record was not durable in time. The outcome is unknown; a retry is safe.
	ErrBusy = errors.New("the log is too slow")
	// ErrTrimmed: the records asked for are no longer kept.
	ErrTrimmed = errors.New("trimmed")
	// ErrDamaged: the log is not whole where it should be. A *DamageError says where.
	ErrDamaged = errors.New("the log is damaged")
	// ErrNotFound: there is nothing of that name.
	ErrNotFound = errors.New("not found")
	// ErrCursorMalformed: the text is not a cursor.
	ErrCursorMalformed = errors.New("malformed cursor")
	// ErrCursorForeign: the cursor is not of this log, or of a part that was cut off.
	ErrCursorForeign = errors.New("foreign cursor")
)

// DamageError is an ErrDamaged with its place.
type DamageError struct {
	// From and To are the first and last sequence that cannot be read.
	From, To uint64
	Cause    string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("the log is damaged: records %d to %d: %s", e.From, e.To, e.Cause)
}

func (e *DamageError) Is(target error) bool { return target == ErrDamaged }
