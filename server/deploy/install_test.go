package deploy_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
)

// composeCheck makes the test binary stand in for docker compose, as far as that looks at what it is given.
const composeCheck = "HEADGATE_DEPLOY_COMPOSE_CHECK"

func checkCompose(dir string) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "compose.yaml")}, cli.WithOsEnv, cli.WithInterpolation(true))
	if err != nil {
		refuse(err)
	}
	p, err := options.LoadProject(context.Background())
	if err != nil {
		refuse(err)
	}
	if got, want := p.Services["headgate"].Image, "headgate:"+os.Getenv("TAG"); got != want {
		refuse(fmt.Errorf("it runs %s, not %s", got, want))
	}
	for name, s := range p.Secrets {
		info, err := os.Stat(s.File)
		if err != nil {
			refuse(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != 65532 && info.Mode().Perm()&0o004 == 0 {
			refuse(fmt.Errorf("the container's user cannot read %s, which is of %d", name, owner))
		}
	}
	for _, c := range p.Configs {
		if _, err := os.Stat(c.File); err != nil {
			refuse(err)
		}
	}
}

func refuse(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

var block = regexp.MustCompile("(?ms)^```(sh|yaml)\n(.*?)^```")

// sections are the commands of install.md by their headings, in order, and the files that it shows, by the names in their first lines.
func sections(t *testing.T, page string) (headings []string, commands, files map[string]string) {
	t.Helper()
	commands, files = map[string]string{}, map[string]string{}
	parts := strings.Split("\n"+page, "\n## ")
	for _, part := range parts[1:] {
		heading, text, _ := strings.Cut(part, "\n")
		headings = append(headings, heading)
		for _, found := range block.FindAllStringSubmatch(text, -1) {
			if found[1] == "sh" {
				commands[heading] += found[2]
				continue
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(found[2], "# "), "\n")
			files[name] = withToken(found[2])
		}
	}
	return headings, commands, files
}

// TestInstall does what install.md says, command by command, in the order of the page: on a copy of this machine's /etc, with a network of its own. What needs a
// running systemd, docker or cluster is stood in for by testdata/stand-in.
func TestInstall(t *testing.T) {
	needsHelm(t)
	for _, tool := range []string{"unshare", "setpriv", "systemd-socket-activate", "systemd-sysusers", "curl"} {
		needs(t, tool)
	}
	release := released(t)
	work := t.TempDir()
	command(t, release, "cp", "-r", ".", filepath.Join(work, "release"))
	page := strings.NewReplacer("v1.2.3", tag, "1.2.3", strings.TrimPrefix(tag, "v"), "_amd64", "_"+runtime.GOARCH).Replace(read(t, "../docs/install.md"))
	headings, commands, files := sections(t, page)
	archive := filepath.Join(work, "release", "headgate_"+tag+"_linux_"+runtime.GOARCH)
	// What the reader of the page has done before each of its sections.
	before := map[string]string{
		"The binaries":         "cd " + filepath.Join(work, "release"),
		"systemd":              "cd " + archive + "; cp " + filepath.Join(work, "edited.yaml") + " systemd/headgate.yaml",
		"A container":          "cd " + archive + "/compose; cp ../../*_image.tar .; cp -r ../secrets .; cp secrets/acme secrets/acme-a; cp ../../../tls/* secrets",
		"Kubernetes":           "cd " + filepath.Join(work, "release") + "; cp -r " + archive + "/compose/secrets .; cp ../values.yaml .",
		"Upgrade, and go back": "",
	}
	secretFiles(t, filepath.Join(work, "none"), filepath.Join(work, "tls"))
	write(t, filepath.Join(work, "edited.yaml"), withToken(read(t, "systemd/headgate.yaml")))
	write(t, filepath.Join(work, "values.yaml"), files["values.yaml"])
	var script strings.Builder
	for _, heading := range headings {
		prepare, known := before[heading]
		if !known || commands[heading] == "" {
			t.Errorf("the section %q has no commands, or the test knows nothing of it", heading)
		}
		fmt.Fprintf(&script, "%s\n%s\n", prepare, commands[heading])
	}
	// Where the page ends, the gateway that was restarted answers.
	script.WriteString("curl --fail --silent --retry 5 --retry-all-errors http://127.0.0.1:9100/readyz\nls -l before-upgrade\n")
	said, err := machine(t, work, script.String())
	if err != nil || !strings.Contains(said, "\nok\n") {
		log, _ := os.ReadFile(filepath.Join(work, "log"))
		t.Errorf("%v\n%s\nthe gateway said\n%s", err, said, log)
	}
}

// TestInstallLinks: what install.md links to is there, in the repository and in an archive.
func TestInstallLinks(t *testing.T) {
	for page, least := range map[string]int{"../docs/install.md": 6, filepath.Join(unpacked(t), "install.md"): 5} {
		found := regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(read(t, page), -1)
		if len(found) < least {
			t.Errorf("%s has %d links", page, len(found))
		}
		for _, link := range found {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), link[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}

// machine runs a script on a machine of its own.
func machine(t *testing.T, work, script string) (string, error) {
	t.Helper()
	stands := t.TempDir()
	for _, name := range strings.Fields("stand-in sudo systemctl docker skopeo kubectl helm") {
		write(t, filepath.Join(stands, name), read(t, "testdata/stand-in"))
		if err := os.Chmod(filepath.Join(stands, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(stands, "compose-check"), "#!/bin/sh\n"+composeCheck+"=$1 exec "+own+"\n")
	if err := os.Chmod(filepath.Join(stands, "compose-check"), 0o755); err != nil {
		t.Fatal(err)
	}
	// The user of the service must reach the binaries and its state.
	for dir := stands; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	abs, err := filepath.Abs("testdata/machine.sh")
	if err != nil {
		t.Fatal(err)
	}
	helm := strings.TrimSpace(command(t, ".", "go", "tool", "-n", "helm"))
	cmd := asRoot(t, "env", "PATH="+os.Getenv("PATH"), "TAG="+tag, "HELM="+helm, "COMPOSE_CHECK="+filepath.Join(stands, "compose-check"), "HEADGATE_TOKEN="+token,
		"unshare", "--mount", "--net", "sh", abs, work, stands)
	cmd.Stdin = strings.NewReader(script)
	t.Cleanup(func() {
		_ = exec.Command("sudo", "-n", "rm", "-rf", filepath.Join(work, "etc"), filepath.Join(work, "lib")).Run()
	})
	out, err := cmd.CombinedOutput()
	return string(out), err
}
