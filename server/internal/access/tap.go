package access

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
)

// Tap refuses calls of which it is plain at a glance that nobody may make them, before gRPC makes anything of them. What is refused later, gRPC keeps until its
// client has taken the answer: with its headers, and hundreds for each connection. The errors are those that Stream would return.
func (g *Guard) Tap(ctx context.Context, call *tap.Info) (context.Context, error) {
	need, served := g.needs[call.FullMethodName]
	cred, err := credentialsOf(ctx)
	known := false
	if err == nil {
		known, err = g.control.atAGlance(cred)
	}
	tellAsked(ctx, known, need)
	if c := connectionOf(ctx); c != nil && served && err == nil && !known && need != NeedNothing {
		c.Undecided()
		decided := sync.OnceFunc(c.Decided)
		ctx = context.WithValue(ctx, undecidedKey{}, decided)
		context.AfterFunc(ctx, decided) // its time may be over before Stream sees it
	}
	switch _, limited := ctx.Deadline(); {
	case limited: // gRPC keeps a timer of a call that is refused here until the client's time has passed, which may be ages
		return ctx, nil
	case !served:
		return ctx, errNoMethod
	case err == nil || need == NeedNothing:
		return ctx, nil
	}
	return ctx, g.refuse(ctx, call.FullMethodName, err)
}

// undecidedKey is where the context of a call has what says that it is decided who calls, if the connection was told that it is Undecided.
type undecidedKey struct{}

// KnowsPeer says whether whoever is at the other end of a new connection is a known caller, whatever he calls.
func (g *Guard) KnowsPeer(info credentials.AuthInfo) bool {
	known, _ := g.control.atAGlance(Credentials{Certificate: leafOf(info)}) // why not does not matter yet
	return known
}

// healthMore is for how many calls more one counts of which a connection has no business to make many.
const healthMore = 4

func tellAsked(ctx context.Context, known bool, need Need) {
	c := connectionOf(ctx)
	switch {
	case c == nil:
	case known:
		c.Admitted()
	case need == NeedNothing:
		c.Asked(healthMore)
	}
}

// errNoMethod refuses a call of what nobody serves. It does not repeat the name, which is as long as the caller likes.
var errNoMethod = status.Error(codes.Unimplemented, "there is no such method")

// atAGlance is Identify as far as that takes no time: whether somebody is known, or plainly nobody's credentials. Neither means that Identify will tell.
func (c *Control) atAGlance(cred Credentials) (known bool, err error) {
	c.mu.Lock()
	p := c.policy
	c.mu.Unlock()
	switch {
	case p.open != nil:
		return true, nil
	case cred.Bearer == "" && cred.Certificate == nil:
		return false, ErrNone
	case cred.Bearer == "":
		return slices.ContainsFunc(certificateNames(cred.Certificate), func(name string) bool { return p.byCertificate[name] != nil }), nil
	case p.byToken[sha256.Sum256([]byte(cred.Bearer))] != nil:
		return true, nil
	case strings.Count(cred.Bearer, ".") == 2:
		name := issuerOf(cred.Bearer)
		for key := range p.verifiers {
			if key.name == name {
				return false, nil
			}
		}
	}
	return false, ErrUnknown
}
