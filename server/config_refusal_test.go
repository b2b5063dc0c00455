package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// good are the lines that make a good configuration; a case replaces or adds some.
func good(changes map[string]string) string {
	lines := map[string]string{
		"data_dir":  "/var/lib/headgate",
		"contexts":  "[Cust26759]",
		"time_zone": "Europe/Oslo",
		"secrets":   "[{id: a, file: secrets/acme}]",
		"name":      "acme",
		"more":      "",
		"top":       "",
	}
	for k, v := range changes {
		lines[k] = v
	}
	var b strings.Builder
	b.WriteString("data_dir: " + lines["data_dir"] + "\nsources:\n  " + lines["name"] + ":\n")
	for _, k := range []string{"contexts", "time_zone", "secrets"} {
		if lines[k] != "-" {
			b.WriteString("    " + k + ": " + lines[k] + "\n")
		}
	}
	if lines["more"] != "" {
		b.WriteString("    " + lines["more"] + "\n")
	}
	return b.String() + lines["top"] + "\n"
}

// TestRefusals: each refusal names the setting, its line and what to do.
func TestRefusals(t *testing.T) {
	type refusal struct {
		name    string
		changes map[string]string
		path    string
		origin  string
		texts   []string
	}
	const source = "sources.acme."
	cases := []refusal{
		// The shape of the file. data_dir is line 1, the source's keys are lines 4 to 6, what a case adds at the top level is line 7.
		{"unknown key", map[string]string{"top": "retentoin: {}"}, "retentoin", "line 7", []string{"did you mean retention?"}},
		{"unknown key far from all", map[string]string{"top": "colour: red"}, "?", "line 7", []string{"known here: data_dir, limits, listen"}},
		{"unknown key in a section", map[string]string{"top": "listen: {gprc: x}"}, "listen.gprc", "line 7", []string{"did you mean grpc?"}},
		{"unknown key in a source", map[string]string{"more": "context: [a]"}, source + "context", "line 7", []string{"did you mean contexts?"}},
		{"unsigned from a file", map[string]string{"more": "unsigned: true"}, source + "?", "line 7", []string{"unknown key"}},
		{"flag in the file", map[string]string{"top": "accept_data_loss: true"}, "?", "line 7", []string{"unknown key"}},
		{"merge key", map[string]string{"top": "listen: {<<: {api: x}}"}, "listen.?", "line 7", []string{"unknown key"}},
		{"key twice", map[string]string{"top": "data_dir: /other"}, "data_dir", "line 7", []string{"stands here twice, first on line 1"}},
		{"source twice", map[string]string{"top": "  acme: {}"}, "sources.acme", "line 7", []string{"twice, first on line 3"}},
		{"list for a mapping", map[string]string{"top": "listen: [a]"}, "listen", "line 7", []string{"must be a mapping"}},
		{"mapping for a value", map[string]string{"data_dir": "{a: b}"}, "data_dir", "line 1", []string{"must be a single value"}},
		{"value for a list", map[string]string{"contexts": "Cust1"}, source + "contexts", "line 4", []string{"must be a list", "[one, two]"}},
		{"key without value", map[string]string{"data_dir": ""}, "data_dir", "line 1", []string{"has no value"}},
		{"key that is no word", map[string]string{"top": "[a]: b"}, "", "line 7", []string{"must be a plain word"}},

		// Values.
		{"duration without unit", map[string]string{"top": "retention: {max_age: 90}"}, "retention.max_age", "line 7", []string{`is not a duration`, "90d"}},
		{"no age", map[string]string{"top": "retention: {max_age: 0d}"}, "retention.max_age", "line 7", []string{"must be more than 0", "90d"}},
		{"at least more than age", map[string]string{"top": "retention: {max_age: 2d}"}, "retention.at_least", "line 7", []string{"3d", "2d", "shorter"}},
		{"size without unit", map[string]string{"top": "retention: {max_size: 10}"}, "retention.max_size", "line 7", []string{`is not a size`, "10GiB"}},
		{"small log", map[string]string{"top": "retention: {max_size: 1KiB}"}, "retention.max_size", "line 7", []string{"1KiB is too little", "at least 1MiB"}},
		{"no quarantine", map[string]string{"top": "retention: {quarantine_max_size: 1KiB}"}, "retention.quarantine_max_size", "line 7", []string{"too little"}},
		{"no reserve", map[string]string{"top": "retention: {disk_reserve: 0B}"}, "retention.disk_reserve", "line 7", []string{"too little"}},
		{"no refusals", map[string]string{"top": "webhook: {unauthenticated_per_second: 0}"}, "webhook.unauthenticated_per_second", "line 7", []string{"use 1 to 10000"}},
		{"proxies no list", map[string]string{"top": "webhook: {trusted_proxies: 10.0.0.1}"}, "webhook.trusted_proxies", "line 7", []string{"must be a list"}},
		{"empty list of proxies", map[string]string{"top": "webhook: {trusted_proxies: []}"}, "webhook.trusted_proxies", "line 7", []string{"lists nothing"}},
		{"proxy", map[string]string{"top": "webhook: {trusted_proxies: [10.0.0.1, proxy]}"}, "webhook.trusted_proxies[1]", "line 7", []string{`is not a network`, "a single address"}},
		{"everybody a proxy", map[string]string{"top": "webhook: {trusted_proxies: [\"::/0\"]}"}, "webhook.trusted_proxies[0]", "line 7", []string{"every address"}},
		{"proxy in a network", map[string]string{"top": "webhook: {trusted_proxies: [10.0.0.1/8]}"}, "webhook.trusted_proxies[0]", "line 7", []string{"write 10.0.0.0/8"}},
		{"large body", map[string]string{"top": "webhook: {max_body_size: 4MiB}"}, "webhook.max_body_size", "line 7", []string{"4MiB is out of range; use 64KiB to 3MiB"}},
		{"small body", map[string]string{"top": "webhook: {max_body_size: 63KiB}"}, "webhook.max_body_size", "line 7", []string{"use 64KiB to 3MiB"}},
		{"no tail", map[string]string{"top": "limits: {tail_size: 64KiB}"}, "limits.tail_size", "line 7", []string{"use 1MiB to 64GiB"}},
		{"no streams", map[string]string{"top": "limits: {max_streams: 0}"}, "limits.max_streams", "line 7", []string{"use 1 to 1000000"}},
		{"streams no number", map[string]string{"top": "limits: {max_streams: many}"}, "limits.max_streams", "line 7", []string{`is not a whole number`}},
		{"long shutdown", map[string]string{"top": "shutdown_timeout: 1h"}, "shutdown_timeout", "line 7", []string{"1h is out of range; use 1ms to 10m"}},
		{"log level", map[string]string{"top": "log: {level: loud}"}, "log.level", "line 7", []string{"debug, info, warn or error"}},
		{"collector", map[string]string{"top": "tracing: {endpoint: 'collector:4317'}"}, "tracing.endpoint", "line 7", []string{"is not the URL of a collector", "https://collector:4318, or off"}},
		{"collector with a password", map[string]string{"top": "tracing: {endpoint: 'https://a:b@collector'}"}, "tracing.endpoint", "line 7", []string{"holds a user or a password", "tracing.headers"}},
		{"collector with a query", map[string]string{"top": "tracing: {endpoint: 'https://collector/?key=a'}"}, "tracing.endpoint", "line 7", []string{"more than scheme, host, port and path"}},
		{"tracing protocol", map[string]string{"top": "tracing: {protocol: http/json}"}, "tracing.protocol", "line 7", []string{"use http/protobuf or grpc"}},
		{"more than all", map[string]string{"top": "tracing: {sample_ratio: 2}"}, "tracing.sample_ratio", "line 7", []string{"is not a share; write a number from 0 to 1"}},
		{"no number", map[string]string{"top": "tracing: {sample_ratio: nan}"}, "tracing.sample_ratio", "line 7", []string{"is not a share"}},
		{"headers in the file", map[string]string{"top": "tracing: {headers: 'a=b'}"}, "tracing.headers", "line 7", []string{"must be a mapping"}},
		{"no headers", map[string]string{"top": "tracing: {headers: {}}"}, "tracing.headers", "line 7", []string{"give file:", "or env:"}},
		{"two of headers", map[string]string{"top": "tracing: {headers: {file: a, env: B}}"}, "tracing.headers", "line 7", []string{"has both file and env"}},
		{"no such headers", map[string]string{"top": "tracing: {headers: {env: NONE}}"}, "tracing.headers.env", "line 7", []string{"put the collector's headers in it"}},
		{"headers that are none", map[string]string{"top": "tracing: {headers: {file: secrets/acme}}"}, "tracing.headers.file", "line 7", []string{"are no headers", "authorization=Bearer%20abc"}},
		{"log format", map[string]string{"top": "log: {format: xml}"}, "log.format", "line 7", []string{"auto, text or json"}},

		// Addresses.
		{"public grpc", map[string]string{"top": "listen: {grpc: '10.0.0.5:9090'}"}, "listen.grpc", "line 7", []string{"without readers whoever reached it could read everything", "name readers, or use 127.0.0.1:9090"}},
		{"public profiles", map[string]string{"top": "listen: {pprof: ':6060'}"}, "listen.pprof", "line 7", []string{"no reader is an operator", "use 127.0.0.1:6060"}},
		{"public profiles for readers", map[string]string{"top": "listen: {pprof: ':6060'}\nreaders: {a: {tokens: ['sha256:" + hashA + "'], allow: [{sources: [acme]}]}}"}, "listen.pprof", "line 7", []string{"no reader is an operator"}},
		{"public profiles in clear", map[string]string{"top": "listen: {pprof: ':6060'}\nreaders: {a: {tokens: ['sha256:" + hashA + "'], operator: true}}"}, "listen.pprof", "line 7", []string{"without TLS", "use 127.0.0.1:6060"}},
		{"profiles and metrics at one address", map[string]string{"top": "listen: {pprof: '127.0.0.1:9100'}"}, "listen.pprof", "line 7", []string{"already the address of listen.admin"}},
		{"public api", map[string]string{"top": "listen: {api: ':8081'}"}, "listen.api", "line 7", []string{"not a loopback address", "use 127.0.0.1:8081"}},
		{"any IPv6", map[string]string{"top": "listen: {api: '[::]:8081'}"}, "listen.api", "line 7", []string{"use 127.0.0.1:8081"}},
		{"no port", map[string]string{"top": "listen: {webhook: localhost}"}, "listen.webhook", "line 7", []string{"write host:port"}},
		{"port too large", map[string]string{"top": "listen: {webhook: ':80800'}"}, "listen.webhook", "line 7", []string{"write host:port"}},
		{"URL", map[string]string{"top": "listen: {webhook: 'http://a:80'}"}, "listen.webhook", "line 7", []string{"write host:port"}},
		{"same address", map[string]string{"top": "listen: {grpc: '127.0.0.1:8081'}"}, "listen.grpc", "line 7", []string{"already the address of listen.api"}},

		// Sources.
		{"name", map[string]string{"name": "Acme_AS"}, "sources.?", "line 3", []string{"becomes part of the webhook's URL", "small letters"}},
		{"long name", map[string]string{"name": strings.Repeat("a", 64)}, "sources.?", "line 3", []string{"up to 63"}},
		{"no contexts", map[string]string{"contexts": "-"}, source + "contexts", "line 4", []string{"is missing", "[Cust12345]"}},
		{"empty contexts", map[string]string{"contexts": "[]"}, source + "contexts", "line 4", []string{"lists nothing"}},
		{"every context", map[string]string{"contexts": `["*"]`}, source + "contexts[0]", "line 4", []string{"must not speak for every tenant", "list each context"}},
		{"context pattern", map[string]string{"contexts": `[A, Cust*]`}, source + "contexts[1]", "line 4", []string{"is a pattern"}},
		{"context with a space", map[string]string{"contexts": `["Cust 1"]`}, source + "contexts[0]", "line 4", []string{"ContextIdentifier"}},
		{"context twice", map[string]string{"contexts": `[A, A]`}, source + "contexts[1]", "line 4", []string{"stands here twice"}},
		{"no time zone", map[string]string{"time_zone": "-"}, source + "time_zone", "line 4", []string{"is missing", "Europe/Oslo"}},
		{"bad time zone", map[string]string{"time_zone": "Europe/Olso"}, source + "time_zone", "line 5", []string{"tz database"}},
		{"this machine's time zone", map[string]string{"time_zone": "Local"}, source + "time_zone", "line 5", []string{"tz database"}},
		{"table number", map[string]string{"more": "tables: {contact: 5}"}, source + "tables.?", "line 7", []string{"{5: contact}"}},
		{"table number too large", map[string]string{"more": "tables: {2147483648: a}"}, source + "tables.?", "line 7", []string{"not a table number"}},
		{"table name", map[string]string{"more": "tables: {5: Contact}"}, source + "tables.5", "line 7", []string{"small letters"}},
		{"table twice", map[string]string{"more": "tables: {5: contact, 05: person}"}, source + "tables.05", "line 7", []string{"table 5 is already contact"}},

		{"sender", map[string]string{"more": "allow_addresses: [203.0.113.0/33]"}, source + "allow_addresses[0]", "line 7", []string{"is not a network"}},
		{"mapped sender", map[string]string{"more": "allow_addresses: ['::ffff:10.0.0.0/104']"}, source + "allow_addresses[0]", "line 7", []string{"is not a network"}},
		{"no senders", map[string]string{"more": "allow_addresses: []"}, source + "allow_addresses", "line 7", []string{"lists nothing"}},
		{"awaiting", map[string]string{"more": "awaiting_secret_until: tomorrow"}, source + "awaiting_secret_until", "line 7", []string{"2026-12-31"}},

		// Secrets.
		{"no secrets", map[string]string{"secrets": "-"}, source + "secrets", "line 4", []string{"is missing", "{id: a, file: secrets/acme}", "awaiting_secret_until"}},
		{"no id", map[string]string{"secrets": "[{file: secrets/acme}]"}, source + "secrets[0].id", "line 6", []string{"names the secret in logs"}},
		{"id twice", map[string]string{"secrets": "[{id: a, file: secrets/acme}, {id: a, file: secrets/globex}]"}, source + "secrets[1].id", "line 6", []string{"give each its own"}},
		{"neither file nor env", map[string]string{"secrets": "[{id: a}]"}, source + "secrets[0]", "line 6", []string{"give file:", "or env:"}},
		{"file and env", map[string]string{"secrets": "[{id: a, file: secrets/acme, env: A}]"}, source + "secrets[0]", "line 6", []string{"keep one"}},
		{"no such file", map[string]string{"secrets": "[{id: a, file: secrets/none}]"}, source + "secrets[0].file", "line 6", []string{"there is no file of this name in", "secrets; write the webhook's secret to it"}},
		{"no such folder", map[string]string{"secrets": "[{id: a, file: none/acme}]"}, source + "secrets[0].file", "line 6", []string{"nor a folder for it", "the name of a file that holds the webhook's secret"}},
		{"no name of a file", map[string]string{"secrets": "[{id: a, file: '" + strings.Repeat("x", 300) + "'}]"}, source + "secrets[0].file", "line 6", []string{"cannot look at the file: file name too long"}},
		{"long id", map[string]string{"secrets": "[{id: a-name-like-that, file: secrets/acme}]"}, source + "secrets[0].id", "line 6", []string{"must be 1 to 15 letters"}},
		{"folder", map[string]string{"secrets": "[{id: a, file: secrets}]"}, source + "secrets[0].file", "line 6", []string{"is not a file"}},
		{"empty secret", map[string]string{"secrets": "[{id: a, file: secrets/empty}]"}, source + "secrets[0].file", "line 6", []string{"is empty", "secrets/empty"}},
		{"short secret", map[string]string{"secrets": "[{id: a, file: secrets/short}]"}, source + "secrets[0].file", "line 6", []string{"too short", "at least 16 bytes"}},
		{"two lines", map[string]string{"secrets": "[{id: a, file: secrets/lines}]"}, source + "secrets[0].file", "line 6", []string{"not one line of text"}},
		{"UTF-16", map[string]string{"secrets": "[{id: a, file: secrets/utf16}]"}, source + "secrets[0].file", "line 6", []string{"save it as UTF-8"}},
		{"byte order mark", map[string]string{"secrets": "[{id: a, file: secrets/bom}]"}, source + "secrets[0].file", "line 6", []string{"byte order mark"}},
		{"large file", map[string]string{"secrets": "[{id: a, file: secrets/too-long}]"}, source + "secrets[0].file", "line 6", []string{"too large", "holds the webhook's secret and nothing else"}},
		{"variable not set", map[string]string{"secrets": "[{id: a, env: NOT_SET}]"}, source + "secrets[0].env", "line 6", []string{"there is no environment variable of this name", "put the webhook's secret in it"}},
		{"empty variable", map[string]string{"secrets": "[{id: a, env: EMPTY}]"}, source + "secrets[0].env", "line 6", []string{"EMPTY: the secret is empty"}},
		{"date", map[string]string{"secrets": "[{id: a, file: secrets/acme, not_after: 31.12.2026}]"}, source + "secrets[0].not_after", "line 6", []string{"2026-12-31"}},
		{"never holds", map[string]string{"secrets": "[{id: a, file: secrets/acme, not_before: 2026-02-01, not_after: 2026-01-31}]"}, source + "secrets[0].not_after", "line 6", []string{"never holds"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, good(c.changes), map[string]string{"EMPTY": ""})
			wantProblem(t, err, c.path, c.origin, c.texts...)
		})
	}
	if _, err := load(t, good(nil), nil); err != nil {
		t.Errorf("the good configuration: %v", err)
	}
}

