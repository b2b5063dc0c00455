package server

import (
	"io"
	"maps"
	"net/netip"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Print writes the configuration as a file would say it, defaults included. Instead of secrets it writes [redacted], and of a token's hash only
// as much as the audit shows too.
func (c *Config) Print(w io.Writer) error {
	root := map[string]any{}
	for _, s := range settings(c) {
		put(root, s.path, &yaml.Node{Kind: yaml.ScalarNode, Value: s.get()})
	}
	if len(c.Webhook.TrustedProxies) > 0 {
		put(root, "webhook.trusted_proxies", printedPrefixes(c.Webhook.TrustedProxies))
	}
	if len(c.Tracing.Headers) > 0 {
		put(root, "tracing.headers", redacted)
	}
	if c.TLS.CertFile != "" {
		root["tls"] = some{"cert_file": c.TLS.CertFile, "key_file": c.TLS.KeyFile, "client_ca_file": c.TLS.ClientCAFile, "listeners": c.TLS.listeners()}.print()
	}
	for name, s := range c.Sources {
		put(root, "sources."+name, s.printed())
	}
	for name, r := range c.Readers {
		put(root, "readers."+name, r.printed())
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(root); err != nil {
		return err
	}
	return enc.Close()
}

// put sets the value at a path.
func put(into map[string]any, path string, v any) {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		into[name] = v
		return
	}
	inner, ok := into[name].(map[string]any)
	if !ok {
		inner = map[string]any{}
		into[name] = inner
	}
	put(inner, rest, v)
}

// some is a mapping of which only what says something is printed.
type some map[string]any

func (s some) print() map[string]any {
	maps.DeleteFunc(s, func(_ string, v any) bool { return reflect.ValueOf(v).IsZero() })
	return s
}

func (s *Source) printed() map[string]any {
	p := some{
		"contexts": s.Contexts, "time_zone": s.Location.String(),
		"allow_addresses": printedPrefixes(s.AllowAddresses), "awaiting_secret_until": s.AwaitingSecretUntil,
		"tables": s.Tables,
	}
	var secrets []any
	for _, sec := range s.Secrets {
		secrets = append(secrets, some{"id": sec.ID, "secret": redacted, "not_before": sec.NotBefore, "not_after": sec.NotAfter}.print())
	}
	p["secrets"] = secrets
	return p.print()
}

func (r *Reader) printed() map[string]any {
	p := some{"client_certificate": r.ClientCertificate, "operator": r.Operator}
	var tokens []string
	for _, t := range r.Tokens {
		const shown = len("sha256:") + 8
		tokens = append(tokens, t[:min(len(t), shown)]+"…"+redacted)
	}
	p["tokens"] = tokens
	if j := r.JWT; j != nil {
		p["jwt"] = some{
			"issuer": j.Issuer, "audience": j.Audience, "subject": j.Subject, "claims": j.Claims, "keys_url": j.KeysURL, "keys_file": j.KeysFile,
		}.print()
	}
	var allow []any
	for _, a := range r.Allow {
		allow = append(allow, some{"sources": a.Sources, "contexts": a.Contexts, "entities": a.Entities, "actions": a.Actions, "raw_body": a.RawBody}.print())
	}
	p["allow"] = allow
	if l := r.Limits; l != (ReaderLimits{}) {
		p["limits"] = some{"streams": l.Streams, "connections": l.Connections, "requests_per_second": l.RequestsPerSecond}.print()
	}
	return p.print()
}

func printedPrefixes(list []netip.Prefix) []string {
	var texts []string
	for _, p := range list {
		texts = append(texts, p.String())
	}
	return texts
}
