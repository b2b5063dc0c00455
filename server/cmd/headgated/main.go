// Command headgated runs a gateway: it takes the webhooks of SuperOffice and serves them as streams of events.
//
//	headgated --dev                        try it out: one source, no signatures, loopback only
//	headgated --config headgate.yaml       run it; with --take-over in place of the one that runs, without refusing anybody
//	headgated check --config headgate.yaml look whether it would run here
//	headgated healthy --config …           ask the one that runs how it is
//	headgated restore --data-dir DIR FILE  make a data directory of a backup
//	headgated verify --data-dir DIR        read all of it and name every damage
//	headgated upgrade-store --data-dir DIR bring a log to the newest stored format
//
// main prints and exits; run is the program.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/coreos/go-systemd/v22/activation"
	"google.golang.org/grpc/grpclog"

	"github.com/headgate/headgate/client/cmd/commandline"
	"github.com/headgate/headgate/client/cmd/terminal"
	"github.com/headgate/headgate/server"
)

// The libraries below write of every client that goes away, with its address, past the program's own log.
func init() { grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard)) }

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		exit(errors.New("a second signal ended it at once; what was under way was cut off"))
	}()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Environ()); err != nil {
		exit(err)
	}
}

func exit(err error) {
	fmt.Fprintln(os.Stderr, "headgated:", err)
	code := 1
	if f, ok := errors.AsType[failure](err); ok {
		code = f.code
	}
	os.Exit(code)
}

