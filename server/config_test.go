package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const acmeSecret = "acme-secret-0123456789"

const collectorToken = "collector-0123456789"

// whole is a configuration file that says everything that can be said.
const whole = `
data_dir: log
listen:
  webhook: ":8080"
  api: 127.0.0.1:8081
  grpc: "[::1]:9090"
  admin: localhost:9100
  pprof: 127.0.0.1:6060
retention: {max_age: 30d, max_size: 20GiB, at_least: 12h, disk_reserve: 512MiB, quarantine_max_size: 64MiB}
webhook: {max_body_size: 2MiB, trusted_proxies: [10.0.0.0/8, 192.168.0.1], unauthenticated_per_second: 5}
limits: {tail_size: 8MiB, max_streams: 50, reader: {streams: 20, connections: 10, requests_per_second: 5}}
shutdown_timeout: 8s
log: {level: debug, format: json}
tracing: {endpoint: "https://collector:4317", protocol: grpc, headers: {file: secrets/collector}, sample_ratio: 0.25}
sources:
  acme:
    contexts: [Cust26759]
    time_zone: Europe/Oslo
    secrets:
      - {id: 2026a, file: secrets/acme, not_before: 2026-01-01, not_after: 2026-12-31}
      - {id: 2026b, env: ACME_SECRET, not_before: 2026-06-01T12:00:00+02:00}
  globex:
    contexts: [Default]
    time_zone: Europe/Berlin
    tables: {5: contact, 6: person, 13: y_boat}
    secrets: [{id: a, file: secrets/globex}]
    allow_addresses: [203.0.113.0/24, "2001:db8::/32"]
  initech:
    contexts: [Cust1]
    time_zone: UTC
    awaiting_secret_until: 2026-08-31
tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, client_ca_file: tls/ca.pem, listeners: [api, grpc]}
readers:
  billing:
    tokens: ["sha256:` + hashA + `", "sha256:` + hashB + `"]
    allow: [{sources: [acme], contexts: ["Cust*"], entities: [relation], actions: [created, changed]}]
    limits: {streams: 3, connections: 2, requests_per_second: 1}
  directory:
    client_certificate: spiffe://corp/directory
    allow: [{sources: ["*"], entities: [associate]}, {sources: [globex], raw_body: true}]
    limits: {streams: 4}
  audit:
    jwt: {issuer: https://id.corp, audience: headgate, subject: audit, claims: {team: audit}, keys_file: keys.json}
    operator: true
  other:
    jwt: {issuer: http://localhost:1/realm, audience: headgate, claims: {team: other}, keys_url: https://id.corp/keys}
    allow: [{sources: [initech], raw_body: false}]
`

// hashA and hashB are hashes of tokens that nobody has.
const (
	hashA = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"
	hashB = "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"
)

