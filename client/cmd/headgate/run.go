package main

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/headgate/headgate/client/cmd/commandline"
)

// commands is the command line.
type commands struct {
	gateway

	Version kong.VersionFlag `help:"Print the version and exit."`

	Tail          tailCommand          `cmd:"" help:"Follow the events as they come."`
	List          listCommand          `cmd:"" help:"List the events that are stored."`
	Get           getCommand           `cmd:"" help:"Show one event, or the webhook's body that it was made from."`
	Subscriptions subscriptionsCommand `cmd:"" help:"List the subscriptions, and how far behind they are."`
	Subscription  subscriptionCommand  `cmd:"" help:"Make, show, move or delete a subscription, or skip an event in it."`
	Status        statusCommand        `cmd:"" help:"Show on one screen how the gateway is: what is wrong, what comes in, what goes out, who is behind."`
	Connections   connectionsCommand   `cmd:"" help:"Show who is connected, and end a stream."`
	Quarantine    quarantineCommand    `cmd:"" help:"Look at authentic webhooks that could not be turned into an event, try them again, or give them up."`
	Erase         eraseCommand         `cmd:"" help:"Erase what the log holds of a person, a user, a record or a tenant."`
	Sources       sourcesCommand       `cmd:"" help:"Show what each source did, and what starts a stopped feed again."`
	Backup        backupCommand        `cmd:"" help:"Copy the log and the subscriptions into a file, while the gateway runs. headgated restore takes it back."`
	Source        sourceCommand        `cmd:"" help:"Make a source."`
	Token         tokenCommand         `cmd:"" help:"Make a reader's token."`
	Send          sendCommand          `cmd:"" help:"Play the CRM: post webhooks to the gateway."`
	Completion    completionCommand    `cmd:"" help:"Write what makes a shell complete this command line: source <(headgate completion bash)."`
	Man           manCommand           `cmd:"" help:"Write the manual page: headgate man | man -l -."`
}

// stdio is where a command reads and writes.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// parserOf makes what reads the command line into c. answered is called once --help or --version was.
func parserOf(c *commands, stdout, stderr io.Writer, answered func()) (*kong.Kong, error) {
	parser, err := kong.New(
		c, kong.Name("headgate"), kong.Description("Reads the change events of a Headgate gateway."),
		kong.Vars{"version": "headgate " + version()},
		kong.Writers(stdout, stderr), kong.Exit(func(int) { answered() }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
	if err == nil {
		commandline.Describe(parser.Model, helpPages)
	}
	return parser, err
}

// run is the program. It returns nil when it did what the arguments say, a usageError when those are wrong, and ends without an error when
// nobody reads its output any more.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var c commands
	answered := false // by --help or --version
	parser, err := parserOf(&c, stdout, stderr, func() { answered = true })
	if err != nil {
		return err
	}
	if len(args) > 0 && args[0] == commandline.Asks {
		return commandline.Complete(parser.Model, args[1:], stdout)
	}
	if len(args) == 0 {
		parser.Stdout = stderr
		_, _ = parser.Parse([]string{"--help"}) // it fails: no command was chosen
		return usagef("say which command")
	}
	ignoreEmptyVariables(parser.Model.Node)
	parsed, err := parser.Parse(args)
	switch {
	case answered, unread(err): // the help too may go where nobody reads it
		return nil
	case err != nil:
		return usagef("%w (see headgate --help)", err)
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(&c.gateway, &stdio{stdin, stdout, stderr}, parser.Model)
	if unread(err) {
		return nil
	}
	return err
}

// unread tells whether nobody reads the output any more.
func unread(err error) bool { return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) }

// ignoreEmptyVariables makes empty environment variables count as not set, as a deployment's template leaves them. The help names all others.
func ignoreEmptyVariables(node *kong.Node) {
	for _, flag := range node.Flags {
		flag.Tag.Envs = slices.DeleteFunc(flag.Tag.Envs, func(name string) bool {
			value, set := os.LookupEnv(name)
			return set && value == ""
		})
	}
	for _, child := range node.Children {
		ignoreEmptyVariables(child)
	}
}

// version is the module's version, which the go command stamps.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
