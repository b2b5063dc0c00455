package eventlog

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// Kind says what a record is. The values are part of the stored format.
type Kind uint8

const (
	// KindEvent is a change that the CRM announced. Its Body is an encoded headgate.v1.Event without cursor and
	// received_at: those are known only once the record has its place, and are added to its frame.
	KindEvent Kind = 1
	// KindGap says that something may be missing at this place. Its Body is an encoded headgate.v1.Gap. An empty
	// Keys.Source concerns all sources, an empty Keys.Context all contexts of the source.
	KindGap Kind = 2
	// KindErased stands where a record was removed on request. Its Body is empty; of its keys source, context, entity and event id are left.
	KindErased Kind = 3
)

// Keys are what filters look at, kept beside the encoded event so that nothing is decoded to match it.
type Keys struct {
	Source    string
	Context   string
	Entity    string
	EventType string
	Action    string
	EventID   string

	PrimaryKey    int32
	HasPrimaryKey bool
	ChangedBy     int32
	HasChangedBy  bool

	// Changed holds the changed column names, each between two NULs: "\x00a\x00b\x00", or ManyChanged. See JoinChanged.
	Changed string
	// Shard is the hash of source, context, entity and primary key. Log.Append computes it.
	Shard uint64
}

const (
	// ManyChanged stands for more columns than are looked through: each is taken to be among them.
	ManyChanged = "\x01"
	// Every stream that names columns looks through those of every change. No entity of the CRM has that many.
	maxChanged, maxChangedBytes = 1000, 16 << 10
)

// JoinChanged puts column names into the form of Keys.Changed: ManyChanged when there are more than 1,000, or more than 16 KiB of them. Names that contain a NUL
// cannot be looked for and are left out.
func JoinChanged(names []string) string {
	if len(names) > maxChanged {
		return ManyChanged
	}
	var b strings.Builder
	for _, n := range names {
		if n == "" || strings.IndexByte(n, 0) >= 0 {
			continue
		}
		if b.Len()+len(n) > maxChangedBytes {
			return ManyChanged
		}
		if b.Len() == 0 {
			b.Grow(2 + len(n) + 16*(len(names)-1)) // room for names of usual length
			b.WriteByte(0)
		}
		b.WriteString(n)
		b.WriteByte(0)
	}
	return b.String()
}

// Record is what is appended.
type Record struct {
	Kind Kind
	Keys Keys
	Body []byte
	// Raw is the request body as it was received, kept beside the record and read only on request. It may be empty.
	Raw []byte
	// Duplicate identifies the record: a second one with the same value is dropped for as long as the log keeps the first. The zero
	// value is never a duplicate. See DuplicateKey.
	Duplicate [16]byte
	// Quarantine is set on the gap that stands for a webhook that could not be turned into an event.
	Quarantine *Quarantine
	// Settles is the quarantined record that this one was made of, zero for none. Once this one is durable, or turned out to be a duplicate, that one is settled,
	// in the same write: a crash leaves both or neither.
	Settles uint64
	// Retries is how often the CRM had tried to deliver it before. More than MaxRetries counts as that.
	Retries uint8
	// Traced says that Body, which is an event then, has a traceparent. It lets readers of frames know without decoding.
	Traced bool
}

// MaxRetries is the largest Retries that is told apart.
const MaxRetries = 3

// Quarantine is what is known of a webhook that could not be turned into an event. Its body is the record's Raw.
type Quarantine struct {
	Problem     string `json:"problem"`
	ContentType string `json:"content_type,omitempty"`
	EventType   string `json:"event_type,omitempty"`
	Context     string `json:"context,omitempty"`
}

// DuplicateKey hashes the parts that make an event the same one: its source, context, event type and primary key stand beside the event id
// because the CRM reuses ids. The hash is cryptographic, so that one tenant cannot craft an event that suppresses another's.
func DuplicateKey(parts ...string) [16]byte {
	all := make([]byte, 0, 512) // room for the usual ones
	for _, p := range parts {
		all = binary.BigEndian.AppendUint64(all, uint64(len(p)))
		all = append(all, p...)
	}
	sum := sha256.Sum256(all)
	return [16]byte(sum[:16])
}

// Stored is a record in its place.
type Stored struct {
	// Seq is the record's number in the log, from 1, without holes.
	Seq        uint64
	ReceivedAt time.Time
	Kind       Kind
	Keys       Keys
	Duplicate  [16]byte
	// Retries is the record's, see Record.
	Retries uint8
	// Reprocessed: it was made of a quarantined record, so nothing came from the CRM when it was received.
	Reprocessed bool
	// Traced is the record's, see Record.
	Traced bool
	// Body is valid only as long as whoever hands it out says.
	Body []byte
}

// recordVersion is the first byte of every stored record.
const recordVersion = 1

const (
	flagPrimaryKey = 1 << iota
	flagChangedBy
	flagReprocessed
	flagTraced
)

