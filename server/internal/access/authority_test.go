package access

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"testing"
	"time"
)

func machine() Reader {
	return Reader{Name: "machine", Certificate: "CN=machine", Grant: NewGrant([]Rule{{}}, false)}
}

// believing is a policy of the machine that believes these authorities.
func believing(t *testing.T, roots ...*authority) *Policy {
	t.Helper()
	pool := x509.NewCertPool()
	for _, a := range roots {
		pool.AddCert(a.Certificate)
	}
	p, err := NewPolicy([]Reader{machine()}, pool)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newAuthority(name string) *authority {
	return (*authority)(nil).issue(&x509.Certificate{Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(72 * time.Hour)})
}

// client issues a certificate of the machine.
func (a *authority) client(until time.Time) *x509.Certificate {
	return a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "machine"}, NotAfter: until}).Certificate
}

// TestWithdrawnAuthority: what it issued counts no more, on connections that are open too, and nothing else changes.
func TestWithdrawnAuthority(t *testing.T) {
	soon := time.Now().Add(time.Hour)
	// An authority of the same name with another key is another.
	one, two := newAuthority("corp"), newAuthority("corp")
	ofOne, ofTwo := Credentials{Certificate: one.client(soon)}, Credentials{Certificate: two.client(soon)}
	c := NewControl(believing(t, one))
	begin := func(cred Credentials) *Session {
		t.Helper()
		s, err := c.Begin(t.Context(), cred, "a", Stream)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := begin(ofOne)
	defer first.Done()
	if _, err := c.Begin(t.Context(), ofTwo, "a", Stream); !errors.Is(err, ErrAuthority) {
		t.Errorf("of an authority that is not believed: %v", err)
	}
	c.Replace(believing(t, two, one))
	second := begin(ofTwo)
	defer second.Done()
	c.Replace(believing(t, two))
	if !ended(first) || !errors.Is(first.Cause(), ErrGrantChanged) {
		t.Errorf("a session of a withdrawn authority: %v", first.Cause())
	}
	if ended(second) {
		t.Errorf("a session of an authority that stays ended: %v", second.Cause())
	}
	if _, err := c.Identify(t.Context(), ofOne); !errors.Is(err, ErrAuthority) {
		t.Errorf("a call of a withdrawn authority: %v", err)
	}
	begin(ofTwo).Done()
	none, err := NewPolicy([]Reader{machine()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Replace(none)
	if !ended(second) {
		t.Error("a session goes on without any authority")
	}
	if _, err := c.Identify(t.Context(), ofTwo); !errors.Is(err, ErrAuthority) {
		t.Errorf("without any authority: %v", err)
	}
}

// TestIntermediates: what a client sent beside its certificate leads to its authority, and ends with its first part.
func TestIntermediates(t *testing.T) {
	root, other := newAuthority("root"), newAuthority("other")
	late, early := time.Now().Add(2*time.Hour).Truncate(time.Second), time.Now().Add(time.Hour).Truncate(time.Second)
	between := root.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "between"}, NotAfter: early})
	leaf := between.client(late)
	// The same name and key, signed by the other authority and for longer.
	cross := *between.Certificate
	cross.NotAfter = late
	crossed, err := x509.CreateCertificate(rand.Reader, &cross, other.Certificate, between.key.Public(), other.key)
	if err != nil {
		t.Fatal(err)
	}
	byOther, err := x509.ParseCertificate(crossed)
	if err != nil {
		t.Fatal(err)
	}
	one, both := []*x509.Certificate{between.Certificate}, []*x509.Certificate{between.Certificate, byOther}
	for _, c := range []struct {
		name   string
		policy *Policy
		beside []*x509.Certificate
		until  time.Time // zero: refused
	}{
		{"nothing beside it", believing(t, root), nil, time.Time{}},
		{"what leads there", believing(t, root), one, early},
		{"what leads elsewhere", believing(t, other), one, time.Time{}},
		{"two ways, one believed", believing(t, other), both, late},
		{"two ways, both believed", believing(t, root, other), both, late},
		{"the part between is believed", believing(t, between), nil, early},
	} {
		for range 2 { // followed, then remembered
			id, err := c.policy.Identify(t.Context(), Credentials{Certificate: leaf, Intermediates: c.beside})
			if c.until.IsZero() && !errors.Is(err, ErrAuthority) || !c.until.IsZero() && (err != nil || !id.Expires.Equal(c.until)) {
				t.Errorf("%s: until %v, %v; want %v", c.name, id.Expires, err, c.until)
			}
		}
	}
}

func TestCertificateForAnotherUse(t *testing.T) {
	root := newAuthority("root")
	server := root.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "machine"}, NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if _, err := believing(t, root).Identify(t.Context(), Credentials{Certificate: server.Certificate}); !errors.Is(err, ErrAuthority) {
		t.Errorf("a server's certificate: %v", err)
	}
}

// TestChainIsFollowedOnce: a call costs no signatures, what is remembered is bounded, and it is forgotten with the chain's end.
func TestChainIsFollowedOnce(t *testing.T) {
	root := newAuthority("root")
	p := believing(t, root)
	cred := Credentials{Certificate: root.client(time.Now().Add(time.Hour))}
	if _, err := p.Identify(t.Context(), cred); err != nil {
		t.Fatal(err)
	}
	p.authorities.roots = x509.NewCertPool() // following the chain again would fail
	if _, err := p.Identify(t.Context(), cred); err != nil {
		t.Errorf("the chain was followed again: %v", err)
	}
	for key := range p.authorities.believed {
		p.authorities.believed[key] = time.Now()
	}
	if _, err := p.Identify(t.Context(), cred); !errors.Is(err, ErrAuthority) {
		t.Errorf("the chain is believed after its end: %v", err)
	}
	p.authorities.roots = root.pool()
	for i := range 2 * mostBelieved {
		p.authorities.believed[[32]byte{byte(i), byte(i >> 8), 1}] = time.Now().Add(time.Hour)
		if i%(mostBelieved/2) == 0 {
			if _, err := p.Identify(t.Context(), Credentials{Certificate: root.client(time.Now().Add(time.Hour))}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(p.authorities.believed); n > mostBelieved+mostBelieved/2 {
		t.Errorf("%d chains are remembered", n)
	}
}
