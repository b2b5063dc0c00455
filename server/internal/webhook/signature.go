package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"time"
)

// signatureHeader carries the standard padded base64 of HMAC-SHA256 over the raw body, keyed with the bytes of the secret.
const signatureHeader = "X-Superoffice-Signature"

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
		code, err := base64.StdEncoding.DecodeString(signatures[0])
		if err != nil || len(code) != sha256.Size || base64.StdEncoding.EncodeToString(code) != signatures[0] {
			return errNoSuchCode
		}
		return nil
	}
	return errTwoSignatures
}

// verify checks the signature against every live secret, in constant time, and returns the id of the one it was made with. The encoded forms are
// compared: decoding would accept more than one spelling of the same signature.
func (s *Source) verify(signature string, body []byte, now time.Time) (id string, err error) {
	err = errSignature
	for i := range s.Secrets {
		if s.Secrets[i].live(now) && subtle.ConstantTimeCompare([]byte(Sign(s.Secrets[i].Key, body)), []byte(signature)) == 1 {
			id, err = s.Secrets[i].ID, nil
		}
	}
	return id, err
}

// awaits says whether the source has no secret yet and may still be without.
func (s *Source) awaits(now time.Time) bool {
	return len(s.Secrets) == 0 && !s.Unsigned && now.Before(s.AwaitingSecretUntil)
}
