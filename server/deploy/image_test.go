package deploy_test

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// images are those in the release's OCI layout, by architecture.
func images(t *testing.T) map[string]v1.Image {
	t.Helper()
	dir := t.TempDir()
	command(t, dir, "tar", "xf", filepath.Join(released(t), "headgate_"+tag+"_image.tar"))
	outer, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	named, err := outer.IndexManifest()
	if err != nil || len(named.Manifests) != 1 || named.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != tag {
		t.Fatalf("the layout has %+v, %v", named, err)
	}
	index, err := outer.ImageIndex(named.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]v1.Image{}
	for _, m := range manifest.Manifests {
		if all[m.Platform.Architecture], err = index.Image(m.Digest); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// unpackImage is the folder of an image's files, owned as in it.
func unpackImage(t *testing.T, image v1.Image) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	files := mutate.Extract(image)
	defer files.Close()
	cmd := asRoot(t, "tar", "xp", "--same-owner", "-C", dir)
	cmd.Stdin = files
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = asRoot(t, "rm", "-r", dir).Run() })
	return dir
}

// asRoot is a command that root runs.
func asRoot(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() == 0 {
		return exec.Command(args[0], args[1:]...)
	}
	if err := exec.Command("sudo", "-n", "true").Run(); err != nil {
		if os.Getenv("CONFORMANCE") == "all" {
			t.Fatalf("running an image needs root, or sudo without a password: %v", err)
		}
		t.Skip("running an image needs root, or sudo without a password")
	}
	return exec.Command("sudo", append([]string{"-n"}, args...)...)
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// TestImage: who it runs as, what it starts, what is told of it, and what is in it.
func TestImage(t *testing.T) {
	want := []string{runtime.GOARCH}
	if *full {
		want = []string{"amd64", "arm64"}
	}
	all := images(t)
	if len(all) != len(want) {
		t.Errorf("it is for %d architectures", len(all))
	}
	for _, arch := range want {
		file, err := all[arch].ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		c := file.Config
		if file.OS != "linux" || file.Architecture != arch || c.User != "65532:65532" || c.Entrypoint[0] != "/usr/local/bin/headgated" || c.StopSignal != "SIGTERM" {
			t.Errorf("%s: %+v", arch, file)
		}
		for label, want := range map[string]string{"title": "headgate", "version": tag, "created": "2026-01-02T03:04:05Z", "source": "https://github.com/headgate/headgate"} {
			if got := c.Labels["org.opencontainers.image."+label]; got != want {
				t.Errorf("%s: label %s is %q", arch, label, got)
			}
		}
		if len(c.Labels["org.opencontainers.image.revision"]) != 40 {
			t.Errorf("%s: it does not name its commit: %v", arch, c.Labels)
		}
		root := unpackImage(t, all[arch])
		wantFiles(t, root, arch)
	}
}

func wantFiles(t *testing.T, root, arch string) {
	t.Helper()
	for _, name := range []string{"headgated", "headgate"} {
		binary, err := elf.Open(filepath.Join(root, "usr/local/bin", name))
		if err != nil {
			t.Fatal(err)
		}
		if binary.Machine != machines[arch] {
			t.Errorf("%s is for %s, not %s", name, binary.Machine, arch)
		}
		_ = binary.Close()
	}
	pool, authorities := x509.NewCertPool(), read(t, filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"))
	if n := strings.Count(authorities, "BEGIN CERTIFICATE"); n < 50 || !pool.AppendCertsFromPEM([]byte(authorities)) {
		t.Errorf("%d authorities", n)
	}
	if !strings.Contains(read(t, filepath.Join(root, "etc/passwd")), "headgate:x:65532:65532:") {
		t.Error("the user has no name")
	}
	if bill := read(t, filepath.Join(root, "usr/share/headgate/headgate.cdx.json")); bill != read(t, filepath.Join(released(t), "headgate_"+tag+"_linux_"+arch+".cdx.json")) {
		t.Error("the bill of materials in it is another than the one beside it")
	}
	if out, err := try(root, "find", ".", "-perm", "/6022", "!", "-type", "l"); err != nil || out != "" {
		t.Errorf("others can write to, or become another by, %s %v", out, err)
	}
	if info, err := os.Stat(filepath.Join(root, "var/lib/headgate")); err != nil || info.Sys().(*syscall.Stat_t).Uid != 65532 || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory: %v, %v", info, err)
	}
}

// inImage does what a container runtime does: the image's files cannot be written to, the data directory is a volume, the configuration is mounted, and the
// process has the image's user.
const inImage = `set -e
root=$1 config=$2 data=$3 user=$4; shift 4
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$config" "$root/etc/headgate"
mount --bind "$data" "$root/var/lib/headgate"
exec env -i PATH=/usr/local/bin "$(command -v chroot)" --userspec="$user" "$root" "$@"
`

// container is an image whose programs can be run, with a configuration.
type container struct {
	t                        *testing.T
	root, config, data, user string
}

func newContainer(t *testing.T, config map[string]string) *container {
	t.Helper()
	image := images(t)[runtime.GOARCH]
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c := &container{t: t, root: unpackImage(t, image), config: t.TempDir(), data: t.TempDir(), user: file.Config.User}
	for name, text := range config {
		write(t, filepath.Join(c.config, name), text)
	}
	// As a volume that is new, and files that the user may read.
	if out, err := asRoot(t, "chown", "-R", c.user, c.data, c.config).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = asRoot(t, "rm", "-r", c.data, c.config).Run() })
	for dir := filepath.Dir(c.data); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// command runs a program of the image.
