//go:build linux || darwin

package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// peer is a server process, seen from the benchmark.
type peer struct {
	addresses
	b       *testing.B
	role    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	stopped bool
}

// startPeer starts a server of the role, with a data directory of its own unless one is given.
func startPeer(b *testing.B, role string, dir ...string) *peer {
	b.Helper()
	if len(dir) == 0 {
		dir = []string{b.TempDir()}
	}
	p := &peer{b: b, role: role, cmd: exec.Command(os.Args[0], dir[0])}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+role)
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
	p.read("its addresses", &p.addresses)
	return p
}

func (p *peer) read(what string, into any) {
	p.b.Helper()
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		p.b.Fatalf("the server %s has ended: %v", p.role, err)
	}
	if err := json.Unmarshal(line, into); err != nil {
		p.b.Fatalf("the server %s answers to %s: %s", p.role, what, line)
	}
}

// ask sends a command and returns the answer.
func (p *peer) ask(command string, args ...any) (u usage) {
	p.b.Helper()
	command = fmt.Sprintf(command, args...)
	fmt.Fprintln(p.in, command)
	p.read(command, &u)
	return u
}

// holds says whether the server makes its events itself.
func (p *peer) holds() bool { return p.Posts == "" }

// give lets the server have the events 1 to n, all at once, and returns when it has them.
func (p *peer) give(n, contexts int) {
	p.b.Helper()
	if p.holds() {
		p.ask("hold %d %d", n, contexts)
		return
	}
	if err := p.post(render(1, n, contexts), 0); err != nil {
		p.b.Fatal(err)
	}
}

// post posts over connections of its own.
func (p *peer) post(all *posts, perSecond int) error {
	c, err := dialPosts(p.Posts)
	if err != nil {
		return err
	}
	defer c.close()
	return c.post(all, perSecond)
}

// sample is what a load took.
type sample struct {
	took        time.Duration
	cpu         time.Duration // of the server
	allocations float64       // of the server
}

// measure runs the load. The names are what a profile of the server is called.
func (p *peer) measure(benchmark, variant string, round int, load func() error) sample {
	p.b.Helper()
	profile := profileName(p.b, fmt.Sprintf("%s %s %d", benchmark, variant, round+1))
	runtime.GC() // so that no measurement pays for what was before
	before, start := p.ask("begin %s", profile), time.Now()
	err := load()
	took, after := time.Since(start), p.ask("end")
	if err != nil {
		p.b.Fatalf("%s: %v", p.role, err)
	}
	return sample{took: took, cpu: after.CPU - before.CPU, allocations: float64(after.Allocations - before.Allocations)}
}

// profileName is where a measurement's profile goes, empty when none is asked for.
func profileName(b *testing.B, name string) string {
	if *profilesFlag == "" {
		return ""
	}
	dir, err := filepath.Abs(*profilesFlag)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		b.Fatal(err)
	}
	return filepath.Join(dir, fileName(name)+".pprof")
}

// settle waits until the server is at rest.
func (p *peer) settle() {
	p.b.Helper()
	const pause, tries = 200 * time.Millisecond, 600
	for range tries {
		before := p.ask("end").CPU
		time.Sleep(pause)
		if p.ask("end").CPU-before < pause/20 {
			return
		}
	}
	p.b.Fatalf("the server %s does not come to rest", p.role)
}

// stop ends the process gracefully. It may be called more than once.
func (p *peer) stop() {
	if p.stopped {
		return
	}
	p.stopped = true
	_ = p.in.Close()
	kill := time.AfterFunc(30*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	if err := p.cmd.Wait(); err != nil {
		p.b.Errorf("the server process %s: %v", p.role, err)
	}
}
