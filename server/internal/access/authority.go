package access

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
	"time"
)

// authorities are those that a policy believes client certificates of. TLS asked those of its time when the connection was made; a call asks
// those in force now. Safe for concurrent use.
type authorities struct {
	roots *x509.CertPool // nil: no certificate is believed

	mu sync.Mutex
	// believed is until when what was shown holds, by its hash. Guarded by mu.
	believed map[[sha256.Size]byte]time.Time
}

// mostBelieved bounds what is remembered. Only certificates of readers are, so that nobody else can push them out.
const mostBelieved = 1000

// believe says until when a certificate counts, with what the client sent beside it. A chain that holds is not followed anew at each call.
// ErrExpired, ErrAuthority.
func (a *authorities) believe(c *x509.Certificate, beside []*x509.Certificate) (until time.Time, err error) {
	now := time.Now()
	if now.After(c.NotAfter) {
		return until, ErrExpired
	}
	if a.roots == nil { // x509 would take the machine's own
		return until, ErrAuthority
	}
	shown := hashOf(c, beside)
	a.mu.Lock()
	until = a.believed[shown]
	a.mu.Unlock()
	if now.Before(until) {
		return until, nil
	}
	if until, err = a.follow(c, beside, now); err != nil {
		return until, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.believed) >= mostBelieved || a.believed == nil {
		a.believed = make(map[[sha256.Size]byte]time.Time)
	}
	a.believed[shown] = until
	return until, nil
}

// follow looks for a chain to an authority, as TLS does, and returns when the one that lasts longest ends.
func (a *authorities) follow(c *x509.Certificate, beside []*x509.Certificate, now time.Time) (until time.Time, err error) {
	between := x509.NewCertPool()
	for _, other := range beside {
		between.AddCert(other)
	}
	chains, err := c.Verify(x509.VerifyOptions{
		Roots: a.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return until, ErrAuthority
	}
	for _, chain := range chains {
		end := c.NotAfter
		for _, link := range chain {
			if link.NotAfter.Before(end) {
				end = link.NotAfter
			}
		}
		if end.After(until) {
			until = end
		}
	}
	return until, nil
}

func hashOf(c *x509.Certificate, beside []*x509.Certificate) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write(c.Raw)
	for _, other := range beside {
		h.Write(other.Raw)
	}
	h.Sum(sum[:0])
	return sum
}
