package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/server"
)

// certificateFile writes a certificate and its key into the folder of a configuration.
func certificateFile(t *testing.T, dir string, template x509.Certificate) (cert string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(1)
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert = filepath.Join(dir, "cert.pem")
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der}, filepath.Join(dir, "key.pem"): {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert
}

const someHash = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

const whoReads = `
tls: {cert_file: cert.pem, key_file: key.pem, client_ca_file: cert.pem}
readers:
  billing: {tokens: ["` + someHash + `"], operator: true}
  audit: {jwt: {issuer: https://id.corp, audience: a, subject: s, keys_file: keys.json}, allow: [{sources: [acme]}]}
`

// keys is a key set of one key, which is on the curve.
const keys = `{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`

func TestCheckTellsWhoMayRead(t *testing.T) {
	file := configFile(t, whoReads)
	dir := filepath.Dir(file)
	certificateFile(t, dir, x509.Certificate{Subject: pkix.Name{CommonName: "gate"}, NotBefore: time.Now(), NotAfter: time.Now().Add(2 * expiresSoon)})
	if err := os.WriteFile(filepath.Join(dir, "keys.json"), []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, _, err := program(t, nil, "check", "--config", file)
	if code(err) != 1 { // the certificate is nobody's that is known
		t.Error(err)
	}
	for _, want := range []string{
		"ok       readers         2, 1 of them operators\n", "ok       keys            readers.audit: 1 in " + dir,
		"ok       certificate     CN=gate, until 20", "ok       client_ca       CN=gate, until 20",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("want %q in:\n%s", want, stdout)
		}
	}
	stdout, _, err = program(t, nil, "check", "--print", "--config", file, "--listen-grpc", "127.0.0.1:1")
	if err != nil || strings.Contains(stdout, secret) || strings.Contains(stdout, someHash[:20]) {
		t.Errorf("%v, printed\n%s", err, stdout)
	}
	for _, want := range []string{"grpc: 127.0.0.1:1\n", "max_age: 90d\n", "secret: '[redacted]'\n", "keys_file: " + dir} {
		if !strings.Contains(stdout, want) {
			t.Errorf("want %q in:\n%s", want, stdout)
		}
	}
	if err := os.Remove(filepath.Join(dir, "keys.json")); err != nil {
		t.Fatal(err)
	}
	stdout, _, err = program(t, nil, "check", "--print", "--config", file)
	if err == nil || !strings.HasPrefix(stdout, "error    config") || !strings.Contains(stdout, "keys_file (line ") {
		t.Errorf("%v, printed\n%s", err, stdout)
	}
}

func TestCheckOfCertificates(t *testing.T) {
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	var out bytes.Buffer
	r := &report{out: &out}
	for _, c := range []x509.Certificate{
		{NotBefore: now.Add(-day), NotAfter: now.Add(-time.Hour), Subject: pkix.Name{CommonName: "a"}},
		{NotBefore: now.Add(day), NotAfter: now.Add(90 * day), DNSNames: []string{"gate.corp", "gate"}},
		{NotBefore: now.Add(-day), NotAfter: now.Add(29*day + time.Hour), Subject: pkix.Name{CommonName: "a"}},
		{NotBefore: now.Add(-day), NotAfter: now.Add(31 * day), Subject: pkix.Name{CommonName: "a"}},
	} {
		checkCertificates(r, server.TLS{CertFile: certificateFile(t, t.TempDir(), c)}, now)
	}
	verdicts(t, out.String(),
		[3]string{"error", "certificate", "ended at 2026-06-30T23:00:00Z; renew it"},
		[3]string{"warning", "names", "names no host"},
		[3]string{"error", "certificate", "gate.corp, gate in "},
		[3]string{"ok", "names", "gate.corp, gate"},
		[3]string{"warning", "certificate", "ends in 29 days"},
		[3]string{"warning", "names", "names no host"},
		[3]string{"warning", "chain", "the CRM will not post there"},
		[3]string{"ok", "certificate", "CN=a, until 2026-08-01"},
		[3]string{"warning", "names", ""},
		[3]string{"warning", "chain", ""},
	)
}
