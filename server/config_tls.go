package server

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// TLS says which listeners speak TLS, 1.2 or later, and with which files, all PEM. Without a certificate none does.
type TLS struct {
	// CertFile holds the server's certificate and what leads from it to its authority, KeyFile its private key.
	CertFile, KeyFile string
	// ClientCAFile holds the authorities of client certificates. With it the API, gRPC and pprof take client certificates; without, they do not ask.
	ClientCAFile string
	// Listeners are those that speak TLS: webhook, api, grpc, admin, pprof. Empty means all.
	Listeners []string
}

var allListeners = []string{listenWebhook, listenAPI, listenGRPC, listenAdmin, listenPProf}

// on says whether a listener speaks TLS.
func (t TLS) on(listener string) bool {
	return t.CertFile != "" && (len(t.Listeners) == 0 || slices.Contains(t.Listeners, listener))
}

// listeners are all that speak TLS.
func (t TLS) listeners() []string {
	return slices.DeleteFunc(slices.Clone(allListeners), func(name string) bool { return !t.on(name) })
}

func (l *loader) tls(n *yaml.Node, path string) TLS {
	t := TLS{}
	file := func(into *string) field {
		return func(n *yaml.Node, path string) {
			if name, ok := l.scalar(n, path); ok {
				*into = l.fromDir(name)
			}
		}
	}
	before := len(l.problems)
	l.mapping(n, path, map[string]field{
		"cert_file":      file(&t.CertFile),
		"key_file":       file(&t.KeyFile),
		"client_ca_file": file(&t.ClientCAFile),
		"listeners":      l.texts(&t.Listeners),
	})
	if t.CertFile == "" && t.KeyFile == "" && len(l.problems) == before {
		l.refuse(n, path, "has no certificate; give cert_file and key_file, or remove the key")
	}
	return t
}

// certificates tries the files of TLS, so that what is wrong with them is told with all the rest.
func (l *loader) certificates(t TLS) {
	for _, file := range []string{t.CertFile, t.KeyFile, t.ClientCAFile} {
		if file != "" {
			l.files = append(l.files, file)
		}
	}
	if t.CertFile == "" || t.KeyFile == "" || l.problems.touches("tls") {
		return
	}
	l.warnOpen(t.KeyFile, "tls.key_file")
	_, problems := t.load()
	l.problems = append(l.problems, problems...)
}

func (c *Config) validateTLS(ps *Problems) {
	t := c.TLS
	switch {
	case t.CertFile == "" && (t.KeyFile != "" || t.ClientCAFile != "" || len(t.Listeners) > 0):
		ps.add("tls.cert_file", "is missing; name the file of the server's certificate")
	case t.KeyFile == "" && t.CertFile != "":
		ps.add("tls.key_file", "is missing; name the file of the certificate's private key")
	}
	for i, name := range t.Listeners {
		at := "tls.listeners[" + strconv.Itoa(i) + "]"
		if !slices.Contains(allListeners, name) {
			ps.add(at, "is not a listener; use %s", strings.Join(allListeners, ", "))
		} else if slices.Contains(t.Listeners[:i], name) {
			ps.add(at, "%q stands here twice; remove one", name)
		}
	}
	if t.ClientCAFile != "" && t.CertFile != "" && !t.on(listenAPI) && !t.on(listenGRPC) {
		ps.add("tls.client_ca_file", "is of no use; client certificates are taken on api and grpc, so list one of them in tls.listeners")
	}
}

// load reads the files. Its problems name the setting and the file.
func (t TLS) load() (*certificates, Problems) {
	var ps Problems
	file := func(setting, path, what string) []byte {
		data, err := readFile(path, maxFileBytes, what)
		if err != nil {
			ps.add(setting, "%s", err)
		}
		return data
	}
	cert, key := file("tls.cert_file", t.CertFile, "the server's certificate"), file("tls.key_file", t.KeyFile, "the certificate's private key")
	authorities, more := t.clientAuthorities()
	if ps = append(ps, more...); len(ps) > 0 {
		return nil, ps
	}
	if !x509.NewCertPool().AppendCertsFromPEM(cert) {
		ps.add("tls.cert_file", "%s holds no certificate in PEM; write the server's certificate to it", t.CertFile)
		return nil, ps
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		ps.add("tls.key_file", "%s does not go with the certificate in %s: %s; write that certificate's private key to it, in PEM and without a password",
			t.KeyFile, t.CertFile, strings.TrimPrefix(fmt.Sprint(err), "tls: "))
		return nil, ps
	}
	return newCertificates(pair, authorities), nil
}

// clientAuthorities reads whose client certificates are believed. Nil: nobody's.
func (t TLS) clientAuthorities() (*x509.CertPool, Problems) {
	const setting = "tls.client_ca_file"
	if t.ClientCAFile == "" {
		return nil, nil
	}
	var ps Problems
	data, err := readFile(t.ClientCAFile, maxFileBytes, "the certificates of the clients' authorities")
	if err != nil {
		ps.add(setting, "%s", err)
		return nil, ps
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		ps.add(setting, "%s holds no certificate in PEM; write those of the clients' authorities to it", t.ClientCAFile)
		return nil, ps
	}
	return pool, nil
}
