package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/headgate/headgate/server"
)

// TestReadmePaths: a path that the README names must be there.
func TestReadmePaths(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`\]\(([^)#:]+)\)|go run (\./\S+)`).FindAllStringSubmatch(string(text), -1)
	if len(links) < 8 {
		t.Fatalf("only %d paths found", len(links))
	}
	for _, l := range links {
		path := l[1] + l[2]
		if _, err := os.Stat(filepath.Join("..", path)); err != nil {
			t.Errorf("the README names %s: %v", path, err)
		}
	}
}

// TestReadmeConfiguration: the configuration that the README shows is one that the server takes.
func TestReadmeConfiguration(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	yaml := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(string(text))
	if yaml == nil {
		t.Fatal("the README shows no configuration")
	}
	dir := t.TempDir()
	cert, key := selfSigned(t, time.Now().AddDate(1, 0, 0))
	for name, content := range map[string][]byte{
		"headgate.yaml": []byte(yaml[1]), "secrets/acme-a": []byte("a secret that is long enough"), "secrets/acme-b": []byte("another one, long enough too"),
		"tls.crt": cert, "tls.key": key,
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := server.Load(filepath.Join(dir, "headgate.yaml"), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
}

// selfSigned makes a certificate that is good until then, and its key, in PEM.
func selfSigned(t *testing.T, until time.Time) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: until, DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}
