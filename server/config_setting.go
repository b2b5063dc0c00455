package server

import (
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
)

// A setting is one plain value of Config that file, environment and command line can set.
type setting struct {
	path string
	set  func(text string) error
	get  func() string
	// live: a running server takes a changed value over when it reloads. The others need a restart.
	live bool
}

// variable is the environment variable that sets s.
func (s setting) variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(s.path, ".", "_"))
}

// settings lists every setting of c. What stands here can be set in the file and in the environment.
func settings(c *Config) []setting {
	reader := &c.Limits.Reader
	return []setting{
		text("data_dir", &c.DataDir),
		text("listen.webhook", &c.Listen.Webhook),
		text("listen.api", &c.Listen.API),
		text("listen.grpc", &c.Listen.GRPC),
		text("listen.admin", &c.Listen.Admin),
		value("listen.pprof", &c.Listen.PProf, unlessOff(asItIs), formatOff),
		value("retention.max_age", &c.Retention.MaxAge, parseDuration, formatDuration),
		value("retention.max_size", &c.Retention.MaxSize, parseSize, formatSize),
		value("retention.at_least", &c.Retention.AtLeast, parseDuration, formatDuration),
		value("retention.disk_reserve", &c.Retention.DiskReserve, parseSize, formatSize),
		value("retention.quarantine_max_size", &c.Retention.QuarantineMaxSize, parseSize, formatSize),
		value("webhook.max_body_size", &c.Webhook.MaxBodyBytes, parseSize, formatSize),
		value("webhook.unauthenticated_per_second", &c.Webhook.UnauthenticatedPerSecond, parseCount, strconv.Itoa),
		value("limits.tail_size", &c.Limits.TailBytes, parseSize, formatSize),
		value("limits.max_streams", &c.Limits.MaxStreams, parseCount, strconv.Itoa),
		value("limits.reader.streams", &reader.Streams, parseCount, strconv.Itoa).alive(),
		value("limits.reader.connections", &reader.Connections, parseCount, strconv.Itoa).alive(),
		value("limits.reader.requests_per_second", &reader.RequestsPerSecond, parseCount, strconv.Itoa).alive(),
		value("shutdown_timeout", &c.Drain, parseDuration, formatDuration),
		value("log.level", &c.Log.Level, parseLevel, formatLevel).alive(),
		value("log.format", &c.Log.Format, parseFormat, strings.Clone),
		value("tracing.endpoint", &c.Tracing.Endpoint, unlessOff(parseCollector), formatOff),
		value("tracing.protocol", &c.Tracing.Protocol, parseTracingProtocol, strings.Clone),
		value("tracing.sample_ratio", &c.Tracing.SampleRatio, parseRatio, formatRatio),
	}
}

// value is a setting that stores what parse makes of the text.
func value[T any](path string, into *T, parse func(string) (T, error), format func(T) string) setting {
	return setting{path: path, get: func() string { return format(*into) }, set: func(text string) error {
		v, err := parse(text)
		if err == nil {
			*into = v
		}
		return err
	}}
}

func text(path string, into *string) setting {
	return value(path, into, asItIs, strings.Clone)
}

func asItIs(text string) (string, error) { return text, nil }

func (s setting) alive() setting {
	s.live = true
	return s
}

func parseCount(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, errors.New("is not a whole number; write it like 10000")
	}
	return int(n), nil
}

func parseLevel(text string) (slog.Level, error) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if formatLevel(level) == text {
			return level, nil
		}
	}
	return 0, errors.New("is not a level; use debug, info, warn or error")
}

func formatLevel(level slog.Level) string { return strings.ToLower(level.String()) }

func parseFormat(text string) (string, error) {
	if !slices.Contains([]string{LogAuto, LogText, LogJSON}, text) {
		return "", errors.New("is not a format; use auto, text or json")
	}
	return text, nil
}
