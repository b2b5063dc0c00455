package access

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
)

// TestRefusedAtAGlance: nobody who may call is, and nobody gets far with a made-up token.
func TestRefusedAtAGlance(t *testing.T) {
	key := newSigner(t, jose.ES256, "1")
	g := newGuarded(t, policy(t, byToken("billing", "billtoken", Rule{}), byJWT("audit", JWT{Subject: "audit", Keys: keyFile(t, key)})))
	for _, c := range []struct {
		what, method string
		header       []string
		want         codes.Code
	}{
		{"a token", readerMethod, []string{"authorization", "Bearer billtoken"}, codes.OK},
		{"a token for operators", operatorMethod, []string{"authorization", "Bearer billtoken"}, codes.OK}, // Stream knows
		{"a JWT", readerMethod, []string{"authorization", "Bearer " + key.token(t, nil)}, codes.OK},
		{"no credentials for health", openMethod, nil, codes.OK},
		{"no credentials", readerMethod, nil, codes.Unauthenticated},
		{"no token", readerMethod, []string{"authorization", "Basic x"}, codes.Unauthenticated},
		{"two", readerMethod, []string{"authorization", "Bearer billtoken", "authorization", "Bearer billtoken"}, codes.Unauthenticated},
		{"another token", streamMethod, []string{"authorization", "Bearer x"}, codes.Unauthenticated},
		{"a JWT of nobody's", readerMethod, []string{"authorization", "Bearer " + key.token(t, map[string]any{"iss": "https://other"})}, codes.Unauthenticated},
		{"nothing like a JWT", readerMethod, []string{"authorization", "Bearer a.b.c"}, codes.Unauthenticated},
		{"no method", newMethod, []string{"authorization", "Bearer billtoken"}, codes.Unimplemented},
	} {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(c.header...))
		ctx = peer.NewContext(ctx, &peer.Peer{Addr: &net.TCPAddr{}})
		_, err := g.guard.Tap(ctx, &tap.Info{FullMethodName: c.method})
		if status.Code(err) != c.want {
			t.Errorf("%s: %v, want %v", c.what, err, c.want)
		}
	}
	limited, cancel := context.WithTimeout(peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{}}), time.Hour)
	defer cancel()
	if _, err := g.guard.Tap(limited, &tap.Info{FullMethodName: newMethod}); err != nil {
		t.Errorf("a call with a deadline: %v", err) // Stream refuses it
	}
	open := newGuarded(t, Open())
	if _, err := open.guard.Tap(t.Context(), &tap.Info{FullMethodName: readerMethod}); err != nil {
		t.Errorf("without readers: %v", err)
	}
}