// folder makes a configuration folder with the file, and with the secrets that whole names.
func folder(t testing.TB, config string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "tls"), 0o700); err != nil {
		t.Fatal(err)
	}
	ca := newAuthority(t, "ca")
	ca.write(t, filepath.Join(dir, "tls/ca.pem"))
	ca.issue(t, "own").write(t, filepath.Join(dir, "tls/cert.pem"), filepath.Join(dir, "tls/key.pem"))
	for name, text := range map[string]string{
		"headgate.yaml":     config,
		"keys.json":         keySet(t),
		"secrets/acme":      acmeSecret + "\n",
		"secrets/globex":    "globex-secret-0123456789\r\n",
		"secrets/collector": "authorization=Bearer%20" + collectorToken + ",x-team=a\n",
		"secrets/empty":     "\n",
		"secrets/short":     "fifteen-bytes..",
		"secrets/lines":     "0123456789abcdef\n0123456789abcdef\n",
		"secrets/utf16":     "\xff\xfe0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00",
		"secrets/bom":       "\ufeff0123456789abcdef",
		"secrets/too-long":  strings.Repeat("x", 5000),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// environ makes a map answer as the environment does.
func environ(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func load(t testing.TB, config string, vars map[string]string) (Config, error) {
	t.Helper()
	return Load(filepath.Join(folder(t, config), "headgate.yaml"), environ(vars))
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestLoadReadsEverything(t *testing.T) {
	dir := folder(t, whole)
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	got, err := parse([]byte(whole), dir, environ(map[string]string{"ACME_SECRET": "acme-other-0123456789"}), now)
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		DataDir:   filepath.Join(dir, "log"),
		Listen:    Listen{Webhook: ":8080", API: "127.0.0.1:8081", GRPC: "[::1]:9090", Admin: "localhost:9100", PProf: "127.0.0.1:6060"},
		Retention: Retention{MaxAge: 720 * time.Hour, MaxSize: 20 << 30, AtLeast: 12 * time.Hour, DiskReserve: 512 << 20, QuarantineMaxSize: 64 << 20},
		TLS: TLS{
			CertFile: filepath.Join(dir, "tls/cert.pem"), KeyFile: filepath.Join(dir, "tls/key.pem"), ClientCAFile: filepath.Join(dir, "tls/ca.pem"),
			Listeners: []string{"api", "grpc"},
		},
		Webhook: Webhook{
			MaxBodyBytes: 2 << 20, UnauthenticatedPerSecond: 5,
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.0.1/32")},
		},
		Limits: Limits{TailBytes: 8 << 20, MaxStreams: 50, Reader: ReaderLimits{20, 10, 5}},
		Log:    Log{Level: slog.LevelDebug, Format: "json"},
		Tracing: Tracing{
			Endpoint: "https://collector:4317", Protocol: TracingGRPC, SampleRatio: 0.25, Headers: SecretKey("authorization=Bearer%20" + collectorToken + ",x-team=a"),
		},
		Drain:   8 * time.Second,
		Version: "devel",
		Sources: map[string]Source{
			"acme": {
				Contexts: []string{"Cust26759"},
				Location: mustZone(t, "Europe/Oslo"),
				Secrets: []Secret{
					{
						ID: "2026a", Key: SecretKey(acmeSecret),
						NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
						NotAfter:  time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
					},
					{ID: "2026b", Key: SecretKey("acme-other-0123456789"), NotBefore: time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)},
				},
			},
			"globex": {
				Contexts:       []string{"Default"},
				Location:       mustZone(t, "Europe/Berlin"),
				Tables:         map[int32]string{5: "contact", 6: "person", 13: "y_boat"},
				Secrets:        []Secret{{ID: "a", Key: SecretKey("globex-secret-0123456789")}},
				AllowAddresses: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32")},
			},
			"initech": {
				Contexts: []string{"Cust1"}, Location: time.UTC,
				AwaitingSecretUntil: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC),
			},
		},
		Readers: map[string]Reader{
			"billing": {
				Tokens: []string{"sha256:" + hashA, "sha256:" + hashB},
				Allow: []Allow{{
					Sources: []string{"acme"}, Contexts: []string{"Cust*"}, Entities: []string{"relation"}, Actions: []string{"created", "changed"},
				}},
				Limits: ReaderLimits{3, 2, 1},
			},
			"directory": {
				ClientCertificate: "spiffe://corp/directory",
				Allow:             []Allow{{Sources: []string{"*"}, Entities: []string{"associate"}}, {Sources: []string{"globex"}, RawBody: true}},
				Limits:            ReaderLimits{Streams: 4},
			},
			"audit": {
				JWT: &JWT{
					Issuer: "https://id.corp", Audience: "headgate", Subject: "audit", Claims: map[string]string{"team": "audit"},
					KeysFile: filepath.Join(dir, "keys.json"), Keys: got.Readers["audit"].JWT.Keys,
				},
				Operator: true,
			},
			"other": {
				JWT: &JWT{
					Issuer: "http://localhost:1/realm", Audience: "headgate", Claims: map[string]string{"team": "other"},
					KeysURL: "https://id.corp/keys",
				},
				Allow: []Allow{{Sources: []string{"initech"}}},
			},
		},
		Warnings: []string{"sources.initech: awaits its secret until 2026-09-01T00:00:00Z, and takes nothing but the test call until it has one"},
	}
	for _, name := range []string{"secrets/collector", "secrets/acme", "secrets/globex", "keys.json", "tls/cert.pem", "tls/key.pem", "tls/ca.pem"} {
		want.Files = append(want.Files, filepath.Join(dir, name))
	}
	sameZone := cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })
	comparePrefix := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	if diff := cmp.Diff(want, got, sameZone, comparePrefix); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}

