package access

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/time/rate"
)

func keySet(j *JWT) (oidc.KeySet, error) {
	if j.KeysURL != "" {
		// The context outlives the calls that fetch: the key set belongs to the policies.
		return remoteKeys{oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), newKeyFetcher()), j.KeysURL)}, nil
	}
	usable, err := usableKeys(j.Keys)
	if err != nil {
		// The decoder's own text can repeat what is in the file, and somebody may have named the wrong one.
		return nil, errors.New("jwt: the file of keys is not a JSON web key set")
	}
	if len(usable) == 0 {
		return nil, errors.New("jwt: the file of keys holds no public key that a token may be signed with")
	}
	var keys []crypto.PublicKey
	for _, k := range usable {
		keys = append(keys, k.Key)
	}
	return &oidc.StaticKeySet{PublicKeys: keys}, nil
}

// usableKeys returns those of a key set that a token may be signed with. Others stand beside them and are left out, as RFC 7517 wants in section 5: of kinds and
// curves that are not known here, for encryption, broken ones. The error says that it is no key set.
func usableKeys(text []byte) (usable []jose.JSONWebKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if json.Unmarshal(raw, &k) != nil || k.Use == "enc" || k.Algorithm != "" && !slices.Contains(algorithms, k.Algorithm) {
			continue
		}
		switch k.Key.(type) {
		case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
			usable = append(usable, jose.JSONWebKey{Key: k.Key, KeyID: k.KeyID, Algorithm: k.Algorithm})
		}
	}
	return usable, nil
}

// remoteKeys are an issuer's keys at a URL. That they cannot be had must not look like a wrong token, which nobody would send again.
type remoteKeys struct{ *oidc.RemoteKeySet }

// failedKey is where VerifySignature leaves its error: the verifier passes on only the text.
type failedKey struct{}

// VerifySignature implements oidc.KeySet.
func (k remoteKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.RemoteKeySet.VerifySignature(ctx, jwt)
	// Whoever does not wait for the keys was not told either.
	noKeys := errors.Is(err, ErrNoKeys) || err != nil && ctx.Err() != nil
	if failed, ok := ctx.Value(failedKey{}).(*error); ok && noKeys {
		*failed = ErrNoKeys
	}
	return payload, err
}

// newKeyFetcher returns a client that fetches keys in bounded time and not too often: whoever makes up key ids in tokens makes us fetch.
func newKeyFetcher() *http.Client {
	return &http.Client{Transport: &keyTransport{limiter: rate.NewLimiter(rate.Every(10*time.Second), 3)}, CheckRedirect: checkRedirect}
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

// keyTransport asks for keys. To its caller every answer has some that are of use, or leads to another place: what else an issuer answers while it is not well
// would be taken for a set without the key that a token names, and would drop those that are known.
type keyTransport struct{ limiter *rate.Limiter }

// RoundTrip implements http.RoundTripper. All its errors are ErrNoKeys. It reads the keys, because whoever does it later, and runs out of time, or finds
// something else, says so in an error of his own.
func (t *keyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
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
	var body []byte
	switch resp.StatusCode {
	case http.StatusOK:
		body, err = readKeys(resp.Body)
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		_, err = resp.Location()
	default:
		err = errors.New(resp.Status)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoKeys, err)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// readKeys returns the set of what is usable in a body, which must be something.
func readKeys(body io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxKeySet))
	if err != nil {
		return nil, err
	}
	usable, err := usableKeys(text)
	if err != nil {
		return nil, err
	}
	if len(usable) == 0 {
		return nil, errors.New("there is no key of use")
	}
	return json.Marshal(jose.JSONWebKeySet{Keys: usable})
}
