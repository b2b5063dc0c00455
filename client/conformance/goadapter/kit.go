package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"

	"github.com/headgate/headgate/client"
)

// line is one of those that the kit reads.
type line map[string]any

var writing sync.Mutex

// write writes and flushes the line. Safe for concurrent use.
func write(l line) {
	b, err := json.Marshal(l)
	if err != nil {
		panic(err) // nothing that is written can be the cause
	}
	writing.Lock()
	defer writing.Unlock()
	_, _ = os.Stdout.Write(append(b, '\n'))
}

// kit is what waits at the other end: it answers messages, if asked to.
type kit struct {
	acknowledge bool
	left        context.Context // ends when the kit wants the adapter to leave

	mu      sync.Mutex
	waiting map[string][]chan error // handlings that wait for their answer, by cursor
}

var errFailed = errors.New("the kit wants this handling to fail")

// handle tells the kit of the message and waits for its answer.
func (k *kit) handle(ctx context.Context, m client.Message) error {
	l := describe(m)
	if l == nil {
		return nil
	}
	if !k.acknowledge || m.Event == nil && m.Gap == nil && m.Erased == nil {
		write(l)
		return nil
	}
	answer := make(chan error, 1)
	k.mu.Lock()
	k.waiting[m.Cursor()] = append(k.waiting[m.Cursor()], answer)
	k.mu.Unlock()
	write(l)
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-k.left.Done():
		return k.left.Err()
	}
}

// listen takes the kit's answers, each for the handling of that cursor that waits longest, until standard input ends.
func (k *kit) listen(in *bufio.Scanner) {
	for in.Scan() {
		var answer struct{ OK, Fail string }
		if json.Unmarshal(in.Bytes(), &answer) != nil {
			return
		}
		cursor, err := answer.OK, error(nil)
		if answer.Fail != "" {
			cursor, err = answer.Fail, errFailed
		}
		k.mu.Lock()
		if all := k.waiting[cursor]; len(all) > 0 {
			all[0] <- err
			k.waiting[cursor] = all[1:]
		}
		k.mu.Unlock()
	}
}

// describe is the line of a message, nil for those that the kit does not ask for.
func describe(m client.Message) line {
	switch {
	case m.Started != nil:
		return line{"kind": "started"}
	case m.Event != nil:
		return line{"kind": "event", "cursor": m.Cursor(), "key": m.Event.GetPrimaryKey(), "type": m.Event.GetEventType()}
	case m.Gap != nil:
		return line{"kind": "gap", "reason": m.Gap.GetReason().String(), "cursor": m.Cursor()}
	case m.Erased != nil:
		return line{"kind": "erased", "cursor": m.Cursor()}
	case m.Checkpoint != nil:
		return line{"kind": "checkpoint", "caught_up": m.Checkpoint.GetCaughtUp(), "cursor": m.Cursor()}
	}
	return nil
}

// edge is the name of an enum's value.
func edge(prefix, name string) string { return prefix + strings.ToUpper(name) }
