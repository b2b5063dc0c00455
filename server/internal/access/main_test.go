package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"sync"
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

// policy makes a policy of readers that it must take, and of the tests' authority.
func policy(t testing.TB, readers ...Reader) *Policy {
	t.Helper()
	p, err := NewPolicy(readers, clients().pool())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// byToken is a reader of some events with a token.
func byToken(name, token string, rules ...Rule) Reader {
	return Reader{Name: name, Tokens: []string{HashToken(token)}, Grant: NewGrant(rules, false)}
}

// clients is the authority of the tests' client certificates.
var clients = sync.OnceValue(func() *authority {
	return (*authority)(nil).issue(&x509.Certificate{Subject: pkix.Name{CommonName: "clients"}, NotAfter: time.Now().Add(72 * time.Hour)})
})

// authority issues certificates.
type authority struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// issue makes another authority; without a, one that stands on its own. It panics, as it is called where no test runs too.
func (a *authority) issue(template *x509.Certificate) *authority {
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	return a.sign(template)
}

func (a *authority) sign(template *x509.Certificate) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	if a == nil {
		a = &authority{template, key}
	}
	template.SerialNumber, template.NotBefore = big.NewInt(time.Now().UnixNano()), template.NotAfter.Add(-96*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, a.Certificate, key.Public(), a.key)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return &authority{c, key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	return pool
}

// clientCertificate makes a certificate of the tests' authority with the URIs and subject.
func clientCertificate(t testing.TB, subject pkix.Name, until time.Time, uris ...string) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{Subject: subject, NotAfter: until}
	for _, text := range uris {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		template.URIs = append(template.URIs, u)
	}
	return clients().sign(template).Certificate
}
