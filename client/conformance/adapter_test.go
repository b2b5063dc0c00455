package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long the kit waits for what must come. On a machine that is busy with other things several JVMs at once take half a minute to say their first word.
const patience = 90 * time.Second

// leaveWithin is how long an adapter may take to leave.
const leaveWithin = 10 * time.Second

// adapter is a running one. Its methods are for the goroutine of the test.
type adapter struct {
	t      *testing.T
	name   string
	stdin  io.WriteCloser
	end    context.CancelFunc // kills it
	exited chan struct{}
	exit   error // of the process, once exited is closed
	stderr *tail
	taken  int         // lines that were looked at
	left   atomic.Bool // it was asked to leave: what it writes then does not count

	mu    sync.Mutex
	lines []line
	moved chan struct{} // closed and made anew at each line
	over  bool          // there will be no more lines
}

// run starts the client's adapter with the request, at the front.
func (k *kit) run(f *front, req request) *adapter {
	k.Helper()
	req.Address, req.REST = f.grpc, "http://"+f.rest
	ctx, cancel := context.WithCancel(context.Background())
	k.adapters++
	a := &adapter{
		t: k.T, name: fmt.Sprintf("adapter %d", k.adapters), end: cancel, exited: make(chan struct{}), stderr: &tail{}, moved: make(chan struct{}),
	}
	cmd := k.subject.command(ctx, k.subject.Run)
	cmd.Stderr = a.stderr
	var err error
	if a.stdin, err = cmd.StdinPipe(); err != nil {
		k.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		k.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		cancel()
		k.Fatalf("%s: %v", k.subject.Name, err)
	}
	go a.read(stdout, cmd)
	k.Cleanup(a.finish)
	a.say(req)
	return a
}

// finish ends the adapter whatever it does, and shows what it said when the test failed.
func (a *adapter) finish() {
	a.kill()
	if !a.t.Failed() {
		return
	}
	n := len(a.lines)
	text := ""
	for _, l := range a.lines[max(0, n-12):] {
		text += "\n  " + l.text
	}
	a.t.Logf("%s ended with %v after %d lines, the last of them:%s\nits standard error:\n%s", a.name, a.exit, n, text, a.stderr)
}

// read collects the adapter's lines until it ends.
func (a *adapter) read(stdout io.Reader, cmd *exec.Cmd) {
	in := bufio.NewScanner(stdout)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var l line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			l = line{Kind: "unreadable"}
		}
		l.text = in.Text()
		a.note(l, false)
	}
	_, _ = io.Copy(io.Discard, stdout)
	a.exit = cmd.Wait()
	close(a.exited)
	a.note(line{}, true)
}

func (a *adapter) note(l line, over bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over = over; !over {
		a.lines = append(a.lines, l)
	}
	close(a.moved)
	a.moved = make(chan struct{})
}

// say writes a line to the adapter, and tells whether it can hear it: one that has ended, or has left, cannot.
func (a *adapter) say(what any) bool {
	b, err := json.Marshal(what)
	if err != nil {
		a.t.Error(err)
	}
	_, err = a.stdin.Write(append(b, '\n'))
	return err == nil
}

func (a *adapter) ok(cursor string) bool   { return a.say(map[string]string{"ok": cursor}) }
func (a *adapter) fail(cursor string) bool { return a.say(map[string]string{"fail": cursor}) }

// take returns the next line; false when there is none until the deadline, or none any more.
func (a *adapter) take(deadline <-chan time.Time) (line, bool) {
	for {
		a.mu.Lock()
		if a.taken < len(a.lines) {
			defer a.mu.Unlock()
			a.taken++
			return a.lines[a.taken-1], true
		}
		moved, over := a.moved, a.over
		a.mu.Unlock()
		if over {
			return line{}, false
		}
		select {
		case <-moved:
		case <-deadline:
			return line{}, false
		}
	}
}

// next passes over lines until there is one of the kinds. An error, or the adapter's end, that was not asked for fails the test.
func (a *adapter) next(kinds ...string) line {
	a.t.Helper()
	deadline := time.After(patience)
	for {
		l, found := a.take(deadline)
		switch {
		case !found:
			a.t.Fatalf("%s: waited for %v in vain", a.name, kinds)
		case slices.Contains(kinds, l.Kind):
			return l
		case slices.Contains([]string{"error", "end", "unreadable"}, l.Kind):
			a.t.Fatalf("%s: waited for %v and got %v", a.name, kinds, l)
		}
	}
}

// events takes as many events, answering each where ack is asked for, and returns their cursors.
func (a *adapter) events(n int, acknowledge bool) (cursors []string) {
	a.t.Helper()
	for range n {
		l := a.next("event")
		cursors = append(cursors, l.Cursor)
		if acknowledge {
			a.ok(l.Cursor)
		}
	}
	return cursors
}

// until takes lines up to the first of the kind and returns those before it.
func (a *adapter) until(kind string) (before []line, last line) {
	a.t.Helper()
	deadline := time.After(patience)
	for {
		l, found := a.take(deadline)
		if !found {
			a.t.Fatalf("%s: waited for %s in vain, and got %v", a.name, kind, before)
		}
		if l.Kind == kind {
			return before, l
		}
		before = append(before, l)
	}
}

// eventsOf returns the cursors of the events among the lines.
func eventsOf(lines []line) (cursors []string) {
	for _, l := range lines {
		if l.Kind == "event" {
			cursors = append(cursors, l.Cursor)
		}
	}
	return cursors
}

// toEnd takes lines up to the subscription's end, without an error, and returns the cursors of the events.
func (a *adapter) toEnd() (cursors []string) {
	a.t.Helper()
	before, _ := a.until("end")
	for _, l := range before {
		if !slices.Contains([]string{"event", "started", "checkpoint"}, l.Kind) {
			a.t.Errorf("%s: came %v", a.name, l)
		}
	}
	a.gone("its subscription ended")
	return eventsOf(before)
}

// count is how many lines of the kind were taken so far.
func (a *adapter) count(kind string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.lines[:a.taken] {
		if l.Kind == kind {
			n++
		}
	}
	return n
}

// kill ends the adapter at once, as kill -9 does, and waits until it is gone.
func (a *adapter) kill() {
	a.end()
	<-a.exited
	_ = a.stdin.Close()
}

// leave has the adapter leave its subscription, as an application that shuts down. It must exit well, in time.
func (a *adapter) leave() {
	a.t.Helper()
	a.left.Store(true)
	_ = a.stdin.Close()
	a.gone("its standard input was closed")
}

// gone waits until the adapter has exited with 0.
func (a *adapter) gone(because string) {
	a.t.Helper()
	select {
	case <-a.exited:
		if a.exit != nil {
			a.t.Errorf("%s: %s, and it exited with %v, want 0", a.name, because, a.exit)
		}
	case <-time.After(leaveWithin):
		a.t.Errorf("%s: %s, and after %v it is still there", a.name, because, leaveWithin)
	}
}

// tail keeps the end of what an adapter or a gateway says. Safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write is part of io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-16<<10):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
