package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Load reads the configuration file over Default and the environment over both, and validates the outcome. env looks a variable up,
// as os.LookupEnv does; whoever has flags answers for them there, since the command line comes first. When the file can be read but its
// contents cannot be used, the error is Problems.
func Load(path string, env func(string) (string, bool)) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return parse(data, filepath.Dir(path), env, time.Now())
}

// LoadDev takes Dev instead of a file.
func LoadDev(env func(string) (string, bool)) (Config, error) {
	c := Dev()
	l := loader{env: env, origins: map[string]string{}}
	l.environment(settings(&c))
	return c, l.finish(&c)
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
		known := l.section(table, "")
		known["sources"] = func(n *yaml.Node, path string) { c.Sources = l.sources(n, path) }
		l.mapping(root, "", known)
	}
	if c.DataDir != "" && !filepath.IsAbs(c.DataDir) {
		c.DataDir = filepath.Join(dir, c.DataDir)
	}
	l.environment(table)
	if err := l.finish(&c); err != nil {
		return c, err
	}
	c.Warnings = append(l.warnings, secretWarnings(c.Sources, now)...)
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
		return nil, fmt.Errorf("the configuration is not YAML: %w", err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("the configuration holds more than one YAML document; remove what comes after the line ---")
	}
	return doc.Content[0], nil
}

// A setting is one plain value of Config that file, environment and command line can set.
type setting struct {
	path string
	set  func(text string) error
}

// variable is the environment variable that sets s.
func (s setting) variable() string {
	return "HEADGATE_" + strings.ToUpper(strings.ReplaceAll(s.path, ".", "_"))
}

// settings lists every setting of c. What stands here can be set in the file and in the environment, and nothing else can.
func settings(c *Config) []setting {
	return []setting{
		{"data_dir", textValue(&c.DataDir)},
		{"listen.webhook", textValue(&c.Listen.Webhook)},
		{"listen.api", textValue(&c.Listen.API)},
		{"listen.grpc", textValue(&c.Listen.GRPC)},
		{"listen.admin", textValue(&c.Listen.Admin)},
		{"retention.max_age", value(&c.Retention.MaxAge, parseDuration)},
		{"retention.max_size", value(&c.Retention.MaxSize, parseSize)},
		{"retention.at_least", value(&c.Retention.AtLeast, parseDuration)},
		{"retention.disk_reserve", value(&c.Retention.DiskReserve, parseSize)},
		{"webhook.max_body_size", value(&c.Webhook.MaxBodyBytes, parseSize)},
		{"limits.max_streams", value(&c.Limits.MaxStreams, parseCount)},
		{"shutdown_timeout", value(&c.Drain, parseDuration)},
		{"log.level", value(&c.Log.Level, parseLevel)},
		{"log.format", value(&c.Log.Format, parseFormat)},
	}
}

// value returns a setter that stores what read makes of the text.
func value[T any](into *T, read func(string) (T, error)) func(string) error {
	return func(text string) error {
		v, err := read(text)
		if err == nil {
			*into = v
		}
		return err
	}
}

func textValue(into *string) func(string) error {
	return value(into, func(s string) (string, error) { return s, nil })
}

func parseCount(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number; write it like 10000", text)
	}
	return int(n), nil
}

func parseLevel(text string) (slog.Level, error) {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug,
		"info":  slog.LevelInfo,
		"warn":  slog.LevelWarn,
		"error": slog.LevelError,
	}
	level, ok := levels[text]
	if !ok {
		return 0, fmt.Errorf("%q is not a level; use debug, info, warn or error", text)
	}
	return level, nil
}

func parseFormat(text string) (string, error) {
	if !slices.Contains([]string{LogAuto, LogText, LogJSON}, text) {
		return "", fmt.Errorf("%q is not a format; use auto, text or json", text)
	}
	return text, nil
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
		secrets := sources[name].Secrets
		if !slices.ContainsFunc(secrets, func(s Secret) bool { return s.holds(now) }) {
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
