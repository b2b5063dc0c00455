package main

import (
	"io"

	"github.com/alecthomas/kong"

	"github.com/headgate/headgate/client/cmd/commandline"
)

const (
	exitUsual  = "0 when it is done, 1 when it failed, 2 for a mistake in the command line."
	exitStatus = "0 when the gateway accepts webhooks, 1 when it does not or does not answer, 2 for a mistake in the command line."
	exitSend   = "0 when all were answered with 200, 1 when any was not, 2 for a mistake in the command line."
)

// helpPages are what the help of each command shows beside its flags. A test runs the examples.
var helpPages = map[string]commandline.Page{
	"": {Exit: exitUsual},
	"tail": {Exit: "0 when it was interrupted, or caught up with --until-caught-up, 1 when it failed, 2 for a mistake in the command line.", Examples: []string{
		"headgate tail --entity relation", "headgate tail --from 90m --output json --until-caught-up", "headgate tail --resume position.txt", "headgate tail --subscription billing --earliest",
	}},
	"list":                 shows(exitUsual, "headgate list --limit 20 -v", "headgate list --from 24h --event-type relation.created --output json"),
	"get":                  shows(exitUsual, "headgate get CURSOR", "headgate get --raw CURSOR"),
	"subscriptions":        shows(exitUsual, "headgate subscriptions", "headgate subscriptions --own --output json"),
	"subscription create":  shows(exitUsual, "headgate subscription create billing --earliest", "headgate subscription create stock --latest --shards 4"),
	"subscription get":     shows(exitUsual, "headgate subscription get billing"),
	"subscription seek":    shows(exitUsual, "headgate subscription seek billing --from 2h", "headgate subscription seek billing --earliest --shard 0"),
	"subscription skip":    shows(exitUsual, "headgate subscription skip billing --cursor=CURSOR --reason 'no such product'"),
	"subscription delete":  shows(exitUsual, "headgate subscription delete billing", "headgate subscription delete billing --reader acme"),
	"status":               shows(exitStatus, "headgate status", "headgate status --watch --interval 5s", "headgate status --output json"),
	"connections":          shows(exitUsual, "headgate connections", "headgate connections --reader billing --output json", "headgate connections end STREAM"),
	"connections list":     shows(exitUsual, "headgate connections", "headgate connections --reader billing --output json"),
	"connections end":      shows(exitUsual, "headgate connections end STREAM"),
	"quarantine list":      shows(exitUsual, "headgate quarantine list --source dev --limit 20", "headgate quarantine list --output json"),
	"quarantine show":      shows(exitUsual, "headgate quarantine show ID", "headgate quarantine show ID --raw"),
	"quarantine reprocess": shows(exitUsual, "headgate quarantine reprocess --source dev --dry-run", "headgate quarantine reprocess ID"),
	"quarantine discard":   shows(exitUsual, "headgate quarantine discard --source dev --reason 'sent by a test'"),
	"erase": shows(exitUsual, "headgate erase --source dev --context Cust26759 --person 17", "headgate erase --source dev --context Cust26759 --person 17 --execute",
		"headgate erase --source dev --context Cust26759 --entity sale --primary-key 4"),
	"sources":    shows(exitUsual, "headgate sources", "headgate sources dev", "headgate sources --output json"),
	"backup":     shows(exitUsual, "headgate backup headgate-monday.backup"),
	"source new": shows(exitUsual, "headgate source new acme --context Cust12345 --time-zone Europe/Oslo --url https://hooks.example.com"),
	"token new":  shows(exitUsual, "headgate token new"),
	"send":       shows(exitSend, "headgate send relation.created", "headgate send relation.created associate.changed --count 100 --rate 50/s"),
	"completion": shows(exitUsual, "headgate completion bash", "headgate completion zsh", "headgate completion fish"),
	"man":        shows(exitUsual, "headgate man"),
}

func shows(exit string, examples ...string) commandline.Page {
	return commandline.Page{Examples: examples, Exit: exit}
}

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"For which shell: bash, zsh or fish."`
}

// Run writes the script.
func (c *completionCommand) Run(std *stdio) error {
	script, err := commandline.Script(c.Shell, "headgate")
	if err != nil {
		return err
	}
	_, err = io.WriteString(std.out, script)
	return err
}

type manCommand struct{}

// Run writes the page.
func (c *manCommand) Run(std *stdio, app *kong.Application) error {
	return commandline.Man(app, "headgate "+version(), std.out)
}
