package server

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync/atomic"
	"time"
)

// certificates are how connections are taken, as the files say at one time. They are immutable.
type certificates struct {
	// withoutClients is for listeners that do not tell clients apart, withClients for those that do.
	withoutClients, withClients *tls.Config
	// notAfter is when the server's own is good no longer.
	notAfter time.Time
}

func newCertificates(own tls.Certificate, clientCAs *x509.CertPool) *certificates {
	c := &certificates{withoutClients: tlsConfig(), notAfter: endOf(own.Certificate)}
	c.withoutClients.Certificates = []tls.Certificate{own}
	c.withClients = c.withoutClients.Clone()
	// The CRM and Prometheus speak HTTP/1. Without HTTP/2 a connection that asks for nothing is gone when its first header is late.
	c.withoutClients.NextProtos = []string{"http/1.1"}
	if clientCAs != nil {
		c.withClients.ClientCAs, c.withClients.ClientAuth = clientCAs, tls.VerifyClientCertIfGiven
		// A resumed session would bring back a client whose authority is no longer one.
		c.withClients.SessionTicketsDisabled = true
		c.withClients.VerifyConnection = fewCertificates
	}
	return c
}

// maxChain is how many certificates a client may send. More than a few authorities stand between none and a root, and with all of them it is looked at later, too.
const maxChain = 10

func fewCertificates(state tls.ConnectionState) error {
	if n := len(state.PeerCertificates); n > maxChain {
		return fmt.Errorf("the client sends %d certificates, and may send %d", n, maxChain)
	}
	return nil
}

func tlsConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// liveTLS takes new connections with the certificates in force. Connections that are open keep theirs; whether the client's still counts, access
// looks at with every call.
type liveTLS struct{ atomic.Pointer[certificates] }

// config returns the configuration of a listener, which follows the certificates.
func (t *liveTLS) config(clients bool) *tls.Config {
	c := tlsConfig()
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := t.Load()
		if clients {
			return now.withClients, nil
		}
		return now.withoutClients, nil
	}
	return c
}
