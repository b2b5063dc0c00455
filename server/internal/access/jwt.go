package access

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/time/rate"
)

// JWT are the terms on which a JSON web token is a reader's: all that are set must hold.
type JWT struct {
	// Issuer and Audience must be in the token. Both are required.
	Issuer, Audience string
	// Subject, if set, must be the token's.
	Subject string
	// Claims, if set, must be in the token with the value, or with a list that has it.
	Claims map[string]string
	// KeysURL is where the issuer's JSON web key set is fetched from; keys are cached and fetched again when a token names a new one.
	KeysURL string
	// Keys is the key set itself, from a file. One of KeysURL and Keys is required.
	Keys []byte
}

// algorithms are those that a token may be signed with: public keys only, so that a key set is no secret.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// issuer is one with its keys. Its readers share a verifier, whatever their audiences, and so the cache of the keys.
type issuer struct{ name, keysURL, keys string }

func (p *Policy) addJWT(r *Reader) error {
	j := r.JWT
	switch {
	case j.Issuer == "" || j.Audience == "":
		return errors.New("jwt: issuer and audience are required: without an audience a token made for another service would open this one")
	case j.Subject == "" && len(j.Claims) == 0:
		return errors.New("jwt: name a subject or claims: else every token of the issuer would be this reader")
	case (j.KeysURL == "") == (len(j.Keys) == 0):
		return errors.New("jwt: name either a url or a file of the issuer's keys")
	}
	if key := j.issuer(); p.verifiers[key] == nil {
		keys, err := keySet(j)
		if err != nil {
			return err
		}
		// The audience is one of the terms that holds looks at: a token may be for several.
		p.verifiers[key] = oidc.NewVerifier(j.Issuer, keys, &oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: algorithms})
	}
	p.byJWT = append(p.byJWT, r)
	return nil
}

// keepKeys takes over the verifiers that another policy has of the same issuers, with the keys that they fetched: an issuer that cannot be reached
// just then must not shut its readers out. p must not be in force yet.
func (p *Policy) keepKeys(of *Policy) {
	for key := range p.verifiers {
		if v := of.verifiers[key]; v != nil {
			p.verifiers[key] = v
		}
	}
}

func (j *JWT) issuer() issuer { return issuer{j.Issuer, j.KeysURL, string(j.Keys)} }

func keySet(j *JWT) (oidc.KeySet, error) {
	if j.KeysURL != "" {
		// The context outlives the calls that fetch: the key set belongs to the policies.
		return remoteKeys{oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), newKeyFetcher()), j.KeysURL)}, nil
	}
	var set jose.JSONWebKeySet
	if json.Unmarshal(j.Keys, &set) != nil {
		// The decoder's own text can repeat what is in the file, and somebody may have named the wrong one.
		return nil, errors.New("jwt: the file of keys is not a JSON web key set")
	}
	var keys []crypto.PublicKey
	for _, k := range set.Keys {
		if k.IsPublic() {
			keys = append(keys, k.Key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("jwt: the file of keys holds no public key")
	}
	return &oidc.StaticKeySet{PublicKeys: keys}, nil
}

// identifyJWT verifies the token with the keys of its issuer, then looks whose it is.
func (p *Policy) identifyJWT(ctx context.Context, token string) (Identity, error) {
	name := issuerOf(token)
	failed := ErrUnknown
	ctx = context.WithValue(ctx, failedKey{}, &failed)
	var verified *oidc.IDToken
	var by []issuer
	for key, v := range p.verifiers {
		if key.name != name { // else every token would have the keys of all issuers fetched
			continue
		}
		t, err := v.Verify(ctx, token)
		var expired *oidc.TokenExpiredError
		switch {
		case err == nil:
			verified, by = t, append(by, key)
		case errors.As(err, &expired):
			failed = ErrExpired
		}
	}
	if verified == nil {
		return Identity{}, failed
	}
	var payload jsontext.Value
	if err := verified.Claims(&payload); err != nil {
		return Identity{}, ErrUnknown
	}
	said := claimsOf(payload)
	find := func(p *Policy) *Reader { return p.holder(by, said) }
	r := find(p)
	if r == nil {
		return Identity{}, ErrUnknown
	}
	return Identity{Reader: r, Expires: verified.Expiry, Credential: "jwt " + verified.Subject, find: find}, nil
}

// issuerOf reads the issuer of a token that nobody has verified, empty when there is none.
func issuerOf(token string) string {
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		return ""
	}
	name, _ := claimsOf(payload)["iss"].(string)
	return name
}

