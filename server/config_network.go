package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"go.yaml.in/yaml/v3"
)

// prefixes returns a field that stores a list of networks.
func (l *loader) prefixes(into *[]netip.Prefix) field {
	return func(n *yaml.Node, path string) {
		var texts []string
		l.texts(&texts)(n, path)
		for i, text := range texts {
			at := fmt.Sprintf("%s[%d]", path, i)
			if text == "" {
				continue // told already
			}
			p, err := parsePrefix(text)
			if err != nil {
				l.problems.add(at, "%s", err)
			}
			*into = append(*into, p)
		}
	}
}

// parsePrefix reads a network, or a single address.
func parsePrefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil || p.Addr().Is4In6():
		return netip.Prefix{}, errors.New("is not a network; write 203.0.113.0/24, 2001:db8::/32, or a single address")
	case p.Bits() == 0:
		return netip.Prefix{}, fmt.Errorf("%s is every address; name the networks that are meant", p)
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("%s is not a network but an address in one; write %s, or the address without /%d", p, p.Masked(), p.Bits())
	}
	return p, nil
}

// listenWarnings tells of pages that strangers may reach.
func listenWarnings(at Listen) []string {
	host, _, err := net.SplitHostPort(at.Admin)
	if err != nil || isLoopback(host) {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Unmap().IsPrivate() {
		return nil
	}
	return []string{"listen.admin: is neither a loopback nor a private address, and whoever reaches it sees the metrics; keep strangers out with a firewall"}
}
