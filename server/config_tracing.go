package server

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/net/http/httpguts"
)

// off is how the file says of a setting that it is not used.
const off = "off"

// unlessOff returns a parser that takes the word off for nothing.
func unlessOff(parse func(string) (string, error)) func(string) (string, error) {
	return func(text string) (string, error) {
		if text == off {
			return "", nil
		}
		return parse(text)
	}
}

func formatOff(text string) string {
	if text == "" {
		return off
	}
	return text
}

// The protocols of Tracing, as OTEL_EXPORTER_OTLP_PROTOCOL names them.
const (
	TracingGRPC = "grpc"
	TracingHTTP = "http/protobuf"
)

func parseTracingProtocol(text string) (string, error) {
	if text != TracingGRPC && text != TracingHTTP {
		return "", errors.New("is not a protocol of traces; use http/protobuf or grpc")
	}
	return text, nil
}

// parseCollector refuses what is no collector's URL. It repeats nothing: a URL can hold a password.
func parseCollector(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return "", errors.New("is not the URL of a collector; write it like https://collector:4318, or off")
	case u.User != nil:
		return "", errors.New("holds a user or a password; put what the collector asks for into tracing.headers")
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("has more than scheme, host, port and path; write it like https://collector:4318")
	}
	return text, nil
}

func parseRatio(text string) (float64, error) {
	r, err := strconv.ParseFloat(text, 64)
	if err != nil || !(r >= 0 && r <= 1) {
		return 0, errors.New("is not a share; write a number from 0 to 1, like 0.01")
	}
	return r, nil
}

func formatRatio(r float64) string { return strconv.FormatFloat(r, 'g', -1, 64) }

// headers reads where the headers stand.
func (l *loader) headers(n *yaml.Node, path string) (key SecretKey) {
	var file, variable string
	before := len(l.problems)
	l.mapping(n, path, map[string]field{"file": l.into(&file), "env": l.into(&variable)})
	if len(l.problems) > before {
		return nil
	}
	if file == "" && variable == "" {
		l.refuse(n, path, "are missing; give file: the name of the file that holds them, or env: the environment variable")
		return nil
	}
	at, key, err := l.held(file, variable, path, "the collector's headers", checkHeaders)
	if err != nil {
		l.problems.add(at, "%s", err)
	}
	return key
}

func checkHeaders(key SecretKey) error {
	_, err := parseHeaders(key)
	return err
}

// parseHeaders reads headers as OTEL_EXPORTER_OTLP_HEADERS holds them: name=value, with a comma between two, and %2C for one in a value. It repeats nothing.
func parseHeaders(key SecretKey) (map[string]string, error) {
	headers := map[string]string{}
	for pair := range strings.SplitSeq(string(key), ",") {
		name, value, ok := strings.Cut(pair, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		value, err := url.PathUnescape(strings.TrimSpace(value))
		switch _, twice := headers[name]; {
		case !ok || err != nil || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
			return nil, errors.New("what it holds are no headers; write them like authorization=Bearer%20abc,other=value")
		case twice:
			return nil, errors.New("a header stands there twice; remove one")
		}
		headers[name] = value
	}
	return headers, nil
}

func (c *Config) validateTracing(ps *Problems) {
	t := c.Tracing
	if _, err := parseTracingProtocol(t.Protocol); err != nil {
		ps.add("tracing.protocol", "%s", err)
	}
	if _, err := parseRatio(formatRatio(t.SampleRatio)); err != nil {
		ps.add("tracing.sample_ratio", "%s", err)
	}
	if t.Endpoint == "" {
		return
	}
	if _, err := parseCollector(t.Endpoint); err != nil {
		ps.add("tracing.endpoint", "%s", err)
	}
	if len(t.Headers) > 0 {
		if err := checkHeaders(t.Headers); err != nil {
			ps.add("tracing.headers", "%s", err)
		}
	}
}

// tracingWarnings tells of headers that others could read on their way.
func tracingWarnings(t Tracing) []string {
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Scheme != "http" || len(t.Headers) == 0 || isLoopback(u.Hostname()) {
		return nil
	}
	return []string{"tracing.endpoint: is of http, so tracing.headers and the traces travel in clear; use https"}
}

// openTelemetry takes from OpenTelemetry's own variables what neither file nor variables of ours say. Those that it does not look at, the exporter does.
func (l *loader) openTelemetry(t *Tracing) {
	said := func(path string) bool { return l.origins["tracing."+path] != "" }
	look := func(names ...string) (value, name string) {
		for _, name := range names {
			if text, ok := l.env(name); ok && text != "" {
				return text, name
			}
		}
		return "", ""
	}
	take := func(path string, set func(text string) error, names ...string) {
		text, name := look(names...)
		if name == "" || said(path) {
			return
		}
		l.origins["tracing."+path] = name
		if err := set(text); err != nil {
			l.problems.add("tracing."+path, "%s", err)
		}
	}
	if said("endpoint") && t.Endpoint == "" {
		return
	}
	disabled, _ := look("OTEL_SDK_DISABLED")
	exporter, _ := look("OTEL_TRACES_EXPORTER")
	if !said("endpoint") && (strings.EqualFold(disabled, "true") || exporter != "" && exporter != "otlp") {
		return
	}
	take("protocol", setTo(&t.Protocol, parseTracingProtocol), "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
	take("endpoint", setTo(&t.Endpoint, parseCollector), "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
	take("endpoint", setTo(&t.Endpoint, func(text string) (string, error) {
		if t.Protocol == TracingHTTP {
			text = strings.TrimSuffix(text, "/") + "/v1/traces"
		}
		return parseCollector(text)
	}), "OTEL_EXPORTER_OTLP_ENDPOINT")
	if exporter == "otlp" && !said("endpoint") {
		t.Endpoint = map[string]string{TracingHTTP: "http://localhost:4318", TracingGRPC: "http://localhost:4317"}[t.Protocol]
	}
	if t.Endpoint == "" {
		return
	}
	take("headers", setTo(&t.Headers, func(text string) (SecretKey, error) { return SecretKey(text), checkHeaders(SecretKey(text)) }),
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
	take("sample_ratio", setTo(&t.SampleRatio, func(sampler string) (float64, error) {
		share, _ := look("OTEL_TRACES_SAMPLER_ARG")
		return ratioOf(sampler, share)
	}), "OTEL_TRACES_SAMPLER")
}

func setTo[T any](into *T, parse func(string) (T, error)) func(string) error {
	return value("", into, parse, func(T) string { return "" }).set
}

// ratioOf is the share of OpenTelemetry's samplers. Whether they ask the parent makes no difference: this gateway always does.
func ratioOf(sampler, share string) (float64, error) {
	switch strings.TrimPrefix(sampler, "parentbased_") {
	case "always_on":
		return 1, nil
	case "always_off":
		return 0, nil
	case "traceidratio":
		if share == "" {
			return 1, nil
		}
		r, err := parseRatio(share)
		if err != nil {
			return 0, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG %w", err)
		}
		return r, nil
	}
	return 0, errors.New("is not a sampler that is known; use parentbased_traceidratio, with the share in OTEL_TRACES_SAMPLER_ARG")
}
