package terminal

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		Short(50*time.Hour + time.Minute): "2d2h", Short(90 * time.Second): "1m30s", Short(1540 * time.Millisecond): "1.5s", Short(7 * time.Millisecond): "7ms", Short(24 * time.Hour): "1d",
		Bytes(0): "0 B", Bytes(1023): "1023 B", Bytes(1536): "1.5 KiB", Bytes(3 << 40): "3.0 TiB", Bytes(5000 << 40): "5000.0 TiB",
		Count(0) + "": "0", Count(999): "999", Count(1000): "1,000", Count(1234567): "1,234,567",
		Rate(0) + " ": "0 ", Rate(0.01): "0.1", Rate(9.94): "9.9", Rate(12.4): "12", Rate(1234.5): "1,235",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// stepped is a progress whose clock goes on by a second at each look.
func stepped(out io.Writer) *Progress {
	p := NewProgress(out, "verify", Bytes)
	now := p.began
	p.now = func() time.Time { now = now.Add(time.Second); return now }
	return p
}

func TestProgressIntoAFile(t *testing.T) {
	var out bytes.Buffer
	p := stepped(&out)
	for i := range 25 {
		p.Tell(float64((i+1)<<20), float64(i+1)/100)
	}
	p.Clear()
	want := "verify  10 %  10.0 MiB  1.0 MiB/s  1m30s left\nverify  20 %  20.0 MiB  1.0 MiB/s  1m20s left\n"
	if out.String() != want {
		t.Errorf("wrote\n%s, want\n%s", out.String(), want)
	}
	out.Reset()
	p = stepped(&out)
	for range 10 {
		p.Tell(100, -1)
	}
	if out.String() != "verify  100 B  10 B/s\n" {
		t.Errorf("of an unknown whole it wrote %q", out.String())
	}
}

func TestProgressOnATerminal(t *testing.T) {
	main, side, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer main.Close()
	defer side.Close()
	if err := pty.Setsize(side, &pty.Winsize{Rows: 24, Cols: 20}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TERM", "xterm")
	p := stepped(side)
	p.Tell(1<<20, 0.5)
	p.Clear()
	p.Clear()
	_, _ = side.WriteString("end")
	want := ClearLine + "verify  50 %  1.0 M" + ClearLine + "end"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(main, got); err != nil || string(got) != want {
		t.Errorf("wrote %q, %v, want %q", got, err, want)
	}
	if columns, lines, found := Size(side); columns != 20 || lines != 24 || !found || !Is(side) || !HasColours(side) {
		t.Errorf("the terminal has %d columns, %d lines, %v", columns, lines, found)
	}
	t.Setenv("NO_COLOR", "1")
	if HasColours(side) {
		t.Error("it has colours in spite of NO_COLOR")
	}
	t.Setenv("TERM", "dumb")
	if Is(side) {
		t.Error("a dumb terminal can be written over")
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, out := range []io.Writer{f, null, &bytes.Buffer{}} {
		if _, _, found := Size(out); found || Is(out) || HasColours(out) {
			t.Errorf("%v is taken for a terminal", out)
		}
	}
}

func TestProgressOfAReader(t *testing.T) {
	var out bytes.Buffer
	p := stepped(&out)
	p.pause = time.Second
	if n, err := io.Copy(io.Discard, p.Reader(struct{ io.Reader }{strings.NewReader("12345678")}, 16)); n != 8 || err != nil {
		t.Error(n, err)
	}
	if first, _, _ := strings.Cut(out.String(), "\n"); first != "verify  50 %  8 B  8 B/s  1s left" {
		t.Errorf("wrote %s", fmt.Sprint(out.String()))
	}
}
