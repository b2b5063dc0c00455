package server

import (
	"crypto/x509"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/headgate/headgate/server/internal/access"
)

// maxTokens is how many tokens a reader may have: two while rotating, and some for who is slow.
const maxTokens = 4

// policyOf returns the policy of the configured readers, with the authorities of their certificates.
func policyOf(c *Config) (*access.Policy, error) {
	authorities, problems := c.TLS.clientAuthorities()
	if len(problems) > 0 {
		return nil, problems
	}
	return newPolicy(c, authorities)
}

// newPolicy returns the policy of the configured readers: without any, everybody may read everything.
func newPolicy(c *Config, authorities *x509.CertPool) (*access.Policy, error) {
	if len(c.Readers) == 0 {
		return access.Open(), nil
	}
	var list []access.Reader
	for _, name := range sortedNames(c.Readers) {
		r := c.Readers[name]
		var rules []access.Rule
		for _, a := range r.Allow {
			rules = append(rules, access.Rule{Sources: a.Sources, Contexts: a.Contexts, Entities: a.Entities, Actions: a.Actions, RawBody: a.RawBody})
		}
		reader := access.Reader{
			Name: name, Tokens: r.Tokens, Certificate: r.ClientCertificate,
			Grant: access.NewGrant(rules, r.Operator), Limits: access.Limits(r.Limits.or(c.Limits.Reader)),
		}
		if j := r.JWT; j != nil {
			reader.JWT = &access.JWT{Issuer: j.Issuer, Audience: j.Audience, Subject: j.Subject, Claims: j.Claims, KeysURL: j.KeysURL, Keys: j.Keys}
		}
		list = append(list, reader)
	}
	return access.NewPolicy(list, authorities)
}

func (c *Config) validateReaders(ps *Problems) {
	validateLimits(ps, "limits.reader", c.Limits.Reader)
	if c.Dev && len(c.Readers) > 0 {
		ps.add("readers", "--dev lets everybody on this machine read everything; run with --config to tell readers apart")
	}
	for _, name := range sortedNames(c.Readers) {
		c.validateReader(ps, "readers."+name, name, c.Readers[name])
	}
	if ps.touches("readers") {
		return
	}
	// What only all of them together can get wrong: a credential that two have in common.
	if _, err := newPolicy(c, nil); err != nil {
		ps.add("readers", "%s", err)
	}
}

func (c *Config) validateReader(ps *Problems, path, name string, r Reader) {
	if !plainName.MatchString(name) {
		ps.add("readers."+unnamed, badReaderName)
		return
	}
	if len(r.Tokens) == 0 && r.ClientCertificate == "" && r.JWT == nil {
		ps.add(path, "has no credential; give it tokens, client_certificate or jwt")
	}
	validateTokens(ps, path+".tokens", r.Tokens)
	if r.ClientCertificate != "" {
		c.validateClientCertificate(ps, path+".client_certificate", r.ClientCertificate)
	}
	if r.JWT != nil {
		validateJWT(ps, path+".jwt", r.JWT)
	}
	if len(r.Allow) == 0 && !r.Operator {
		ps.add(path+".allow", "is missing; say what it may read, like [{sources: [acme], entities: [relation]}]")
	}
	for i, a := range r.Allow {
		validateAllow(ps, path+".allow["+strconv.Itoa(i)+"]", a)
	}
	validateLimits(ps, path+".limits", r.Limits.or(c.Limits.Reader))
}

func validateLimits(ps *Problems, path string, l ReaderLimits) {
	if ps.touches("limits.reader") {
		return
	}
	between(ps, path+".streams", l.Streams, 1, 1_000_000, strconv.Itoa)
	between(ps, path+".connections", l.Connections, 1, 1_000_000, strconv.Itoa)
	between(ps, path+".requests_per_second", l.RequestsPerSecond, 1, 1_000_000, strconv.Itoa)
}

// validateTokens never repeats a token: it may stand there in clear.
func validateTokens(ps *Problems, path string, tokens []string) {
	if len(tokens) > maxTokens {
		ps.add(path, "are %d; keep %d at most, and remove those that nobody uses any more", len(tokens), maxTokens)
		return
	}
	seen := map[string]bool{}
	for i, token := range tokens {
		at := path + "[" + strconv.Itoa(i) + "]"
		if _, err := access.ParseTokenHash(token); err != nil {
			ps.add(at, "%s", err)
		} else if seen[strings.ToLower(token)] {
			ps.add(at, "stands here twice; remove one")
		}
		seen[strings.ToLower(token)] = true
	}
}

