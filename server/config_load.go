package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Load reads the configuration file over Default and the environment over both, and validates the outcome. env looks a variable up,
// as os.LookupEnv does; whoever has flags answers for them there, since the command line comes first. When the file can be read but its
// contents cannot be used, the error is Problems. The Config has its Files in either case.
func Load(path string, env func(string) (string, bool)) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{Files: []string{path}}, fmt.Errorf("cannot read the configuration: %w", err)
	}
	c, err := parse(data, filepath.Dir(path), env, time.Now())
	c.Files = append([]string{path}, c.Files...)
	return c, err
}

// LoadDev takes Dev instead of a file.
func LoadDev(env func(string) (string, bool)) (Config, error) {
	c := Dev()
	l := loader{env: env, origins: map[string]string{}}
	l.environment(settings(&c))
	l.openTelemetry(&c.Tracing)
	err := l.finish(&c)
	c.Warnings = tracingWarnings(c.Tracing)
	return c, err
}

// parse reads a configuration file's contents. Relative paths in it start at dir.
func parse(data []byte, dir string, env func(string) (string, bool), now time.Time) (Config, error) {
	c := Default()
	l := loader{dir: dir, env: env, origins: map[string]string{}}
	root, err := document(data)
	if err != nil {
		return c, err
	}
	table := settings(&c)
	if root != nil {
		fields := map[string]field{
			"sources":                 func(n *yaml.Node, path string) { c.Sources = l.sources(n, path) },
			"readers":                 func(n *yaml.Node, path string) { c.Readers = l.readers(n, path) },
			"tls":                     func(n *yaml.Node, path string) { c.TLS = l.tls(n, path) },
			"webhook.trusted_proxies": l.prefixes(&c.Webhook.TrustedProxies),
			"tracing.headers":         func(n *yaml.Node, path string) { c.Tracing.Headers = l.headers(n, path) },
		}
		for _, s := range table {
			fields[s.path] = l.setting(s)
		}
		l.mapping(root, "", l.section(fields, ""))
	}
	l.certificates(c.TLS)
	if c.DataDir != "" && !filepath.IsAbs(c.DataDir) {
		c.DataDir = filepath.Join(dir, c.DataDir)
	}
	l.environment(table)
	l.openTelemetry(&c.Tracing)
	c.Files = l.files
	if err := l.finish(&c); err != nil {
		return c, err
	}
	c.Warnings = slices.Concat(l.warnings, secretWarnings(c.Sources, now), readerWarnings(&c), listenWarnings(c.Listen), tracingWarnings(c.Tracing))
	return c, nil
}

// document returns the root node of the one YAML document in data, nil when it is empty.
func document(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("the configuration is not YAML: %s", withoutQuotes(err))
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("the configuration holds more than one YAML document; remove what comes after the line ---")
	}
	return doc.Content[0], nil
}

// quoted finds what the decoder's errors quote: single signs of YAML, but also the name of an anchor, which a value that begins with * is taken for.
var quoted = regexp.MustCompile(`(?s)'[^']*'`)

// withoutQuotes is what a decoder's error says, without what stands in the file.
func withoutQuotes(err error) string {
	return quoted.ReplaceAllStringFunc(err.Error(), func(text string) string {
		if len(text) <= len("','") {
			return text
		}
		return "'…'"
	})
}

// environment applies the variables that are set, each to its setting. A wrong value in the file no longer matters then.
func (l *loader) environment(table []setting) {
	for _, s := range table {
		text, ok := l.env(s.variable())
		if !ok || text == "" {
			continue
		}
		l.problems = slices.DeleteFunc(l.problems, func(p Problem) bool { return p.Path == s.path })
		l.origins[s.path] = s.variable() + " or its flag"
		if err := s.set(text); err != nil {
			l.problems.add(s.path, "%s", err)
		}
	}
}

// finish validates c and returns what is wrong, with where each value came from. What follows from a problem of the file is left out.
func (l *loader) finish(c *Config) error {
	var found Problems
	errors.As(c.Validate(), &found)
	unread := l.problems
	for _, p := range found {
		if !unread.touches(p.Path) {
			l.problems = append(l.problems, p)
		}
	}
	for i, p := range l.problems {
		if p.Origin == "" {
			l.problems[i].Origin = l.origin(p.Path)
		}
	}
	return l.problems.err()
}

// origin tells where the value at path came from, or what it is missing in. Empty when the file says nothing of it.
func (l *loader) origin(path string) string {
	for path != "" {
		if origin := l.origins[path]; origin != "" {
			return origin
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return ""
}

// secretWarnings tells of secrets that do not hold now, and of those that let one source speak for another.
func secretWarnings(sources map[string]Source, now time.Time) []string {
	var warnings []string
	warn := func(source, format string, args ...any) {
		warnings = append(warnings, "sources."+source+": "+fmt.Sprintf(format, args...))
	}
	owner := map[string]string{}
	for _, name := range sortedNames(sources) {
		secrets, until := sources[name].Secrets, sources[name].AwaitingSecretUntil
		switch {
		case len(secrets) == 0 && now.Before(until):
			warn(name, "awaits its secret until %s, and takes nothing but the test call until it has one", until.Format(time.RFC3339))
		case len(secrets) == 0 && !until.IsZero():
			warn(name, "awaited its secret until %s, so every webhook is refused; give it its secret", until.Format(time.RFC3339))
		case !until.IsZero():
			warn(name, "has its secret; remove awaiting_secret_until")
		}
		if len(secrets) > 0 && !slices.ContainsFunc(secrets, func(s Secret) bool { return s.holds(now) }) {
			warn(name, "none of its secrets holds now, so every webhook is refused; check not_before and not_after")
		}
		for _, s := range secrets {
			if !s.NotAfter.IsZero() && !now.Before(s.NotAfter) {
				warn(name, "secret %s ended at %s; remove it", s.ID, s.NotAfter.Format(time.RFC3339))
			}
			other, ok := owner[string(s.Key)]
			if ok && other != name {
				warn(name, "secret %s is that of source %s too, so each can speak for the other; give each its own", s.ID, other)
			}
			owner[string(s.Key)] = name
		}
	}
	return warnings
}
