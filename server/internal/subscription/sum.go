package subscription

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	"github.com/go-json-experiment/json"
)

// What keeps the positions has no checksums. So each value, a JSON object, gets a last member "sum": over its key and what stands before. Binaries from
// before there was one pass over it, and what they wrote has none.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errSum = errors.New("it was damaged: its checksum is another one")

const sumMember = `,"sum":`

func sumOf(key string, value []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(key), castagnoli), castagnoli, value)
}

// withSum adds the checksum to an object that has a member.
func withSum(key string, value []byte) []byte {
	return fmt.Appendf(nil, "%s%s%d}", value[:len(value)-1], sumMember, sumOf(key, value))
}

// unsum takes the checksum from the value, if it has one.
func unsum(key string, value []byte) ([]byte, error) {
	at := bytes.LastIndex(value, []byte(sumMember))
	if at < 0 {
		return value, nil
	}
	bare := append(append([]byte(nil), value[:at]...), '}')
	want, err := strconv.ParseUint(string(bytes.TrimSuffix(value[at+len(sumMember):], []byte("}"))), 10, 32)
	if err != nil || uint32(want) != sumOf(key, bare) {
		return nil, errSum
	}
	return bare, nil
}

// open reads a stored value.
func open(key string, value []byte, into any) error {
	value, err := unsum(key, value)
	if err != nil {
		return err
	}
	return json.Unmarshal(value, into)
}
