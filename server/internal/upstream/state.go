package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// state is what is kept over a restart. But for what waits, it follows from the log up to Position.
type state struct {
	// Epoch is that of the log: of another one nothing is known.
	Epoch    string `json:"epoch"`
	Position uint64 `json:"position"`
	// JudgeAfter is the record up to which the log was only learned from: what was lost before Headgate looked for it is not told.
	JudgeAfter uint64             `json:"judge_after"`
	Sources    map[string]*source `json:"sources"`
	// Away are the last times in which the gateway was not ready: that explains retried webhooks.
	Away []window `json:"away"`
	// NotReady is the newest gap of its own.
	NotReady *suspicion `json:"not_ready,omitempty"`
	// Pending are the gaps that could not be appended yet.
	Pending []suspicion `json:"pending,omitempty"`
}

// readState returns nil when there is none, or none that can be read: what it holds is learned again then.
func readState(path string) (*state, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("what is known of the sources' weeks: %w", err)
	}
	s := new(state)
	if json.Unmarshal(text, s) != nil {
		return nil, nil
	}
	return s, nil
}

// write replaces the file as a whole.
func (s *state) write(path string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
