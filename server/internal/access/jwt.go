package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-json-experiment/json/jsontext"
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
	return Identity{Reader: r, Expires: verified.Expiry, Credential: "jwt " + nameOf(verified.Subject), find: find}, nil
}

// longestSubject bounds what of a token's subject stands in every line of the audit and with every stream.
const longestSubject = 200

// nameOf is a subject, of which a long one is cut and told apart from others by its hash.
func nameOf(subject string) string {
	if len(subject) <= longestSubject {
		return subject
	}
	hash := sha256.Sum256([]byte(subject))
	return strings.ToValidUTF8(subject[:longestSubject], "") + "… sha256:" + hex.EncodeToString(hash[:4])
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
