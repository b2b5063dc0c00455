//go:build !unix

package conformance

import (
	"os"
	"os/exec"
)

// inGroup leaves the command as it is: a kill ends it alone.
func inGroup(*exec.Cmd) {}

// reload is the signal that has a gateway read its configuration again. There is none here: it does so when the file changes.
var reload os.Signal
