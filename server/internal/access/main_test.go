package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = 20 * time.Second

// wait waits until the channel is closed.
func wait(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("it never happened: %s", what)
	}
}

func ended(s *Session) bool {
	select {
	case <-s.Ended():
		return true
	default:
		return false
	}
}

// policy makes a policy of readers that it must take.
func policy(t testing.TB, readers ...Reader) *Policy {
	t.Helper()
	p, err := NewPolicy(readers)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// byToken is a reader of some events with a token.
func byToken(name, token string, rules ...Rule) Reader {
	return Reader{Name: name, Tokens: []string{HashToken(token)}, Grant: NewGrant(rules, false)}
}

// clientCertificate makes a certificate with the URIs and subject. Whether it is verified is TLS's business.
func clientCertificate(t testing.TB, subject pkix.Name, until time.Time, uris ...string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, NotBefore: until.Add(-48 * time.Hour), NotAfter: until}
	for _, text := range uris {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		template.URIs = append(template.URIs, u)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