// minimal is the least that a configuration file must say.
const minimal = `
data_dir: /var/lib/headgate
sources:
  acme: {contexts: [Cust26759], time_zone: Europe/Oslo, secrets: [{id: a, file: secrets/acme}]}
`

func TestDefaultsHoldWhereTheFileIsSilent(t *testing.T) {
	got, err := load(t, minimal, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.DataDir, want.Sources, want.Files = "/var/lib/headgate", got.Sources, got.Files
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *time.Location) bool { return a == b })); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if got.Retention.MaxAge != 2160*time.Hour || got.Retention.MaxSize != 10<<30 || got.Retention.AtLeast != 72*time.Hour {
		t.Errorf("default retention is %+v", got.Retention)
	}
}

func TestEnvironmentComesBeforeFileAndFileBeforeDefault(t *testing.T) {
	file := minimal + "listen: {grpc: '127.0.0.1:1111', api: '127.0.0.1:2222'}\n"
	got, err := load(t, file, map[string]string{
		"HEADGATE_LISTEN_GRPC":            "127.0.0.1:3333",
		"HEADGATE_LISTEN_API":             "", // counts as not set
		"HEADGATE_DATA_DIR":               "elsewhere",
		"HEADGATE_RETENTION_MAX_SIZE":     "1GB",
		"HEADGATE_WEBHOOK_MAX_BODY_SIZE":  "64KiB",
		"HEADGATE_RETENTION_DISK_RESERVE": "2MiB",
		"HEADGATE_SHUTDOWN_TIMEOUT":       "1m",
		"HEADGATE_LIMITS_MAX_STREAMS":     "7",
		"HEADGATE_LOG_LEVEL":              "warn",
		"HEADGATE_LIMITS_READER_STREAMS":  "8",
		"HEADGATE_LISTEN_PPROF":           "127.0.0.1:4444",
		"HEADGATE_TRACING_ENDPOINT":       "http://[::1]:4318",
		"HEADGATE_TRACING_SAMPLE_RATIO":   "1e-3",
		"HEADGATE_PORT":                   "tcp://10.0.0.1:80", // what a cluster sets for a service of that name
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Listen.GRPC, want.Listen.API = "127.0.0.1:3333", "127.0.0.1:2222"
	want.DataDir = "elsewhere"
	want.Retention.MaxSize, want.Retention.DiskReserve = 1e9, 2<<20
	want.Webhook.MaxBodyBytes, want.Drain, want.Limits.MaxStreams = 64<<10, time.Minute, 7
	want.Log.Level, want.Limits.Reader.Streams = slog.LevelWarn, 8
	want.Listen.PProf, want.Tracing.Endpoint, want.Tracing.SampleRatio = "127.0.0.1:4444", "http://[::1]:4318", 0.001
	want.Sources, want.Files = got.Sources, got.Files
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *time.Location) bool { return a == b })); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}

func TestEverySettingHasItsVariable(t *testing.T) {
	c := Default()
	for _, s := range settings(&c) {
		asked := map[string]bool{}
		_, _ = parse([]byte(minimal), t.TempDir(), func(name string) (string, bool) { asked[name] = true; return "", false }, time.Time{})
		want := "HEADGATE_" + strings.ToUpper(strings.ReplaceAll(s.path, ".", "_"))
		if !asked[want] {
			t.Errorf("%s: nobody asked for %s", s.path, want)
		}
	}
}

