// Package terminal is for this repository's programs, and no API. It knows what a program writes to: a terminal, which has a size and colours and can be written over, or something else.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Is says whether out is a terminal that can be written over.
func Is(out any) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// Size is how many columns and lines the terminal has; found is false for what is none.
func Size(out io.Writer) (columns, lines int, found bool) {
	f, ok := out.(*os.File)
	if !ok {
		return 0, 0, false
	}
	columns, lines, err := term.GetSize(int(f.Fd()))
	return columns, lines, err == nil && columns > 0 && lines > 0
}

// HasColours says whether out may get colours: on a terminal, unless NO_COLOR is set (see no-color.org).
func HasColours(out io.Writer) bool { return Is(out) && os.Getenv("NO_COLOR") == "" }

// ClearLine takes away what stands on the cursor's line of a terminal, and goes to its beginning.
const ClearLine = "\r\x1b[K"
