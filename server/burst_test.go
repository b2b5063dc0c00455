package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// sentCalls calls enough once that many calls have left a client.
type sentCalls struct {
	most   int32
	sent   atomic.Int32
	enough func()
}

func (s *sentCalls) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (s *sentCalls) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (s *sentCalls) HandleConn(context.Context, stats.ConnStats)                       {}

func (s *sentCalls) HandleRPC(_ context.Context, what stats.RPCStats) {
	if _, ok := what.(*stats.OutHeader); ok && s.sent.Add(1) == s.most {
		s.enough()
	}
}

// TestBurstOnNewConnection: of hundreds of calls that a client makes at once on a new connection, each gets its own answer, however long it takes to find out
// whose they are. Nobody is taken for an attacker.
func TestBurstOnNewConnection(t *testing.T) {
	const calls = 300
	h := newHouse(t)
	fetched := make(chan struct{})
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-fetched
		http.ServeFile(w, r, filepath.Join(h.dir, "keys.json"))
	}))
	defer keys.Close()
	auditor := h.token("auditor")
	burst := func(token string, enough func()) (answers <-chan codes.Code, over func()) {
		conn, err := grpc.NewClient(h.s.Addresses().GRPC, grpc.WithTransportCredentials(credentials.NewTLS(h.pki.client(nil))),
			grpc.WithStatsHandler(&sentCalls{most: calls, enough: enough}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token), time.Minute)
		got := make(chan codes.Code, calls)
		for range calls {
			go func() {
				_, err := headgatev1.NewEventServiceClient(conn).DescribeLog(ctx, &headgatev1.DescribeLogRequest{})
				got <- status.Code(err)
			}()
		}
		return got, func() { cancel(); _ = conn.Close() }
	}
	all := func(name string, answers <-chan codes.Code) {
		t.Helper()
		for range calls {
			if got := <-answers; got != codes.OK && got != codes.ResourceExhausted { // a reader's own limits hold
				t.Errorf("%s: %v", name, got)
			}
		}
	}
	answers, over := burst(auditor, func() {})
	all("keys in a file", answers)
	over()

	writeFile(t, filepath.Join(h.dir, "headgate.yaml"), strings.Replace(houseFile(houseReaders), "keys_file: keys.json", "keys_url: "+keys.URL, 1))
	h.reloaded()
	answers, over = burst(auditor, func() { close(fetched) })
	all("keys that take a while", answers)
	over()

	answers, over = burst("nobody's", func() {})
	for n := range askedAtOnce {
		if got := <-answers; got != codes.Unauthenticated {
			t.Fatalf("nobody's call %d: %v", n, got)
		}
	}
	over()
}
