package access

import (
	"crypto/x509/pkix"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTokens(t *testing.T) {
	billing := byToken("billing", "one")
	billing.Tokens = append(billing.Tokens, strings.ToUpper(HashToken("two"))[len(hashPrefix):])
	billing.Tokens[1] = hashPrefix + billing.Tokens[1]
	p := policy(t, billing, byToken("other", "three"))
	for token, want := range map[string]string{
		"one": "billing", "two": "billing", "three": "other",
		"four": "", "One": "", "one ": "", " one": "", "a.b.c": "", HashToken("one"): "",
	} {
		id, err := p.Identify(t.Context(), Credentials{Bearer: token})
		switch {
		case want == "" && !errors.Is(err, ErrUnknown):
			t.Errorf("%q: %v", token, err)
		case want != "" && (err != nil || id.Reader.Name != want || !id.Expires.IsZero()):
			t.Errorf("%q: %+v, %v", token, id, err)
		case strings.Contains(id.Credential, token):
			t.Errorf("%q stands in %q", token, id.Credential)
		}
	}
	if _, err := p.Identify(t.Context(), Credentials{}); !errors.Is(err, ErrNone) {
		t.Errorf("without credentials: %v", err)
	}
	if !p.Tells() || Open().Tells() {
		t.Error("Tells does not tell")
	}
	if id, err := Open().Identify(t.Context(), Credentials{Bearer: "whatever"}); err != nil || !id.Reader.Grant.Everything() {
		t.Errorf("an open gateway: %v, %v", id, err)
	}
}

func TestTokenHash(t *testing.T) {
	good := HashToken("a token")
	if hash, err := ParseTokenHash(good); err != nil || hashPrefix+strings.ToLower(good[len(hashPrefix):]) != good || hash == [32]byte{} {
		t.Errorf("%v, %v", hash, err)
	}
	for _, text := range []string{"", "a token", good[1:], good[len(hashPrefix):], good + "00", good[:len(good)-2], hashPrefix, "sha256:" + strings.Repeat("g", 64), " " + good} {
		if _, err := ParseTokenHash(text); err == nil {
			t.Errorf("%q is taken", text)
		} else if len(text) > 8 && strings.Contains(err.Error(), text) {
			t.Errorf("%v repeats what may be a token", err)
		}
	}
}

func TestOneReaderPerCredential(t *testing.T) {
	for name, readers := range map[string][]Reader{
		"token":       {byToken("a", "same"), byToken("b", "same")},
		"certificate": {{Name: "a", Certificate: "CN=x", Grant: &Grant{}}, {Name: "b", Certificate: "CN=x", Grant: &Grant{}}},
		"no hash":     {{Name: "a", Tokens: []string{"a token in clear"}, Grant: &Grant{}}},
	} {
		if _, err := NewPolicy(readers, nil); err == nil || strings.Contains(err.Error(), "in clear") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCertificates(t *testing.T) {
	p := policy(t,
		Reader{Name: "spiffe", Certificate: "spiffe://corp/billing", Grant: &Grant{}},
		Reader{Name: "subject", Certificate: "CN=billing,O=Corp", Grant: &Grant{}},
		byToken("token", "one"))
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	corp := pkix.Name{CommonName: "billing", Organization: []string{"Corp"}}
	for _, c := range []struct {
		name    string
		subject pkix.Name
		uris    []string
		want    string
	}{
		{"by URI", pkix.Name{}, []string{"spiffe://corp/billing"}, "spiffe"},
		{"by a second URI", pkix.Name{}, []string{"https://corp/x", "spiffe://corp/billing"}, "spiffe"},
		{"by subject", corp, nil, "subject"},
		{"the URI first", corp, []string{"spiffe://corp/billing"}, "spiffe"},
		{"another URI", pkix.Name{CommonName: "x"}, []string{"spiffe://corp/billing2"}, ""},
		{"a part of the subject", pkix.Name{CommonName: "billing"}, nil, ""},
		{"a subject that spells another", pkix.Name{CommonName: "billing,O=Corp"}, nil, ""},
		{"a URI that spells a subject", pkix.Name{CommonName: "x"}, []string{"CN=billing,O=Corp"}, ""},
		{"a subject that spells a URI", pkix.Name{CommonName: "spiffe://corp/billing"}, nil, ""},
		{"no name at all", pkix.Name{}, nil, ""},
	} {
		id, err := p.Identify(t.Context(), Credentials{Certificate: clientCertificate(t, c.subject, soon, c.uris...)})
		switch {
		case c.want == "" && !errors.Is(err, ErrUnknown):
			t.Errorf("%s: %+v, %v", c.name, id, err)
		case c.want != "" && (err != nil || id.Reader.Name != c.want || !id.Expires.Equal(soon)):
			t.Errorf("%s: %+v, %v", c.name, id, err)
		}
	}
	// A connection may be older than its certificate.
	old := clientCertificate(t, corp, time.Now().Add(-time.Second))
	if _, err := p.Identify(t.Context(), Credentials{Certificate: old}); !errors.Is(err, ErrExpired) {
		t.Errorf("expired: %v", err)
	}
	// A token beside a certificate decides, right or wrong.
	cert := clientCertificate(t, corp, soon)
	if id, err := p.Identify(t.Context(), Credentials{Bearer: "one", Certificate: cert}); err != nil || id.Reader.Name != "token" {
		t.Errorf("both: %+v, %v", id, err)
	}
	if _, err := p.Identify(t.Context(), Credentials{Bearer: "wrong", Certificate: cert}); !errors.Is(err, ErrUnknown) {
		t.Errorf("a wrong token beside a certificate: %v", err)
	}
}