// flags is the command line. What is a setting too goes before the environment and the file.
type flags struct {
	Config string `placeholder:"FILE" xor:"mode" help:"The configuration file."`
	Dev    bool   `xor:"mode" help:"Try the gateway out without a configuration: one source dev, no signatures, loopback only."`

	DataDir       *string `placeholder:"DIR" help:"The folder where the log is kept."`
	ListenWebhook *string `placeholder:"ADDRESS" help:"Where webhooks come in, host:port; the one that the CRM must reach."`
	ListenAPI     *string `name:"listen-api" placeholder:"ADDRESS" help:"Where REST and SSE are served; without readers and TLS loopback only."`
	ListenGRPC    *string `name:"listen-grpc" placeholder:"ADDRESS" help:"Where gRPC is served; without readers and TLS loopback only."`
	ListenAdmin   *string `placeholder:"ADDRESS" help:"Where metrics and health are served, to anybody."`
	ListenPProf   *string `name:"listen-pprof" placeholder:"ADDRESS" help:"Where profiles of the process are served; off unless it is said; without an operator and TLS loopback only."`
	LogLevel      *string `placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogFormat     *string `placeholder:"FORMAT" help:"auto, text or json; auto is text on a terminal and with --dev."`

	AcceptDataLoss bool `help:"Start although the log came back shorter than it was, after a disk or a backup lost its end. Begins a new epoch; readers are told with a gap. Without it such a log is refused."`

	TakeOver bool `help:"Take the place of the gateway that runs with the same data directory: take over its sockets, have it end, and go on from there, without refusing anybody. If this one cannot start, that one goes on. Without one it starts as usual. Not on Windows."`

	Version kong.VersionFlag `help:"Print the version and exit."`

	Run     struct{} `cmd:"" default:"withargs" help:"Run the gateway. This is the default. On SIGHUP, and when a file of it changes, it reads its configuration again."`
	Check   checking `cmd:"" help:"Look whether the gateway would run here: configuration, secrets, readers, certificates, clock, data directory, disk, ports."`
	Healthy struct{} `cmd:"" help:"Ask the gateway that runs here with this configuration whether it is well, at /healthz of its admin port. Exit code 1: only a restart helps, or nobody answers. For health checks in containers."`

	offline

	Completion struct {
		Shell string `arg:"" enum:"bash,zsh,fish" help:"For which shell: bash, zsh or fish."`
	} `cmd:"" help:"Write what makes a shell complete this command line: source <(headgated completion bash)."`
	Man struct{} `cmd:"" help:"Write the manual page: headgated man | man -l -."`
}

// run is the program, in an environment as os.Environ gives it. It returns nil once ctx was cancelled and everything under way has ended.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, environ []string) error {
	var f flags
	command, err := f.parse(args, stdout, stderr)
	if err != nil || command == "" {
		return err
	}
	if offline := f.commands()[command]; offline != nil {
		return offline(stdout, stderr)
	}
	cfg, err := f.load(environ)
	switch {
	case f.Check.Print && err == nil:
		return cfg.Print(stdout)
	case command == "check":
		return f.Check.check(ctx, stdout, f.Config, cfg, err)
	case err != nil:
		return err
	case command == "healthy":
		return server.Healthy(ctx, cfg)
	}
	cfg.Log.Var = new(slog.LevelVar)
	cfg.Log.Var.Set(cfg.Log.Level)
	slog.SetDefault(newLogger(cfg, stderr))
	for _, warning := range cfg.Warnings {
		slog.Warn(warning)
	}
	srv, err := f.start(ctx, cfg)
	if err != nil {
		return err
	}
	if cfg.Reload != nil {
		defer reloadOnHangup(srv)()
	}
	announce(stdout, cfg, srv.Addresses())
	return srv.Run(ctx)
}

// start makes the server, of sockets that were passed to this process where there are any.
func (f *flags) start(ctx context.Context, cfg server.Config) (*server.Server, error) {
	if err := cfg.TakeSockets(activation.Files(true)); err != nil {
		return nil, err
	}
	if f.TakeOver {
		return server.TakeOver(ctx, cfg)
	}
	return server.New(cfg)
}

// reloadOnHangup has the server read its configuration again whenever the process gets SIGHUP, until the function that it returns is called.
// Without a configuration file, SIGHUP ends the process as usual.
func reloadOnHangup(srv *server.Server) (stop func()) {
	hangups, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range hangups {
			srv.Reload()
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-done
	}
}

// parser makes what reads the command line into f. answered is called once --help or --version was.
func (f *flags) parser(stdout, stderr io.Writer, answered func()) (*kong.Kong, error) {
	parser, err := kong.New(f,
		kong.Name("headgated"),
		kong.Description("Takes the webhooks of SuperOffice and serves them as filtered, resumable streams of events.\n\n"+
			"A setting is taken from the command line, then from the environment (HEADGATE_LISTEN_GRPC for listen.grpc), "+
			"then from the configuration file."),
		kong.Vars{"version": "headgated " + buildVersion()},
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { answered() }),
	)
	if err == nil {
		commandline.Describe(parser.Model, helpPages)
	}
	return parser, err
}

// parse reads the command line and returns the command's name, empty when there is nothing left to do.
func (f *flags) parse(args []string, stdout, stderr io.Writer) (string, error) {
	answered := false
	parser, err := f.parser(stdout, stderr, func() { answered = true })
	if err != nil {
		return "", err
	}
	if len(args) > 0 && args[0] == commandline.Asks {
		return "", commandline.Complete(parser.Model, args[1:], stdout)
	}
	parsed, err := parser.Parse(args)
	if err == nil && !answered {
		switch parsed.Command() {
		case "completion <shell>":
			return "", f.completion(stdout)
		case "man":
			return "", commandline.Man(parser.Model, "headgated "+buildVersion(), stdout)
		}
	}
	offline := err == nil && f.commands()[parsed.Command()] != nil
	switch {
	case answered:
		return "", nil
	case err != nil:
		return "", failure{fmt.Errorf("%w; headgated --help tells what can be said", err), 2}
	case offline && f.Verify.Backup == "" && (f.DataDir == nil || *f.DataDir == ""):
		return "", failure{errors.New("say which data directory: --data-dir DIR"), 2}
	case f.Config == "" && !f.Dev && !offline:
		return "", failure{errors.New("nothing says what to run: name a configuration file with --config headgate.yaml, or try the gateway out with --dev"), 2}
	}
	return parsed.Command(), nil
}

// load puts the configuration together, and refuses variables that no part of it asks for.
func (f *flags) load(environ []string) (server.Config, error) {
	vars, asked := make(map[string]string), make(map[string]bool)
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		vars[name] = value
	}
	look := func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	}
	given := f.before(look)
	cfg, err := f.read(func(name string) (string, bool) {
		asked[name] = true
		return given(name)
	})
	if !f.Dev {
		cfg.Reload = func() (server.Config, error) { return f.read(given) }
	}
	if err == nil {
		err = server.CheckVariables(environ, asked)
	}
	return cfg, err
}

// read reads the configuration once.
func (f *flags) read(env func(string) (string, bool)) (cfg server.Config, err error) {
	if f.Dev {
		cfg, err = server.LoadDev(env)
	} else {
		cfg, err = server.Load(f.Config, env)
	}
	cfg.Version = buildVersion()
	cfg.AcceptDataLoss = f.AcceptDataLoss
	return cfg, err
}

// before answers for the flags that were given, and asks env for all else.
func (f *flags) before(env func(string) (string, bool)) func(string) (string, bool) {
	given := map[string]*string{
		"HEADGATE_DATA_DIR":       f.DataDir,
		"HEADGATE_LISTEN_WEBHOOK": f.ListenWebhook,
		"HEADGATE_LISTEN_API":     f.ListenAPI,
		"HEADGATE_LISTEN_GRPC":    f.ListenGRPC,
		"HEADGATE_LISTEN_ADMIN":   f.ListenAdmin,
		"HEADGATE_LISTEN_PPROF":   f.ListenPProf,
		"HEADGATE_LOG_LEVEL":      f.LogLevel,
		"HEADGATE_LOG_FORMAT":     f.LogFormat,
	}
	return func(name string) (string, bool) {
		if text := given[name]; text != nil {
			return *text, true
		}
		return env(name)
	}
}

// announce tells where the server listens: in dev to whoever sits before it, with what to type next, else to the log.
func announce(stdout io.Writer, cfg server.Config, at server.Addresses) {
	if !cfg.Dev {
		slog.Info("listening", "webhook", at.Webhook, "api", at.API, "grpc", at.GRPC, "admin", at.Admin, "pprof", cmp.Or(at.PProf, "off"),
			"data", cfg.DataDir, "sources", len(cfg.Sources), "readers", len(cfg.Readers), "version", cfg.Version)
		return
	}
	usual := server.Dev().Listen
	fmt.Fprintf(stdout, `webhook %s/webhooks/superoffice/dev   <- tunnel only this port
api %s   grpc %s   admin %s   data %s

next:
  go run ./client/cmd/headgate tail --entity relation%s
  go run ./client/cmd/headgate send relation.created%s
  curl -N 'http://%s/v1/events:subscribe?start.at=earliest'
`, at.Webhook, at.API, at.GRPC, at.Admin, cfg.DataDir,
		unless(at.GRPC == usual.GRPC, " --address "+at.GRPC),
		unless(at.Webhook == usual.Webhook, " --url http://"+at.Webhook+"/webhooks/superoffice/dev"),
		at.API)
}

// unless returns text where the client's own default does not do.
func unless(does bool, text string) string {
	if does {
		return ""
	}
	return text
}

func newLogger(cfg server.Config, stderr io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Log.Level}
	if cfg.Log.Var != nil {
		options.Level = cfg.Log.Var
	}
	asText := cfg.Log.Format == server.LogText || cfg.Log.Format == server.LogAuto && (cfg.Dev || terminal.Is(stderr))
	if asText {
		return slog.New(slog.NewTextHandler(stderr, options))
	}
	return slog.New(slog.NewJSONHandler(stderr, options))
}

// buildVersion is the module's version, which the go command stamps: of the tag, or of the commit after it. "devel" where it was built without git.
func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
