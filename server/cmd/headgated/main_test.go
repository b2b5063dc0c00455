package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/headgate/headgate/server"
)

// asProgram makes the test binary run main, so that tests can start the program as a process.
const asProgram = "HEADGATED_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// program runs the program with what a test wants and returns what it printed.
func program(t *testing.T, vars map[string]string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, logged bytes.Buffer
	err = run(t.Context(), args, &out, &logged, environ(vars))
	return out.String(), logged.String(), err
}

func environ(vars map[string]string) (list []string) {
	for name, value := range vars {
		list = append(list, name+"="+value)
	}
	return list
}

const secret = "a-secret-of-the-tests"

// configFile writes a configuration with its secret, all ports free ones, and returns its path. more is added at the end.
func configFile(t *testing.T, more string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "headgate.yaml")
	text := `
data_dir: data/log
listen: {webhook: "127.0.0.1:0", api: "127.0.0.1:0", grpc: "127.0.0.1:0", admin: "127.0.0.1:0"}
retention: {max_size: 1MiB, disk_reserve: 1MiB}
sources:
  acme: {contexts: [Cust26759], time_zone: Europe/Oslo, secrets: [{id: a, file: acme.secret}]}
` + more
	for name, text := range map[string]string{file: text, filepath.Join(dir, "acme.secret"): secret + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func TestCommandLineRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"nothing":         {nil, []string{"--config headgate.yaml", "--dev"}},
		"check nothing":   {[]string{"check"}, []string{"--config headgate.yaml", "--dev"}},
		"both":            {[]string{"--dev", "--config", "x"}, []string{"--config and --dev can't be used together", "--help"}},
		"unknown flag":    {[]string{"--dve"}, []string{"--dve", "--dev", "--help"}},
		"unknown command": {[]string{"serve"}, []string{"serve", "--help"}},
		"no such file":    {[]string{"--config", "/none/headgate.yaml"}, []string{"cannot read the configuration", "/none/headgate.yaml"}},
		"public dev":      {[]string{"--dev", "--listen-webhook", ":8080"}, []string{"listen.webhook", "its flag", "use 127.0.0.1:8080"}},
		"bad level":       {[]string{"--dev", "--log-level", "loud"}, []string{"log.level", "debug, info, warn or error"}},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, _, err := program(t, nil, c.args...)
			if err == nil {
				t.Fatal("it runs")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("want %q in: %v", want, err)
				}
			}
			if stdout != "" {
				t.Errorf("printed %q", stdout)
			}
		})
	}
}

// TestMisspeltVariables: they are refused by name, at the start and in a check. Those that the configuration names for its secrets are not, and a
// reload is not refused for one that it no longer names.
func TestMisspeltVariables(t *testing.T) {
	file := configFile(t, "")
	vars := map[string]string{"HEADGATE_LOG_LEVL": "debug", "HEADGATE_ACME": secret}
	for _, args := range [][]string{{"--config", file}, {"--dev", "--data-dir", t.TempDir()}} {
		// Where nothing is refused, it runs and ends at once.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := run(ctx, append(args, anyPorts...), io.Discard, io.Discard, environ(vars))
		if err == nil || !strings.Contains(err.Error(), "HEADGATE_LOG_LEVL: no setting has this variable; did you mean HEADGATE_LOG_LEVEL?") ||
			!strings.Contains(err.Error(), "HEADGATE_ACME: ") || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", args, err)
		}
	}
	for _, args := range [][]string{{"check", "--config", file}, {"check", "--print", "--config", file}} {
		stdout, _, err := program(t, vars, args...)
		if err == nil || !strings.Contains(stdout, "error    config          HEADGATE_LOG_LEVL: no setting has this variable") {
			t.Errorf("%q: %v\n%s", args, err, stdout)
		}
	}

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(string(text), "file: acme.secret", "env: HEADGATE_ACME", 1))
	f := flags{Config: file}
	cfg, err := f.load(environ(map[string]string{"HEADGATE_ACME": secret}))
	if err != nil {
		t.Fatalf("a secret's variable: %v", err)
	}
	write(string(text))
	if _, err := cfg.Reload(); err != nil {
		t.Errorf("a reload that no longer names the variable: %v", err)
	}
}

func TestVersionAndHelp(t *testing.T) {
	if stdout, _, err := program(t, nil, "--version"); !regexp.MustCompile(`^headgated (devel|v\d.*)\n$`).MatchString(stdout) || err != nil {
		t.Errorf("it printed %q, %v", stdout, err)
	}
	stdout, _, err := program(t, nil, "--help")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"--accept-data-loss", "Begins a new epoch", "check", "HEADGATE_LISTEN_GRPC"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the help does not tell of %s", want)
		}
	}
}

