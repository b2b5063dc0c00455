package server_test

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/headgate/headgate/server"
)

// flood is an abuse by frames that cost their sender little.
type flood struct {
	name  string
	first func(a *abuser, path string) error // once for each connection
	round func(a *abuser, path string) error
	// Who must end the abuser's connection for it. What nobody ends costs no more than honest traffic of that size.
	byGRPC, byAPI bool
}

// halfCall opens a header that never ends.
func halfCall(a *abuser, path string) error {
	return a.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: a.headers(path)})
}

func openCall(a *abuser, path string) error { return a.open(path, false) }

func ping(a *abuser, _ string) error { return a.WritePing(false, [8]byte{}) }

var floods = []flood{
	{name: "rapid reset", byGRPC: true, round: func(a *abuser, path string) error {
		return cmp.Or(a.open(path, true), a.WriteRSTStream(a.stream, http2.ErrCodeCancel))
	}},
	{name: "made to reset", round: func(a *abuser, path string) error {
		return cmp.Or(a.open(path, false), a.WriteRawFrame(http2.FrameWindowUpdate, 0, a.stream, make([]byte, 4)))
	}},
	{name: "calls of nothing", round: func(a *abuser, _ string) error { return a.open("/nobody/Nothing", true) }},
	{name: "large headers", round: func(a *abuser, path string) error { // small on the wire: all but the first are references
		field := []string{"x", strings.Repeat("x", 4000)}
		return a.open(path, true, field[0], field[1], field[0], field[1], field[0], field[1], field[0], field[1], field[0], field[1], field[0], field[1])
	}},
	{name: "continuations", byGRPC: true, byAPI: true, first: halfCall, round: func(a *abuser, path string) error {
		return a.WriteContinuation(1, false, a.headers(path, "x", strings.Repeat("x", 8000)))
	}},
	{name: "empty continuations", byGRPC: true, first: halfCall, round: func(a *abuser, _ string) error { return a.WriteContinuation(1, false, nil) }},
	{name: "empty data", byGRPC: true, first: openCall, round: func(a *abuser, _ string) error { return a.WriteData(a.stream, false, nil) }},
	{name: "pings", byGRPC: true, round: ping},
	{name: "pings on a stream", byGRPC: true, first: openCall, round: ping},
	{name: "answers to no ping", round: func(a *abuser, _ string) error { return a.WritePing(true, [8]byte{}) }},
	{name: "settings", byGRPC: true, round: func(a *abuser, _ string) error {
		return a.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
	}},
	{name: "window updates", round: func(a *abuser, _ string) error { return a.WriteWindowUpdate(0, 1) }},
	{name: "priorities", byGRPC: true, round: func(a *abuser, _ string) error { return a.WritePriority(1, http2.PriorityParam{StreamDep: 3}) }},
	{name: "unknown frames", byGRPC: true, round: func(a *abuser, _ string) error { return a.WriteRawFrame(0x42, 0, 0, nil) }},
}

// TestFloodsOfGRPC: whoever floods is shown the door, and harms neither the gateway nor those beside.
func TestFloodsOfGRPC(t *testing.T) {
	t.Parallel()
	p := startProcess(t, t.TempDir(), nil)
	t.Cleanup(func() { _ = p.kill() })
	for _, f := range floods {
		t.Run(f.name, func(t *testing.T) { f.run(t, p.listen, p.listen.GRPC, "/grpc.health.v1.Health/Watch", nil, f.byGRPC) })
	}
}

// TestFloodsOfTheAPI: the same against net/http. It bounds what it keeps, but rarely ends a connection. The gateway is in this process, so that
// nothing may run beside.
func TestFloodsOfTheAPI(t *testing.T) {
	dir := t.TempDir()
	cfg := signedConfig(dir)
	cfg.TLS = server.TLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"), Listeners: []string{"api"}}
	writeCertificate(t, cfg.TLS.CertFile, cfg.TLS.KeyFile)
	at := server.Listen(start(t, cfg).addr)
	for _, f := range floods {
		t.Run(f.name, func(t *testing.T) {
			f.run(t, at, at.API, "/v1/log", &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}, f.byAPI)
		})
	}
}

func writeCertificate(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	err = errors.Join(err, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}

// run floods an address, and comes back as often as it is sent away.
func (f flood) run(t *testing.T, at server.Listen, address, path string, secure *tls.Config, mustEnd bool) {
	before := vitalsOf(t, at.Admin)
	b := startBeside(t, at)
	connections, ended, worst := 0, 0, time.Duration(0)
	how := ""
	until := time.Now().Add(*abuseFor)
	for ; time.Now().Before(until); connections++ {
		a, err := abuse(address, secure)
		if err == nil && f.first != nil {
			err = f.first(a, path)
		}
		if err != nil {
			t.Fatal(err)
		}
		longest := until
		if mustEnd && ended == 0 {
			longest = until.Add(mostStay) // a machine that is busy and under the race detector needs more time for as many frames
		}
		if a.flood(longest, func(a *abuser) error { return f.round(a, path) }) {
			ended, worst, how = ended+1, max(worst, a.ended.Sub(a.began)), cmp.Or(a.goAway, "closed")
		}
	}
	b.served()
	before.unharmed(t, at.Admin)
	t.Logf("%d of %d connections ended (%s), the slowest after %v", ended, connections, how, worst.Round(time.Millisecond))
	if mustEnd && ended == 0 {
		t.Error("the abuser stayed too long")
	}
	before.recovered(t, at.Admin)
}
