package server

import (
	"go.yaml.in/yaml/v3"
)

// Reader is a configured identity: the credentials it is known by and what it may read.
type Reader struct {
	// Tokens are "sha256:" and the hash of a bearer token in hex. Several while rotating.
	Tokens []string
	// ClientCertificate is the SPIFFE id, or another URI, of its client certificate; or the certificate's subject as in RFC 2253, CN=billing,O=Corp.
	ClientCertificate string
	// JWT are the terms on which a JSON web token is this reader's. Nil: none.
	JWT *JWT
	// Allow lists what it may read: whatever one of the lines allows.
	Allow []Allow
	// Operator lets it use AdminService.
	Operator bool
	// Limits of its own; what is 0 in them is taken from Limits.Reader.
	Limits ReaderLimits
}

// JWT are the terms on which a JSON web token is a reader's: all that are set must hold.
type JWT struct {
	// Issuer and Audience must be in the token. Both are required.
	Issuer, Audience string
	// Subject and Claims must be in the token; a claim may also be a list that has the value. One of them is required.
	Subject string
	Claims  map[string]string
	// KeysURL is where the issuer publishes its JSON web key set; or Keys is the set, read from KeysFile.
	KeysURL, KeysFile string
	Keys              []byte
}

// Allow is one line of what a reader may read. In each part a * in a pattern stands for any text. A part without patterns sets no bound, but
// sources must be named.
type Allow struct {
	Sources, Contexts, Entities, Actions []string
	// RawBody: the CRM's request body may be read too.
	RawBody bool
}

// ReaderLimits bound what one reader may take over all its connections.
type ReaderLimits struct {
	// Streams is how many it may have at once, Connections from how many connections, RequestsPerSecond how many calls it may begin. Positions it may save
	// ten times as often; what is beyond waits. Of its calls half as many as there are processors are answered at a time, and at least one; the others wait too,
	// a quick one behind slow ones. Services that share a token share all of this: give each a reader of its own.
	Streams, Connections, RequestsPerSecond int
}

// or returns the limits, with those of others where they are 0.
func (l ReaderLimits) or(others ReaderLimits) ReaderLimits {
	pick := func(own, other int) int {
		if own != 0 {
			return own
		}
		return other
	}
	return ReaderLimits{pick(l.Streams, others.Streams), pick(l.Connections, others.Connections), pick(l.RequestsPerSecond, others.RequestsPerSecond)}
}

// readers reads who may read. Naming nobody is refused: it would open the gateway where its owner meant to close it.
func (l *loader) readers(n *yaml.Node, path string) map[string]Reader {
	readers := map[string]Reader{}
	before := len(l.problems)
	l.pairs(n, path, plainName.MatchString, func(key, val *yaml.Node, at string) {
		if !plainName.MatchString(key.Value) {
			l.refuse(key, at, badReaderName)
			return
		}
		readers[key.Value] = l.reader(val, at)
	})
	if len(readers) == 0 && len(l.problems) == before {
		l.refuse(n, path, "names no reader; name one, or remove the key: then everybody on this machine may read everything")
	}
	return readers
}

func (l *loader) reader(n *yaml.Node, path string) Reader {
	var r Reader
	l.mapping(n, path, map[string]field{
		"tokens":             l.texts(&r.Tokens),
		"client_certificate": l.into(&r.ClientCertificate),
		"jwt":                func(n *yaml.Node, path string) { r.JWT = l.jwt(n, path) },
		"allow": func(n *yaml.Node, path string) {
			l.list(n, path, func(item *yaml.Node, at string) { r.Allow = append(r.Allow, l.allow(item, at)) })
		},
		"operator": l.yes(&r.Operator),
		"limits": func(n *yaml.Node, path string) {
			l.mapping(n, path, map[string]field{
				"streams":             l.limit(&r.Limits.Streams),
				"connections":         l.limit(&r.Limits.Connections),
				"requests_per_second": l.limit(&r.Limits.RequestsPerSecond),
			})
		},
	})
	return r
}

// limit returns a field that stores a reader's limit. Here 0 is not "as all others", as it is in ReaderLimits, but a slip.
func (l *loader) limit(into *int) field {
	return func(n *yaml.Node, path string) {
		before := len(l.problems)
		l.setting(value(path, into, parseCount, nil))(n, path)
		if *into == 0 && len(l.problems) == before {
			l.refuse(n, path, "must be 1 at least; remove the reader to refuse it everything")
		}
	}
}

func (l *loader) allow(n *yaml.Node, path string) Allow {
	var a Allow
	l.mapping(n, path, map[string]field{
		"sources":  l.texts(&a.Sources),
		"contexts": l.texts(&a.Contexts),
		"entities": l.texts(&a.Entities),
		"actions":  l.texts(&a.Actions),
		"raw_body": l.yes(&a.RawBody),
	})
	return a
}

func (l *loader) jwt(n *yaml.Node, path string) *JWT {
	j := &JWT{}
	l.mapping(n, path, map[string]field{
		"issuer":   l.into(&j.Issuer),
		"audience": l.into(&j.Audience),
		"subject":  l.into(&j.Subject),
		"claims": func(n *yaml.Node, path string) {
			j.Claims = map[string]string{}
			never := func(string) bool { return false } // claims can have any name
			l.pairs(n, path, never, func(key, val *yaml.Node, at string) { j.Claims[key.Value], _ = l.scalar(val, at) })
		},
		"keys_url": l.into(&j.KeysURL),
		"keys_file": func(n *yaml.Node, path string) {
			name, ok := l.scalar(n, path)
			if !ok {
				return
			}
			var err error
			j.KeysFile = l.fromDir(name)
			if j.Keys, err = l.read(j.KeysFile, maxFileBytes, "the issuer's JSON web key set"); err != nil {
				l.refuse(n, path, "%s", err)
			}
		},
	})
	return j
}
