//go:build linux || darwin

package bench

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// tally is what one reader got. The events' primary keys are 1, 2, 3 and so on, in any order.
type tally struct {
	events, messages int
	repeated         int
	highest          uint32
	seen             []uint64 // a bit for each primary key
	order            uint64   // a checksum of the primary keys in their order
	keep             bool     // keys is wanted
	keys             []uint32 // in their order
	sent             *posts   // nil where how long an event took is not wanted
	took             []int64  // nanoseconds from sent
}

func (t *tally) count(key uint32, now int64) {
	word, bit := key/64, uint64(1)<<(key%64)
	if int(word) >= len(t.seen) {
		grown := make([]uint64, max(word+1, 2*uint32(len(t.seen)), 32))
		copy(grown, t.seen)
		t.seen = grown
	}
	if t.seen[word]&bit != 0 {
		t.repeated++
	}
	t.seen[word] |= bit
	t.highest = max(t.highest, key)
	t.order = next(t.order, key)
	t.events++
	if t.keep {
		t.keys = append(t.keys, key)
	}
	if t.sent != nil {
		if i := int(key) - t.sent.first; i >= 0 && i < len(t.sent.sentAt) {
			t.took = append(t.took, now-t.sent.sentAt[i].Load())
		}
	}
}

// next is a checksum of an order, and one key more.
func next(order uint64, key uint32) uint64 { return order*0x9E3779B97F4A7C15 + uint64(key) }

// check says whether these keys came, in this order, each once.
func (t *tally) check(keys []uint32) error {
	var order uint64
	var highest uint32
	for _, k := range keys {
		order, highest = next(order, k), max(highest, k)
	}
	if t.events != len(keys) || t.repeated > 0 || t.highest != highest {
		return fmt.Errorf("it got %d events, %d of them twice; there are %d", t.events, t.repeated, len(keys))
	}
	if t.order != order {
		return errors.New("it got the events in another order than they are in")
	}
	return nil
}

// Numbers of the proto that messages are read by, without decoding them.
const (
	fieldEvents     = 2 // SubscribeResponse.events
	fieldStarted    = 3
	fieldCheckpoint = 4
	fieldGap        = 5
	fieldClosing    = 7
	fieldCaughtUp   = 2 // of a checkpoint
	fieldPrimaryKey = 8 // of an event
)

var (
	errMessage = errors.New("a message is not a SubscribeResponse with primary keys from 1 on")
	errGap     = errors.New("a gap")
)

// signals are what a message says beside events.
type signals struct{ started, caughtUp bool }

// take walks over a SubscribeResponse.
func (t *tally) take(message []byte, now int64) (s signals, err error) {
	events := t.events
	for len(message) > 0 {
		number, value, n := field(message)
		if n < 0 {
			return s, errMessage
		}
		switch number {
		case fieldEvents:
			key := primaryKey(value)
			if key == 0 {
				return s, errMessage
			}
			t.count(key, now)
		case fieldStarted:
			s.started = true
		case fieldCheckpoint:
			s.caughtUp = s.caughtUp || isCaughtUp(value)
		case fieldGap:
			// What may have been lost before it came is no loss of the log: whoever opens one that was made a while ago was away in between.
			var gap headgatev1.Gap
			if proto.Unmarshal(value, &gap) != nil || gap.GetReason() != headgatev1.Gap_REASON_UPSTREAM_SUSPECTED {
				return s, errGap
			}
		}
		message = message[n:]
	}
	if t.events > events {
		t.messages++
	}
	return s, nil
}

// primaryKey finds an encoded event's; 0 when there is none.
func primaryKey(event []byte) uint32 {
	const most = 1 << 28
	for len(event) > 0 {
		number, value, n := field(event)
		if n < 0 {
			return 0
		}
		if number == fieldPrimaryKey {
			key, m := protowire.ConsumeVarint(value)
			if m < 0 || key > most {
				return 0
			}
			return uint32(key)
		}
		event = event[n:]
	}
	return 0
}

func isCaughtUp(checkpoint []byte) bool {
	for len(checkpoint) > 0 {
		number, value, n := field(checkpoint)
		if n < 0 {
			return false
		}
		if number == fieldCaughtUp {
			return value[0] == 1
		}
		checkpoint = checkpoint[n:]
	}
	return false
}

// field splits the first field off: its number, its value without a length, and how long it is in all, negative when it is none. Short lengths, which
// nearly all are, take no call.
func field(b []byte) (number protowire.Number, value []byte, n int) {
	if len(b) > 2 && b[0] < 0x80 && protowire.Type(b[0]&7) == protowire.BytesType {
		length, at := int(b[1]), 2
		if length >= 0x80 && b[2] < 0x80 {
			length, at = length&0x7f|int(b[2])<<7, 3
		}
		if (length < 0x80 || at == 3) && len(b) >= at+length {
			return protowire.Number(b[0] >> 3), b[at : at+length], at + length
		}
	}
	number, kind, n := protowire.ConsumeTag(b)
	if n < 0 {
		return 0, nil, n
	}
	length := protowire.ConsumeFieldValue(number, kind, b[n:])
	if length < 0 {
		return 0, nil, length
	}
	value = b[n : n+length]
	if kind == protowire.BytesType {
		value, _ = protowire.ConsumeBytes(value)
	}
	return number, value, n + length
}
