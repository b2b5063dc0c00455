package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"syscall"
	"time"

	"github.com/headgate/headgate/server"
)

// checking is what the command line says of a check.
type checking struct {
	Print  bool   `xor:"form" help:"Print the configuration in force instead, defaults included, secrets left out."`
	Output string `enum:"text,json" default:"text" placeholder:"text|json" help:"A line for people, or of JSON, for each check. Default: text."`
	Online string `placeholder:"URL" help:"Compare the clock with the Date that this https URL answers with, such as https://online.superoffice.com. Default: nothing outside is asked."`
	Reach  string `placeholder:"URL" help:"Post a signed test call, as the CRM does, to this public URL: that of one webhook, or the gateway's, and then for each source. The gateway must be running."`
}

// check tells whether the gateway would run here, with the configuration that was loaded and what was wrong with it. It leaves nothing
// behind. It fails when one of the checks does, and when one warns; see report.err.
func (c *checking) check(ctx context.Context, out io.Writer, file string, cfg server.Config, loadErr error) error {
	r := &report{out: out, json: c.Output == "json"}
	var problems server.Problems
	switch {
	case errors.As(loadErr, &problems):
		for _, p := range problems {
			r.say(verdictError, "config", "%s", p)
		}
		return r.err()
	case loadErr != nil:
		r.say(verdictError, "config", "%s", loadErr)
		return r.err()
	case cfg.Dev:
		r.say(verdictOK, "config", "--dev")
		r.say(verdictWarning, "secrets", "--dev takes webhooks without a signature")
		r.say(verdictWarning, "readers", "--dev lets everybody on this machine read everything")
	default:
		r.say(verdictOK, "config", "%s", file)
		checkSecrets(r, cfg, time.Now())
		checkReaders(r, cfg)
		checkCertificates(r, cfg.TLS, time.Now())
	}
	for _, warning := range cfg.Warnings {
		r.say(verdictWarning, "config", "%s", warning)
	}
	checkClock(r, time.Now())
	if c.Online != "" {
		checkClockOnline(ctx, r, http.DefaultClient, c.Online)
	}
	checkData(r, cfg)
	checkFiles(r)
	checkPort(ctx, r, "listen.webhook", cfg.Listen.Webhook)
	checkPort(ctx, r, "listen.api", cfg.Listen.API)
	checkPort(ctx, r, "listen.grpc", cfg.Listen.GRPC)
	checkPort(ctx, r, "listen.admin", cfg.Listen.Admin)
	if cfg.Listen.PProf != "" {
		checkPort(ctx, r, "listen.pprof", cfg.Listen.PProf)
	}
	if c.Reach != "" {
		checkReach(ctx, r, cfg, c.Reach)
	}
	return r.err()
}

func countSecrets(cfg server.Config) int {
	n := 0
	for _, s := range cfg.Sources {
		n += len(s.Secrets)
	}
	return n
}

// secretEndsSoon is how long before its end a source's last secret is warned of.
const secretEndsSoon = 14 * 24 * time.Hour

// checkSecrets tells of sources whose webhooks cannot be checked, now or soon.
func checkSecrets(r *report, cfg server.Config, now time.Time) {
	r.say(verdictOK, "secrets", "%d, of %s, could be read", countSecrets(cfg), count(len(cfg.Sources), "source"))
	for _, name := range slices.Sorted(maps.Keys(cfg.Sources)) {
		s := cfg.Sources[name]
		day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
		switch now, soon := live(s.Secrets, now), live(s.Secrets, now.Add(secretEndsSoon)); {
		case len(s.Secrets) == 0:
			r.say(verdictWarning, "secrets", "sources.%s has none and takes the test call only, until %s; add the one that the CRM made up", name, day(s.AwaitingSecretUntil))
		case now == nil:
			r.say(verdictError, "secrets", "sources.%s has none that is valid now, so all its webhooks are refused; add one, or move not_before or not_after", name)
		case soon == nil:
			r.say(verdictWarning, "secrets", "sources.%s has none after %s; make another one, and list both while the CRM changes over", name, day(now.NotAfter))
		}
	}
}

// checkFiles looks whether the process may have as many files and connections open as the gateway takes.
func checkFiles(r *report) {
	have, least, enough := server.OpenFiles()
	switch {
	case have < least:
		r.say(verdictError, "open_files", "%d may be open, %d are needed; raise the limit (ulimit -n, LimitNOFILE)", have, least)
	case have < enough:
		r.say(verdictWarning, "open_files", "%d may be open, so there will be fewer connections than there could be; raise the limit to %d (ulimit -n, LimitNOFILE)", have, enough)
	default:
		r.say(verdictOK, "open_files", "enough may be open")
	}
}

func checkPort(ctx context.Context, r *report, name, address string) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		r.say(verdictWarning, name, "%s is in use; by a gateway that runs with this configuration, or else choose another port", address)
	case err != nil:
		r.say(verdictError, name, "cannot listen: %s; choose an address of this machine and a port that its user may take", err)
	default:
		r.say(verdictOK, name, "%s is free", address)
		_ = l.Close()
	}
}