func TestAVariableIsNamedInItsRefusal(t *testing.T) {
	_, err := load(t, good(nil), map[string]string{"HEADGATE_LOG_LEVEL": "loud"})
	wantProblem(t, err, "log.level", "HEADGATE_LOG_LEVEL or its flag", "debug, info, warn or error")
	_, err = load(t, good(nil), map[string]string{"HEADGATE_LISTEN_GRPC": ":9090"})
	wantProblem(t, err, "listen.grpc", "HEADGATE_LISTEN_GRPC or its flag", "use 127.0.0.1:9090")
}

func TestFilesThatCannotBeUsedAtAll(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"not YAML":      {"a: b: c", "the configuration is not YAML: yaml: mapping values are not allowed"},
		"a list's end":  {"a: [b", "did not find expected ',' or ']'"},
		"no anchor":     {"a: *" + hidden, "the configuration is not YAML: yaml: unknown anchor '…' referenced"},
		"two documents": {minimal + "---\na: b\n", "more than one YAML document"},
	} {
		if _, err := load(t, c.file, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got: %v", name, c.want, err)
		}
	}
	missing := filepath.Join(t.TempDir(), "none.yaml")
	if _, err := Load(missing, environ(nil)); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("no file: got %v", err)
	}
	_, err := load(t, "- a\n", nil)
	if err == nil || !strings.Contains(err.Error(), "line 1: must be a mapping") {
		t.Errorf("a list: got %v", err)
	}
	_, err = load(t, "# nothing\n", nil)
	if err == nil || !strings.Contains(err.Error(), "data_dir: is missing") || !strings.Contains(err.Error(), "sources: is missing") {
		t.Errorf("empty file: got %v", err)
	}
}

// What only a program can ask for is refused too.
func TestValidateRefusesWhatNoFileCanSay(t *testing.T) {
	dev := Dev()
	dev.Dev = false
	var ps Problems
	if !errors.As(dev.Validate(), &ps) {
		t.Fatal("unsigned source without Dev is taken")
	}
	if !ps.touches("sources.dev.unsigned") || !ps.touches("sources.dev.contexts") || len(ps) != 2 {
		t.Errorf("got %v", ps)
	}

	c := Dev()
	c.Log.Format, c.Retention.AtLeast, c.Drain = "", -time.Second, 0
	if !errors.As(c.Validate(), &ps) || len(ps) != 3 {
		t.Errorf("got %v", ps)
	}

	c = Dev()
	c.Sources["dev"] = Source{Location: time.UTC, Secrets: []Secret{{ID: "a", Key: SecretKey("short")}}}
	wantProblem(t, c.Validate(), "sources.dev.secrets[0]", "", "too short")
}
