package server

import (
	"errors"
	"maps"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Validate returns everything that is wrong with c as Problems, each with its path in the file and what to do; nil when c can be run.
func (c *Config) Validate() error {
	var ps Problems
	if c.DataDir == "" {
		ps.add("data_dir", "is missing; name the folder to keep the log in, like /var/lib/headgate")
	}
	c.validateListen(&ps)
	c.validateTLS(&ps)
	c.validateRetention(&ps)
	between(&ps, "webhook.max_body_size", c.Webhook.MaxBodyBytes, 64*kib, 3*mib, formatSize)
	between(&ps, "webhook.unauthenticated_per_second", c.Webhook.UnauthenticatedPerSecond, 1, 10_000, strconv.Itoa)
	between(&ps, "limits.tail_size", c.Limits.TailBytes, mib, 64*gib, formatSize)
	between(&ps, "limits.max_streams", c.Limits.MaxStreams, 1, 1_000_000, strconv.Itoa)
	between(&ps, "shutdown_timeout", c.Drain, time.Millisecond, 10*time.Minute, formatDuration)
	if _, err := parseFormat(c.Log.Format); err != nil {
		ps.add("log.format", "%s", err)
	}
	c.validateTracing(&ps)
	if len(c.Sources) == 0 {
		ps.add("sources", "is missing; name at least one source with its contexts, time_zone and secrets, or try the gateway out with --dev")
	}
	for _, name := range sortedNames(c.Sources) {
		c.validateSource(&ps, name, c.Sources[name])
	}
	c.validateReaders(&ps)
	return ps.err()
}

// between notes a problem unless v lies in the range.
func between[T int | int64 | time.Duration](ps *Problems, path string, v, least, most T, format func(T) string) {
	if v < least || v > most {
		ps.add(path, "%s is out of range; use %s to %s", format(v), format(least), format(most))
	}
}

func (c *Config) validateRetention(ps *Problems) {
	r := c.Retention
	if r.MaxAge <= 0 {
		ps.add("retention.max_age", "must be more than 0; say how long events are kept, like 90d")
	} else if r.AtLeast < 0 || r.AtLeast > r.MaxAge {
		ps.add("retention.at_least", "%s does not lie between 0 and retention.max_age, which is %s; make it shorter, or max_age longer",
			formatDuration(r.AtLeast), formatDuration(r.MaxAge))
	}
	if r.MaxSize < mib {
		ps.add("retention.max_size", "%s is too little; give the log at least 1MiB", formatSize(r.MaxSize))
	}
	if r.DiskReserve < mib {
		ps.add("retention.disk_reserve", "%s is too little; keep at least 1MiB of the disk free", formatSize(r.DiskReserve))
	}
	if r.QuarantineMaxSize < mib {
		ps.add("retention.quarantine_max_size", "%s is too little; give the quarantine at least 1MiB", formatSize(r.QuarantineMaxSize))
	}
}

func (c *Config) validateListen(ps *Problems) {
	owner := map[string]string{}
	for _, name := range c.Listen.names() {
		path, address := "listen."+name, *c.Listen.of(name)
		host, port, err := splitAddress(address)
		if err != nil {
			ps.add(path, "is not an address; write host:port, like 127.0.0.1:8080")
			continue
		}
		if !isLoopback(host) {
			c.validatePublic(ps, name, port)
		}
		if other, ok := owner[address]; ok && port != "0" {
			ps.add(path, "is already the address of %s; give each its own port", other)
		}
		owner[address] = path
	}
}

// validatePublic refuses an address outside loopback where somebody could read, or learn, what is not theirs. Of the address only the port is repeated:
// any word is a host.
func (c *Config) validatePublic(ps *Problems, listener, port string) {
	path, forReaders := "listen."+listener, listener == listenAPI || listener == listenGRPC
	switch {
	case c.Dev:
		ps.add(path, "is not a loopback address, and --dev takes webhooks from anybody and lets anybody read; use 127.0.0.1:%s, or run with --config", port)
	case forReaders && len(c.Readers) == 0:
		ps.add(path, "is not a loopback address, and without readers whoever reached it could read everything; name readers, or use 127.0.0.1:%s", port)
	case forReaders && !c.TLS.on(listener):
		ps.add(path, "is not a loopback address, and without TLS tokens and events would travel in clear; name tls.cert_file and tls.key_file%s, or use 127.0.0.1:%s",
			unlessIn(c.TLS.Listeners, listener), port)
	case listener == listenPProf && !c.hasOperator():
		ps.add(path, "is not a loopback address, and no reader is an operator, who alone may see profiles there; say operator: true of one, or use 127.0.0.1:%s", port)
	case listener == listenPProf && !c.TLS.on(listener):
		ps.add(path, "is not a loopback address, and without TLS credentials and profiles would travel in clear; name tls.cert_file and tls.key_file%s, or use 127.0.0.1:%s",
			unlessIn(c.TLS.Listeners, listener), port)
	}
}

func (c *Config) hasOperator() bool {
	for _, r := range c.Readers {
		if r.Operator {
			return true
		}
	}
	return false
}

// unlessIn tells to list a listener, where some are listed and it is not.
func unlessIn(listeners []string, listener string) string {
	if len(listeners) == 0 || slices.Contains(listeners, listener) {
		return ""
	}
	return " and list " + listener + " in tls.listeners"
}

// splitAddress splits host:port. The port must be a number, the host may be missing: then it means all interfaces.
func splitAddress(address string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(address)
	if err != nil {
		return "", "", err
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", "", err
	}
	if strings.ContainsFunc(host, func(r rune) bool { return unicode.IsSpace(r) || r == '/' }) {
		return "", "", errors.New("not a host")
	}
	return host, port, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

var (
	// plainName is the name of a source or a reader.
	plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	// secretID is shorter than any secret, so that none can stand there: it is shown in logs.
	secretID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,` + strconv.Itoa(minSecretBytes-2) + `}$`)
)

const (
	badSourceName = "this cannot be the name of a source, it becomes part of the webhook's URL; use up to 63 small letters, digits and hyphens"
	badReaderName = "this cannot be the name of a reader; use up to 63 small letters, digits and hyphens"
)

func (c *Config) validateSource(ps *Problems, name string, s Source) {
	path := "sources." + name
	if !plainName.MatchString(name) {
		ps.add("sources."+unnamed, badSourceName)
		return
	}
	if s.Location == nil {
		ps.add(path+".time_zone", "is missing; the CRM sends dates without a zone, so say which one it is in, like Europe/Oslo")
	}
	if s.Unsigned {
		if !c.Dev {
			ps.add(path+".unsigned", "only --dev takes webhooks without a signature; give the source secrets")
		}
	} else if len(s.Secrets) == 0 && s.AwaitingSecretUntil.IsZero() {
		ps.add(path+".secrets", "is missing; give at least one secret, like {id: a, file: secrets/%s}, or say awaiting_secret_until when the CRM will make it up", name)
	}
	if len(s.Contexts) == 0 && !c.Dev {
		ps.add(path+".contexts", "is missing; list the tenants that the source may speak for, like [Cust12345], or [Default] for an on-site CRM")
	}
	validateContexts(ps, path+".contexts", s.Contexts)
	validateSecrets(ps, path+".secrets", s.Secrets)
}

func validateContexts(ps *Problems, path string, contexts []string) {
	for i, context := range contexts {
		at := path + "[" + strconv.Itoa(i) + "]"
		switch {
		case strings.Contains(context, "*"):
			ps.add(at, "is a pattern, but a source's secrets must not speak for every tenant; list each context")
		case context == "" || strings.ContainsFunc(context, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
			ps.add(at, "is not a context; use the CRM's ContextIdentifier, like Cust12345 or Default")
		case slices.Contains(contexts[:i], context):
			ps.add(at, "stands here twice; remove one")
		}
	}
}

func validateSecrets(ps *Problems, path string, secrets []Secret) {
	seen := map[string]bool{}
	for i, s := range secrets {
		at := path + "[" + strconv.Itoa(i) + "]"
		if !secretID.MatchString(s.ID) {
			ps.add(at+".id", "must be 1 to %d letters, digits, dots, hyphens and underscores; it names the secret in logs, like 2026a", minSecretBytes-1)
		} else if seen[s.ID] {
			ps.add(at+".id", "names another secret of this source too; give each its own")
		}
		seen[s.ID] = true
		if err := checkSecret(s.Key); err != nil {
			ps.add(at, "%s", err)
		}
		if !s.NotBefore.IsZero() && !s.NotAfter.IsZero() && !s.NotBefore.Before(s.NotAfter) {
			ps.add(at+".not_after", "is not after not_before, so the secret never holds; correct one of them")
		}
	}
}

// sortedNames is the order in which sources and readers are told of.
func sortedNames[T any](all map[string]T) []string {
	return slices.Sorted(maps.Keys(all))
}
