package server

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/headgate/headgate/server/internal/access"
)

const tlsLine = "tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, client_ca_file: tls/ca.pem}"

// TestReaderRefusals: the reader stands on line 8, below its section on line 7; more is on line 9.
func TestReaderRefusals(t *testing.T) {
	const token, allow, r = `tokens: ["sha256:` + hashA + `"]`, `allow: [{sources: [acme]}]`, "readers.billing"
	jwt := func(terms string) string { return "{jwt: {" + terms + "}, " + allow + "}" }
	type refusal struct{ name, reader, more, path, origin, text string }
	const line8 = "line 8"
	for _, c := range []refusal{
		{"unknown key", "{token: a, " + allow + "}", "", "", "", "did you mean tokens?"},
		{"no credential", "{" + allow + "}", "", r, line8, "give it tokens, client_certificate or jwt"},
		{"no grant", "{" + token + "}", "", r + ".allow", line8, "is missing; say what it may read"},
		{"empty grant", "{" + token + ", allow: []}", "", r + ".allow", line8, "is missing; say what it may read"},
		{"token in clear", "{tokens: [" + hidden + "], " + allow + "}", "", r + ".tokens[0]", line8, "make one with headgate token new"},
		{"token twice", `{tokens: ["sha256:` + hashA + `", "sha256:` + strings.ToUpper(hashA) + `"], ` + allow + "}", "", r + ".tokens[1]", line8, "stands here twice"},
		{"many tokens", "{tokens: [a, b, c, d, e], " + allow + "}", "", r + ".tokens", line8, "are 5; keep 4 at most"},
		{"no tokens", "{tokens: [], " + allow + "}", "", r + ".tokens", line8, "lists nothing"},
		{"operator no bool", "{" + token + ", operator: yes, " + allow + "}", "", r + ".operator", line8, `is neither true nor false`},
		{"limit", "{" + token + ", " + allow + ", limits: {streams: 0}}", "", r + ".limits.streams", line8, "must be 1 at least"},
		{"limit too large", "{" + token + ", " + allow + ", limits: {connections: 1000001}}", "", r + ".limits.connections", line8, "use 1 to 1000000"},
		{"unknown limit", "{" + token + ", " + allow + ", limits: {stream: 1}}", "", r + ".limits.stream", line8, "did you mean streams?"},
		{"default limit", "{" + token + ", " + allow + "}", "limits: {reader: {streams: 0}}", "limits.reader.streams", "line 9", "use 1 to 1000000"},

		{"rule without sources", "{" + token + ", allow: [{entities: [relation]}]}", "", r + ".allow[0].sources", line8, `write ["*"] for all`},
		{"empty rule", "{" + token + ", allow: [{}]}", "", r + ".allow[0].sources", line8, "is missing"},
		{"empty part", "{" + token + ", allow: [{sources: [acme], contexts: []}]}", "", r + ".allow[0].contexts", line8, "lists nothing"},
		{"null part", "{" + token + ", allow: [{sources: [acme], entities: }]}", "", r + ".allow[0].entities", line8, "lists nothing"},
		{"part no list", "{" + token + ", allow: [{sources: acme}]}", "", r + ".allow[0].sources", line8, "must be a list"},
		{"empty pattern", "{" + token + `, allow: [{sources: [acme, ""]}]}`, "", r + ".allow[0].sources[1]", line8, "has no value"},
		{"two in a pattern", "{" + token + `, allow: [{sources: ["acme,globex"]}]}`, "", r + ".allow[0].sources[0]", line8, "write one name"},
		{"unknown part", "{" + token + `, allow: [{sources: [acme], entity: [a]}]}`, "", r + ".allow[0].?", line8, "known here: actions, contexts, entities, raw_body, sources"},

		{"certificate without authority", "{client_certificate: CN=a, " + allow + "}", "", r + ".client_certificate", line8, "tls.client_ca_file"},
		{"certificate with spaces", "{client_certificate: 'CN = a, O = b', " + allow + "}", tlsLine, r + ".client_certificate", line8, "CN=billing,O=Corp"},
		{"certificate name", "{client_certificate: billing, " + allow + "}", tlsLine, r + ".client_certificate", line8, "neither a URI nor a subject"},
		{"certificate pattern", "{client_certificate: 'spiffe://corp/*', " + allow + "}", tlsLine, r + ".client_certificate", line8, "is not a URI"},
		{"certificate without host", "{client_certificate: 'spiffe:///a', " + allow + "}", tlsLine, r + ".client_certificate", line8, "is not a URI"},

		{"issuer", jwt("issuer: http://id.corp, audience: a, subject: s, keys_file: keys.json"), "", r + ".jwt.issuer", line8, "is not an https URL"},
		{"no issuer", jwt("audience: a, subject: s, keys_file: keys.json"), "", r + ".jwt.issuer", line8, "is missing"},
		{"no audience", jwt("issuer: https://id.corp, subject: s, keys_file: keys.json"), "", r + ".jwt.audience", line8, "made for another service"},
		{"whole issuer", jwt("issuer: https://id.corp, audience: a, keys_file: keys.json"), "", r + ".jwt", line8, "every token of the issuer"},
		{"no keys", jwt("issuer: https://id.corp, audience: a, subject: s"), "", r + ".jwt", line8, "give keys_url:"},
		{"both keys", jwt("issuer: https://id.corp, audience: a, subject: s, keys_file: keys.json, keys_url: https://id.corp"), "", r + ".jwt", line8, "keep one"},
		{"keys in clear", jwt("issuer: https://id.corp, audience: a, subject: s, keys_url: http://id.corp/keys"), "", r + ".jwt.keys_url", line8, "anybody in between could give other keys"},
		{"no key file", jwt("issuer: https://id.corp, audience: a, subject: s, keys_file: none.json"), "", r + ".jwt.keys_file", line8, "there is no file"},
		{"bad key file", jwt("issuer: https://id.corp, audience: a, subject: s, keys_file: secrets/acme"), "", "readers", "line 8", "is not a JSON web key set"},
		{"empty claim", jwt(`issuer: https://id.corp, audience: a, claims: {team: ""}, keys_file: keys.json`), "", r + ".jwt.claims.?", line8, "has no value"},

		{"shared token", "{" + token + ", " + allow + "}\n  other: {" + token + ", " + allow + "}", "", "readers", "line 8", "readers billing and other have a token in common"},
		{"public without TLS", "{" + token + ", " + allow + "}", "listen: {grpc: ':9090'}", "listen.grpc", "line 9", "tokens and events would travel in clear; name tls.cert_file and tls.key_file, or use 127.0.0.1:9090"},
		{
			"public beside TLS", "{" + token + ", " + allow + "}", "listen: {api: ':8081', grpc: ':9090'}\ntls: {cert_file: tls/cert.pem, key_file: tls/key.pem, listeners: [grpc]}",
			"listen.api", "line 9", "and list api in tls.listeners",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, good(map[string]string{"top": "readers:\n  billing: " + c.reader + "\n" + c.more}), nil)
			if c.path == "" {
				// The slip and what follows from it.
				if err == nil || !strings.Contains(err.Error(), c.text) {
					t.Errorf("want %q in: %v", c.text, err)
				}
				return
			}
			wantProblem(t, err, c.path, c.origin, c.text)
			if showsSecret(err.Error()) {
				t.Errorf("the token is shown in: %v", err)
			}
		})
	}
}

