package deploy_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// units is a folder with the units, as they are but that they start the release's binary where it is.
func units(t *testing.T) (dir, archive string) {
	t.Helper()
	archive = unpacked(t)
	dir = t.TempDir()
	found, err := filepath.Glob(filepath.Join(archive, "systemd/headgated*"))
	if err != nil || len(found) != 5 {
		t.Fatalf("%d units, %v", len(found), err)
	}
	for _, path := range found {
		write(t, filepath.Join(dir, filepath.Base(path)), strings.ReplaceAll(read(t, path), "/usr/local/bin/headgated", filepath.Join(archive, "headgated")))
	}
	return dir, archive
}

// setting is the value of a key in a unit.
func setting(t *testing.T, unit, key string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindStringSubmatch(unit)
	if found == nil {
		t.Fatalf("there is no %s in\n%s", key, unit)
	}
	return found[1]
}

// drain is shutdown_timeout where nothing is said of it.
func drain(t *testing.T) time.Duration {
	t.Helper()
	said := command(t, ".", filepath.Join(unpacked(t), "headgated"), "check", "--print", "--dev")
	d, err := time.ParseDuration(regexp.MustCompile(`(?m)^shutdown_timeout: (.*)$`).FindStringSubmatch(said)[1])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestUnits: systemd understands them, and finds little that the service could do.
func TestUnits(t *testing.T) {
	needs(t, "systemd-analyze")
	dir, archive := units(t)
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if said := command(t, dir, "systemd-analyze", append([]string{"verify", "--man=no"}, names...)...); said != "" {
		t.Errorf("systemd says\n%s", said)
	}
	service := filepath.Join(dir, "headgated.service")
	command(t, dir, "systemd-analyze", "security", "--offline=true", "--threshold=15", service)
	write(t, service+".d/credentials.conf", read(t, filepath.Join(archive, "systemd/credentials.conf")))
	if said := command(t, dir, "systemd-analyze", "verify", "--man=no", service); said != "" {
		t.Errorf("with credentials systemd says\n%s", said)
	}
	unit := read(t, service)
	if stop, err := time.ParseDuration(setting(t, unit, "TimeoutStopSec")); err != nil || stop < drain(t)+2*time.Second {
		t.Errorf("it is killed after %s, %v", stop, err)
	}
	wantFilesOfReadme(t, setting(t, unit, "LimitNOFILE"))
}

// wantFilesOfReadme holds a limit of open files against the one from which the README says that there are as many connections as there can be.
func wantFilesOfReadme(t *testing.T, limit string) {
	t.Helper()
	if readme := read(t, "../../README.md"); !strings.Contains(strings.ReplaceAll(readme, ",", ""), "fewer than "+limit+" files") {
		t.Errorf("the README does not speak of %s files", limit)
	}
}

const ownConfig = `
data_dir: data
log: {format: json}
retention: {max_size: 16MiB, disk_reserve: 1MiB}
listen: {webhook: "127.0.0.1:0", api: "127.0.0.1:0", grpc: "127.0.0.1:0", admin: "127.0.0.1:0"}
sources: {acme: {contexts: [Cust26759], time_zone: Europe/Oslo, secrets: [{id: a, file: secrets/acme-a}]}}
`

// TestSockets: the gateway takes the sockets under the names that the units give them.
func TestSockets(t *testing.T) {
	needs(t, "systemd-socket-activate")
	dir, archive := units(t)
	write(t, filepath.Join(dir, "secrets/acme-a"), "a secret that is long enough")
	write(t, filepath.Join(dir, "headgate.yaml"), ownConfig)
	var names, addresses []string
	for _, name := range []string{"webhook", "api", "grpc", "admin"} {
		unit := read(t, filepath.Join(dir, "headgated-"+name+".socket"))
		if service := setting(t, unit, "Service"); service != "headgated.service" {
			t.Errorf("it is of %s", service)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		names, addresses = append(names, setting(t, unit, "FileDescriptorName")), append(addresses, l.Addr().String())
		_ = l.Close() // the port is free for a moment
	}
	args := []string{"--fdname=" + strings.Join(names, ":")}
	for _, a := range addresses {
		args = append(args, "--listen="+a)
	}
	cmd := exec.Command("systemd-socket-activate", append(args, filepath.Join(archive, "headgated"), "--config", filepath.Join(dir, "headgate.yaml"))...)
	got, end := started(t, activated(t, cmd, addresses[0]))
	for i, name := range []string{"webhook", "api", "grpc", "admin"} {
		if got[name] != addresses[i] {
			t.Errorf("%s is at %s, its socket at %s", name, got[name], addresses[i])
		}
	}
	end()
}

// activated connects to the first socket as soon as it listens: that starts the gateway.
func activated(t *testing.T, cmd *exec.Cmd, address string) *exec.Cmd {
	t.Helper()
	go func() {
		for range time.Tick(10 * time.Millisecond) {
			if conn, err := net.Dial("tcp", address); err == nil {
				_ = conn.Close()
				return
			}
		}
	}()
	return cmd
}

// TestSystemCalls: whatever a gateway calls while it starts, takes a webhook, serves a reader, checks and ends is among what the unit allows.
func TestSystemCalls(t *testing.T) {
	needs(t, "strace")
	needs(t, "systemd-analyze")
	archive := unpacked(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secrets/acme-a"), "a secret that is long enough")
	write(t, filepath.Join(dir, "headgate.yaml"), ownConfig)
	headgated, headgate, trace := filepath.Join(archive, "headgated"), filepath.Join(archive, "headgate"), filepath.Join(dir, "trace")
	said, err := try(dir, "strace", "-f", "-qq", "-o", trace+"-check", headgated, "check", "--config", "headgate.yaml")
	checked(t, said, err)
	cmd := exec.Command("strace", "-D", "-f", "-qq", "-o", trace, headgated, "--config", "headgate.yaml")
	cmd.Dir = dir
	at, end := started(t, cmd)
	command(t, dir, headgate, "send", "relation.created", "--url", "http://"+at["webhook"]+"/webhooks/superoffice/acme", "--secret-file", "secrets/acme-a")
	command(t, dir, headgate, "list", "--address", at["grpc"])
	command(t, dir, headgate, "backup", "--address", at["grpc"], filepath.Join(dir, "backup"))
	end()
	allowed := map[string]bool{}
	for _, line := range regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(.*)$`).FindAllStringSubmatch(read(t, filepath.Join(archive, "systemd/headgated.service")), -1) {
		for call := range filtered(t, line[2]) {
			allowed[call] = line[1] == ""
		}
	}
	called := regexp.MustCompile(`^\d+ +(\w+)\(([^,)]*)`)
	seen := map[string]bool{}
	for _, path := range []string{trace, trace + "-check"} {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			found := called.FindStringSubmatch(lines.Text())
			if found == nil || found[1] != "socket" && seen[found[1]] {
				continue
			}
			seen[found[1]] = true
			if !allowed[found[1]] {
				t.Errorf("the unit forbids %s", lines.Text())
			}
			if found[1] == "socket" && found[2] != "AF_INET" && found[2] != "AF_INET6" && found[2] != "AF_UNIX" {
				t.Errorf("the unit forbids %s", lines.Text())
			}
		}
		_ = file.Close()
	}
	if len(seen) < 20 || !seen["fsync"] && !seen["fdatasync"] {
		t.Errorf("only %d calls were seen", len(seen))
	}
}

// filtered are the system calls of a set, with those of the sets in it.
func filtered(t *testing.T, set string) map[string]bool {
	t.Helper()
	calls := map[string]bool{}
	for _, line := range strings.Split(command(t, ".", "systemd-analyze", "syscall-filter", set), "\n") {
		switch word := strings.TrimSpace(line); {
		case word == set || word == "" || strings.HasPrefix(word, "#"):
		case strings.HasPrefix(word, "@"):
			for call := range filtered(t, word) {
				calls[call] = true
			}
		default:
			calls[word] = true
		}
	}
	return calls
}
