//go:build linux || darwin

package server_test

import (
	"bufio"
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"google.golang.org/grpc"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

// peerProcess is a benchmark's server in its own process.
type peerProcess struct {
	http, grpc string // its addresses; "-" for none
	send       *sendServer
	stop       func() error
	profile    *os.File
}

// runPeer is the process from start to end.
func runPeer(role, dir string) error {
	p := peerProcess{http: "-", grpc: "-"}
	start := map[string]func(dir string) error{roleHeadgate: p.startHeadgate, roleNoLog: p.startNoLog, roleSend: p.startSend}[role]
	if start == nil {
		return fmt.Errorf("%s=%s: there is no such role", peerRole, role)
	}
	if err := start(dir); err != nil {
		return err
	}
	fmt.Println(p.http, p.grpc)
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		cpu, err := p.obey(commands.Text())
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(int64(cpu))
	}
	return p.stop()
}

// obey does one command and returns the CPU used so far.
func (p *peerProcess) obey(command string) (time.Duration, error) {
	var n, rate int
	name, rest, _ := strings.Cut(command, " ")
	switch name {
	case "begin":
		runtime.GC() // so that no measurement pays for what was before
		if rest != "" {
			f, err := os.Create(rest)
			if err != nil {
				return 0, err
			}
			p.profile = f
			if err := pprof.StartCPUProfile(f); err != nil {
				return 0, err
			}
		}
		return cpuTime()
	case "end":
		cpu, err := cpuTime()
		if p.profile != nil {
			pprof.StopCPUProfile()
			err = p.profile.Close()
			p.profile = nil
		}
		return cpu, err
	case "hold":
		if _, err := fmt.Sscan(rest, &n); err != nil {
			return 0, err
		}
		return 0, p.send.hold(n)
	case "publish":
		if _, err := fmt.Sscan(rest, &n, &rate); err != nil {
			return 0, err
		}
		go p.send.publish(n, rate)
		return 0, nil
	}
	return 0, fmt.Errorf("no such command: %s", command)
}

// startHeadgate runs the real thing: signed webhooks, a log with fsync, and all listeners.
func (p *peerProcess) startHeadgate(dir string) error {
	cfg := signedConfig(dir)
	cfg.Limits.MaxStreams = 100_000
	s, err := server.New(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	p.http, p.grpc = s.Addresses().Webhook, s.Addresses().GRPC
	p.stop = func() error {
		cancel()
		return <-done
	}
	return nil
}

// startNoLog serves a webhook that forgets: it reads the body, checks the signature and answers.
func (p *peerProcess) startNoLog(string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler: http.HandlerFunc(forget), MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	go func() { _ = srv.Serve(l) }() // ends with Close
	p.http, p.stop = l.Addr().String(), srv.Close
	return nil
}

func forget(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	status := http.StatusOK
	switch {
	case err != nil:
		status = http.StatusBadRequest
	case subtle.ConstantTimeCompare([]byte(sign(testSecret, body)), []byte(r.Header.Get("X-Superoffice-Signature"))) == 0:
		status = http.StatusUnauthorized
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "forgotten\n")
}

// startSend serves Subscribe in the plain way.
func (p *peerProcess) startSend(string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.send = &sendServer{changed: make(chan struct{})}
	srv := grpc.NewServer()
	headgatev1.RegisterEventServiceServer(srv, p.send)
	go func() { _ = srv.Serve(l) }() // ends with Stop
	p.grpc = l.Addr().String()
	p.stop = func() error {
		srv.Stop()
		return nil
	}
	return nil
}
