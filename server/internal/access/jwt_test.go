package access

import (
	"bytes"
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
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// issuerServer publishes keys over HTTP.
type issuerServer struct {
	*httptest.Server
	fetches atomic.Int32
	mu      sync.Mutex
	keys    []byte // nil: it is broken
	fetch   func() // is called during each fetch
}

func newIssuerServer(t *testing.T, keys []byte) *issuerServer {
	s := &issuerServer{keys: keys, fetch: func() {}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.fetches.Add(1)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.fetch()
		if s.keys == nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write(s.keys)
	}))
	t.Cleanup(func() {
		s.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return s
}

func (s *issuerServer) publish(keys []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
}

// during has f called during each fetch.
func (s *issuerServer) during(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetch = f
}

func TestJWTKeysFromURL(t *testing.T) {
	first, second := newSigner(t, jose.ES256, "2026a"), newSigner(t, jose.RS256, "2026b")
	srv := newIssuerServer(t, keyFile(t, first))
	p := policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: srv.URL}), byJWT("it", JWT{Subject: "it", KeysURL: srv.URL}))
	for range 10 {
		wantReader(t, "the first key", p, first.token(t, nil), "audit")
		wantReader(t, "the first key", p, first.token(t, map[string]any{"sub": "it"}), "it")
	}
	if n := srv.fetches.Load(); n != 1 {
		t.Errorf("%d fetches for 20 tokens of one key", n)
	}
	srv.publish(keyFile(t, first, second))
	wantReader(t, "a new key", p, second.token(t, nil), "audit")
	srv.publish(keyFile(t, second))
	wantReader(t, "the old key, which is cached", p, first.token(t, nil), "audit")
	if n := srv.fetches.Load(); n != 2 {
		t.Errorf("%d fetches for two keys", n)
	}
}

// TestJWTFlood: whoever makes up tokens makes us fetch a few times, and whoever has a good one is served meanwhile.
func TestJWTFlood(t *testing.T) {
	s := newSigner(t, jose.ES256, "k1")
	srv, other := newIssuerServer(t, keyFile(t, s)), newIssuerServer(t, keyFile(t, s))
	p := policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: srv.URL}),
		byJWT("other", JWT{Subject: "audit", Issuer: "https://id.other", KeysURL: other.URL}))
	good := s.token(t, nil)
	wantReader(t, "before", p, good, "audit")
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			forged := &signer{s.alg, s.key, fmt.Sprintf("made-up-%d", i)}
			if id, err := p.Identify(t.Context(), Credentials{Bearer: forged.token(t, nil)}); err == nil {
				t.Errorf("a made-up key is %s's", id.Reader.Name)
			}
			wantReader(t, "meanwhile", p, good, "audit")
		})
	}
	wg.Wait()
	if n := srv.fetches.Load(); n > 4 {
		t.Errorf("%d fetches for 200 made-up keys", n)
	}
	if n := other.fetches.Load(); n != 0 {
		t.Errorf("the keys of an issuer that no token named were fetched %d times", n)
	}
}

// TestJWTKeysAreKept: a policy that follows another has the keys of the issuers that both have, and of no others.
func TestJWTKeysAreKept(t *testing.T) {
	s := newSigner(t, jose.ES256, "k1")
	srv, other := newIssuerServer(t, keyFile(t, s)), newIssuerServer(t, keyFile(t, newSigner(t, jose.ES256, "k1")))
	at := func(url string) *Policy { return policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: url})) }
	c := NewControl(at(srv.URL))
	token := Credentials{Bearer: s.token(t, nil)}
	if _, err := c.Identify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	srv.publish(nil)
	for range 2 {
		c.Replace(at(srv.URL))
		if _, err := c.Identify(t.Context(), token); err != nil {
			t.Errorf("after a change, with the issuer broken: %v", err)
		}
	}
	if n := srv.fetches.Load(); n != 1 {
		t.Errorf("%d fetches of keys that were known", n)
	}
	c.Replace(at(other.URL))
	if _, err := c.Identify(t.Context(), token); !errors.Is(err, ErrUnknown) {
		t.Errorf("with other keys: %v", err)
	}
}

// TestJWTKeysCannotBeHad: that is told apart from a wrong token, which nobody should send again.
func TestJWTKeysCannotBeHad(t *testing.T) {
	s := newSigner(t, jose.ES256, "k1")
	srv := newIssuerServer(t, nil)
	p := policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: srv.URL}))
	token := s.token(t, nil)
	if _, err := p.Identify(t.Context(), Credentials{Bearer: token}); !errors.Is(err, ErrNoKeys) {
		t.Errorf("a broken issuer: %v", err)
	}
	if _, err := p.Identify(t.Context(), Credentials{Bearer: "a.b.c"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("no token: %v", err)
	}
	srv.publish(keyFile(t, s))
	// Whoever asks while the failed fetch is being put away shares its outcome, as the error says: try again.
	for {
		id, err := p.Identify(t.Context(), Credentials{Bearer: token})
		if errors.Is(err, ErrNoKeys) && t.Context().Err() == nil && srv.fetches.Load() < 2 {
			runtime.Gosched()
			continue
		}
		if err != nil || id.Reader.Name != "audit" {
			t.Errorf("mended: %+v, %v", id.Reader, err)
		}
		break
	}
	srv.Close()
	gone := policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: srv.URL}))
	if _, err := gone.Identify(t.Context(), Credentials{Bearer: token}); !errors.Is(err, ErrNoKeys) {
		t.Errorf("an issuer that is not there: %v", err)
	}
}

