package access

import (
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/headgate/headgate/server/internal/fault"
)

// talk opens a stream in two directions, which ask then asks something on.
func talk(t *testing.T, g *guarded, token string) (ask func() error) {
	t.Helper()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
	s, err := g.tcp.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, talkMethod)
	if err != nil {
		t.Fatal(err)
	}
	return func() error {
		_ = s.SendMsg(&emptypb.Empty{}) // when the stream has ended, receiving says why
		return s.RecvMsg(&emptypb.Empty{})
	}
}

// TestEachMessageIsARequest: nobody asks more on one stream than by single calls, and what was asked counts for those too.
func TestEachMessageIsARequest(t *testing.T) {
	slow := byToken("slow", "slow", Rule{})
	slow.Limits = Limits{RequestsPerSecond: 1}
	g := newGuarded(t, policy(t, slow, byToken("free", "free", Rule{})))
	ask, began, answered := talk(t, g, "slow"), time.Now(), 0
	err := ask()
	for ; err == nil && answered < 1000; err = ask() {
		answered++
	}
	wantRefused(t, "one more", err, codes.ResourceExhausted, fault.Limit)
	if most := 2 + int(time.Since(began)/time.Second) + 1; answered < 2 || answered > most {
		t.Errorf("%d messages were answered, want 2 to %d", answered, most)
	}
	wantLine(t, g.audit.String(), "call refused", talkMethod, "reader=slow", "1 requests per second")
	ask = talk(t, g, "free")
	for n := range 100 {
		if err := ask(); err != nil {
			t.Fatalf("without a limit, message %d: %v", n, err)
		}
	}
}

// TestPayIsByTheLimitInForce: a stream that goes on over a change of the limits is neither bound by the old one nor does it open the new one again.
func TestPayIsByTheLimitInForce(t *testing.T) {
	limit := func(n int) *Policy {
		r := byToken("a", "a", Rule{})
		r.Limits = Limits{RequestsPerSecond: n}
		return policy(t, r)
	}
	c := NewControl(limit(1000))
	s := begin(t, c, "a")
	defer s.Done()
	c.Replace(limit(1))
	begin(t, c, "a").Done()
	passed := 0
	for s.Pay() == nil && passed < 1000 {
		passed++
		if other, err := c.Begin(t.Context(), Credentials{Bearer: "a"}, "192.0.2.1", Single); err == nil {
			other.Done()
		}
	}
	if passed > 2 {
		t.Errorf("%d messages passed", passed)
	}
}

// TestOldStreamEnds: one in two directions ends at the age that a stream may have, whether somebody asks or not.
func TestOldStreamEnds(t *testing.T) {
	g := newGuarded(t, policy(t, byToken("a", "a", Rule{})))
	g.guard.oldest = 200 * time.Millisecond
	silent, busy := talk(t, g, "a"), talk(t, g, "a")
	if err := silent(); err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func() error{"the busy one": busy, "the silent one": silent} {
		err := ask()
		for begun := time.Now(); err == nil; err = ask() {
			if time.Since(begun) > patience {
				t.Fatal("it goes on")
			}
		}
		wantRefused(t, name, err, codes.Unavailable, fault.Unavailable)
	}
	stays := open(t, t.Context(), g.tcp, streamMethod, "authorization", "Bearer a")
	if err := stays.RecvMsg(&emptypb.Empty{}); err != nil {
		t.Errorf("a stream in one direction: %v", err)
	}
}
