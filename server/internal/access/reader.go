package access

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Reader is a configured identity: the credentials it is known by and what it may read.
type Reader struct {
	Name string
	// Tokens are the SHA-256 hashes of its bearer tokens, in hex. Two while rotating.
	Tokens []string
	// Certificate is the SPIFFE id (or another URI), or the subject as in RFC 2253, of its client certificate. Empty: none.
	Certificate string
	// JWT are the terms on which a JSON web token is this reader's. Nil: none.
	JWT   *JWT
	Grant *Grant
	// Limits of the reader.
	Limits Limits
}

// Credentials are what a call came with.
type Credentials struct {
	// Bearer is the token of the Authorization header, without its scheme. Empty: none.
	Bearer string
	// Certificate is the client certificate: TLS knows that the client has its key, and the policy says whether its authority counts. Nil: none.
	Certificate *x509.Certificate
	// Intermediates are what the client sent beside it, on the way to its authority.
	Intermediates []*x509.Certificate
}

// Identity is who a call was found to be from.
type Identity struct {
	Reader *Reader
	// Expires is when the credential ends, zero when it does not.
	Expires time.Time
	// Credential names the credential without giving it away, for the audit: "token 9f86d081", "certificate spiffe://…", "jwt subject".
	Credential string

	// find looks the credential up in another policy; nil when it is of nobody there. A token is not verified anew, a certificate is: its authority
	// may be none there.
	find func(*Policy) *Reader
}

// Errors of authentication. Their texts are fit for the caller.
var (
	// ErrNone: there were no credentials.
	ErrNone = errors.New("no credentials were given: send a bearer token, or a client certificate")
	// ErrUnknown: they are of no reader.
	ErrUnknown = errors.New("the credentials are of no reader that this server knows")
	// ErrAuthority: the certificate is a reader's, but not of an authority in force.
	ErrAuthority = errors.New("the client certificate is of no authority that this server believes now: connect again with one that is")
	// ErrExpired: they were good until they expired. A session ends with it too.
	ErrExpired = errors.New("the credential has expired")
	// ErrNoKeys: whose they are cannot be told now, because the issuer's keys cannot be had.
	ErrNoKeys = errors.New("the keys of the token's issuer cannot be fetched now; try again")
)

// Policy is the set of readers. Once in force it is immutable and safe for concurrent use; see Control for one that changes.
type Policy struct {
	byToken       map[[sha256.Size]byte]*Reader
	byCertificate map[string]*Reader
	authorities   authorities
	byJWT         []*Reader
	verifiers     map[issuer]*oidc.IDTokenVerifier
	open          *Reader // everybody is this one; nil when readers are told apart
	names         []string
}

// NewPolicy returns the policy of the readers. clients are the authorities of their certificates; nil when there are none. It fails when two readers
// have a credential in common, or a hash is none.
func NewPolicy(readers []Reader, clients *x509.CertPool) (*Policy, error) {
	p := &Policy{byToken: make(map[[sha256.Size]byte]*Reader), byCertificate: make(map[string]*Reader), verifiers: make(map[issuer]*oidc.IDTokenVerifier)}
	p.authorities.roots = clients
	for i := range readers {
		r := &readers[i]
		p.names = append(p.names, r.Name)
		for _, t := range r.Tokens {
			hash, err := ParseTokenHash(t)
			if err != nil {
				return nil, fmt.Errorf("reader %s: %w", r.Name, err)
			}
			if other := p.byToken[hash]; other != nil && other != r {
				return nil, fmt.Errorf("readers %s and %s have a token in common: give each its own", other.Name, r.Name)
			}
			p.byToken[hash] = r
		}
		if r.Certificate != "" {
			if other := p.byCertificate[r.Certificate]; other != nil {
				return nil, fmt.Errorf("readers %s and %s have a certificate in common: give each its own", other.Name, r.Name)
			}
			p.byCertificate[r.Certificate] = r
		}
		if r.JWT != nil {
			if err := p.addJWT(r); err != nil {
				return nil, fmt.Errorf("reader %s: %w", r.Name, err)
			}
		}
	}
	return p, nil
}

// Open returns the policy of a gateway without readers: everybody may read everything. It is for loopback only.
func Open() *Policy {
	everybody := &Reader{Name: "anybody", Grant: Everything()}
	return &Policy{open: everybody, names: []string{everybody.Name}}
}

// Tells says whether the policy tells readers apart.
func (p *Policy) Tells() bool { return p.open == nil }

// Identify finds the reader that the credentials are of. ErrNone, ErrUnknown, ErrAuthority, ErrExpired, ErrNoKeys.
func (p *Policy) Identify(ctx context.Context, c Credentials) (Identity, error) {
	if p.open != nil {
		return Identity{Reader: p.open, Credential: "none", find: func(p *Policy) *Reader { return p.open }}, nil
	}
	if c.Bearer != "" {
		hash := sha256.Sum256([]byte(c.Bearer))
		find := func(p *Policy) *Reader { return p.byToken[hash] }
		if r := find(p); r != nil {
			return Identity{Reader: r, Credential: "token " + hex.EncodeToString(hash[:4]), find: find}, nil
		}
		if strings.Count(c.Bearer, ".") == 2 {
			return p.identifyJWT(ctx, c.Bearer)
		}
		// A wrong token is not made right by a certificate beside it.
		return Identity{}, ErrUnknown
	}
	if c.Certificate != nil {
		for _, name := range certificateNames(c.Certificate) {
			if r := p.byCertificate[name]; r != nil {
				until, err := p.authorities.believe(c.Certificate, c.Intermediates)
				if err != nil {
					return Identity{}, err
				}
				find := func(p *Policy) *Reader { return p.ofCertificate(name, c) }
				return Identity{Reader: r, Expires: until, Credential: "certificate " + name, find: find}, nil
			}
		}
		return Identity{}, ErrUnknown
	}
	return Identity{}, ErrNone
}

// ofCertificate is the reader of that name, if the certificate counts here; else nil.
func (p *Policy) ofCertificate(name string, c Credentials) *Reader {
	r := p.byCertificate[name]
	if r == nil {
		return nil
	}
	if _, err := p.authorities.believe(c.Certificate, c.Intermediates); err != nil {
		return nil
	}
	return r
}

func certificateNames(c *x509.Certificate) []string {
	var names []string
	for _, u := range c.URIs {
		// Without a scheme it could spell another's subject.
		if u.IsAbs() {
			names = append(names, u.String())
		}
	}
	if name := subjectOf(c); name != "" {
		names = append(names, name)
	}
	return names
}

const hashPrefix = "sha256:"

// ParseTokenHash reads "sha256:" and 64 hex digits.
func ParseTokenHash(text string) (hash [sha256.Size]byte, err error) {
	digits, ok := strings.CutPrefix(text, hashPrefix)
	raw, err := hex.DecodeString(digits)
	if !ok || err != nil || len(raw) != sha256.Size {
		return hash, errors.New("a token is configured as sha256: and 64 hex digits; make one with headgate token new")
	}
	return [sha256.Size]byte(raw), nil
}

// HashToken returns how a token is configured.
func HashToken(token string) string {
	hash := sha256.Sum256([]byte(token))
	return hashPrefix + hex.EncodeToString(hash[:])
}

// same says whether it is the same reader with the same grant: then its streams go on.
func (r *Reader) same(other *Reader) bool {
	return other != nil && r.Name == other.Name && r.Grant.words == other.Grant.words
}
