package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// healthyWithin is how long a gateway may take to say how it is.
const healthyWithin = 5 * time.Second

// Healthy asks the gateway that runs on this machine with this configuration, at /healthz of its admin listener, and returns nil when it is well. The error
// says what it answered: only a restart helps then; or that nobody answers.
func Healthy(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithTimeout(ctx, healthyWithin)
	defer cancel()
	at, scheme := reachable(cfg.Listen.Admin), "http"
	if cfg.TLS.on(listenAdmin) {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+at+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := localClient().Do(req)
	if err != nil {
		return fmt.Errorf("nobody says at %s, listen.admin, how the gateway is: %w; look whether it runs, and with this configuration", at, err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 4*kib))
	if err != nil {
		return fmt.Errorf("the answer from %s broke off: %w", at, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", at, resp.Status, strings.TrimSpace(string(said)))
	}
	return nil
}

// localClient asks this machine: past proxies, and whatever names the certificate has. Nothing secret is asked.
func localClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12},
	}}
}

// reachable is an address at which one that listens there is found: on all interfaces means this machine.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	switch ip, _ := netip.ParseAddr(host); {
	case host == "" || ip == netip.IPv4Unspecified():
		host = "127.0.0.1"
	case ip == netip.IPv6Unspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}
