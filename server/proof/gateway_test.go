package proof

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	secret = "a secret of the fault suite"
	// patience is how long a test waits for something that must happen.
	patience = 60 * time.Second
)

// gateway is the real one, in a process of its own. It has the same addresses after a restart.
type gateway struct {
	t                        *testing.T
	dir                      string // its data
	config                   string
	webhook, api, rpc, admin string
	cmd                      *exec.Cmd
	exited                   chan struct{} // closed when the process is gone
	said                     *bytes.Buffer // what it logged; to be read once it is gone
}

// newGateway makes a gateway that is not started, over a folder for its data. more is of its configuration, in YAML.
func newGateway(t *testing.T, dir, more string) *gateway {
	t.Helper()
	g := &gateway{t: t, dir: dir, config: filepath.Join(t.TempDir(), "headgate.yaml")}
	for _, address := range []*string{&g.webhook, &g.api, &g.rpc, &g.admin} {
		*address = ownAddress(t)
	}
	text := fmt.Sprintf("data_dir: %s\nlisten: {webhook: %q, api: %q, grpc: %q, admin: %q}\n", dir, g.webhook, g.api, g.rpc, g.admin) + `
sources:
  acme: {contexts: ["Cust26759", "Cust1234"], time_zone: UTC, secrets: [{id: a, file: secret}]}
` + more
	if !strings.Contains(more, "retention:") {
		text += "retention: {disk_reserve: 1MiB}\n"
	}
	err := errors.Join(os.WriteFile(g.config, []byte(text), 0o600), os.WriteFile(filepath.Join(filepath.Dir(g.config), "secret"), []byte(secret), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.kill()
		http.DefaultClient.CloseIdleConnections()
	})
	return g
}

// ownAddress returns an address that nobody is given by the system: while the gateway is away, somebody else would take it.
func ownAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000))
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// start starts the process and returns how long it took until the webhook could be posted to.
func (g *gateway) start() time.Duration {
	g.t.Helper()
	path, err := headgated()
	if err != nil {
		g.t.Fatal(err)
	}
	begin := time.Now()
	cmd, exited, said := exec.Command(path, "--config", g.config), make(chan struct{}), new(bytes.Buffer)
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		g.t.Fatal(err)
	}
	listening := make(chan struct{})
	go func() {
		defer close(exited)
		heard := sync.OnceFunc(func() { close(listening) })
		for in := bufio.NewScanner(out); in.Scan(); {
			fmt.Fprintln(said, in.Text())
			if strings.Contains(in.Text(), "listening") {
				heard()
			}
		}
		_ = cmd.Wait() // how it ended is what tests bring about
	}()
	g.cmd, g.exited, g.said = cmd, exited, said
	select {
	case <-listening:
	case <-exited:
		g.t.Fatalf("the gateway does not start:\n%s", said)
	case <-time.After(patience):
		g.kill()
		g.t.Fatalf("the gateway did not begin to listen:\n%s", said)
	}
	return time.Since(begin)
}

// kill is kill -9. It returns when the process is gone.
func (g *gateway) kill() {
	if g.cmd != nil {
		_ = g.cmd.Process.Kill()
		<-g.exited
	}
}

// figures are what the metrics page says.
func (g *gateway) figures() map[string]float64 {
	g.t.Helper()
	resp, err := http.Get("http://" + g.admin + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	values := make(map[string]float64)
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok {
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				values[name] = v
				if family, _, labels := strings.Cut(name, "{"); labels {
					values[family] += v // over all labels
				}
			}
		}
	}
	return values
}

// eventually polls: what it waits for happens in the gateway.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
