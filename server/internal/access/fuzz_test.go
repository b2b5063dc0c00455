package access

import (
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// FuzzAuthorization: no header that does not bear a reader's token makes a reader of anybody, or breaks anything.
func FuzzAuthorization(f *testing.F) {
	key := newSigner(f, jose.EdDSA, "k1")
	p := policy(f, byToken("a", "a token of some length, 0123456789"), byJWT("b", JWT{Subject: "audit", Keys: keyFile(f, key)}))
	guard := NewGuard(NewControl(p), map[string]Need{readerMethod: NeedReader}, slog.New(slog.DiscardHandler))
	expired := key.token(f, map[string]any{"exp": 1})
	for _, seed := range []string{"", "Bearer", "Bearer ", "Bearer x", "bearer a.b.c", "Basic eDp5", "Bearer " + expired, "Bearer ..", "Bearer e30.e30.e30", "Bearer \x00.\xff.{}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		ctx := peer.NewContext(t.Context(), &peer.Peer{Addr: &net.TCPAddr{}})
		ctx = metadata.NewIncomingContext(ctx, metadata.Pairs("authorization", header))
		err := guard.Stream(nil, &sessionStream{ctx: ctx}, &grpc.StreamServerInfo{FullMethod: readerMethod}, func(any, grpc.ServerStream) error {
			t.Fatalf("%q was let in", header)
			return nil
		})
		if status.Code(err) != codes.Unauthenticated {
			t.Fatalf("%q: %v", header, err)
		}
		if _, token, ok := strings.Cut(header, " "); ok && len(token) > 12 && strings.Contains(err.Error(), token) {
			t.Fatalf("%v repeats the token", err)
		}
	})
}
