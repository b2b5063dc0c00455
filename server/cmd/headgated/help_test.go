package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	"github.com/headgate/headgate/server"
)

// TestEveryCommandIsHelpedWith: each has a sentence, flags that say what they take, examples, and what its exit code tells.
func TestEveryCommandIsHelpedWith(t *testing.T) {
	for path, page := range helpPages {
		out, _, err := program(t, nil, append(strings.Fields(path), "--help")...)
		for _, want := range append(page.Examples, "\nExamples:\n", "\nExit code: 0 when ") {
			if !strings.Contains(out, want) || err != nil {
				t.Errorf("%s --help lacks %q: %v\n%s", path, want, err, out)
			}
		}
	}
	var f flags
	parser, err := f.parser(io.Discard, io.Discard, func() {})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range parser.Model.Leaves(true) {
		if _, ok := helpPages[n.Name]; !ok {
			t.Errorf("%s has no examples", n.Name)
		}
		for _, f := range n.Flags {
			if !strings.HasSuffix(f.Help, ".") || !f.IsBool() && f.PlaceHolder == "" {
				t.Errorf("%s --%s: its help is %q, and it takes %q", n.Name, f.Name, f.Help, f.PlaceHolder)
			}
		}
	}
}

// TestExamples runs every example with the files that they speak of; those that ask the world outside, or a gateway that runs, are only
// parsed.
func TestExamples(t *testing.T) {
	file := configFile(t, "")
	dir := filepath.Dir(file)
	t.Chdir(dir)
	cfg := server.Dev()
	cfg.DataDir, cfg.Retention.DiskReserve = filepath.Join(dir, "kept"), 1<<20
	cfg.Listen = server.Listen{Webhook: "127.0.0.1:0", API: "127.0.0.1:0", GRPC: "127.0.0.1:0", Admin: "127.0.0.1:0"}
	backupOf(t, cfg, "headgate-monday.backup")
	ran := 0
	for path, page := range helpPages {
		for _, example := range page.Examples {
			ran++
			data := cfg.DataDir
			if path == "restore" {
				data = filepath.Join(dir, "restored")
			}
			args := strings.Fields(strings.Replace(strings.TrimPrefix(example, "headgated "), "/var/lib/headgate", data, 1))
			if strings.Contains(example, "https://") || path == "healthy" {
				var f flags
				if command, err := f.parse(args, io.Discard, io.Discard); err != nil || command != path {
					t.Errorf("%s: %q, %v", example, command, err)
				}
				continue
			}
			ctx, cancel := context.WithCancel(t.Context())
			if path == "" || path == "run" {
				args = append(args, anyPorts...)
				cancel() // it begins, and ends at once
			}
			var out, errs bytes.Buffer
			if err := run(ctx, args, &out, &errs, nil); code(err) > 1 || code(err) == 1 && path != "check" {
				t.Errorf("%s: %v\n%s%s", example, err, &out, &errs)
			}
			cancel()
		}
	}
	if ran < 15 {
		t.Errorf("only %d examples", ran)
	}
}

// TestExitCodes: a mistake in the command line is 2.
func TestExitCodes(t *testing.T) {
	for _, args := range [][]string{nil, {"--dve"}, {"verify"}, {"completion", "csh"}, {"check", "--output", "xml"}} {
		if _, _, err := program(t, nil, args...); code(err) != 2 {
			t.Errorf("%v: %v", args, err)
		}
	}
}

func TestCompletionAndMan(t *testing.T) {
	for args, want := range map[string]string{
		"completion bash": "complete -F _headgated headgated\n", "man": ".SS headgated check\n", "__complete bash che": "check\n", "__complete bash --config ": ":files\n",
		"__complete fish check --rea": "--reach\tPost a signed test call, as the CRM does, to this public URL\n",
	} {
		words := strings.Split(args, " ")
		if out, _, err := program(t, nil, words...); err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v, want %q in\n%s", args, err, want, out)
		}
	}
	for shell, check := range map[string][]string{"bash": {"-n"}, "zsh": {"-n"}, "fish": {"--no-execute"}} {
		if _, err := exec.LookPath(shell); err != nil {
			continue
		}
		script, _, err := program(t, nil, "completion", shell)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(shell, append(check, path)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %s, %v", shell, out, err)
		}
	}
}

// backupOf makes a log, and a file of its backup.
func backupOf(t *testing.T, cfg server.Config, file string) {
	t.Helper()
	was := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(was) })
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	conn, err := grpc.NewClient(s.Addresses().GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := adminv1.NewAdminServiceClient(conn).Backup(t.Context(), &adminv1.BackupRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for {
		m, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if m.GetSummary() != nil {
			break
		}
		all = append(all, m.GetChunk()...)
	}
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
}