func TestAnOverriddenValueOfTheFileDoesNotMatter(t *testing.T) {
	file := minimal + "retention: {max_age: soon}\nlisten: {api: '0.0.0.0:1'}\n"
	_, err := load(t, file, map[string]string{"HEADGATE_RETENTION_MAX_AGE": "4d", "HEADGATE_LISTEN_API": "127.0.0.1:1"})
	if err != nil {
		t.Error(err)
	}
}

func TestDev(t *testing.T) {
	c, err := LoadDev(environ(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := Listen{Webhook: "127.0.0.1:8080", API: "127.0.0.1:8081", GRPC: "127.0.0.1:9090", Admin: "127.0.0.1:9100"}
	if c.Listen != want || c.DataDir != "./headgate-dev" || !c.Dev || c.Retention.DiskReserve != 256<<20 {
		t.Errorf("got %+v", c)
	}
	dev := c.Sources["dev"]
	if len(c.Sources) != 1 || !dev.Unsigned || dev.Contexts != nil || dev.Location != time.UTC {
		t.Errorf("sources are %+v", c.Sources)
	}

	_, err = LoadDev(environ(map[string]string{"HEADGATE_LISTEN_WEBHOOK": ":8080"}))
	wantProblem(t, err, "listen.webhook", "HEADGATE_LISTEN_WEBHOOK or its flag", "not a loopback address", "use 127.0.0.1:8080")
}

// wantProblem checks that err has exactly one problem, that one.
func wantProblem(t *testing.T, err error, path, origin string, texts ...string) {
	t.Helper()
	var ps Problems
	if !errors.As(err, &ps) || len(ps) != 1 {
		t.Fatalf("want one problem at %s, got: %v", path, err)
	}
	if ps[0].Path != path || ps[0].Origin != origin {
		t.Errorf("want it at %q (%s), got: %s", path, origin, ps[0])
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("want %q in: %s", text, err)
		}
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	_, err := load(t, `
listen: {grpc: 10.0.0.5:9090, webhook: nonsense}
retention: {max_agee: 3d}
sources:
  acme: {contexts: ["*"], time_zone: Mars/Olympus, secrets: [{id: a, file: secrets/none}]}
`, nil)
	var ps Problems
	if !errors.As(err, &ps) {
		t.Fatal(err)
	}
	var got []string
	for _, p := range ps {
		got = append(got, p.Path+"|"+p.Origin)
	}
	want := []string{
		"retention.max_agee|line 3", "sources.acme.time_zone|line 5", "sources.acme.secrets[0].file|line 5",
		"data_dir|", "listen.webhook|line 2", "listen.grpc|line 2", "sources.acme.contexts[0]|line 5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if head, _, _ := strings.Cut(err.Error(), "\n"); head != "the configuration is refused, for 7 reasons:" {
		t.Errorf("the message begins %q", head)
	}
}

func TestWarnings(t *testing.T) {
	dir := folder(t, "")
	if err := os.Chmod(filepath.Join(dir, "secrets/globex"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := `
data_dir: /d
sources:
  acme: {contexts: [A], time_zone: UTC, secrets: [{id: a, file: secrets/acme}, {id: old, env: OLD, not_after: 2026-01-31}]}
  globex: {contexts: [B], time_zone: UTC, secrets: [{id: g, file: secrets/globex, not_before: 2027-01-01}]}
  initech: {contexts: [C], time_zone: UTC, secrets: [{id: i, file: secrets/acme}]}
`
	c, err := parse([]byte(file), dir, environ(map[string]string{"OLD": "0123456789abcdef"}), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		fmt.Sprintf("sources.globex.secrets[0].file: every user of this machine can read %s; run chmod o= on it", filepath.Join(dir, "secrets/globex")),
		"sources.acme: secret old ended at 2026-02-01T00:00:00Z; remove it",
		"sources.globex: none of its secrets holds now, so every webhook is refused; check not_before and not_after",
		"sources.initech: secret i is that of source acme too, so each can speak for the other; give each its own",
	}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}
