package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
)

const (
	testIssuer   = "https://id.corp"
	testAudience = "headgate"
)

// signer is a private key of an issuer.
type signer struct {
	alg jose.SignatureAlgorithm
	key crypto.Signer
	kid string
}

func newSigner(t testing.TB, alg jose.SignatureAlgorithm, kid string) *signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case jose.RS256:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case jose.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &signer{alg, key, kid}
}

func (s *signer) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: s.key.Public(), KeyID: s.kid, Algorithm: string(s.alg)}
}

// keyFile is the key set of the signers.
func keyFile(t testing.TB, signers ...*signer) []byte {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, s := range signers {
		set.Keys = append(set.Keys, s.public())
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// goodClaims are those of a good token, with changes. A nil one is left out.
func goodClaims(change map[string]any) map[string]any {
	all := map[string]any{"iss": testIssuer, "aud": testAudience, "sub": "audit", "exp": time.Now().Add(time.Hour).Unix()}
	for k, v := range change {
		if all[k] = v; v == nil {
			delete(all, k)
		}
	}
	return all
}

func (s *signer) token(t testing.TB, change map[string]any) string {
	t.Helper()
	return signed(t, jose.SigningKey{Algorithm: s.alg, Key: jose.JSONWebKey{Key: s.key, KeyID: s.kid}}, goodClaims(change))
}

func signed(t testing.TB, key jose.SigningKey, payload any) string {
	t.Helper()
	s, err := jose.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func byJWT(name string, terms JWT) Reader {
	if terms.Issuer == "" {
		terms.Issuer = testIssuer
	}
	if terms.Audience == "" {
		terms.Audience = testAudience
	}
	return Reader{Name: name, JWT: &terms, Grant: NewGrant([]Rule{{Sources: []string{name}}}, false)}
}

func wantReader(t *testing.T, what string, p *Policy, token, want string) {
	t.Helper()
	id, err := p.Identify(t.Context(), Credentials{Bearer: token})
	switch {
	case want == "" && err == nil:
		t.Errorf("%s: it is %s's", what, id.Reader.Name)
	case want != "" && (err != nil || id.Reader.Name != want):
		t.Errorf("%s: %+v, %v, want %s", what, id.Reader, err, want)
	}
}

func TestJWTAlgorithms(t *testing.T) {
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA} {
		s, other := newSigner(t, alg, "k1"), newSigner(t, alg, "k1")
		p := policy(t, byJWT("audit", JWT{Subject: "audit", Keys: keyFile(t, s)}))
		id, err := p.Identify(t.Context(), Credentials{Bearer: s.token(t, nil)})
		if err != nil || id.Reader.Name != "audit" || id.Expires.IsZero() || id.Credential != "jwt audit" {
			t.Errorf("%s: %+v, %v", alg, id, err)
		}
		wantReader(t, "another key of the same name", p, other.token(t, nil), "")
		good := s.token(t, nil)
		wantReader(t, "a changed signature", p, good[:len(good)-8]+"AAAAAAAA", "")
	}
}

func TestJWTTerms(t *testing.T) {
	s := newSigner(t, jose.ES256, "k1")
	p := policy(t, byJWT("audit", JWT{Subject: "audit", Claims: map[string]string{"team": "it"}, Keys: keyFile(t, s)}))
	now := time.Now()
	for _, c := range []struct {
		name   string
		change map[string]any
		want   string
	}{
		{"good", map[string]any{"team": "it"}, "audit"},
		{"a list with the value", map[string]any{"team": []string{"x", "it"}}, "audit"},
		{"one of two audiences", map[string]any{"team": "it", "aud": []string{"x", testAudience}}, "audit"},
		{"good since a moment", map[string]any{"team": "it", "nbf": now.Add(-time.Second).Unix()}, "audit"},
		{"no claim", nil, ""},
		{"another value", map[string]any{"team": "itx"}, ""},
		{"a list without the value", map[string]any{"team": []any{"x", 1, nil}}, ""},
		{"an object", map[string]any{"team": map[string]any{"it": "it"}}, ""},
		{"true", map[string]any{"team": true}, ""},
		{"another subject", map[string]any{"team": "it", "sub": "audit2"}, ""},
		{"no subject", map[string]any{"team": "it", "sub": nil}, ""},
		{"another issuer", map[string]any{"team": "it", "iss": testIssuer + "/"}, ""},
		{"no issuer", map[string]any{"team": "it", "iss": nil}, ""},
		{"another audience", map[string]any{"team": "it", "aud": "other"}, ""},
		{"no audience", map[string]any{"team": "it", "aud": nil}, ""},
		{"expired", map[string]any{"team": "it", "exp": now.Add(-time.Second).Unix()}, ""},
		{"without end", map[string]any{"team": "it", "exp": nil}, ""},
		{"not yet good", map[string]any{"team": "it", "nbf": now.Add(10 * time.Minute).Unix()}, ""},
	} {
		wantReader(t, c.name, p, s.token(t, c.change), c.want)
	}
	if _, err := p.Identify(t.Context(), Credentials{Bearer: s.token(t, map[string]any{"exp": now.Add(-time.Second).Unix()})}); !errors.Is(err, ErrExpired) {
		t.Errorf("expired: %v", err)
	}
}

// TestJWTSaysEverythingOnce: a token in which a claim stands twice, or in another case too, is nobody's. Whichever of them the issuer meant, somebody else may
// have chosen the other one.
func TestJWTSaysEverythingOnce(t *testing.T) {
	s := newSigner(t, jose.ES256, "k1")
	p := policy(t, byJWT("auditor", JWT{Subject: "auditor", Keys: keyFile(t, s)}), byJWT("it", JWT{Claims: map[string]string{"team": "it"}, Keys: keyFile(t, s)}))
	later := time.Now().Add(time.Hour).Unix()
	for _, c := range []struct{ name, more, want string }{
		{"good", `"sub":"auditor"`, "auditor"},
		{"claims that mean nothing here", `"sub":"auditor","Name":"a","name":"b"`, "auditor"},
		{"the other", `"sub":"x","team":"it"`, "it"},
		{"the subject in another case", `"sub":"mallory","SUB":"auditor"`, ""},
		{"the subject in another case before it", `"Sub":"mallory","sub":"auditor"`, ""},
		{"the subject in another case alone", `"suB":"auditor"`, ""},
		{"the subject in another letter", `"sub":"mallory","\u017fub":"auditor"`, ""},
		{"the subject twice", `"sub":"mallory","sub":"auditor"`, ""},
		{"the subject twice, once escaped", `"sub":"mallory","\u0073ub":"auditor"`, ""},
		{"the subject in a list", `"sub":["auditor"]`, ""},
		{"an end in another case", `"sub":"auditor","EXP":9999999999`, ""},
		{"a beginning in another case", `"sub":"auditor","NBF":1`, ""},
		{"an audience in another case", `"sub":"auditor","AUD":"headgate"`, ""},
		{"an issuer in another case", `"sub":"auditor","ISS":"https://id.corp"`, ""},
		{"a claim twice", `"sub":"x","team":"hr","team":"it"`, ""},
		{"a claim in another case", `"sub":"x","TEAM":"hr","team":"it"`, ""},
		{"another reader's claim in another case", `"sub":"auditor","TEAM":"it"`, ""},
		{"something twice further in", `"sub":"auditor","address":{"a":1,"a":2}`, ""},
	} {
		payload := fmt.Sprintf(`{"iss":%q,"aud":%q,"exp":%d,%s}`, testIssuer, testAudience, later, c.more)
		token := signed(t, jose.SigningKey{Algorithm: s.alg, Key: jose.JSONWebKey{Key: s.key, KeyID: s.kid}}, json.RawMessage(payload))
		wantReader(t, c.name, p, token, c.want)
	}
}

// TestJWTForged: what a token says of how it was signed is not believed.
func TestJWTForged(t *testing.T) {
	s := newSigner(t, jose.RS256, "k1")
	p := policy(t, byJWT("audit", JWT{Subject: "audit", Keys: keyFile(t, s)}))
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	for _, alg := range []string{"none", "None", "NONE", ""} {
		head := part(map[string]any{"alg": alg})
		for _, signature := range []string{"", "AAAA"} {
			wantReader(t, "alg "+alg, p, head+"."+part(goodClaims(nil))+"."+signature, "")
		}
	}
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	file := keyFile(t, s)
	for name, secret := range map[string][]byte{"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "key set": file} {
		wantReader(t, "the public key as a secret, "+name, p, signed(t, jose.SigningKey{Algorithm: jose.HS256, Key: secret}, goodClaims(nil)), "")
	}
	own := newSigner(t, jose.ES256, "k1")
	embedding, err := jose.NewSigner(jose.SigningKey{Algorithm: own.alg, Key: own.key}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(goodClaims(nil))
	jws, err := embedding.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, _ := jws.CompactSerialize()
	wantReader(t, "a key that it brings itself", p, token, "")
}

// TestJWTOfSeveral: a token that fulfils the terms of two readers is nobody's, whichever issuer's entry verified it.
func TestJWTOfSeveral(t *testing.T) {
	s := newSigner(t, jose.ES256, "k1")
	keys := keyFile(t, s)
	p := policy(t,
		byJWT("audit", JWT{Subject: "audit", Keys: keys}),
		byJWT("it", JWT{Claims: map[string]string{"team": "it"}, Keys: keys}),
		byJWT("elsewhere", JWT{Subject: "audit", Audience: "elsewhere", Keys: keys}))
	for range 20 { // maps are walked in any order
		wantReader(t, "one", p, s.token(t, nil), "audit")
		wantReader(t, "the other", p, s.token(t, map[string]any{"sub": "x", "team": "it"}), "it")
		wantReader(t, "the third", p, s.token(t, map[string]any{"aud": "elsewhere"}), "elsewhere")
		wantReader(t, "two by their claims", p, s.token(t, map[string]any{"team": "it"}), "")
		wantReader(t, "two by their audiences", p, s.token(t, map[string]any{"aud": []string{"elsewhere", testAudience}}), "")
	}
}

func TestJWTConfiguration(t *testing.T) {
	keys := keyFile(t, newSigner(t, jose.ES256, "k1"))
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: []byte("a secret of thirty-two bytes, yes"), KeyID: "s"}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, j := range map[string]JWT{
		"no issuer":            {Audience: "a", Subject: "s", Keys: keys},
		"no audience":          {Issuer: "i", Subject: "s", Keys: keys},
		"nobody in particular": {Issuer: "i", Audience: "a", Keys: keys},
		"no keys":              {Issuer: "i", Audience: "a", Subject: "s"},
		"two places of keys":   {Issuer: "i", Audience: "a", Subject: "s", Keys: keys, KeysURL: "https://x"},
		"keys that are none":   {Issuer: "i", Audience: "a", Subject: "s", Keys: []byte("{")},
		"no public key":        {Issuer: "i", Audience: "a", Subject: "s", Keys: private},
	} {
		if _, err := NewPolicy([]Reader{{Name: "r", JWT: &j, Grant: &Grant{}}}, nil); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestJWTOfALongSubject: the credential's name stays short, and is another for another subject.
func TestJWTOfALongSubject(t *testing.T) {
	s := newSigner(t, jose.ES256, "k1")
	p := policy(t, byJWT("it", JWT{Claims: map[string]string{"team": "it"}, Keys: keyFile(t, s)}))
	names := map[string]bool{}
	for _, end := range []string{"a", "b"} {
		id, err := p.Identify(t.Context(), Credentials{Bearer: s.token(t, map[string]any{"team": "it", "sub": strings.Repeat("é", 4000) + end})})
		if err != nil || len(id.Credential) > 250 || !utf8.ValidString(id.Credential) || names[id.Credential] {
			t.Errorf("%q, %v", id.Credential, err)
		}
		names[id.Credential] = true
	}
}
