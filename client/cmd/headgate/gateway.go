package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/headgate/headgate/client"
)

// gateway says which gateway to ask, and as whom.
type gateway struct {
	Address   string `default:"127.0.0.1:9090" env:"HEADGATE_ADDRESS" placeholder:"HOST:PORT" help:"The gateway's gRPC address. Default: ${default}."`
	TokenFile string `env:"HEADGATE_TOKEN_FILE" type:"existingfile" placeholder:"FILE" help:"File that holds the reader's token; else HEADGATE_TOKEN is taken."`
	CAFile    string `name:"ca-file" env:"HEADGATE_CA_FILE" type:"existingfile" placeholder:"FILE" help:"Roots to check the gateway's certificate with, in PEM. Default: the system's."`
	CertFile  string `env:"HEADGATE_CERT_FILE" type:"existingfile" placeholder:"FILE" and:"certificate" help:"The reader's certificate, in PEM."`
	KeyFile   string `env:"HEADGATE_KEY_FILE" type:"existingfile" placeholder:"FILE" and:"certificate" help:"The key of the reader's certificate, in PEM."`
	Plaintext bool   `env:"HEADGATE_PLAINTEXT" help:"Speak unencrypted to another machine too."`
}

// dial prepares the connection. The caller closes it.
func (g *gateway) dial() (*client.Client, error) {
	var options []client.Option
	token := os.Getenv("HEADGATE_TOKEN")
	if g.TokenFile != "" {
		content, err := os.ReadFile(g.TokenFile)
		if err != nil {
			return nil, err
		}
		token = strings.TrimSpace(string(content))
	}
	if token != "" {
		options = append(options, client.WithToken(token))
	}
	config, err := g.tls()
	if err != nil {
		return nil, err
	}
	if config != nil {
		options = append(options, client.WithTLS(config))
	}
	if g.Plaintext {
		options = append(options, client.WithDialOptions(grpc.WithTransportCredentials(insecure.NewCredentials())))
	}
	c, err := client.Dial(g.Address, options...)
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// tls is nil when nothing was said about certificates.
func (g *gateway) tls() (*tls.Config, error) {
	if g.CAFile == "" && g.CertFile == "" {
		return nil, nil
	}
	if g.Plaintext {
		return nil, usagef("--plaintext does not go with certificates")
	}
	config := &tls.Config{}
	if g.CAFile != "" {
		pem, err := os.ReadFile(g.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", g.CAFile)
		}
	}
	if g.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(g.CertFile, g.KeyFile)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
