package pebblestore

import (
	"encoding/json"
	"fmt"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// The identity is stored as JSON: it is read once, and a person with the store in hand can read it too.

func encodeIdentity(id eventlog.Identity) []byte {
	b, err := json.Marshal(id)
	if err != nil {
		panic(err) // plain numbers and times
	}
	return b
}

func decodeIdentity(value []byte) (id eventlog.Identity, err error) {
	if err := json.Unmarshal(value, &id); err != nil || len(id.Epochs) == 0 {
		return id, fmt.Errorf("%w: its identity is unreadable; restore it from a backup", eventlog.ErrDamaged)
	}
	return id, nil
}
