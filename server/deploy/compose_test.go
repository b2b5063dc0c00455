package deploy_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// project is the compose file of the release, read as docker compose reads it: by the schema, with nothing left open.
func project(t *testing.T, dir string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "compose.yaml")}, cli.WithEnv([]string{"VERSION=" + tag}), cli.WithInterpolation(true))
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestComposeFile: it runs the release's image, with no more than it needs, and shows strangers the webhooks alone.
func TestComposeFile(t *testing.T) {
	dir := filepath.Join(unpacked(t), "compose")
	s := project(t, dir).Services["headgate"]
	if s.Image != "headgate:"+tag || !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || s.User != "" {
		t.Errorf("%+v", s)
	}
	wantFilesOfReadme(t, strconv.Itoa(s.Ulimits["nofile"].Single))
	for _, p := range s.Ports {
		if public := p.HostIP == ""; public != (p.Target == 8080) {
			t.Errorf("port %d is published at %q", p.Target, p.HostIP)
		}
	}
	if grace := time.Duration(*s.StopGracePeriod); grace < drain(t)+2*time.Second {
		t.Errorf("it is killed after %s", grace)
	}
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "compose.yaml")}, cli.WithEnv(nil), cli.WithInterpolation(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := options.LoadProject(t.Context()); err == nil || !strings.Contains(err.Error(), "say which, like VERSION=v1.2.3") {
		t.Errorf("without a version: %v", err)
	}
}

// TestComposeRuns: what the compose file mounts makes the image run, and its health check says so.
func TestComposeRuns(t *testing.T) {
	needs(t, "unshare")
	dir := filepath.Join(unpacked(t), "compose")
	secretFiles(t, filepath.Join(dir, "secrets"), filepath.Join(dir, "secrets"))
	p := project(t, dir)
	s := p.Services["headgate"]
	mounts := map[string]string{}
	for _, c := range s.Configs {
		mounts[c.Target] = p.Configs[c.Source].File
	}
	for _, c := range s.Secrets {
		mounts["/run/secrets/"+c.Source] = p.Secrets[c.Source].File
	}
	// On ports that are free; and what is mounted elsewhere in a container lies beside the configuration here.
	config := strings.NewReplacer("/run/secrets/", "/etc/headgate/run/secrets/", `":8080"`, `"127.0.0.1:0"`, `":8081"`, `"127.0.0.1:0"`, `":9090"`, `"127.0.0.1:0"`,
		`":9100"`, `"127.0.0.1:0"`).Replace(withToken(read(t, mounts["/etc/headgate/headgate.yaml"])))
	files := map[string]string{"headgate.yaml": config}
	for at, from := range mounts {
		if strings.HasPrefix(at, "/run/") {
			files[strings.TrimPrefix(at, "/")] = read(t, from)
		}
	}
	if s.Volumes[0].Target != "/var/lib/headgate" || s.Volumes[0].Type != "volume" {
		t.Errorf("the volume is %+v", s.Volumes[0])
	}
	c := newContainer(t, files)
	addresses, end := started(t, c.command("/usr/local/bin/headgated", "--config", "/etc/headgate/headgate.yaml"))
	check := s.HealthCheck.Test
	if check[0] != "CMD" {
		t.Fatalf("the image has no shell for %q", check)
	}
	if said, err := c.command(append(check[1:], "--listen-admin", addresses["admin"])...).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
	end()
	if said, err := c.command(append(check[1:], "--listen-admin", addresses["admin"])...).CombinedOutput(); err == nil || !bytes.Contains(said, []byte("nobody says")) {
		t.Errorf("of one that ended: %v: %s", err, said)
	}
}
