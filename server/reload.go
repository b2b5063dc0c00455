package server

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/headgate/headgate/server/internal/access"
	"github.com/headgate/headgate/server/internal/webhook"
)

// reloadPoll is how often the files of the configuration are looked at. What changes is in force after two looks, see watch, so that a reader whose credential
// is withdrawn has lost all its streams, the stalled ones too, after three seconds or little more.
var reloadPoll = time.Second

// reloadable are the parts of a running server that take over a changed configuration. None of them can fail: what can is tried before.
type reloadable struct {
	access *access.Control
	// tls is nil when no listener speaks TLS.
	tls *liveTLS
	// level is nil when the program's logger cannot change it.
	level *slog.LevelVar
	// sources replaces those of the door.
	sources func([]webhook.Source)
}

// reloader keeps a running server in step with the files of its configuration. A configuration is taken over as a whole or not at all.
type reloader struct {
	read  func() (Config, error)
	parts reloadable
	// started is what the server runs with as to all that needs a restart.
	started Config
	// inForce is what was taken over last.
	inForce Config
	files   *watch
	asked   chan struct{}
	ok, at  prometheus.Gauge
}

// newReloader looks at the files of cfg, which should have been read a moment ago.
func newReloader(cfg Config) *reloader {
	r := &reloader{
		read: cfg.Reload, started: cfg, inForce: cfg, files: newWatch(cfg.Files), asked: make(chan struct{}, 1),
		ok: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "headgate_config_reload_ok", Help: "1 while the configuration in the files is in force, 0 while it is refused and the one before stays in force.",
		}),
		at: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "headgate_config_reload_timestamp_seconds", Help: "When the configuration in force was read, in Unix seconds.",
		}),
	}
	r.ok.Set(1)
	r.at.SetToCurrentTime()
	return r
}

// Reload reads the configuration again soon, as when one of its files changes. It does not wait for the outcome, which is logged.
func (s *Server) Reload() {
	select {
	case s.reload.asked <- struct{}{}:
	default: // it was asked for already
	}
}

// run reloads when a file changed or somebody asks, until ctx ends.
func (r *reloader) run(ctx context.Context) {
	if r.read == nil {
		return
	}
	tick := time.NewTicker(reloadPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.asked:
			r.reload()
		case <-tick.C:
			if r.files.changed() {
				r.reload()
			}
		}
	}
}

// reload reads the configuration and takes it over. A refused one is told once: the files are read again only when they change again.
func (r *reloader) reload() {
	next, err := r.load()
	if err == nil {
		err = r.apply(&next)
	}
	if err != nil {
		r.ok.Set(0)
		slog.Error("the configuration cannot be used; the one before stays in force", "problems", problemTexts(err))
		return
	}
	r.files.only(next.Files)
	r.ok.Set(1)
	r.at.SetToCurrentTime()
}

// load reads the configuration. A file that was not watched when it was read may have changed since: then it reads once more.
func (r *reloader) load() (Config, error) {
	for {
		r.files.mark()
		next, err := r.read()
		if !r.files.add(next.Files) {
			return next, err
		}
	}
}

// apply takes over what can be. It fails before it has changed anything.
func (r *reloader) apply(next *Config) error {
	waiting := needRestart(&r.started, next)
	if len(next.Readers) == 0 && len(r.inForce.Readers) > 0 {
		// A file that lost its end must not open the gateway to everybody.
		next.Readers = r.inForce.Readers
		waiting = append(waiting, "readers")
	}
	var certs *certificates
	var authorities *x509.CertPool
	if r.parts.tls != nil && next.TLS.CertFile != "" {
		var problems Problems
		if certs, problems = next.TLS.load(); len(problems) > 0 {
			return problems
		}
		authorities = certs.withClients.ClientCAs
	}
	policy, err := newPolicy(next, authorities)
	if err != nil {
		return err
	}
	r.parts.access.Replace(policy)
	if certs != nil {
		r.parts.tls.Store(certs)
	}
	if r.parts.level != nil {
		r.parts.level.Set(next.Log.Level)
	}
	r.parts.sources(sourcesOf(*next))
	r.tell(next, waiting)
	r.inForce = *next
	return nil
}

// tell logs what came of a reload: warnings only when they are new.
func (r *reloader) tell(next *Config, waiting []string) {
	slog.Info("configuration reloaded", "sources", len(next.Sources), "readers", len(next.Readers))
	for _, warning := range next.Warnings {
		if !slices.Contains(r.inForce.Warnings, warning) {
			slog.Warn(warning)
		}
	}
	if len(waiting) > 0 {
		slog.Warn("some changes of the configuration wait for a restart", "settings", waiting)
	}
}

// needRestart lists the settings that differ and that a running server cannot change.
func needRestart(was, now *Config) []string {
	var names []string
	before := settings(was)
	for i, s := range settings(now) {
		if !s.live && s.get() != before[i].get() {
			names = append(names, s.path)
		}
	}
	if !slices.Equal(was.Webhook.TrustedProxies, now.Webhook.TrustedProxies) {
		names = append(names, "webhook.trusted_proxies")
	}
	if !bytes.Equal(was.Tracing.Headers, now.Tracing.Headers) {
		names = append(names, "tracing.headers")
	}
	switch {
	case (was.TLS.CertFile == "") != (now.TLS.CertFile == ""):
		names = append(names, "tls")
	case !slices.Equal(was.TLS.listeners(), now.TLS.listeners()):
		names = append(names, "tls.listeners")
	}
	return names
}

// problemTexts is each problem of an error on its own.
func problemTexts(err error) []string {
	var ps Problems
	if !errors.As(err, &ps) {
		return []string{err.Error()}
	}
	var texts []string
	for _, p := range ps {
		texts = append(texts, p.String())
	}
	return texts
}
