package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headgate/headgate/client/internal/scripted"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

func TestMain(m *testing.M) {
	if os.Getenv("HEADGATE_IS_THE_PROGRAM") != "" { // see program
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// program is headgate as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), "HEADGATE_IS_THE_PROGRAM=1", "TERM=xterm")
	return cmd
}

const heartbeat = 15 * time.Second

// start starts a gateway that answers Subscribe with the scripts. It returns its address.
func start(t *testing.T, scripts ...func(*headgatev1.SubscribeRequest, scripted.Stream) error) (string, *scripted.Gateway) {
	t.Helper()
	return startGateway(t, &scripted.Gateway{Subscribe: scripts})
}

func startGateway(t *testing.T, g *scripted.Gateway) (string, *scripted.Gateway) {
	t.Helper()
	address, err := g.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)
	return address, g
}

// headgate runs the program to its end.
func headgate(t *testing.T, stdin io.Reader, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	err = run(t.Context(), args, stdin, &out, &errs)
	return out.String(), errs.String(), err
}

// writer is a standard output that looks at what is written before it counts as written.
type writer func(line string) error

func (w writer) Write(p []byte) (int, error) {
	if err := w(string(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func TestVersionAndHelpAreAnswered(t *testing.T) {
	out, _, err := headgate(t, nil, "--version")
	if err != nil || !strings.HasPrefix(out, "headgate ") || strings.Count(out, "\n") != 1 {
		t.Errorf("--version says %q, %v", out, err)
	}
	for _, args := range [][]string{{"--help"}, {"tail", "--help"}, {"quarantine", "show", "--help"}, {"get", "--help"}} {
		if out, _, err := headgate(t, nil, args...); err != nil || !strings.HasPrefix(out, "Usage: headgate") {
			t.Errorf("%v says %q, %v", args, out, err)
		}
	}
}

func TestMistakesInTheCommandLine(t *testing.T) {
	for args, want := range map[string]string{
		"":                                           "say which command",
		"tale":                                       "unexpected argument tale",
		"tail --entities relation":                   "--entities",
		"tail --earliest --latest":                   "can't be used together",
		"tail --after x --from 1h":                   "can't be used together",
		"tail --output xml":                          "--output",
		"tail --on-lost-cursor now":                  "--on-lost-cursor",
		"tail --shard 4":                             "INDEX/COUNT",
		"tail --shard 0/4/1":                         "INDEX/COUNT",
		"tail --shard=-1/4":                          "INDEX/COUNT",
		"tail --from yesterday":                      "2026-01-31T08:00:00Z",
		"tail --from -5m":                            "expected",
		"tail --from=-5m":                            "without a minus",
		"tail --primary-key twenty":                  "not a number",
		"tail --primary-key 3000000000":              "not a number",
		"tail --address gateway":                     "host:port",
		"list --event-id x --after y":                "can't be used together",
		"list --limit -1":                            "--limit",
		"get":                                        "cursor",
		"tail --shards 4":                            "--subscription",
		"tail --subscription x --resume y":           "can't be used together",
		"subscription":                               "expected one of",
		"subscription create billing":                "say where",
		"subscription seek billing":                  "say where",
		"subscription create x --latest --shards 0":  "from 1 on",
		"subscription create x --latest --shards=-1": "from 1 on",
		"tail --subscription x --shards 0":           "from 1 on",
		"subscription seek x --latest --after y":     "can't be used together",
		"subscription skip billing --cursor x":       "--reason",
		"subscription get":                           "name",
		"erase --source a --context b":               "say what is to go",
		"erase --source a --person 17":               "--context",
		"erase --source= --context b --person 17":    "empty",
		"erase --source a --context b --person 17 --everything":   "can't be used together",
		"erase --source a --context b --entity sale":              "--primary-key",
		"erase --source a --context b --person 1 --primary-key 1": "go together",
		"send":                                   "say what to send",
		"send relation.create":                   "relation.created",
		"send relation.created --count 0":        "begin at 1",
		"send relation.created --concurrency 0":  "begin at 1",
		"send relation.created --rate 0":         "webhooks a second",
		"send relation.created --rate NaN":       "webhooks a second",
		"send relation.created --url localhost":  "--url",
		"tail --cert-file run.go":                "--key-file",
		"tail --plaintext --ca-file run_test.go": "--plaintext",
		// What a shell makes of a variable that is not set must neither widen the filter nor move the start.
		"tail --entity=":        "empty",
		"tail --subscription=":  "empty",
		"tail --entity=a,,b":    "empty",
		"tail --primary-key=":   "empty",
		"tail --after=":         "empty",
		"tail --from=":          "2026-01-31T08:00:00Z",
		"list --event-id=":      "empty",
		"list --changed-field=": "empty",
	} {
		_, _, err := headgate(t, nil, strings.Fields(args)...)
		if err == nil || exitCode(err) != 2 || !strings.Contains(err.Error(), want) {
			t.Errorf("headgate %s: %v; want %q and exit code 2", args, err, want)
		}
	}
}

func TestWithoutACommandThereIsHelp(t *testing.T) {
	out, errs, err := headgate(t, nil)
	if out != "" || !strings.HasPrefix(errs, "Usage: headgate <command>") || err == nil || exitCode(err) != 2 {
		t.Errorf("wrote %q, told %q, %v", out, errs, err)
	}
}

func TestEmptyVariablesAreNotSet(t *testing.T) {
	address, _ := start(t, scripted.Send(scripted.CaughtUp(0)))
	for _, name := range []string{"TOKEN_FILE", "CA_FILE", "CERT_FILE", "KEY_FILE", "PLAINTEXT", "SECRET_FILE", "URL"} {
		t.Setenv("HEADGATE_"+name, "")
	}
	if _, _, err := headgate(t, nil, "tail", "--address", address); err != nil {
		t.Error(err)
	}
	h := &hook{status: 200}
	if _, _, err := headgate(t, nil, "send", "test", "--url", h.serve(t)); err != nil {
		t.Error(err)
	}
	if _, _, err := headgate(t, nil, "tail", "--address", address, "--ca-file="); err == nil || exitCode(err) != 2 {
		t.Errorf("an empty flag is a mistake: %v", err)
	}
}

// A variable's name is in the help whether it is set or not.
func TestHelpNamesTheVariables(t *testing.T) {
	for _, name := range []string{"ADDRESS", "TOKEN", "TOKEN_FILE", "CA_FILE", "CERT_FILE", "KEY_FILE", "PLAINTEXT"} {
		out, _, err := headgate(t, nil, "--help")
		if err != nil || !strings.Contains(out, "HEADGATE_"+name) {
			t.Errorf("HEADGATE_%s is not in\n%s%v", name, out, err)
		}
	}
	if out, _, err := headgate(t, nil, "send", "--help"); err != nil || !strings.Contains(out, "HEADGATE_URL") || !strings.Contains(out, "HEADGATE_SECRET_FILE") {
		t.Errorf("says %s%v", out, err)
	}
}

// As with | head.
func TestClosedPipeIsNoError(t *testing.T) {
	address, _ := startGateway(t, &scripted.Gateway{Events: &pages{pages: []*headgatev1.ListEventsResponse{page(1, 3, true)}}})
	for _, args := range [][]string{{"list", "-v", "--address", address}, {"--help"}, {"tail", "--help"}, {"--version"}} {
		reader, closed, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_ = reader.Close()
		if err := run(t.Context(), args, nil, closed, io.Discard); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		_ = closed.Close()
	}
}

func TestExitCodes(t *testing.T) {
	if exitCode(usagef("wrong")) != 2 || exitCode(errors.New("failed")) != 1 {
		t.Error("usage is 2, failure is 1")
	}
}

func TestEveryCommandTellsThatThereIsNoGateway(t *testing.T) {
	address, gateway := start(t)
	gateway.Stop()
	for _, args := range [][]string{
		{"tail"},
		{"tail", "--resume", t.TempDir() + "/cursor"},
		{"list"},
		{"get", scripted.Cursor(1)},
		{"status"},
		{"tail", "--subscription", "billing", "--shards", "2"},
		{"subscriptions"},
		{"subscriptions", "--own"},
		{"subscription", "create", "billing", "--latest"},
		{"subscription", "get", "billing"},
		{"subscription", "seek", "billing", "--latest"},
		{"subscription", "skip", "billing", "--cursor", "x", "--reason", "y"},
		{"subscription", "delete", "billing"},
		{"quarantine", "list"},
		{"quarantine", "show", "x"},
		{"erase", "--source", "acme", "--context", "Cust1", "--person", "17"},
	} {
		_, _, err := headgate(t, nil, append(args, "--address", address)...)
		if err == nil || exitCode(err) != 1 || !strings.HasPrefix(err.Error(), "no gateway at "+address+": start one with") {
			t.Errorf("%v: %v", args, err)
		}
	}
	_, _, err := headgate(t, nil, "send", "test", "--url", "http://"+address+"/webhooks/superoffice/dev")
	if err == nil || exitCode(err) != 1 || !strings.HasPrefix(err.Error(), "no gateway at http://"+address) {
		t.Errorf("send: %v", err)
	}
}

func TestAddressComesFromTheEnvironment(t *testing.T) {
	address, _ := startGateway(t, &scripted.Gateway{Admin: adminv1.UnimplementedAdminServiceServer{}})
	t.Setenv("HEADGATE_ADDRESS", address)
	_, _, err := headgate(t, nil, "status")
	if err == nil || !strings.Contains(err.Error(), "Unimplemented") || !strings.Contains(err.Error(), "--address") {
		t.Errorf("answered %v", err)
	}
}

func TestTokenComesFromAFileOrTheEnvironment(t *testing.T) {
	address, _ := start(t, refuseWithToken)
	t.Setenv("HEADGATE_TOKEN", "of-the-environment")
	_, _, err := headgate(t, nil, "tail", "--address", address)
	if err == nil || !strings.Contains(err.Error(), "Bearer of-the-environment") || !strings.Contains(err.Error(), "--token-file") {
		t.Errorf("answered %v", err)
	}
	_, _, err = headgate(t, nil, "tail", "--address", address, "--token-file", write(t, "of-the-file\n"))
	if err == nil || !strings.Contains(err.Error(), "Bearer of-the-file (") {
		t.Errorf("answered %v", err)
	}
}

func TestEndingIsNoError(t *testing.T) {
	address, _ := start(t, scripted.SendAndHold(scripted.Started(0, heartbeat), scripted.Batch(1, 1)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	written := 0
	err := run(ctx, []string{"tail", "--address", address}, nil, writer(func(string) error {
		written++
		cancel()
		return nil
	}), io.Discard)
	if err != nil || written != 1 {
		t.Errorf("ended with %v after %d lines", err, written)
	}
}