func TestReadersThatAreNone(t *testing.T) {
	for _, text := range []string{"readers: {}", "readers:"} {
		_, err := load(t, good(map[string]string{"top": text}), nil)
		wantProblem(t, err, "readers", "line 7", "names no reader", "remove the key")
	}
	_, err := load(t, good(map[string]string{"top": "readers: {Billing: {tokens: ['sha256:" + hashA + "'], operator: true}}"}), nil)
	wantProblem(t, err, "readers.?", "line 7", "cannot be the name of a reader")
}

func TestTLSRefusals(t *testing.T) {
	for _, c := range []struct{ name, tls, path, text string }{
		{"empty", "tls: {}", "tls", "give cert_file and key_file, or remove the key"},
		{"unknown key", "tls: {cert_fiel: a}", "tls.cert_fiel", "did you mean cert_file?"},
		{"no key", "tls: {cert_file: tls/cert.pem}", "tls.key_file", "is missing"},
		{"no certificate", "tls: {key_file: tls/key.pem}", "tls.cert_file", "is missing"},
		{"no file", "tls: {cert_file: tls/none.pem, key_file: tls/key.pem}", "tls.cert_file", "tls; write the server's certificate to it"},
		{"no certificate in it", "tls: {cert_file: tls/key.pem, key_file: tls/key.pem}", "tls.cert_file", "tls/key.pem holds no certificate in PEM"},
		{"other key", "tls: {cert_file: tls/ca.pem, key_file: tls/key.pem}", "tls.key_file", "tls/key.pem does not go with the certificate in"},
		{"no key in it", "tls: {cert_file: tls/cert.pem, key_file: secrets/acme}", "tls.key_file", "write that certificate's private key to it"},
		{"no authority", "tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, client_ca_file: tls/none.pem}", "tls.client_ca_file", "there is no file"},
		{"no authority in it", "tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, client_ca_file: secrets/acme}", "tls.client_ca_file", "holds no certificate in PEM"},
		{"listener", "tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, listeners: [rest]}", "tls.listeners[0]", "use webhook, api, grpc, admin"},
		{"listener twice", "tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, listeners: [api, api]}", "tls.listeners[1]", "stands here twice"},
		{"no listeners", "tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, listeners: []}", "tls.listeners", "lists nothing"},
		{"useless authority", "tls: {cert_file: tls/cert.pem, key_file: tls/key.pem, client_ca_file: tls/ca.pem, listeners: [webhook]}", "tls.client_ca_file", "is of no use"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, good(map[string]string{"top": c.tls}), nil)
			wantProblem(t, err, c.path, "line 7", c.text)
			if strings.Contains(err.Error(), acmeSecret) {
				t.Errorf("a secret is shown in: %v", err)
			}
		})
	}
}

