package main

import (
	"io"

	"github.com/headgate/headgate/client/cmd/commandline"
)

const exitUsual = "0 when it is done, 1 when it failed, 2 for a mistake in the command line."

// helpPages are what the help of each command shows beside its flags. A test runs the examples.
var helpPages = map[string]commandline.Page{
	"": {
		Examples: []string{"headgated --dev", "headgated --config headgate.yaml", "headgated --config headgate.yaml --take-over"},
		Exit:     "0 when it was told to stop, 1 when it failed, 2 for a mistake in the command line.",
	},
	"run": {
		Examples: []string{"headgated --dev", "headgated run --config headgate.yaml --log-level debug"},
		Exit:     "0 when it was told to stop, 1 when it failed, 2 for a mistake in the command line.",
	},
	"check": {
		Examples: []string{
			"headgated check --config headgate.yaml", "headgated check --config headgate.yaml --print", "headgated check --config headgate.yaml --output json",
			"headgated check --config headgate.yaml --online https://online.superoffice.com", "headgated check --config headgate.yaml --reach https://hooks.example.com",
		},
		Exit: "0 when all is well, 1 when there are warnings, with which the gateway runs, 2 when there are errors, or a mistake in the command line.",
	},
	"healthy": {
		Examples: []string{"headgated healthy --config headgate.yaml"},
		Exit:     "0 when it is well, 1 when only a restart helps or nobody answers, 2 for a mistake in the command line.",
	},
	"restore": {Examples: []string{"headgated restore --data-dir /var/lib/headgate headgate-monday.backup"}, Exit: exitUsual},
	"verify": {
		Examples: []string{"headgated verify --data-dir /var/lib/headgate", "headgated verify --backup headgate-monday.backup"},
		Exit:     "0 when all is well, 1 when something is damaged, 2 when it could not be looked at, or for a mistake in the command line.",
	},
	"upgrade-store": {Examples: []string{"headgated upgrade-store --data-dir /var/lib/headgate"}, Exit: exitUsual},
	"completion":    {Examples: []string{"headgated completion bash", "headgated completion zsh", "headgated completion fish"}, Exit: exitUsual},
	"man":           {Examples: []string{"headgated man"}, Exit: exitUsual},
}

// completion writes the script.
func (f *flags) completion(stdout io.Writer) error {
	script, err := commandline.Script(f.Completion.Shell, "headgated")
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdout, script)
	return err
}
