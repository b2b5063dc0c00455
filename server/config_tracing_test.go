package server

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOpenTelemetrysVariables fill in what nothing of ours says.
func TestOpenTelemetrysVariables(t *testing.T) {
	const at, own = "http://collector:4318", "tracing: {endpoint: 'https://own:1'}\n"
	type vars = map[string]string
	for name, c := range map[string]struct {
		file string
		vars vars
		want Tracing
	}{
		"nothing":             {"", nil, Tracing{"", TracingHTTP, nil, 1}},
		"empty":               {"", vars{"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, Tracing{"", TracingHTTP, nil, 1}},
		"endpoint":            {"", vars{"OTEL_EXPORTER_OTLP_ENDPOINT": at + "/"}, Tracing{at + "/v1/traces", TracingHTTP, nil, 1}},
		"endpoint with path":  {"", vars{"OTEL_EXPORTER_OTLP_ENDPOINT": at + "/a"}, Tracing{at + "/a/v1/traces", TracingHTTP, nil, 1}},
		"of traces":           {"", vars{"OTEL_EXPORTER_OTLP_ENDPOINT": at, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": at + "/b"}, Tracing{at + "/b", TracingHTTP, nil, 1}},
		"grpc":                {"", vars{"OTEL_EXPORTER_OTLP_ENDPOINT": at, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, Tracing{at, TracingGRPC, nil, 1}},
		"grpc for traces":     {"", vars{"OTEL_EXPORTER_OTLP_ENDPOINT": at, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, Tracing{at, TracingGRPC, nil, 1}},
		"headers":             {"", vars{"OTEL_EXPORTER_OTLP_ENDPOINT": at + "/x", "OTEL_EXPORTER_OTLP_HEADERS": "a=b"}, Tracing{at + "/x/v1/traces", TracingHTTP, SecretKey("a=b"), 1}},
		"exporter alone":      {"", vars{"OTEL_TRACES_EXPORTER": "otlp"}, Tracing{"http://localhost:4318", TracingHTTP, nil, 1}},
		"another exporter":    {"", vars{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": at}, Tracing{"", TracingHTTP, nil, 1}},
		"disabled":            {"", vars{"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": at}, Tracing{"", TracingHTTP, nil, 1}},
		"share":               {own, vars{"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}, Tracing{"https://own:1", TracingHTTP, nil, 0.1}},
		"never":               {own, vars{"OTEL_TRACES_SAMPLER": "always_off"}, Tracing{"https://own:1", TracingHTTP, nil, 0}},
		"ours goes before":    {own, vars{"OTEL_EXPORTER_OTLP_ENDPOINT": at, "OTEL_EXPORTER_OTLP_HEADERS": "a=b"}, Tracing{"https://own:1", TracingHTTP, SecretKey("a=b"), 1}},
		"our headers as well": {"tracing: {endpoint: 'https://own:1', headers: {env: OURS}}\n", vars{"OURS": "c=d", "OTEL_EXPORTER_OTLP_HEADERS": "a=b"}, Tracing{"https://own:1", TracingHTTP, SecretKey("c=d"), 1}},
		"off":                 {"tracing: {endpoint: off}\n", vars{"OTEL_EXPORTER_OTLP_ENDPOINT": at, "OTEL_TRACES_EXPORTER": "otlp"}, Tracing{"", TracingHTTP, nil, 1}},
		"off by ours":         {"", vars{"HEADGATE_TRACING_ENDPOINT": "off", "OTEL_EXPORTER_OTLP_ENDPOINT": at}, Tracing{"", TracingHTTP, nil, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := load(t, minimal+c.file, c.vars)
			if err != nil {
				t.Fatal(err)
			}
			text := func(k SecretKey) string { return string(k) }
			if diff := cmp.Diff(c.want, got.Tracing, cmp.Transformer("text", text)); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
	dev, err := LoadDev(environ(vars{"OTEL_EXPORTER_OTLP_ENDPOINT": at}))
	if err != nil || !dev.Tracing.on() {
		t.Errorf("--dev: %+v, %v", dev.Tracing, err)
	}
}

// TestOpenTelemetrysVariablesAreRefused by their names, without what they hold.
func TestOpenTelemetrysVariablesAreRefused(t *testing.T) {
	for variable, path := range map[string]string{
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "tracing.endpoint", "OTEL_EXPORTER_OTLP_PROTOCOL": "tracing.protocol",
		"OTEL_EXPORTER_OTLP_HEADERS": "tracing.headers", "OTEL_TRACES_SAMPLER": "tracing.sample_ratio",
	} {
		vars := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:1"}
		vars[variable] = hidden
		_, err := load(t, minimal, vars)
		wantProblem(t, err, path, variable)
		if showsSecret(err.Error()) {
			t.Errorf("it is repeated: %v", err)
		}
	}
	_, err := load(t, minimal, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:1", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": hidden,
	})
	wantProblem(t, err, "tracing.sample_ratio", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG is not a share")
}

func TestHeadersOfTheCollector(t *testing.T) {
	got, err := parseHeaders(SecretKey("Authorization = Bearer%20a%2Cb , x-team=c=d"))
	if diff := cmp.Diff(map[string]string{"authorization": "Bearer a,b", "x-team": "c=d"}, got); err != nil || diff != "" {
		t.Errorf("%v, want -, got +\n%s", err, diff)
	}
	for _, bad := range []string{"", hidden, "a=b,", "=b", "a b=c", "a=b,A=c", "a=%zz", "a=%0d%0ab", "a:b=c", "\xff=a"} {
		if got, err := parseHeaders(SecretKey(bad)); err == nil || showsSecret(err.Error()) {
			t.Errorf("%q gives %v, %v", bad, got, err)
		}
	}
}

func TestHeadersInClear(t *testing.T) {
	for endpoint, warns := range map[string]bool{"http://collector:4318": true, "https://collector:4318": false, "http://127.0.0.1:4318": false, "http://localhost": false} {
		c, err := load(t, minimal+"tracing: {endpoint: '"+endpoint+"', headers: {file: secrets/collector}}\n", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(c.Warnings, "\n"), "travel in clear"); got != warns {
			t.Errorf("%s: %v", endpoint, c.Warnings)
		}
	}
}

func TestTracingWaitsForARestart(t *testing.T) {
	was := Default()
	now := was
	now.Tracing = Tracing{"https://own:1", TracingGRPC, SecretKey("a=b"), 0.5}
	want := []string{"tracing.endpoint", "tracing.protocol", "tracing.sample_ratio", "tracing.headers"}
	if diff := cmp.Diff(want, needRestart(&was, &now)); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}
