//go:build linux || darwin

package server_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// peerRole is the environment variable that makes this test binary a benchmark's server. Its one argument is the data directory. It prints its
// addresses, then obeys the commands of control, and ends when its standard input does.
const peerRole = "HEADGATE_BENCH_SERVER"

// The roles.
const (
	roleHeadgate = "headgate"
	roleNoLog    = "no-log"
	roleSend     = "send"
)

// init comes before the tests: the process is the server then, and nothing else.
func init() {
	role := os.Getenv(peerRole)
	if role == "" {
		return
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // a terminal's speed is not what is measured
	if err := runPeer(role, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "benchmark server:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// peer is a server process, seen from the benchmark.
type peer struct {
	b          *testing.B
	http, grpc string // its addresses
	cmd        *exec.Cmd
	in         io.WriteCloser
	out        *bufio.Reader
	poster     poster
	stopped    bool
}

func startPeer(b *testing.B, role string) *peer {
	b.Helper()
	p := &peer{b: b, cmd: exec.Command(os.Args[0], b.TempDir())}
	p.cmd.Env = append(os.Environ(), peerRole+"="+role)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.stop)
	p.out = bufio.NewReader(out)
	addresses := strings.Fields(p.line())
	if len(addresses) != 2 {
		b.Fatalf("the server %s printed %q", role, addresses)
	}
	p.http, p.grpc = addresses[0], addresses[1]
	return p
}

func (p *peer) line() string {
	p.b.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.b.Fatalf("the server has ended: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// mustAsk sends a command and returns the answer. Of "begin" and "end" that is the CPU that the process has used.
func (p *peer) mustAsk(command string) time.Duration {
	p.b.Helper()
	fmt.Fprintln(p.in, command)
	line := p.line()
	cpu, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		p.b.Fatalf("%s: %s", command, line)
	}
	return time.Duration(cpu)
}

// measure runs the load and returns what an item of it took. With a profile's name, the server writes its CPU profile there.
func (p *peer) measure(profile string, items int, load func() error) sample {
	p.b.Helper()
	runtime.GC() // so that no measurement pays for what was before
	before, start := p.mustAsk("begin "+profile), time.Now()
	err := load()
	took, after := time.Since(start), p.mustAsk("end")
	if err != nil {
		p.b.Fatal(err)
	}
	return sample{perSecond: float64(items) / took.Seconds(), cpu: (after - before) / time.Duration(items), batch: math.NaN()}
}

// stop ends the process gracefully. It may be called more than once.
func (p *peer) stop() {
	if p.stopped {
		return
	}
	p.stopped = true
	p.poster.close()
	_ = p.in.Close()
	kill := time.AfterFunc(20*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	if err := p.cmd.Wait(); err != nil {
		p.b.Errorf("the server process: %v", err)
	}
}

// cpuTime returns what this process has used, in user and kernel mode.
func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
