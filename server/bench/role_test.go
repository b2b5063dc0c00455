//go:build linux || darwin

package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"
)

// roleVariable is the environment variable that makes this test binary a benchmark's server. Its one argument is the data directory. It prints its
// addresses, then obeys the commands of control, and ends when its standard input does.
const roleVariable = "HEADGATE_BENCH_SERVER"

// The roles. They are the names of variants, too.
const (
	headgate = "headgate"
	send     = "send"
	sendLog  = "send-log"
	rawTCP   = "tcp"
	natsCore = "nats"
	noLog    = "no-log"
)

var roles = map[string]func(dir string) (*process, error){
	headgate: startHeadgate, send: startSend, sendLog: startSendLog, rawTCP: startTCP, natsCore: startNATS, noLog: startNoLog,
}

// process is a benchmark's server, seen from inside.
type process struct {
	addresses
	held    *memory // nil where events are posted
	stop    func() error
	profile *os.File
}

// addresses are where posts and readers go. What a role does not serve is empty.
type addresses struct{ Posts, Readers string }

// usage is what the process has used so far, and what it has.
type usage struct {
	CPU         time.Duration
	Allocations uint64
	Goroutines  int
	Live        uint64 // bytes of memory that are in use, after a collection
}

// serve is the process from start to end.
func serve(role, dir string) error {
	start := roles[role]
	if start == nil {
		return fmt.Errorf("%s=%s: there is no such role", roleVariable, role)
	}
	p, err := start(dir)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(p.addresses); err != nil {
		return err
	}
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		u, err := p.obey(commands.Text())
		if err != nil {
			fmt.Println(err)
			continue
		}
		if err := out.Encode(u); err != nil {
			return err
		}
	}
	return p.stop()
}

// obey does one command: begin and a profile's name or none, end, hold and how many events of how many contexts, publish and how many of them at
// which rate.
func (p *process) obey(command string) (usage, error) {
	var n, of int
	name, rest, _ := strings.Cut(command, " ")
	switch name {
	case "begin":
		runtime.GC() // so that no measurement pays for what was before
		return used(), p.startProfile(rest)
	case "end":
		u := used()
		return u, p.endProfile()
	case "hold":
		if _, err := fmt.Sscan(rest, &n, &of); err != nil {
			return usage{}, err
		}
		return usage{}, p.held.hold(n, of)
	case "publish":
		if _, err := fmt.Sscan(rest, &n, &of); err != nil {
			return usage{}, err
		}
		go p.held.publish(n, of)
		return usage{}, nil
	}
	return usage{}, fmt.Errorf("no such command: %s", command)
}

func (p *process) startProfile(name string) (err error) {
	if name == "" {
		return nil
	}
	if p.profile, err = os.Create(name); err != nil {
		return err
	}
	return pprof.StartCPUProfile(p.profile)
}

func (p *process) endProfile() error {
	if p.profile == nil {
		return nil
	}
	pprof.StopCPUProfile()
	err := p.profile.Close()
	p.profile = nil
	return err
}

func used() usage {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it cannot fail for the process itself
	return usage{
		CPU: time.Duration(u.Utime.Nano() + u.Stime.Nano()), Allocations: m.Mallocs,
		Goroutines: runtime.NumGoroutine(), Live: m.HeapAlloc + m.StackInuse,
	}
}
