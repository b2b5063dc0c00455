package backup

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/headgate/headgate/server/internal/eventlog"
)

// TestHostileFiles: a file whose checksum is right can still have been made by somebody else.
func TestHostileFiles(t *testing.T) {
	zeros := make([]byte, 1<<20)
	for name, c := range map[string]struct {
		part   Part
		key    string
		pairs  int
		refuse bool
	}{
		"some positions": {Positions, "k", 10, false},
		"a lot of log":   {Log, "k", 300, false},
		"too many":       {Positions, "k", 300, true},
		"no key":         {Log, "", 1, true},
	} {
		var file bytes.Buffer
		w, err := NewWriter(&file)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Header(eventlog.Copied{})
		for n := range c.pairs {
			key := c.key
			if key != "" {
				key += fmt.Sprint(n)
			}
			err = errors.Join(err, w.Add(c.part, []byte(key), zeros))
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		got := 0
		err = Read(&file, func(eventlog.Copied) error { return nil }, func(Part, []byte, []byte) error { got++; return nil })
		if errors.Is(err, ErrDamaged) != c.refuse || !c.refuse && (err != nil || got != c.pairs) {
			t.Errorf("%s: %d pairs, %v", name, got, err)
		}
	}
}