func TestFlagsComeBeforeEnvironmentBeforeFile(t *testing.T) {
	file := configFile(t, "log: {level: error, format: json}\n")
	var f flags
	args := []string{"--config", file, "--listen-grpc", "127.0.0.1:1", "--data-dir", "here", "--log-level", "debug", "--accept-data-loss"}
	if _, err := f.parse(args, os.Stdout, os.Stderr); err != nil {
		t.Fatal(err)
	}
	cfg, err := f.load(environ(map[string]string{
		"HEADGATE_LISTEN_GRPC": "127.0.0.1:2", "HEADGATE_LISTEN_API": "127.0.0.1:3",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := server.Listen{Webhook: "127.0.0.1:0", API: "127.0.0.1:3", GRPC: "127.0.0.1:1", Admin: "127.0.0.1:0"}
	if diff := cmp.Diff(want, cfg.Listen); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if cfg.DataDir != "here" || cfg.Log.Level != slog.LevelDebug || cfg.Log.Format != "json" || !cfg.AcceptDataLoss || cfg.Version != buildVersion() {
		t.Errorf("got %+v", cfg)
	}
}

func TestEveryFlagReachesItsSetting(t *testing.T) {
	var f flags
	args := []string{
		"--dev", "--data-dir=d", "--listen-webhook=127.0.0.1:1", "--listen-api=127.0.0.1:2", "--listen-grpc=127.0.0.1:3",
		"--listen-admin=127.0.0.1:4", "--log-level=warn", "--log-format=json",
	}
	if _, err := f.parse(args, os.Stdout, os.Stderr); err != nil {
		t.Fatal(err)
	}
	got, err := f.load(environ(nil))
	if err != nil {
		t.Fatal(err)
	}
	wantListen := server.Listen{Webhook: "127.0.0.1:1", API: "127.0.0.1:2", GRPC: "127.0.0.1:3", Admin: "127.0.0.1:4"}
	wantLog := server.Log{Level: slog.LevelWarn, Format: "json"}
	if got.Listen != wantListen || got.Log != wantLog || got.DataDir != "d" || !got.Dev || got.AcceptDataLoss {
		t.Errorf("got %+v", got)
	}
}

func TestAnnounce(t *testing.T) {
	at := server.Addresses{Webhook: "127.0.0.1:8080", API: "127.0.0.1:8081", GRPC: "127.0.0.1:9090", Admin: "127.0.0.1:9100"}
	var out bytes.Buffer
	announce(&out, server.Dev(), at)
	want := `webhook 127.0.0.1:8080/webhooks/superoffice/dev   <- tunnel only this port
api 127.0.0.1:8081   grpc 127.0.0.1:9090   admin 127.0.0.1:9100   data ./headgate-dev

next:
  go run ./client/cmd/headgate tail --entity relation
  go run ./client/cmd/headgate send relation.created
  curl -N 'http://127.0.0.1:8081/v1/events:subscribe?start.at=earliest'
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}

	out.Reset()
	announce(&out, server.Dev(), server.Addresses{Webhook: "127.0.0.1:1", API: "127.0.0.1:2", GRPC: "127.0.0.1:3", Admin: "127.0.0.1:4"})
	for _, want := range []string{
		"headgate tail --entity relation --address 127.0.0.1:3\n",
		"headgate send relation.created --url http://127.0.0.1:1/webhooks/superoffice/dev\n",
		"curl -N 'http://127.0.0.1:2/v1/",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("with other ports, want %q in:\n%s", want, out.String())
		}
	}
}

func TestLogFormat(t *testing.T) {
	dev, plain := server.Dev(), server.Default()
	asText, asJSON := plain, dev
	asText.Log.Format, asJSON.Log.Format = server.LogText, server.LogJSON
	for name, c := range map[string]struct {
		cfg  server.Config
		want string
	}{
		"dev":        {dev, "level=INFO msg=m"},
		"no console": {plain, `"level":"INFO","msg":"m"`},
		"text":       {asText, "level=INFO msg=m"},
		"json":       {asJSON, `"level":"INFO","msg":"m"`},
	} {
		var out bytes.Buffer
		logger := newLogger(c.cfg, &out)
		logger.Debug("hidden")
		logger.Info("m")
		if !strings.Contains(out.String(), c.want) || strings.Contains(out.String(), "hidden") {
			t.Errorf("%s: wrote %s", name, out.String())
		}
	}
}

// TestLogLevelMoves: a reload moves what the logger goes by.
func TestLogLevelMoves(t *testing.T) {
	cfg := server.Default()
	cfg.Log.Var = new(slog.LevelVar)
	var out bytes.Buffer
	logger := newLogger(cfg, &out)
	cfg.Log.Var.Set(slog.LevelError)
	logger.Info("hidden")
	cfg.Log.Var.Set(slog.LevelDebug)
	logger.Debug("shown")
	if got := out.String(); strings.Contains(got, "hidden") || !strings.Contains(got, "shown") {
		t.Errorf("wrote %s", got)
	}
}
