package terminal

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Progress shows how far something is that takes long: on a terminal in a line that is written over, elsewhere, where it would fill a file, in a line every ten
// seconds. What is over within the first pause shows nothing. It is for one goroutine.
type Progress struct {
	out      io.Writer
	what     string
	unit     func(n float64) string
	terminal bool
	now      func() time.Time
	pause    time.Duration

	began, told time.Time
	shown       bool // a line stands on the terminal
}

// NewProgress begins. unit puts a number of what is counted into words, such as "3.4 MiB".
func NewProgress(out io.Writer, what string, unit func(n float64) string) *Progress {
	p := &Progress{out: out, what: what, unit: unit, terminal: Is(out), now: time.Now, pause: 10 * time.Second}
	if p.terminal {
		p.pause = time.Second / 2
	}
	p.began = p.now()
	p.told = p.began
	return p
}

// Tell says how much was done so far: a number of what is counted, and the part of all, from 0 to 1, below 0 where that is not known.
func (p *Progress) Tell(count, done float64) {
	now := p.now()
	if now.Sub(p.told) < p.pause {
		return
	}
	p.told = now
	took := now.Sub(p.began)
	parts := []string{p.what}
	if done >= 0 {
		parts = append(parts, fmt.Sprintf("%.0f %%", 100*min(done, 1)))
	}
	if count > 0 {
		parts = append(parts, p.unit(count), p.unit(count/took.Seconds())+"/s")
	}
	if done > 0 && done < 1 {
		parts = append(parts, Short(time.Duration(float64(took)/done*(1-done)))+" left")
	}
	line := strings.Join(parts, "  ")
	if !p.terminal {
		_, _ = fmt.Fprintln(p.out, line) // what cannot be shown is no reason to stop
		return
	}
	if columns, _, found := Size(p.out); found && len(line) >= columns {
		line = line[:columns-1] // one that wraps could not be written over
	}
	p.shown = true
	_, _ = fmt.Fprint(p.out, ClearLine+line)
}

// Clear takes the line away, before something else is written to the terminal and at the end.
func (p *Progress) Clear() {
	if p.shown {
		p.shown = false
		_, _ = fmt.Fprint(p.out, ClearLine)
	}
}

// Reader counts what is read of in, which has that many bytes; 0 when that is not known.
func (p *Progress) Reader(in io.Reader, size int64) io.Reader {
	return &counting{in, p, 0, size}
}

type counting struct {
	io.Reader
	progress   *Progress
	read, size int64
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.read += int64(n)
	done := -1.0
	if c.size > 0 {
		done = float64(c.read) / float64(c.size)
	}
	c.progress.Tell(float64(c.read), done)
	return n, err
}
