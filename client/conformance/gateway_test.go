package conformance

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/headgate/headgate/client/internal/scripted"
)

// binary builds the gateway as it is shipped, once in a run: without the race detector, whatever the tests have. Some hundred of them are started.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(workDir, "headgated")
	cmd := exec.Command("go", "build", "-race=false", "-o", path, "./server/cmd/headgated")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the gateway: %w\n%s", err, out)
	}
	return path, nil
})

// settings are what a behaviour wants of a gateway's configuration.
type settings struct {
	retention string // in YAML; default: that of the gateway
	readers   string // in YAML, one a line; default: everybody reads everything
}

// addresses are where a gateway listens, as its log says.
type addresses struct {
	Webhook, API, GRPC, Admin string
}

// gateway is a real one, in a process of its own.
type gateway struct {
	t      *testing.T
	dir    string
	at     addresses // the same after a restart
	now    *incarnation
	front  *front  // what stands between it and the clients
	sender *sender // the CRM
	asker  *asker
	posted int // by posting
}

// incarnation is one process of a gateway.
type incarnation struct {
	cmd    *exec.Cmd
	log    *tail
	lines  chan string   // what it logs, for who waits for it
	exited chan struct{} // closed when the process is gone
	exit   error         // then
}

// start starts a gateway for the behaviour.
func (k *kit) start(s settings) *gateway {
	k.Helper()
	g := &gateway{t: k.T, dir: k.TempDir(), at: addresses{k.own(), k.own(), k.own(), k.own()}}
	g.configure(s)
	g.launch()
	k.Cleanup(g.kill)
	g.front = newFront(k.T, g.at.GRPC, g.at.API)
	g.sender = newSender(k.T, "http://"+g.at.Webhook+"/webhooks/superoffice/", secret)
	g.asker = newAsker(k.T, g.at.GRPC)
	return g
}

// configure writes the configuration. A gateway that runs takes readers from it at the next reload, all else at the next start.
func (g *gateway) configure(s settings) {
	g.t.Helper()
	if s.retention == "" {
		s.retention = "{disk_reserve: 1MiB}"
	}
	text := "data_dir: log\nlog: {format: json}\nretention: " + s.retention + `
sources:
  acme: {contexts: [Cust26759, Cust1234], time_zone: Europe/Oslo, secrets: [{id: a, file: secret}]}
  globex: {contexts: [Default], time_zone: UTC, secrets: [{id: a, file: secret}]}
`
	if s.readers != "" {
		text += "readers:\n"
		for line := range strings.Lines(s.readers) {
			text += "  " + strings.TrimSpace(line) + "\n"
		}
	}
	err := errors.Join(
		os.WriteFile(filepath.Join(g.dir, "secret"), []byte(secret), 0o600),
		os.WriteFile(filepath.Join(g.dir, "headgate.yaml"), []byte(text), 0o600))
	if err != nil {
		g.t.Fatal(err)
	}
}

// hashed is a token as the configuration names it.
func hashed(token string) string { return fmt.Sprintf(`"sha256:%x"`, sha256.Sum256([]byte(token))) }

// own returns an address for a gateway that is killed and comes back.
func (k *kit) own() string {
	k.Helper()
	address, err := scripted.OwnAddress()
	if err != nil {
		k.Fatal(err)
	}
	return address
}

// launch starts the process and waits until it listens.
func (g *gateway) launch() {
	g.t.Helper()
	g.run(g.command())
}

// command is the gateway, with what is added to its flags.
func (g *gateway) command(flags ...string) *exec.Cmd {
	g.t.Helper()
	path, err := binary()
	if err != nil {
		g.t.Fatal(err)
	}
	return exec.Command(path, append([]string{
		"--config", filepath.Join(g.dir, "headgate.yaml"), "--listen-webhook", g.at.Webhook, "--listen-api", g.at.API,
		"--listen-grpc", g.at.GRPC, "--listen-admin", g.at.Admin,
	}, flags...)...)
}

// run starts the command and waits until it says where it listens.
func (g *gateway) run(cmd *exec.Cmd) {
	g.t.Helper()
	p := &incarnation{cmd: cmd, log: &tail{}, lines: make(chan string, 1000), exited: make(chan struct{})}
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		g.t.Fatal(err)
	}
	g.now = p
	go p.read(stderr)
	if err := json.Unmarshal([]byte(g.await(`"msg":"listening"`)), &g.at); err != nil {
		g.t.Fatal(err)
	}
}

// read keeps what the process logs, until it ends.
func (p *incarnation) read(stderr io.Reader) {
	in := bufio.NewScanner(io.TeeReader(stderr, p.log))
	for in.Scan() {
		select {
		case p.lines <- in.Text():
		default: // nobody waits for so many
		}
	}
	_, _ = io.Copy(io.Discard, stderr)
	p.exit = p.cmd.Wait()
	close(p.exited)
}

// await waits for a line of the log.
func (g *gateway) await(text string) string {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	for {
		select {
		case l := <-g.now.lines:
			if strings.Contains(l, text) {
				return l
			}
		case <-g.now.exited:
			g.t.Fatalf("the gateway ended with %v before it said %s; it said:\n%s", g.now.exit, text, g.now.log)
		case <-ctx.Done():
			g.t.Fatalf("the gateway did not say %s, but:\n%s", text, g.now.log)
		}
	}
}

// kill is kill -9. It returns when the process is gone.
func (g *gateway) kill() {
	_ = g.now.cmd.Process.Kill()
	<-g.now.exited
}

// stop asks the gateway to end and waits until it has.
func (g *gateway) stop() {
	g.t.Helper()
	_ = g.now.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-g.now.exited:
		if g.now.exit != nil {
			g.t.Errorf("the gateway was asked to end and ended with %v:\n%s", g.now.exit, g.now.log)
		}
	case <-time.After(patience):
		g.t.Fatalf("the gateway was asked to end and does not:\n%s", g.now.log)
	}
}

// permit changes the readers of a gateway that runs, and returns when that is in force.
func (g *gateway) permit(readers string) {
	g.t.Helper()
	g.configure(settings{readers: readers})
	if reload != nil {
		_ = g.now.cmd.Process.Signal(reload)
	}
	g.await(`"msg":"configuration reloaded"`)
}

// forget has the gateway's retention remove all that it holds.
func (g *gateway) forget() {
	g.t.Helper()
	g.stop()
	g.configure(settings{retention: "{max_age: 1ms, at_least: 0s, disk_reserve: 1MiB}"})
	g.launch()
	g.asker.until("the log is empty", func() bool { return len(g.asker.log()) == 0 })
	g.stop()
	g.configure(settings{})
	g.launch()
}
