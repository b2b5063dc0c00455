package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"hash"
	"sync"
	"time"
)

// signatureHeader carries the standard padded base64 of HMAC-SHA256 over the raw body, keyed with the bytes of the secret.
const signatureHeader = "X-Superoffice-Signature"

// signatureSize is how long one is.
const signatureSize = (sha256.Size + 2) / 3 * 4

// Secret is one that a source's signatures may be made with. Several may be live at once, while the CRM changes from one to the other.
type Secret struct {
	ID  string
	Key []byte
	// NotBefore and NotAfter bound its use. Zero: unbounded.
	NotBefore, NotAfter time.Time
}

func (s *Secret) live(now time.Time) bool {
	return !now.Before(s.NotBefore) && (s.NotAfter.IsZero() || now.Before(s.NotAfter))
}

// Sign returns the signature of the body.
func Sign(key, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

var (
	errNoSignature   = errors.New("the request has no signature")
	errTwoSignatures = errors.New("the request has more than one signature")
	errNoSuchCode    = errors.New("the signature is not the standard base64 of 32 bytes")
	errSignature     = errors.New("the signature is of none of the source's live secrets")
)

// checkSignatures says why none of them can be right, whatever the body is; nil when one can.
func checkSignatures(signatures []string) error {
	switch len(signatures) {
	case 0:
		return errNoSignature
	case 1:
		if len(signatures[0]) != signatureSize {
			return errNoSuchCode
		}
		var code [signatureSize]byte // more than it takes
		n, err := base64.StdEncoding.Decode(code[:], []byte(signatures[0]))
		if err != nil || n != sha256.Size || string(encoded([sha256.Size]byte(code[:]))) != signatures[0] {
			return errNoSuchCode
		}
		return nil
	}
	return errTwoSignatures
}

// encoded is the signature that a code makes.
func encoded(code [sha256.Size]byte) []byte {
	return base64.StdEncoding.AppendEncode(make([]byte, 0, signatureSize), code[:])
}

// coders makes a pool of what computes the codes of a key's signatures. Making one takes longer than using it.
func coders(key []byte) *sync.Pool {
	return &sync.Pool{New: func() any { return &coder{Hash: hmac.New(sha256.New, key)} }}
}

type coder struct {
	hash.Hash
	code [sha256.Size]byte
}

// made says, in constant time, whether the signature was made of the body with the key of the codes.
func made(codes *sync.Pool, signature string, body []byte) bool {
	c := codes.Get().(*coder)
	defer codes.Put(c)
	c.Reset()
	c.Write(body)
	c.Sum(c.code[:0])
	return subtle.ConstantTimeCompare(encoded(c.code), []byte(signature)) == 1
}

// verify checks the signature against every live secret, in constant time, and returns the id of the one it was made with. The encoded forms are
// compared: decoding would accept more than one spelling of the same signature.
func (s *source) verify(signature string, body []byte, now time.Time) (id string, err error) {
	err = errSignature
	for i := range s.Secrets {
		if s.Secrets[i].live(now) && made(s.codes[i], signature, body) {
			id, err = s.Secrets[i].ID, nil
		}
	}
	return id, err
}

// awaits says whether the source has no secret yet and may still be without.
func (s *Source) awaits(now time.Time) bool {
	return len(s.Secrets) == 0 && !s.Unsigned && now.Before(s.AwaitingSecretUntil)
}
