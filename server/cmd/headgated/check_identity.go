package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/server"
)

// checkReaders tells who may read, and of the key files that say so.
func checkReaders(r *report, cfg server.Config) {
	if len(cfg.Readers) == 0 {
		r.say(verdictWarning, "readers", "none: everybody on this machine may read everything")
		return
	}
	operators := 0
	for _, reader := range cfg.Readers {
		if reader.Operator {
			operators++
		}
	}
	r.say(verdictOK, "readers", "%d, %d of them operators", len(cfg.Readers), operators)
	for _, name := range slices.Sorted(maps.Keys(cfg.Readers)) {
		jwt := cfg.Readers[name].JWT
		if jwt == nil || jwt.KeysFile == "" {
			continue
		}
		var set struct{ Keys []json.RawMessage }
		_ = json.Unmarshal(jwt.Keys, &set) // it was read before, when the configuration was
		r.say(verdictOK, "keys", "readers.%s: %d in %s", name, len(set.Keys), jwt.KeysFile)
	}
}

// checkCertificates tells how long the certificates of the gateway and of its clients' authorities hold.
func checkCertificates(r *report, t server.TLS, now time.Time) {
	if t.CertFile != "" {
		checkCertificate(r, "certificate", t.CertFile, now)
		checkChain(r, t, now)
	}
	if t.ClientCAFile != "" {
		checkCertificate(r, "client_ca", t.ClientCAFile, now)
	}
}

// checkChain looks whether those who connect can believe the gateway's certificate: the CRM knows public authorities only.
func checkChain(r *report, t server.TLS, now time.Time) {
	certs, err := readCertificates(t.CertFile)
	if err != nil {
		return // that was said
	}
	leaf, between := certs[0], x509.NewCertPool()
	for _, c := range certs[1:] {
		between.AddCert(c)
	}
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		r.say(verdictWarning, "names", "%s names no host, so nobody can be sure that it is this one's; get one with the host's name (a SAN)", t.CertFile)
	} else {
		r.say(verdictOK, "names", "%s", strings.Join(namesOf(leaf), ", "))
	}
	_, err = leaf.Verify(x509.VerifyOptions{Intermediates: between, CurrentTime: now})
	public := len(t.Listeners) == 0 || slices.Contains(t.Listeners, "webhook")
	switch {
	case err == nil:
		r.say(verdictOK, "chain", "it leads to a public authority")
	case errors.As(err, new(x509.UnknownAuthorityError)) && public:
		r.say(verdictWarning, "chain", "it leads to no public authority, and listen.webhook shows it: the CRM will not post there; use one of a public authority, with the certificates in between (the full chain), or leave webhook out of tls.listeners and end TLS in a proxy")
	case errors.As(err, new(x509.UnknownAuthorityError)):
		r.say(verdictOK, "chain", "it leads to no public authority; readers must be given its own")
	case !now.Before(leaf.NotBefore) && !now.After(leaf.NotAfter): // else that was said
		r.say(verdictError, "chain", "%s; get another certificate", err)
	}
}

// expiresSoon is how long before its end a certificate is warned of.
const expiresSoon = 30 * 24 * time.Hour

func checkCertificate(r *report, name, file string, now time.Time) {
	certs, err := readCertificates(file)
	if err != nil {
		r.say(verdictError, name, "%s: %s", file, err)
		return
	}
	for _, c := range certs {
		subject, until := subjectOf(c), c.NotAfter.UTC().Format(time.RFC3339)
		switch {
		case now.After(c.NotAfter):
			r.say(verdictError, name, "%s in %s ended at %s; renew it", subject, file, until)
		case now.Before(c.NotBefore):
			r.say(verdictError, name, "%s in %s begins at %s only; check the clock, or wait", subject, file, c.NotBefore.UTC().Format(time.RFC3339))
		case now.Add(expiresSoon).After(c.NotAfter):
			r.say(verdictWarning, name, "%s in %s ends in %d days, at %s; renew it", subject, file, c.NotAfter.Sub(now)/(24*time.Hour), until)
		default:
			r.say(verdictOK, name, "%s, until %s", subject, until)
		}
	}
}

// readCertificates reads all certificates of a PEM file.
func readCertificates(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return certs, nil
}

// subjectOf is what a certificate is called: many have no subject any more.
func subjectOf(c *x509.Certificate) string {
	if name := c.Subject.String(); name != "" {
		return name
	}
	names := namesOf(c)
	for _, u := range c.URIs {
		names = append(names, u.String())
	}
	return strings.Join(names, ", ")
}

// namesOf are the hosts that a certificate is of.
func namesOf(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}
