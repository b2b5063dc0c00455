package access

import (
	"context"
	"net/http"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// Enter asks for REST who calls, before a body is read or an answer is made, and counts the answer as Hold does: as that of a stream, when what is the full
// name of a method that streams. The call's metadata are those that it will have on its way to the gRPC server, which asks again; what says what is called,
// for the audit too. The errors are fit for the caller. leave must be called when the HTTP client has taken the answer.
func (g *Guard) Enter(ctx context.Context, what string) (leave func(), err error) {
	md, _ := metadata.FromOutgoingContext(ctx)
	ctx = peer.NewContext(metadata.NewIncomingContext(ctx, md), &peer.Peer{Addr: inside{}})
	cred, err := credentialsOf(ctx)
	var id Identity
	if err == nil {
		var decided func()
		if decided, err = g.decide(ctx, cred); err == nil {
			id, err = g.control.Identify(ctx, cred)
			decided()
		}
	}
	kind := Single
	if _, method := g.needs[what]; method && g.kindOf(what) == Stream {
		kind = Stream
	}
	if err == nil {
		leave, err = g.control.Hold(id, RemoteOf(ctx), kind)
	}
	if err != nil {
		return nil, g.refuse(ctx, what, err)
	}
	return leave, nil
}

// Admit asks who sends an HTTP request for a page of the process's own, by its path, as is asked for a method: needs has a rule for each. done must be called when
// it is answered. The errors are fit for the caller.
func (g *Guard) Admit(r *http.Request) (done func(), err error) {
	md := metadata.MD{"authorization": r.Header.Values("Authorization"), AddressHeader: {r.RemoteAddr}}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		var certs []byte
		for _, c := range r.TLS.PeerCertificates {
			certs = append(certs, c.Raw...)
		}
		md.Set(CertificateHeader, string(certs))
	}
	ctx := peer.NewContext(metadata.NewIncomingContext(r.Context(), md), &peer.Peer{Addr: inside{}})
	s, err := g.admit(ctx, r.URL.Path, Single)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return func() {}, nil
	}
	return s.Done, nil
}

// inside is where REST's calls come from.
type inside struct{}

// Network is part of the interface.
func (inside) Network() string { return insideNetwork }

// String is part of the interface.
func (inside) String() string { return insideNetwork }
