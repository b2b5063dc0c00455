//go:build unix

package conformance

import (
	"os"
	"os/exec"
	"syscall"
)

// inGroup has a kill end what the command starts too: an adapter can be a script that runs another program.
func inGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// reload is the signal that has a gateway read its configuration again. Where there is none, it does so when the file changes.
var reload os.Signal = syscall.SIGHUP
