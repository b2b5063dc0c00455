package access

import (
	"context"
	"crypto/sha256"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
)

// Tap refuses calls of which it is plain at a glance that nobody may make them, before gRPC makes anything of them. What is refused later, gRPC keeps until its
// client has taken the answer: with its headers, and hundreds for each connection. The errors are those that Stream would return.
func (g *Guard) Tap(ctx context.Context, call *tap.Info) (context.Context, error) {
	if _, limited := ctx.Deadline(); limited {
		return ctx, nil // gRPC keeps a timer of a call that is refused here until the client's time has passed, which may be ages
	}
	need, known := g.needs[call.FullMethodName]
	if !known {
		return ctx, errNoMethod
	}
	if need == NeedNothing {
		return ctx, nil
	}
	cred, err := credentialsOf(ctx)
	if err == nil {
		err = g.control.plainly(cred)
	}
	if err != nil {
		return ctx, g.refuse(ctx, call.FullMethodName, err)
	}
	return ctx, nil
}

// errNoMethod does not repeat the name: it is as long as the caller likes.
var errNoMethod = status.Error(codes.Unimplemented, "there is no such method")

// plainly is Identify as far as that takes no time. It says nothing of who it is.
func (c *Control) plainly(cred Credentials) error {
	c.mu.Lock()
	p := c.policy
	c.mu.Unlock()
	switch {
	case p.open != nil:
		return nil
	case cred.Bearer == "" && cred.Certificate == nil:
		return ErrNone
	case cred.Bearer == "" || p.byToken[sha256.Sum256([]byte(cred.Bearer))] != nil:
		return nil
	case strings.Count(cred.Bearer, ".") == 2:
		name := issuerOf(cred.Bearer)
		for key := range p.verifiers {
			if key.name == name {
				return nil
			}
		}
	}
	return ErrUnknown
}