// retriesShift is where in the flags Retries stands: the two highest bits.
const retriesShift = 6

// EncodeRecord appends the stored form of r to dst: version, kind, flags, received_at, the keys, the body.
func EncodeRecord(dst []byte, r *Record, receivedAt time.Time) []byte {
	k := &r.Keys
	var flags byte
	if k.HasPrimaryKey {
		flags |= flagPrimaryKey
	}
	if k.HasChangedBy {
		flags |= flagChangedBy
	}
	if r.Settles != 0 {
		flags |= flagReprocessed
	}
	if r.Traced {
		flags |= flagTraced
	}
	flags |= min(r.Retries, MaxRetries) << retriesShift
	dst = append(dst, recordVersion, byte(r.Kind), flags)
	dst = binary.BigEndian.AppendUint64(dst, uint64(receivedAt.UnixNano()))
	dst = binary.BigEndian.AppendUint64(dst, k.Shard)
	dst = binary.BigEndian.AppendUint32(dst, uint32(k.PrimaryKey))
	dst = binary.BigEndian.AppendUint32(dst, uint32(k.ChangedBy))
	dst = append(dst, r.Duplicate[:]...)
	for _, s := range [...]string{k.Source, k.Context, k.Entity, k.EventType, k.Action, k.EventID, k.Changed} {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return append(dst, r.Body...)
}

const fixedHeader = 3 + 8 + 8 + 4 + 4 + 16

var errTruncated = errors.New("stored record ends early")

// DecodeRecord reads the stored form. Body shares value's bytes; the keys do not.
func DecodeRecord(seq uint64, value []byte) (Stored, error) {
	if len(value) < fixedHeader {
		return Stored{}, errTruncated
	}
	if value[0] != recordVersion {
		return Stored{}, fmt.Errorf("stored record has version %d, this binary reads %d", value[0], recordVersion)
	}
	nanos := binary.BigEndian.Uint64(value[3:])
	if nanos > math.MaxInt64 {
		return Stored{}, errors.New("stored record has an impossible time")
	}
	st := Stored{Seq: seq, Kind: Kind(value[1]), ReceivedAt: time.Unix(0, int64(nanos)).UTC()}
	k := &st.Keys
	k.HasPrimaryKey = value[2]&flagPrimaryKey != 0
	k.HasChangedBy = value[2]&flagChangedBy != 0
	st.Reprocessed, st.Retries = value[2]&flagReprocessed != 0, value[2]>>retriesShift
	st.Traced = value[2]&flagTraced != 0
	k.Shard = binary.BigEndian.Uint64(value[11:])
	k.PrimaryKey = int32(binary.BigEndian.Uint32(value[19:]))
	k.ChangedBy = int32(binary.BigEndian.Uint32(value[23:]))
	st.Duplicate = [16]byte(value[27:])

	const fields = 7
	rest := value[fixedHeader:]
	var from, to [fields]int
	at := 0
	for i := range fields {
		n, w := binary.Uvarint(rest[at:])
		if w <= 0 || n > uint64(len(rest)-at-w) {
			return Stored{}, errTruncated
		}
		from[i], to[i] = at+w, at+w+int(n)
		at = to[i]
	}
	// One string for all keys: one allocation a record, where a replay reads millions.
	text := string(rest[:at])
	for i, s := range [fields]*string{&k.Source, &k.Context, &k.Entity, &k.EventType, &k.Action, &k.EventID, &k.Changed} {
		*s = text[from[i]:to[i]]
	}
	st.Body = rest[at:]
	return st, nil
}

// Check says what is wrong with a record that could be decoded, nil when nothing is: whether its kind is known, and its body what that kind has.
func (st *Stored) Check() error {
	switch st.Kind {
	case KindEvent:
		return proto.Unmarshal(st.Body, new(headgatev1.Event))
	case KindGap:
		return proto.Unmarshal(st.Body, new(headgatev1.Gap))
	case KindErased:
		if len(st.Body) > 0 {
			return errors.New("an erased record has a body")
		}
		return nil
	}
	return fmt.Errorf("stored record is of kind %d, which this binary does not know", st.Kind)
}

// shardHash spreads records over the shards of a subscription, all events of one record to the same one. It is stored with the record, so
// that a position saved per shard stays right whatever a later version computes.
func (k *Keys) shardHash() uint64 {
	b := make([]byte, 0, 128)
	for _, s := range [...]string{k.Source, k.Context, k.Entity} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(k.PrimaryKey))
	return xxhash.Sum64(b)
}

// Erased returns the record that takes the place of st: nothing of its contents is left. The event id stays, so that the CRM's sending the
// event once more does not bring it back.
func (st *Stored) Erased() Record {
	k := st.Keys
	return Record{
		Kind:      KindErased,
		Keys:      Keys{Source: k.Source, Context: k.Context, Entity: k.Entity, EventID: k.EventID},
		Duplicate: st.Duplicate,
	}
}
