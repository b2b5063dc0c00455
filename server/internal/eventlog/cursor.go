package eventlog

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

const (
	// CursorSize is the length of a record's cursor in characters.
	CursorSize = 22
	// positionSize is the length of a position's.
	positionSize = 32
	nonceSize    = 8
)

// The checks fill the rest of a block. With the epoch's 32 random bits cursorCheck makes a guess succeed once in 2^64 tries.
const (
	cursorCheck = 0x68656164
	nonceCheck  = 0x67617465
)

// cursors turns sequences into cursors and back. A record's cursor is one AES block (epoch, sequence, check) under the log's own key: opaque,
// unforgeable, of fixed length, and two of them do not tell how much lies between. A position's is such a block with a mask over it, after the nonce that
// makes the mask: two of the same place differ, so that whether they are equal does not tell whether anything happened between.
type cursors struct {
	block  cipher.Block
	epochs []Epoch
}

func newCursors(id Identity) (*cursors, error) {
	block, err := aes.NewCipher(id.Key[:])
	if err != nil {
		return nil, err
	}
	return &cursors{block: block, epochs: id.Epochs}, nil
}

// append writes the cursor of the record at the sequence. It names the epoch in which the record was written, so that a record keeps its cursor through
// restorations.
func (c *cursors) append(dst []byte, seq uint64) []byte {
	b := c.plain(seq)
	c.block.Encrypt(b[:], b[:])
	return base64.RawURLEncoding.AppendEncode(dst, b[:])
}

// position returns a fresh cursor of the place just after the sequence.
func (c *cursors) position(seq uint64) string {
	var out [nonceSize + aes.BlockSize]byte
	_, _ = rand.Read(out[:nonceSize]) // never fails: crypto/rand ends the process instead
	b, mask := c.plain(seq), c.mask(out[:nonceSize])
	subtle.XORBytes(b[:], b[:], mask[:])
	c.block.Encrypt(out[nonceSize:], b[:])
	return base64.RawURLEncoding.EncodeToString(out[:])
}

// mask differs unforeseeably with each nonce: a changed nonce, like a changed block, ends in a wrong check.
func (c *cursors) mask(nonce []byte) (m [aes.BlockSize]byte) {
	copy(m[:], nonce)
	binary.BigEndian.PutUint32(m[12:], nonceCheck)
	c.block.Encrypt(m[:], m[:])
	return m
}

func (c *cursors) plain(seq uint64) (b [aes.BlockSize]byte) {
	epoch := c.epochs[0].ID
	for i := len(c.epochs) - 1; i > 0; i-- {
		if seq > c.epochs[i].Start {
			epoch = c.epochs[i].ID
			break
		}
	}
	binary.BigEndian.PutUint32(b[:], epoch)
	binary.BigEndian.PutUint64(b[4:], seq)
	binary.BigEndian.PutUint32(b[12:], cursorCheck)
	return b
}

// parse returns the sequence that either kind of cursor stands for, or ErrCursorMalformed, or ErrCursorForeign: of another log, or beyond where its
// epoch was cut.
func (c *cursors) parse(cursor string) (uint64, error) {
	if len(cursor) != CursorSize && len(cursor) != positionSize {
		return 0, fmt.Errorf("%w: it has %d characters, a cursor has %d or %d", ErrCursorMalformed, len(cursor), CursorSize, positionSize)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) != base64.RawURLEncoding.DecodedLen(len(cursor)) { // the decoder passes over line ends
		return 0, fmt.Errorf("%w: it is mistyped or damaged", ErrCursorMalformed)
	}
	nonce, sealed := raw[:len(raw)-aes.BlockSize], raw[len(raw)-aes.BlockSize:]
	var b [aes.BlockSize]byte
	c.block.Decrypt(b[:], sealed)
	if len(nonce) > 0 {
		mask := c.mask(nonce)
		subtle.XORBytes(b[:], b[:], mask[:])
	}
	if binary.BigEndian.Uint32(b[12:]) != cursorCheck {
		return 0, fmt.Errorf("%w: it was not made by this log", ErrCursorForeign)
	}
	epoch, seq := binary.BigEndian.Uint32(b[:]), binary.BigEndian.Uint64(b[4:])
	for i, e := range c.epochs {
		if e.ID != epoch {
			continue
		}
		if i+1 < len(c.epochs) && seq > c.epochs[i+1].Start {
			return 0, c.epochs[i+1].cutOff()
		}
		return seq, nil
	}
	return 0, fmt.Errorf("%w: its epoch is not part of this log's history", ErrCursorForeign)
}

// cutOff is what is said of a cursor of the epoch before, from behind where this one forked.
func (e *Epoch) cutOff() error {
	why := "in a part of the log that was cut off"
	if e.Restored {
		why = "behind the end of the backup from which the log was restored"
	}
	return fmt.Errorf("%w: it stands %s on %s", errCutOff, why, e.CreatedAt.Format(time.RFC3339))
}

// errCutOff is an ErrCursorForeign of this log's own.
var errCutOff = fmt.Errorf("%w", ErrCursorForeign)

// CheckCursors returns what says whether a log with this identity and head can have made a cursor. One from a part that was cut off it can have.
func CheckCursors(id Identity, head uint64) (func(cursor string) error, error) {
	c, err := newCursors(id)
	if err != nil {
		return nil, err
	}
	return func(cursor string) error {
		seq, err := c.parse(cursor)
		if errors.Is(err, errCutOff) {
			return nil
		}
		if err == nil && seq > head {
			err = fmt.Errorf("%w: it stands behind the newest record", ErrCursorForeign)
		}
		return err
	}, nil
}

// epoch returns the current epoch's name.
func (c *cursors) epoch() string { return fmt.Sprintf("%08x", c.epochs[len(c.epochs)-1].ID) }

// NewIdentity makes the identity of a new log.
func NewIdentity(now time.Time) Identity {
	id := Identity{Epochs: []Epoch{NewEpoch(0, now)}}
	_, _ = rand.Read(id.Key[:]) // never fails: crypto/rand ends the process instead
	return id
}

// NewEpoch makes an epoch that begins after the sequence.
func NewEpoch(start uint64, now time.Time) Epoch {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return Epoch{ID: binary.BigEndian.Uint32(b[:]), Start: start, CreatedAt: now.UTC()}
}

// DataLossGap returns the record that an engine appends where an operator accepted a loss, or restored a log.
func DataLossGap(from, to time.Time) (*Record, error) {
	gap := &headgatev1.Gap{Reason: headgatev1.Gap_REASON_DATA_LOSS, ToTime: timestamppb.New(to)}
	if !from.IsZero() {
		gap.FromTime = timestamppb.New(from)
	}
	body, err := proto.Marshal(gap)
	return &Record{Kind: KindGap, Body: body}, err
}
