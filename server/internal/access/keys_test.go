package access

import (
	"bytes"
	"context"
	"encoding/json"
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

// identify finds whose the token is, and asks the issuer for it: whoever comes while a fetch is being put away shares its outcome instead.
func identify(t testing.TB, p *Policy, token string, fetches *atomic.Int32) (Identity, error) {
	t.Helper()
	for was := fetches.Load(); ; runtime.Gosched() {
		id, err := p.Identify(t.Context(), Credentials{Bearer: token})
		if err == nil || fetches.Load() > was || t.Context().Err() != nil {
			return id, err
		}
	}
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
	if id, err := identify(t, p, second.token(t, nil), &srv.fetches); err != nil || id.Reader.Name != "audit" {
		t.Errorf("a new key: %+v, %v", id.Reader, err)
	}
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
	if id, err := identify(t, p, token, &srv.fetches); err != nil || id.Reader.Name != "audit" {
		t.Errorf("mended: %+v, %v", id.Reader, err)
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
		if id, err := identify(t, p, s.token(t, nil), &keys.fetches); err != nil || id.Reader.Name != "audit" {
			t.Errorf("behind a redirect: %+v, %v", id.Reader, err)
		}
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

// keysOf is a key set of those, each in JSON.
func keysOf(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// inJSON is a key in JSON, with changes; an empty one takes a member away.
func inJSON(t testing.TB, key jose.JSONWebKey, change map[string]string) string {
	t.Helper()
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]string{}
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range change {
		if members[name] = value; value == "" {
			delete(members, name)
		}
	}
	text, err = json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// notUnderstood are keys that may stand beside those of use.
func notUnderstood(t testing.TB) map[string]string {
	t.Helper()
	ec := newSigner(t, jose.ES256, "other").public()
	return map[string]string{
		"a kind that is not known":         `{"kty":"AKP","kid":"other","alg":"ML-DSA-65","pub":"AAAA"}`,
		"that without an algorithm":        `{"kty":"AKP","kid":"other","pub":"AAAA"}`,
		"a kind of nobody":                 `{"kty":"?","kid":"other"}`,
		"no kind":                          `{"kid":"other"}`,
		"a curve that is not known":        inJSON(t, ec, map[string]string{"crv": "secp256k1", "alg": ""}),
		"Ed448":                            `{"kty":"OKP","crv":"Ed448","kid":"other","x":"AAAA"}`,
		"an algorithm that is not known":   inJSON(t, ec, map[string]string{"alg": "ES256K"}),
		"for encryption":                   inJSON(t, ec, map[string]string{"use": "enc", "alg": ""}),
		"an algorithm of encryption":       inJSON(t, newSigner(t, jose.RS256, "other").public(), map[string]string{"alg": "RSA-OAEP"}),
		"a point that is not on its curve": inJSON(t, ec, map[string]string{"x": "AAAA"}),
		"half a point":                     inJSON(t, ec, map[string]string{"y": ""}),
		"a secret":                         `{"kty":"oct","kid":"other","k":"YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcw"}`,
		"a private key":                    inJSON(t, jose.JSONWebKey{Key: newSigner(t, jose.ES256, "other").key, KeyID: "other"}, nil),
		"a number":                         `1`,
		"null":                             `null`,
	}
}

// TestJWTKeysOfOtherKinds: one key that is not understood takes no other away, and is nothing by itself.
func TestJWTKeysOfOtherKinds(t *testing.T) {
	s := newSigner(t, jose.ES256, "k1")
	good := inJSON(t, s.public(), nil)
	for name, other := range notUnderstood(t) {
		for _, set := range []string{keysOf(other, good), keysOf(good, other)} {
			srv := newIssuerServer(t, []byte(set))
			wantReader(t, name+", from a URL", policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: srv.URL})), s.token(t, nil), "audit")
			wantReader(t, name+", from a file", policy(t, byJWT("audit", JWT{Subject: "audit", Keys: []byte(set)})), s.token(t, nil), "audit")
		}
		file := JWT{Issuer: testIssuer, Audience: testAudience, Subject: "audit", Keys: []byte(keysOf(other))}
		if _, err := NewPolicy([]Reader{{Name: "r", JWT: &file, Grant: &Grant{}}}, nil); err == nil {
			t.Errorf("%s: a file of that alone is taken", name)
		}
	}
}

// TestJWTKeysAreNotGivenUp: whatever an issuer answers that is no key set of use, a token that needs the keys is not called wrong, and those that were known
// stay known.
func TestJWTKeysAreNotGivenUp(t *testing.T) {
	known, next := newSigner(t, jose.ES256, "k1"), newSigner(t, jose.ES256, "k2")
	set := func(s *signer) string { return keysOf(inJSON(t, s.public(), nil)) }
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	location := func(status int, to string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(set(next)))
		}
	}
	answers := map[string]http.HandlerFunc{
		"an empty object": answer(200, `{}`), "null": answer(200, `null`), "an empty set": answer(200, `{"keys":[]}`), "no set": answer(200, `{"keys":null}`),
		"a list": answer(200, `[]`), "keys that are no list": answer(200, `{"keys":{}}`), "a word": answer(200, `"keys"`), "nothing": answer(200, ""),
		"maintenance": answer(200, `{"error":"maintenance"}`), "a page": answer(200, "<html>closed today</html>"),
		"half a set": answer(200, set(next)[:40]), "a set and more": answer(200, set(next)+"}"),
		"201": answer(201, set(next)), "202": answer(202, set(next)), "203": answer(203, set(next)), "204": answer(204, ""), "206": answer(206, set(next)),
		"300 with a place": location(300, "/next"), "304": answer(304, ""), "500": answer(500, set(next)), "503": answer(503, "{}"), "404": answer(404, set(next)),
		"302 without a place": answer(302, set(next)), "307 to no place": location(307, "http://[::1"), "308 to an empty place": location(308, ""),
		"302 to ftp": location(302, "ftp://127.0.0.1/"),
	}
	for name, key := range notUnderstood(t) {
		answers["only "+name] = answer(200, keysOf(key))
	}
	for name, then := range answers {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) == 1 {
					answer(200, set(known))(w, r)
					return
				}
				then(w, r)
			}))
			defer srv.Close()
			defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
			p := policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: srv.URL}))
			wantReader(t, "before", p, known.token(t, nil), "audit")
			if _, err := identify(t, p, next.token(t, nil), &asked); !errors.Is(err, ErrNoKeys) {
				t.Errorf("a key that is not known yet: %v", err)
			}
			wantReader(t, "a key that is", p, known.token(t, nil), "audit")
		})
	}
}

// TestJWTKeysNotWaitedFor: whose call ends while keys are fetched is not told that the credentials are wrong, nor is the audit.
func TestJWTKeysNotWaitedFor(t *testing.T) {
	s := newSigner(t, jose.ES256, "k1")
	srv := newIssuerServer(t, keyFile(t, s))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	srv.during(func() {
		cancel()
		<-ended
	})
	p := policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: srv.URL}))
	_, err := p.Identify(ctx, Credentials{Bearer: s.token(t, nil)})
	close(ended)
	if !errors.Is(err, ErrNoKeys) {
		t.Error(err)
	}
}