// TestJWTKeysBehindARedirect: to fetch them costs no more of what bounds the fetches, and goes round in no circle.
func TestJWTKeysBehindARedirect(t *testing.T) {
	keys := newIssuerServer(t, nil)
	var asked atomic.Int32
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		to := keys.URL
		if r.URL.Path == "/circle" {
			to = "/circle"
		}
		http.Redirect(w, r, to, http.StatusFound)
	}))
	defer first.Close()
	p := policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: first.URL}))
	for n := range 3 {
		s := newSigner(t, jose.ES256, fmt.Sprint("key ", n))
		keys.publish(keyFile(t, s))
		wantReader(t, "behind a redirect", p, s.token(t, nil), "audit")
	}
	asked.Store(0)
	circle := policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: first.URL + "/circle"}))
	if _, err := circle.Identify(t.Context(), Credentials{Bearer: newSigner(t, jose.ES256, "k").token(t, nil)}); !errors.Is(err, ErrNoKeys) {
		t.Errorf("in a circle: %v", err)
	}
	if n := asked.Load(); n != maxRedirects {
		t.Errorf("it was asked %d times", n)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

// TestJWTKeysOfElsewhere: whoever publishes keys may send to another place of them, but to none that the configuration would refuse.
func TestJWTKeysOfElsewhere(t *testing.T) {
	s := newSigner(t, jose.ES256, "k1")
	keys := newIssuerServer(t, keyFile(t, s))
	elsewhere := strings.Replace(keys.URL, "127.0.0.1", "0.0.0.0", 1) // this machine too, but that is not known
	token := Credentials{Bearer: s.token(t, nil)}
	for to, want := range map[string]error{
		keys.URL: nil, elsewhere: ErrNoKeys, strings.Replace(keys.URL, "http://", "http://me:mine@", 1): ErrNoKeys, "ftp://127.0.0.1/": ErrNoKeys,
	} {
		was := keys.fetches.Load()
		first := httptest.NewServer(http.RedirectHandler(to, http.StatusFound))
		_, err := policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: first.URL})).Identify(t.Context(), token)
		if !errors.Is(err, want) {
			t.Errorf("sent to %s: %v, want %v", to, err, want)
		}
		if want != nil && keys.fetches.Load() != was {
			t.Errorf("sent to %s: it was fetched", to)
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		first.Close()
	}
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{
		{"https://id.corp/keys", "https://keys.corp/", true},
		{"https://id.corp/keys", "http://id.corp/keys", false},
		{"https://id.corp/keys", "http://127.0.0.1/keys", false},
		{"https://id.corp/keys", "https://me:mine@id.corp/keys", false},
		{"http://127.0.0.1/keys", "http://LocalHost:8080/", true},
		{"http://127.0.0.1/keys", "https://id.corp/", true},
		{"http://127.0.0.1/keys", "http://id.corp/", false},
	} {
		err := newKeyFetcher().CheckRedirect(httptest.NewRequest("GET", c.to, nil), []*http.Request{httptest.NewRequest("GET", c.from, nil)})
		if (err == nil) != c.allowed {
			t.Errorf("from %s to %s: %v", c.from, c.to, err)
		}
	}
}

// TestJWTKeysThatAreNone: whatever is there instead of an issuer's keys, the token of an honest reader is not called wrong.
func TestJWTKeysThatAreNone(t *testing.T) {
	before := fetchWithin
	fetchWithin = 200 * time.Millisecond
	t.Cleanup(func() { fetchWithin = before })
	begin := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"keys":[`))
		_ = http.NewResponseController(w).Flush()
	}
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"none":          func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half":          func(w http.ResponseWriter, r *http.Request) { begin(w); <-r.Context().Done() },
		"one that ends": func(w http.ResponseWriter, _ *http.Request) { begin(w); panic(http.ErrAbortHandler) },
		"closed":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a page":        func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>closed today</html>")) },
		"a page elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://127.0.0.1:1/", http.StatusFound)
		},
		"too much":           func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte(" "), maxKeySet+1)) },
		"an error of theirs": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(answer))
			defer srv.Close()
			defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
			p := policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: srv.URL}))
			if _, err := p.Identify(t.Context(), Credentials{Bearer: newSigner(t, jose.ES256, "k").token(t, nil)}); !errors.Is(err, ErrNoKeys) {
				t.Error(err)
			}
		})
	}
}
