//go:build linux || darwin

package bench

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"testing"
)

// TestMain runs the benchmarks and prints what they come to; or it is a benchmark's server, and nothing else.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		slog.SetDefault(slog.New(slog.DiscardHandler)) // a terminal's speed is not what is measured
		exit(serve(role, os.Args[1]))
	}
	flag.Parse()
	debug.SetGCPercent(400) // the load leaves the machine to the server
	code := m.Run()
	if err := theLog.remove(); err != nil {
		exit(err)
	}
	if err := writeReport(); err != nil {
		exit(err)
	}
	os.Exit(code)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func writeReport() error {
	if *outFlag == "" {
		return writeTargets(os.Stdout)
	}
	if err := os.MkdirAll(*outFlag, 0o755); err != nil {
		return err
	}
	return writeFiles(*outFlag, func(w io.Writer) error { return writeTargets(io.MultiWriter(w, os.Stdout)) })
}
