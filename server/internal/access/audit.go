package access

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/server/internal/fault"
)

// lineOf is what a line of the audit says of a call: what was called, from where, and by whom, where that is known.
func lineOf(remote, what string, by Identity) []any {
	line := []any{"method", what, "remote", remote}
	if by.Reader != nil {
		line = append(line, "reader", by.Reader.Name, "credential", by.Credential)
	}
	return line
}

// refuse tells of a call that the control or the guard refuses, and returns what the caller is told.
func (g *Guard) refuse(ctx context.Context, what string, err error) error {
	told, by := refusalOf(err), callerOf(err)
	if c := connectionOf(ctx); c != nil && by.Reader != nil { // known, and too much for a limit
		c.Admitted()
	}
	g.tellRefused(RemoteOf(ctx), what, by, told)
	return told
}

// told is a connection that wants to know how its calls fare.
type told interface {
	Asked(more int) // a call counts for so many more than the one that it is
	Undecided()     // it takes time to find out who makes a call
	Decided()       // it is known of one of those
	Admitted()      // a known caller's call was admitted
}

// connectionOf is the connection of a call, nil if it does not want to know.
func connectionOf(ctx context.Context) told {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	c, _ := p.Addr.(told)
	return c
}

// Refused tells of a request that REST refused before it asked who calls. remote is the address and port that it came from.
func (g *Guard) Refused(remote, what string, err error) { g.tellRefused(remote, what, Identity{}, err) }

// tellOperator tells of a call that only operators may make.
func (g *Guard) tellOperator(ctx context.Context, method string, need Need, by Identity) {
	remote := RemoteOf(ctx)
	line := lineOf(remote, method, by)
	if need == NeedOperatorOften {
		more, ok := g.watches.allow(watch{by.Reader.Name, by.Credential, method, addressOf(remote)}, time.Now())
		if !ok {
			return
		}
		line = append(line, more...)
	}
	g.audit.Info("operator call", line...)
}

// longestCause bounds what of a cause is told: it can quote what the caller wrote.
const longestCause = 300

func (g *Guard) tellRefused(remote, what string, by Identity, err error) {
	name := ""
	if by.Reader != nil {
		name = by.Reader.Name
	}
	g.counted(name, fault.ReasonOf(err))
	more, ok := g.refused.Allow(addressOf(remote), time.Now())
	if !ok {
		return
	}
	cause := status.Convert(err).Message()
	if len(cause) > longestCause {
		cause = strings.ToValidUTF8(cause[:longestCause], "")
	}
	g.audit.Warn("call refused", append(append(lineOf(remote, what, by), "cause", cause), more...)...)
}

// addressOf is an address without the port, which is another for each connection.
func addressOf(remote string) netip.Addr {
	if at, err := netip.ParseAddrPort(remote); err == nil {
		return at.Addr()
	}
	at, _ := netip.ParseAddr(remote) // those that cannot be read count as one
	return at
}
