package access

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/headgate/headgate/server/internal/fault"
)

// wantLine wants one line of the audit that says all of these.
func wantLine(t *testing.T, log string, says ...string) {
	t.Helper()
	found := 0
lines:
	for line := range strings.Lines(log) {
		for _, part := range says {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		found++
		if len(line) > 600 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
	if found != 1 {
		t.Errorf("%d lines of the audit say %q:\n%s", found, says, log)
	}
}

// TestWhoIsRefusedIsNamed: whatever a known reader is refused, by the guard or by the service behind it, leaves one line with the reader, the credential and
// the address.
func TestWhoIsRefusedIsNamed(t *testing.T) {
	for _, way := range []string{"tcp", "inside"} {
		t.Run(way, func(t *testing.T) {
			few := byToken("few", "few", Rule{})
			few.Limits = Limits{Streams: 1}
			g := newGuarded(t, policy(t, byToken("billing", "billtoken", Rule{}), few))
			conn, from := g.tcp, "remote=127.0.0.1:"
			as := func(token string) []string { return []string{"authorization", "Bearer " + token} }
			if way == "inside" {
				conn, from = g.inside, "remote=203.0.113.9:1"
				as = func(token string) []string {
					return []string{"authorization", "Bearer " + token, AddressHeader, "203.0.113.9:1"}
				}
			}
			if _, err := call(t, conn, refuseMethod, as("billtoken")...); status.Code(err) != codes.PermissionDenied {
				t.Fatal(err)
			}
			if err := open(t, t.Context(), conn, breakMethod, as("billtoken")...).RecvMsg(&wrapperspb.StringValue{}); status.Code(err) != codes.PermissionDenied {
				t.Fatal(err)
			}
			if err := open(t, t.Context(), conn, streamMethod, as("few")...).RecvMsg(&wrapperspb.StringValue{}); err != nil {
				t.Fatal(err)
			}
			err := open(t, t.Context(), conn, streamMethod, as("few")...).RecvMsg(&wrapperspb.StringValue{})
			wantRefused(t, "a second stream", err, codes.ResourceExhausted, fault.Limit)
			log := g.audit.String()
			wantLine(t, log, "call refused", refuseMethod, from, "reader=billing", `credential="token `, "this is not yours")
			wantLine(t, log, "call refused", breakMethod, from, "reader=billing", `credential="token `, "this is not yours")
			wantLine(t, log, "call refused", streamMethod, from, "reader=few", `credential="token `, "1 streams")
		})
	}
}

// TestWhoHasTooManyAnswersIsNamed: over REST and over gRPC.
func TestWhoHasTooManyAnswersIsNamed(t *testing.T) {
	g := newGuarded(t, guardReaders(t))
	id, err := g.control.Identify(t.Context(), Credentials{Bearer: "billtoken"})
	if err != nil {
		t.Fatal(err)
	}
	for range mostHeld[Single] {
		release, err := g.control.Hold(id, "203.0.113.9:1", Single)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
	}
	_, err = call(t, g.tcp, readerMethod, "authorization", "Bearer billtoken")
	wantRefused(t, "one more", err, codes.ResourceExhausted, fault.Limit)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer billtoken", AddressHeader, "203.0.113.9:1")
	_, err = g.guard.Enter(ctx, "REST POST")
	wantRefused(t, "one more over REST", err, codes.ResourceExhausted, fault.Limit)
	wantLine(t, g.audit.String(), "call refused", readerMethod, "remote=127.0.0.1:", "reader=billing", `credential="token `, "answers at once")
	wantLine(t, g.audit.String(), "call refused", `method="REST POST"`, "remote=203.0.113.9:1", "reader=billing", `credential="token `, "answers at once")
}

// TestRefusedByREST: what REST refuses by itself is told with the address, and a flood of it does not fill the disk.
func TestRefusedByREST(t *testing.T) {
	g := newGuarded(t, guardReaders(t))
	g.guard.Refused("203.0.113.9:1", "REST GET", fault.New(codes.PermissionDenied, "CROSS_ORIGIN", "a page of another site sent this"))
	wantLine(t, g.audit.String(), "call refused", `method="REST GET"`, "remote=203.0.113.9:1", "a page of another site")
	for n := range 300 {
		g.guard.Refused(fmt.Sprintf("203.0.113.9:%d", n), "REST GET", fault.New(codes.PermissionDenied, "CROSS_ORIGIN", strings.Repeat("x", 100_000)))
	}
	if n := strings.Count(g.audit.String(), "call refused"); n < 20 || n > 100 {
		t.Errorf("300 refusals make %d lines", n)
	}
	if n := len(g.audit.String()); n > 100*1000 {
		t.Errorf("300 refusals make %d bytes", n)
	}
}

// TestASaveThatCannotWaitIsTold: it is refused like any other call that is too much, in the audit and in what is counted.
func TestASaveThatCannotWaitIsTold(t *testing.T) {
	r := byToken("r", "rtoken", Rule{})
	r.Limits.RequestsPerSecond = 1
	g := newGuarded(t, policy(t, r))
	counted := make(chan string, 1)
	g.guard.CountRefused(func(reader, reason string) { counted <- reader + " " + reason })
	if _, err := call(t, g.tcp, saveMethod, "authorization", "Bearer rtoken"); err != nil {
		t.Fatal(err)
	}
	saves := g.control.use["r"].saves
	for range 5 { // more than a hundred seconds of them
		saves.ReserveN(time.Now(), mostHeld[Save])
	}
	ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer rtoken"), 60*time.Second)
	defer cancel()
	err := g.tcp.Invoke(ctx, saveMethod, &emptypb.Empty{}, &wrapperspb.StringValue{})
	wantRefused(t, "a save too many", err, codes.ResourceExhausted, fault.Limit)
	select {
	case got := <-counted:
		if got != "r limit" {
			t.Errorf("it counts as %q", got)
		}
	default:
		t.Error("it does not count")
	}
	wantLine(t, g.audit.String(), "call refused", saveMethod, "reader=r", "saves per second", "remote=127.0.0.1:")
}