// holder returns the one reader whose terms a token fulfils that the issuers verified. Where several do, it is nobody's: which grant would it be?
func (p *Policy) holder(by []issuer, said claims) (found *Reader) {
	for _, r := range p.byJWT {
		if !slices.Contains(by, r.JWT.issuer()) {
			continue
		}
		if said.ambiguous(slices.Collect(maps.Keys(r.JWT.Claims))) {
			return nil
		}
		if !r.JWT.holds(said) {
			continue
		}
		if found != nil {
			return nil
		}
		found = r
	}
	return found
}

func (j *JWT) holds(said claims) bool {
	if !said.has("aud", j.Audience) || j.Subject != "" && said["sub"] != j.Subject {
		return false
	}
	for name, want := range j.Claims {
		if !said.has(name, want) {
			return false
		}
	}
	return true
}

// remoteKeys are an issuer's keys at a URL. That they cannot be had must not look like a wrong token, which nobody would send again.
type remoteKeys struct{ *oidc.RemoteKeySet }

// failedKey is where VerifySignature leaves its error: the verifier passes on only the text.
type failedKey struct{}

// VerifySignature implements oidc.KeySet.
func (k remoteKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.RemoteKeySet.VerifySignature(ctx, jwt)
	if failed, ok := ctx.Value(failedKey{}).(*error); ok && errors.Is(err, ErrNoKeys) {
		*failed = ErrNoKeys
	}
	return payload, err
}

// newKeyFetcher returns a client that fetches keys in bounded time and not too often: whoever makes up key ids in tokens makes us fetch.
func newKeyFetcher() *http.Client {
	return &http.Client{Transport: &limitedTransport{limiter: rate.NewLimiter(rate.Every(10*time.Second), 3)}, CheckRedirect: checkRedirect}
}

// fetchWithin bounds how long a fetch takes, and once more for each redirect. A variable for the tests.
var fetchWithin = 5 * time.Second

// maxKeySet is more than any issuer's keys have.
const maxKeySet = 1 << 20

// maxRedirects bounds what one fetch can ask for.
const maxRedirects = 3

// checkRedirect refuses to fetch keys from where the configuration may not say that they are: without TLS anybody in between could give other keys. An issuer
// on this machine, which is asked without TLS, may send to another place of it.
func checkRedirect(to *http.Request, via []*http.Request) error {
	local := via[0].URL.Scheme == "http" && to.URL.Scheme == "http" && isLoopback(to.URL.Hostname())
	if len(via) >= maxRedirects || to.URL.User != nil || to.URL.Scheme != "https" && !local {
		return ErrNoKeys
	}
	return nil
}

// isLoopback is as the configuration has it.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

type limitedTransport struct{ limiter *rate.Limiter }

// RoundTrip implements http.RoundTripper. All its errors are ErrNoKeys. It reads the keys, because whoever does it later, and runs out of time, or finds
// something else, says so in an error of his own.
func (t *limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Response == nil && !t.limiter.Allow() { // what a redirect leads to is the same fetch
		return nil, ErrNoKeys
	}
	ctx, cancel := context.WithTimeout(r.Context(), fetchWithin)
	defer cancel()
	resp, err := http.DefaultTransport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoKeys, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return nil, ErrNoKeys
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeySet))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoKeys, err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(body, &set); err != nil && resp.StatusCode < http.StatusMultipleChoices {
		return nil, fmt.Errorf("%w: %w", ErrNoKeys, err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
