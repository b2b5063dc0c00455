// Package backup is the file in which a gateway's log and its subscriptions' positions are carried away and brought back.
//
// The file begins with a line of text. Then come blocks, each of a kind, a length and so many bytes:
//
//	h  what the backup is of, in JSON
//	p  positions, pairs of key and value, compressed by zstd
//	l  the log, likewise
//	e  the end: the SHA-256 of all bytes before it
//
// Without its end a file is none, so one that was cut, or changed on its way, is refused.
package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/headgate/headgate/server/internal/eventlog"
)

const firstLine = "headgate backup 1\n"

// Part is what a pair belongs to.
type Part byte

// The parts of a backup.
const (
	Positions Part = 'p'
	Log       Part = 'l'

	header Part = 'h'
	end    Part = 'e'
)

const (
	// blockSize is how much is put into a block before it is compressed. A larger pair has a block of its own.
	blockSize = 1 << 20
	// maxBlock is how much a block can have, so that a damaged length asks for no more memory: the largest event with its raw body is far below.
	maxBlock = 64 << 20
	// maxPositions is how much memory all positions can take: who takes them may gather them. Those of 10,000 subscriptions are a tenth of it.
	maxPositions = 256 << 20
	// pairMemory is what a pair takes beside its bytes.
	pairMemory = 100
)

// ErrDamaged: the file is not a whole backup.
var ErrDamaged = errors.New("the backup is damaged")

// Writer writes a backup. It is for one goroutine.
type Writer struct {
	out     io.Writer
	sum     hash.Hash
	zip     *zstd.Encoder
	part    Part
	pending []byte
	packed  []byte
}

// NewWriter begins a backup.
func NewWriter(out io.Writer) (*Writer, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	w := &Writer{out: out, sum: sha256.New(), zip: zip}
	return w, w.write([]byte(firstLine))
}

func (w *Writer) write(b []byte) error {
	w.sum.Write(b)
	_, err := w.out.Write(b)
	return err
}

func (w *Writer) block(kind Part, content []byte) error {
	if len(content) > maxBlock {
		return fmt.Errorf("a block of %d bytes is more than a backup can hold", len(content))
	}
	var head [5]byte
	head[0] = byte(kind)
	binary.BigEndian.PutUint32(head[1:], uint32(len(content)))
	return errors.Join(w.write(head[:]), w.write(content))
}

// Header says what the backup is of. It comes before the pairs of the log.
func (w *Writer) Header(about eventlog.Copied) error {
	b, err := json.Marshal(about)
	return errors.Join(err, w.flush(), w.block(header, b))
}

// Add writes one pair. Its bytes are not kept.
func (w *Writer) Add(part Part, key, value []byte) error {
	if part != w.part || len(w.pending)+len(key)+len(value) > blockSize {
		if err := w.flush(); err != nil {
			return err
		}
		w.part = part
	}
	for _, b := range [2][]byte{key, value} {
		w.pending = append(binary.AppendUvarint(w.pending, uint64(len(b))), b...)
	}
	return nil
}

func (w *Writer) flush() error {
	if len(w.pending) == 0 {
		return nil
	}
	w.packed = w.zip.EncodeAll(w.pending, w.packed[:0])
	w.pending = w.pending[:0]
	return w.block(w.part, w.packed)
}

// Close ends the backup. Without it there is none.
func (w *Writer) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	return errors.Join(w.block(end, w.sum.Sum(nil)), w.zip.Close())
}

// Read reads a backup: it calls start with what it is of, and pair for each pair, whose bytes are valid within it. Only when it returns nil was all of that a
// whole backup. ErrDamaged.
func Read(in io.Reader, start func(eventlog.Copied) error, pair func(part Part, key, value []byte) error) error {
	unzip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock+blockSize))
	if err != nil {
		return err
	}
	defer unzip.Close()
	r := reader{in: bufio.NewReaderSize(in, 1<<20), sum: sha256.New(), unzip: unzip, start: start, pair: pair}
	line, err := r.take(len(firstLine))
	if err == nil && string(line) != firstLine {
		return fmt.Errorf("this is no backup that this binary reads: it does not begin with %q", firstLine)
	}
	r.sum.Write(line)
	for err == nil && !r.ended {
		err = r.block()
	}
	if err == nil && !r.started {
		err = errors.New("it does not say what it is of")
	}
	if _, extra := r.in.ReadByte(); err == nil && !errors.Is(extra, io.EOF) {
		err = errors.New("there is more behind its end")
	}
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		return refused.error
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ends early, after %d bytes", ErrDamaged, r.read)
	case err != nil:
		return fmt.Errorf("%w: at byte %d: %w", ErrDamaged, r.read, err)
	}
	return nil
}

// refusal is an error of whoever takes the backup, which is no damage.
type refusal struct{ error }

type reader struct {
	in             *bufio.Reader
	sum            hash.Hash
	unzip          *zstd.Decoder
	read           int64
	content, plain []byte
	positions      int // what they take of maxPositions
	started, ended bool
	start          func(eventlog.Copied) error
	pair           func(part Part, key, value []byte) error
}

// take reads so many bytes. They are valid until the next call.
func (r *reader) take(n int) ([]byte, error) {
	if cap(r.content) < n {
		r.content = make([]byte, n)
	}
	b := r.content[:n]
	got, err := io.ReadFull(r.in, b)
	r.read += int64(got)
	return b, err
}

func (r *reader) block() error {
	head, err := r.take(5)
	if err != nil {
		return err
	}
	before := r.sum.Sum(nil)
	r.sum.Write(head)
	kind, size := Part(head[0]), binary.BigEndian.Uint32(head[1:])
	if size > maxBlock {
		return errors.New("a block is impossibly large")
	}
	content, err := r.take(int(size))
	if err != nil {
		return err
	}
	r.sum.Write(content)
	switch kind {
	case header:
		var about eventlog.Copied
		if err := json.Unmarshal(content, &about); err != nil {
			return errors.New("what it is of cannot be read")
		}
		r.started = true
		return refuse(r.start(about))
	case Positions, Log:
		if r.plain, err = r.unzip.DecodeAll(content, r.plain[:0]); err != nil {
			return fmt.Errorf("a block cannot be unpacked: %w", err)
		}
		return r.pairs(kind)
	case end:
		r.ended = true
		if !bytes.Equal(content, before) {
			return errors.New("its checksum is another one: it was changed")
		}
		return nil
	}
	return errors.New("a block is of no known kind")
}

func (r *reader) pairs(part Part) error {
	for rest := r.plain; len(rest) > 0; {
		var both [2][]byte
		for i := range both {
			n, w := binary.Uvarint(rest)
			if w <= 0 || n > uint64(len(rest)-w) {
				return errors.New("a pair ends early")
			}
			both[i], rest = rest[w:w+int(n)], rest[w+int(n):]
		}
		if len(both[0]) == 0 {
			return errors.New("a pair has no key")
		}
		if part == Positions {
			r.positions += pairMemory + len(both[0]) + len(both[1])
		}
		if r.positions > maxPositions {
			return errors.New("there are more positions than a gateway can have")
		}
		if err := refuse(r.pair(part, both[0], both[1])); err != nil {
			return err
		}
	}
	return nil
}

func refuse(err error) error {
	if err == nil {
		return nil
	}
	return &refusal{err}
}
