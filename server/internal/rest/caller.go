package rest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

// CertificateHeader is the metadata in which the gRPC server gets the verified client certificate of a request, and behind it those that the client
// sent beside it (all in DER). AddressHeader is the one for the address and port that the request came from.
const (
	CertificateHeader = "headgate-client-certificate-bin"
	AddressHeader     = "headgate-client-address"
)

// admitHost refuses other names of this machine than those that no name server gives away, where nobody is asked who calls.
func (a *api) admitHost(r *http.Request) error {
	if a.options.OpenToAnybody && !IsLoopback(r.Host) {
		// A name that its owner points at this machine makes his pages, to the browser, pages of this gateway.
		return refusal(codes.PermissionDenied, "HOST_REFUSED", fmt.Sprintf(
			"the host %s is not a name of this machine: no readers are configured, so only localhost, 127.0.0.1 and [::1] are served; use one of them, or configure readers",
			quote(r.Host)), "")
	}
	return nil
}

// admit refuses what a page of another site made a browser send.
func (a *api) admit(r *http.Request) error {
	if err := a.admitHost(r); err != nil {
		return err
	}
	// To the check a GET is harmless. Here it is not: one that subscribes by name makes the subscription, and takes records from others who share it.
	asPost := *r
	asPost.Method = http.MethodPost
	if err := a.crossOrigin.Check(&asPost); err != nil {
		return refusal(codes.PermissionDenied, "CROSS_ORIGIN",
			"a page of another site sent this "+r.Method+": send it from a page of this gateway, or from a program that is no browser", "")
	}
	return nil
}

// refused tells of a refusal, and returns it.
func (a *api) refused(r *http.Request, err error) error {
	if a.options.Refused != nil {
		a.options.Refused(r.RemoteAddr, whatOf(r), err)
	}
	return err
}

// whatOf is how the audit calls a request whose gRPC method nobody knows yet. A method of HTTP that nobody knows is not repeated: it can be any text.
func whatOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return "REST " + r.Method
	}
	return "REST"
}

// IsLoopback tells whether the Host header, with or without a port, names this machine whatever a name server says.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// authorize settles in the headers of r whose request it is: that of its Authorization, else that of its session.
func (a *api) authorize(w http.ResponseWriter, r *http.Request) error {
	// grpc-gateway drops what cannot be metadata and tells nobody: without its bad Authorization a request would be that of its certificate.
	given := r.Header.Values("Authorization")
	if slices.ContainsFunc(given, notMetadata) {
		return unauthenticated("the Authorization header holds other characters than printable ASCII ones")
	}
	if len(given) > 0 {
		return nil
	}
	if token := a.bySession(w, r); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
		inputOf(r.Context()).byCookie = true
	}
	return nil
}

func notMetadata(value string) bool {
	return strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' })
}

// connection returns the metadata that tell of the request's connection. Headers of the same names that a client sends are dropped with all the
// others.
func connection(_ context.Context, r *http.Request) metadata.MD {
	md := metadata.Pairs(AddressHeader, r.RemoteAddr)
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return md
	}
	var certs []byte
	for _, c := range r.TLS.PeerCertificates {
		certs = append(certs, c.Raw...)
	}
	md.Set(CertificateHeader, string(certs))
	return md
}

// enter asks once for a request whether its caller is known and may have one more answer. What it takes, leave gives back.
func (in *input) enter(ctx context.Context, ask func(context.Context, string) (func(), error), what string) error {
	if ask == nil || in.leave != nil {
		return nil
	}
	leave, err := ask(ctx, what)
	in.leave = leave
	return err
}

// left gives back what enter took.
func (in *input) left() {
	if in.leave != nil {
		in.leave()
	}
}
