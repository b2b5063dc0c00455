package access

import (
	"context"

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
		id, err = g.control.Identify(ctx, cred)
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

// inside is where REST's calls come from.
type inside struct{}

// Network is part of the interface.
func (inside) Network() string { return insideNetwork }

// String is part of the interface.
func (inside) String() string { return insideNetwork }