func TestReadersAndTLSOpenTheListeners(t *testing.T) {
	file := good(map[string]string{"top": tlsLine + "\nlisten: {api: ':8081', grpc: '10.0.0.5:9090', admin: '10.0.0.5:9100'}\n" +
		"readers: {billing: {client_certificate: 'CN=billing\\, x,O=Corp', allow: [{sources: ['a*', nobody]}]}}"})
	c, err := load(t, file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"readers.billing.allow[0].sources[1]: no source is called so; there are acme"}, c.Warnings); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	for address, warned := range map[string]bool{
		"127.0.0.1:1": false, "localhost:1": false, "192.168.1.1:1": false, "[fd00::1]:1": false,
		":1": true, "0.0.0.0:1": true, "203.0.113.1:1": true, "[::]:1": true, "host.example:1": true,
	} {
		if got := listenWarnings(Listen{Admin: address}); (len(got) == 1) != warned {
			t.Errorf("admin at %s: %v", address, got)
		}
	}
}

func TestAwaitedSecrets(t *testing.T) {
	now := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	for until, want := range map[string]string{
		"2026-02-01": "awaits its secret until 2026-02-02T00:00:00Z",
		"2026-01-31": "awaited its secret until 2026-02-01T00:00:00Z, so every webhook is refused",
	} {
		c, err := parse([]byte(good(map[string]string{"secrets": "-", "more": "awaiting_secret_until: " + until})), t.TempDir(), environ(nil), now)
		if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], want) {
			t.Errorf("until %s: %v, %v", until, c.Warnings, err)
		}
	}
	c, err := load(t, good(map[string]string{"more": "awaiting_secret_until: 2126-01-31"}), nil)
	if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "remove awaiting_secret_until") {
		t.Errorf("with a secret: %v, %v", c.Warnings, err)
	}
}

// TestPolicy: what the file says is what the gateway goes by.
func TestPolicy(t *testing.T) {
	c, err := parse([]byte(whole), folder(t, whole), environ(map[string]string{"ACME_SECRET": "acme-other-0123456789"}), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c.Readers["mine"] = Reader{Tokens: []string{access.HashToken("t")}, Allow: []Allow{{Sources: []string{"acme"}, RawBody: true}}, Limits: ReaderLimits{Streams: 3}}
	policy, err := policyOf(&c)
	if err != nil || !policy.Tells() {
		t.Fatal(err)
	}
	id, err := policy.Identify(t.Context(), access.Credentials{Bearer: "t"})
	if err != nil {
		t.Fatal(err)
	}
	g := id.Reader.Grant
	if id.Reader.Name != "mine" || !g.AllowsRaw("acme", "a", "b", "c") || g.Allows("globex", "a", "b", "c") || g.Operator() {
		t.Errorf("got %+v", id.Reader)
	}
	if want := (access.Limits{Streams: 3, Connections: 10, RequestsPerSecond: 5}); id.Reader.Limits != want {
		t.Errorf("limits are %+v, want %+v", id.Reader.Limits, want)
	}
	none := Dev()
	if policy, err := policyOf(&none); err != nil || policy.Tells() {
		t.Errorf("without readers: %v, %v", policy, err)
	}
	none.Readers = c.Readers
	var ps Problems
	if !errors.As(none.Validate(), &ps) || !ps.touches("readers") {
		t.Errorf("--dev takes readers: %v", ps)
	}
}

// TestPrint: what is printed holds no secret, and is the configuration again once the secrets are put back.
func TestPrint(t *testing.T) {
	vars := environ(map[string]string{"ACME_SECRET": hidden})
	dir, now := folder(t, whole), time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	want, err := parse([]byte(whole), dir, vars, now)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := want.Print(&out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if showsSecret(text) || strings.Contains(text, acmeSecret) || strings.Contains(text, collectorToken) || strings.Contains(text, hashA[:9]) {
		t.Errorf("a secret is shown:\n%s", text)
	}
	for from, to := range map[string]string{
		"sha256:" + hashA[:8] + "…[redacted]": "sha256:" + hashA, "sha256:" + hashB[:8] + "…[redacted]": "sha256:" + hashB,
		"secret: '[redacted]'": "env: ACME_SECRET", "headers: '[redacted]'": "headers: {file: secrets/collector}",
	} {
		if !strings.Contains(text, from) {
			t.Errorf("want %q in:\n%s", from, text)
		}
		text = strings.ReplaceAll(text, from, to)
	}
	got, err := parse([]byte(text), dir, vars, now)
	if err != nil {
		t.Fatalf("%v, of\n%s", err, text)
	}
	ignore := cmpopts.IgnoreFields(Config{}, "Files", "Warnings")
	zones := cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })
	secrets := cmp.Comparer(func(a, b SecretKey) bool { return (len(a) > 0) == (len(b) > 0) })
	if diff := cmp.Diff(want, got, ignore, zones, secrets, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("want -, got +\n%s\n%s", diff, text)
	}
}
