package proof

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

var long = flag.Bool("long", false, "run the long counts")

// counts are how much of something a test does: as a part of every change's check, and in the long run.
func counts(usual, longRun int) int {
	if *long {
		return longRun
	}
	return usual
}

// workDir holds what is built for the run. It is gone after it.
var workDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "headgate-proof-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	workDir = dir
	if code = m.Run(); code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// headgated builds the gateway as it is shipped, once in a run: without the race detector, whatever the tests have, as figures are taken of it.
var headgated = sync.OnceValues(func() (string, error) {
	path := filepath.Join(workDir, "headgated")
	cmd := exec.Command("go", "build", "-race=false", "-o", path, "./server/cmd/headgated")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the gateway: %w\n%s", err, out)
	}
	return path, nil
})
