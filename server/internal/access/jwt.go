package access

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
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

// issuerKey names a verifier: readers of one issuer and audience share it, and its cache.
type issuerKey struct{ issuer, audience, keys string }

type verifier struct{ *oidc.IDTokenVerifier }

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
	key := j.key()
	if p.verifiers[key] == nil {
		keys, err := keySet(j)
		if err != nil {
			return err
		}
		p.verifiers[key] = &verifier{oidc.NewVerifier(j.Issuer, keys, &oidc.Config{ClientID: j.Audience, SupportedSigningAlgs: algorithms})}
	}
	p.byJWT = append(p.byJWT, r)
	return nil
}

func (j *JWT) key() issuerKey {
	return issuerKey{j.Issuer, j.Audience, j.KeysURL + string(j.Keys)}
}

func keySet(j *JWT) (oidc.KeySet, error) {
	if j.KeysURL != "" {
		// The context outlives the calls that fetch: the key set belongs to the policy.
		return oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), newKeyFetcher()), j.KeysURL), nil
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(j.Keys, &set); err != nil {
		return nil, fmt.Errorf("jwt: the file of keys is not a JSON web key set: %w", err)
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

// identifyJWT verifies the token with each issuer's keys, then looks whose it is.
func (p *Policy) identifyJWT(ctx context.Context, token string) (Identity, error) {
	for key, v := range p.verifiers {
		t, err := v.Verify(ctx, token)
		if err != nil {
			continue
		}
		var claims map[string]any
		if err := t.Claims(&claims); err != nil {
			continue
		}
		find := func(p *Policy) *Reader { return p.holder(key, t, claims) }
		if r := find(p); r != nil {
			return Identity{Reader: r, Expires: t.Expiry, Credential: "jwt " + t.Subject, find: find}, nil
		}
	}
	return Identity{}, ErrUnknown
}

// holder returns the one reader whose terms a verified token fulfils. Where several do, it is nobody's: which grant would it be?
func (p *Policy) holder(key issuerKey, t *oidc.IDToken, claims map[string]any) (found *Reader) {
	for _, r := range p.byJWT {
		if r.JWT.key() != key || !r.JWT.holds(t, claims) {
			continue
		}
		if found != nil {
			return nil
		}
		found = r
	}
	return found
}

func (j *JWT) holds(t *oidc.IDToken, claims map[string]any) bool {
	if j.Subject != "" && j.Subject != t.Subject {
		return false
	}
	for name, want := range j.Claims {
		switch got := claims[name].(type) {
		case string:
			if got != want {
				return false
			}
		case []any:
			if !slices.Contains(got, any(want)) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// newKeyFetcher returns a client that fetches keys in bounded time and not too often: whoever makes up key ids in tokens makes us fetch.
func newKeyFetcher() *http.Client {
	return &http.Client{Timeout: 5 * time.Second, Transport: &limitedTransport{limiter: rate.NewLimiter(rate.Every(10*time.Second), 3)}}
}

type limitedTransport struct{ limiter *rate.Limiter }

func (t *limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.limiter.Allow() {
		return nil, errors.New("the issuer's keys were fetched a moment ago")
	}
	return http.DefaultTransport.RoundTrip(r)
}