func validateAllow(ps *Problems, path string, a Allow) {
	if len(a.Sources) == 0 {
		ps.add(path+".sources", `is missing; name the sources that it may read, or write ["*"] for all`)
	}
	for _, part := range []struct {
		name     string
		patterns []string
	}{{"sources", a.Sources}, {"contexts", a.Contexts}, {"entities", a.Entities}, {"actions", a.Actions}} {
		for i, p := range part.patterns {
			if p == "" || strings.ContainsFunc(p, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == ',' }) {
				ps.add(fmt.Sprintf("%s.%s[%d]", path, part.name, i), "matches nothing; write one name, in which * stands for any text")
			}
		}
	}
}

// namePart is one part of a subject as RFC 2253 writes it.
var namePart = regexp.MustCompile(`^[A-Za-z0-9.]+=\S`)

func (c *Config) validateClientCertificate(ps *Problems, path, name string) {
	if c.TLS.ClientCAFile == "" {
		ps.add(path, "cannot be checked; name the authorities of client certificates with tls.client_ca_file")
		return
	}
	if strings.Contains(name, "://") {
		if u, err := url.Parse(name); err != nil || u.Host == "" || strings.Contains(name, "*") {
			ps.add(path, "is not a URI; write the whole URI of the certificate, like spiffe://corp/billing")
		}
		return
	}
	// What is written with other spaces, as some tools print it, would never match.
	escaped := false
	parts := strings.FieldsFunc(name, func(r rune) bool {
		split := (r == ',' || r == '+') && !escaped
		escaped = r == '\\' && !escaped
		return split
	})
	if len(parts) == 0 || slices.ContainsFunc(parts, func(p string) bool { return !namePart.MatchString(p) }) {
		ps.add(path, "is neither a URI nor a subject as in RFC 2253; write it like spiffe://corp/billing or CN=billing,O=Corp, as openssl x509 -subject -nameopt RFC2253 does")
	}
}

func validateJWT(ps *Problems, path string, j *JWT) {
	if j.Issuer == "" {
		ps.add(path+".issuer", "is missing; write the issuer as it stands in the tokens, like https://id.example.com")
	} else if !isTrustedURL(j.Issuer) {
		ps.add(path+".issuer", "is not an https URL without a user; write the issuer as it stands in the tokens, like https://id.example.com")
	}
	if j.Audience == "" {
		ps.add(path+".audience", "is missing; name the audience that the issuer puts into tokens for this gateway, else a token made for another service would open it")
	}
	if j.Subject == "" && len(j.Claims) == 0 {
		ps.add(path, "names neither subject nor claims; name one, else every token of the issuer would be this reader's")
	}
	for _, claim := range slices.Sorted(maps.Keys(j.Claims)) {
		if claim == "" || j.Claims[claim] == "" {
			ps.add(path+".claims."+unnamed, "is empty; write the claim and the value that it must have, like {team: billing}")
		}
	}
	switch {
	case j.KeysURL != "" && j.KeysFile != "":
		ps.add(path, "has both keys_url and keys_file; keep one")
	case j.KeysURL != "" && !isTrustedURL(j.KeysURL):
		ps.add(path+".keys_url", "is not an https URL without a user; without TLS anybody in between could give other keys")
	case j.KeysURL == "" && len(j.Keys) == 0:
		ps.add(path, "has no keys; give keys_url: where the issuer publishes its key set, or keys_file: a file of it")
	}
}

// isTrustedURL reports whether what is read from there comes from there: over TLS, or from this machine.
func isTrustedURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}

// readerWarnings tells of grants for sources that there are none of.
func readerWarnings(c *Config) []string {
	var warnings []string
	sources := sortedNames(c.Sources)
	for _, name := range sortedNames(c.Readers) {
		for i, a := range c.Readers[name].Allow {
			for k, pattern := range a.Sources {
				grant := access.NewGrant([]access.Rule{{Sources: []string{pattern}}}, false)
				if !slices.ContainsFunc(sources, func(source string) bool { return grant.Concerns(source, "", "", "") }) {
					warnings = append(warnings, fmt.Sprintf("readers.%s.allow[%d].sources[%d]: no source is called so; there are %s",
						name, i, k, strings.Join(sources, ", ")))
				}
			}
		}
	}
	return warnings
}
