package pebblestore

import (
	"encoding/binary"
	"time"
)

// The key space, one letter a room. Everything that belongs to one record is written in one batch.
//
//	m<name>                        what the log knows of itself
//	r<seq>                         record
//	b<seq>                         raw body
//	q<seq>                         quarantine note
//	d<len><event id><duplicate>    -> tenant, seq
//	t<tenant>                      -> source, context
//	x<tenant>                      -> seq and time of its newest trimmed record
//	c<tenant><seq>                 index by tenant
//	e<time><seq>                   some of it was deleted or replaced, and its bytes may still be in a file
const (
	roomMeta       = 'm'
	roomRecord     = 'r'
	roomRaw        = 'b'
	roomQuarantine = 'q'
	roomDuplicate  = 'd'
	roomTenant     = 't'
	roomTrimmed    = 'x'
	roomIndex      = 'c'
	roomErased     = 'e'
)

var (
	keyFormat   = []byte("mformat")
	keyIdentity = []byte("midentity")
	keyTrimmed  = []byte("mtrimmed")
)

func seqKey(room byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 9), room), seq)
}

func seqOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }

func idPrefix(eventID string) []byte {
	const usual = 1 + 1 + 36 + 16 // of a UUID, with the duplicate key behind it
	return append(binary.AppendUvarint(append(make([]byte, 0, usual), roomDuplicate), uint64(len(eventID))), eventID...)
}

func duplicateKey(eventID string, duplicate [16]byte) []byte {
	return append(idPrefix(eventID), duplicate[:]...)
}

func tenantKey(id uint32) []byte { return binary.BigEndian.AppendUint32([]byte{roomTenant}, id) }

func trimmedKey(id uint32) []byte { return binary.BigEndian.AppendUint32([]byte{roomTrimmed}, id) }

func indexKey(tenant uint32, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(append(make([]byte, 0, 13), roomIndex), tenant), seq)
}

// erasedKey is another one each time: a purge that is under way must not take what is erased meanwhile for done.
func erasedKey(seq uint64) []byte {
	now := binary.BigEndian.AppendUint64([]byte{roomErased}, uint64(time.Now().UnixNano()))
	return binary.BigEndian.AppendUint64(now, seq)
}

// after returns the first key behind all keys that start with prefix, which has a byte that is not 0xff.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		end[i]++
		if end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