func (c *container) command(args ...string) *exec.Cmd {
	return asRoot(c.t, append([]string{"unshare", "--mount", "sh", "-c", inImage, "sh", c.root, c.config, c.data, c.user}, args...)...)
}

const containerConfig = `
data_dir: /var/lib/headgate
listen: {webhook: "127.0.0.1:0", api: "127.0.0.1:0", grpc: "127.0.0.1:0", admin: "127.0.0.1:0"}
retention: {max_size: 16MiB, disk_reserve: 1MiB}
sources: {acme: {contexts: [Cust26759], time_zone: Europe/Oslo, secrets: [{id: a, file: secrets/acme-a}]}}
`

// TestImageRuns: as its user, on a root that cannot be written to, with nothing on it but what the image brings. It keeps what it was sent.
func TestImageRuns(t *testing.T) {
	needs(t, "unshare")
	c := newContainer(t, map[string]string{"headgate.yaml": containerConfig, "secrets/acme-a": "a secret that is long enough"})
	file, err := images(t)[runtime.GOARCH].ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	said, err := c.command("/usr/local/bin/headgated", "check", "--config", "/etc/headgate/headgate.yaml").CombinedOutput()
	if checked(t, string(said), err); !bytes.Contains(said, []byte("/var/lib/headgate can be written to")) {
		t.Errorf("check: %s", said)
	}
	cmd := c.command(append(file.Config.Entrypoint, file.Config.Cmd...)...)
	addresses, ended := started(t, cmd)
	said, err = c.command("/usr/local/bin/headgated", "healthy", "--config", "/etc/headgate/headgate.yaml", "--listen-admin", addresses["admin"]).CombinedOutput()
	if err != nil {
		t.Errorf("healthy: %v\n%s", err, said)
	}
	for _, args := range [][]string{
		{"send", "relation.created", "--url", "http://" + addresses["webhook"] + "/webhooks/superoffice/acme", "--secret-file", "/etc/headgate/secrets/acme-a"},
		{"list", "--address", addresses["grpc"]},
		{"source", "new", "acme", "--context", "Cust1", "--time-zone", "Europe/Oslo", "--url", "https://hooks.example.com", "--secret-file", "/var/lib/headgate/made"},
	} {
		said, err = c.command(append([]string{"/usr/local/bin/headgate"}, args...)...).CombinedOutput()
		if err != nil || !bytes.Contains(said, []byte("relation.created")) {
			t.Errorf("headgate %s: %v\n%s", args[0], err, said)
		}
	}
	ended()
}

var listening = regexp.MustCompile(`"msg":"listening","webhook":"([^"]+)","api":"([^"]+)","grpc":"([^"]+)","admin":"([^"]+)"`)

// started starts a gateway, and returns where it listens and what ends it, which fails the test unless it ends well.
func started(t *testing.T, cmd *exec.Cmd) (addresses map[string]string, end func()) {
	t.Helper()
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	end = func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		rest, _ := io.ReadAll(out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("it ended with %v: %s", err, rest)
		}
		watchdog.Stop()
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Fprintln(&said, lines.Text())
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			return map[string]string{"webhook": found[1], "api": found[2], "grpc": found[3], "admin": found[4]}, end
		}
	}
	t.Fatalf("it did not start: %v\n%s", cmd.Wait(), &said)
	return nil, nil
}
