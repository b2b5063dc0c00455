package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

// abusedReaders are two with a token, which is their name. The first may have few connections.
func abusedReaders() map[string]server.Reader {
	readers := make(map[string]server.Reader)
	for name, connections := range map[string]int{"few": 2, "many": 1000, "other": 1000} {
		hash := sha256.Sum256([]byte(name))
		readers[name] = server.Reader{
			Tokens: []string{"sha256:" + hex.EncodeToString(hash[:])}, Allow: []server.Allow{{Sources: []string{"acme"}, RawBody: true}},
			Limits: server.ReaderLimits{Streams: 1000, Connections: connections, RequestsPerSecond: 10_000},
		}
	}
	return readers
}

// startAbused is a gateway with these readers, in a process of its own. The test may not be parallel to others, whose load would count.
func startAbused(t *testing.T) *process {
	t.Helper()
	t.Setenv(childEnv+"_READERS", "1")
	p := startProcess(t, t.TempDir(), nil)
	t.Cleanup(func() { _ = p.kill() })
	return p
}

// as is a client of the reader on a connection of its own.
func as(t *testing.T, address, reader string) (context.Context, headgatev1.EventServiceClient) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+reader), headgatev1.NewEventServiceClient(conn)
}

// limitOf is which limit a call was refused for, empty for none.
func limitOf(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetReason() == "LIMIT" && status.Code(err) == codes.ResourceExhausted {
			return info.GetMetadata()["limit"]
		}
	}
	return ""
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never happens: " + what)
		}
	}
}

// callAs is call with the reader's token.
func (a *abuser) callAs(reader, method string, m proto.Message) error {
	b, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	framed := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...)
	return errors.Join(a.open(method, false, "authorization", "Bearer "+reader), a.WriteData(a.stream, true, framed), a.out.Flush())
}

// half begins a request of 128 KiB, and never ends it. token may be empty.
func (a *abuser) half(token, method string, sent int) error {
	var header []string
	if token != "" {
		header = []string{"authorization", "Bearer " + token}
	}
	err := errors.Join(a.open(method, false, header...), a.WriteData(a.stream, false, binary.BigEndian.AppendUint32([]byte{0}, 128<<10)))
	for piece := make([]byte, 10<<10); sent > 0; sent -= len(piece) {
		err = errors.Join(err, a.WriteData(a.stream, false, piece))
	}
	return errors.Join(err, a.out.Flush())
}

// TestAnswersNobodyTakes: a reader asks over many connections for the largest answers, and takes none. The gateway holds 64 of them and refuses the
// rest, whatever the reader does with its calls, and whoever else reads is served.
func TestAnswersNobodyTakes(t *testing.T) {
	const connections, each, held = 4, 100, 64
	p := startAbused(t)
	get := postLarge(t, p)
	ctx, other := as(t, p.listen.GRPC, "other")
	before := vitalsOf(t, p.listen.Admin)
	var abusers []*abuser
	for range connections {
		a, err := abuse(p.listen.GRPC, nil, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		if err != nil {
			t.Fatal(err)
		}
		defer a.close()
		abusers = append(abusers, a)
	}
	for n := range each * connections {
		if err := abusers[n%connections].callAs("many", headgatev1.EventService_GetEvent_FullMethodName, get); err != nil {
			t.Fatal(err)
		}
	}
	refused := func() (n int32) {
		for _, a := range abusers {
			n += a.calls.Load()
		}
		return n
	}
	eventually(t, "the other calls are refused", func() bool { return refused() >= connections*each-held })
	if n := refused(); n != connections*each-held {
		t.Errorf("%d calls were refused", n)
	}
	before.heldLess(t, p.listen.Admin, 400<<20)
	if _, err := other.GetEvent(ctx, get); err != nil {
		t.Errorf("another reader: %v", err)
	}
	ctx, self := as(t, p.listen.GRPC, "many")
	if _, err := self.GetEvent(ctx, get); limitOf(err) != "answers at once" {
		t.Errorf("one more: %v", err)
	}
	abusers[0].close() // what it held is free
	eventually(t, "the reader is served again after a connection's end", func() bool { _, err := self.GetEvent(ctx, get); return err == nil })
	err := error(nil)
	for _, a := range abusers[1:] {
		for id := uint32(1); id <= a.stream; id += 2 {
			err = errors.Join(err, a.WriteRSTStream(id, http2.ErrCodeCancel))
		}
		err = errors.Join(err, a.out.Flush())
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all is free after the calls were called off", func() bool { return countRefused(t, p.listen.GRPC, get) == 0 })
}

// countRefused is how many of 64 answers that nobody takes are refused.
func countRefused(t *testing.T, address string, get *headgatev1.GetEventRequest) int {
	t.Helper()
	a, err := abuse(address, nil, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	for range 64 {
		err = errors.Join(err, a.callAs("many", headgatev1.EventService_GetEvent_FullMethodName, get))
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are answered or refused", func() bool { return a.answers.Load()+a.calls.Load() == 64 })
	return int(a.calls.Load())
}

// TestAnswersCalledOff: a reader calls its calls off, on a connection that takes nothing. gRPC has then forgotten them and not yet dropped their
// answers, so that they count on.
func TestAnswersCalledOff(t *testing.T) {
	const least = 16 // the network's own buffers take some
	p := startAbused(t)
	get := postLarge(t, p)
	a, err := abuseDeaf(p.listen.GRPC, nil, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	if err != nil {
		t.Fatal(err)
	}
	defer a.conn.Close()
	err = errors.Join(a.conn.(*net.TCPConn).SetReadBuffer(16<<10), a.WriteWindowUpdate(0, 1<<30))
	for range 3 { // who counts can be quicker than it
		for range 64 {
			err = errors.Join(err, a.callAs("many", headgatev1.EventService_GetEvent_FullMethodName, get))
		}
		if err != nil {
			t.Fatal(err)
		}
		countRefused(t, p.listen.GRPC, get)
	}
	eventually(t, "its answers wait", func() bool { return countRefused(t, p.listen.GRPC, get) >= least })
	for id := uint32(1); id <= a.stream; id += 2 {
		err = errors.Join(err, a.WriteRSTStream(id, http2.ErrCodeCancel))
	}
	if err := errors.Join(err, a.out.Flush()); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if n := countRefused(t, p.listen.GRPC, get); n < least {
			t.Errorf("%d answers are refused beside those that were called off and wait", n)
		}
	}
	_ = a.conn.Close()
	eventually(t, "all is free after the connection's end", func() bool { return countRefused(t, p.listen.GRPC, get) == 0 })
}

// postLarge posts an event that is nearly as large as one may be, and returns how to get it with its raw body.
func postLarge(t *testing.T, p *process) *headgatev1.GetEventRequest {
	t.Helper()
	post := []byte(strings.Replace(string(body(1, "relation.created", "Cust1234")), "{", `{"Padding":"`+strings.Repeat("x", 1_000_000)+`",`, 1))
	if got := postTo(t, p.listen.Webhook, post, sign(testSecret, post)); got != http.StatusOK {
		t.Fatalf("answered %d", got)
	}
	ctx, other := as(t, p.listen.GRPC, "other")
	list, err := other.ListEvents(ctx, &headgatev1.ListEventsRequest{})
	if err != nil || len(list.GetEvents()) != 1 {
		t.Fatal(list, err)
	}
	return &headgatev1.GetEventRequest{Cursor: list.GetEvents()[0].GetCursor(), IncludeRawBody: true}
}

// heldLess checks how much the gateway grew.
func (before vitals) heldLess(t *testing.T, admin string, most int64) {
	t.Helper()
	grew := vitalsOf(t, admin).mapped - before.mapped
	t.Logf("the gateway grew by %d MB", grew>>20)
	if grew > most {
		t.Errorf("the gateway grew by %d MB", grew>>20)
	}
}

// TestHalfRequests: nobody can make the gateway keep requests that never become whole: not those who are not known, whose connections end soon, and known
// readers few, for seconds.
func TestHalfRequests(t *testing.T) {
	const connections, each = 8, 200
	p := startAbused(t)
	before := vitalsOf(t, p.listen.Admin)
	known := []string{headgatev1.EventService_ListEvents_FullMethodName}
	all := append(known, headgatev1.EventService_Subscribe_FullMethodName, "/headgate.admin.v1.AdminService/GetStatus",
		"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch")
	abusers := make(map[string][]*abuser) // by token
	begun := time.Now()                   // whatever was sent since may be there still
	for token, methods := range map[string][]string{"": all, "nobody's": known, "many": known} {
		for range connections {
			a, err := abuse(p.listen.GRPC, nil)
			if err != nil {
				t.Fatal(err)
			}
			abusers[token] = append(abusers[token], a)
			for n := range each {
				if err := a.half(token, methods[n%len(methods)], 60<<10); err != nil && token == "many" {
					t.Fatal(err)
				}
			}
		}
	}
	ended := func(token string) (n int32) {
		for _, a := range abusers[token] {
			n += a.calls.Load()
		}
		return n
	}
	eventually(t, "most are refused at once", func() bool { return ended("many") >= connections*each-64 })
	if n := ended("many"); n > connections*each-64 && time.Since(begun) < 5*time.Second {
		t.Errorf("a known reader may have 64 requests under way, and %d of %d ended", n, connections*each)
	}
	before.heldLess(t, p.listen.Admin, 100<<20) // a third of what was sent: a busy machine collects late
	eventually(t, "all end", func() bool { return ended("many") == connections*each })
	for token, list := range abusers {
		for _, a := range list {
			if token != "many" {
				<-a.over
			}
			a.close()
		}
	}
	before.recovered(t, p.listen.Admin)
}

// TestHalfBodies: what REST is sent without credentials, it does not read.
func TestHalfBodies(t *testing.T) {
	const many = 500
	p := startAbused(t)
	before := vitalsOf(t, p.listen.Admin)
	body := strings.Repeat(" ", 120<<10)
	for range many {
		c, err := net.Dial("tcp", p.listen.API)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = fmt.Fprintf(c, "POST /v1/events:list HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body)+1, body)
		if err != nil {
			t.Fatal(err)
		}
	}
	before.heldLess(t, p.listen.Admin, 40<<20)
}

// TestConnectionsOfAReader: they are counted as they are, over REST also and for single calls also.
func TestConnectionsOfAReader(t *testing.T) {
	p := startAbused(t)
	dialREST := func() string {
		c, err := net.Dial("tcp", p.listen.API)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_, err = io.WriteString(c, "GET /v1/events:subscribe?start.at=latest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer few\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, len("HTTP/1.1 200"))
		if _, err := io.ReadFull(c, first); err != nil {
			t.Fatal(err)
		}
		return string(first[9:])
	}
	if got := dialREST(); got != "200" {
		t.Fatal(got)
	}
	ctx, rpc := as(t, p.listen.GRPC, "few")
	if _, err := rpc.DescribeLog(ctx, &headgatev1.DescribeLogRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := dialREST(); got != "200" {
		t.Fatal(got)
	}
	if got := dialREST(); got != "429" {
		t.Errorf("a third connection over REST: %s", got)
	}
	if _, err := rpc.DescribeLog(ctx, &headgatev1.DescribeLogRequest{}); limitOf(err) != "connections" {
		t.Errorf("a single call from a third connection: %v", err)
	}
}

// freeForStrangers says whether a health call is answered.
func freeForStrangers(address string) bool {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return false
	}
	defer conn.Close()
	_, err = grpc_health_v1.NewHealthClient(conn).Check(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	return err == nil
}

// TestStrangers: who needs no credentials has few calls at once. One whose answer is not taken is under way, however small the answer.
func TestStrangers(t *testing.T) {
	const many, most = 18, 10 // a connection of strangers may not ask more at once
	p := startAbused(t)
	for _, method := range []string{"Watch", "Check"} {
		a, err := abuse(p.listen.GRPC, nil, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		if err != nil {
			t.Fatal(err)
		}
		for range many {
			err = errors.Join(err, a.open("/grpc.health.v1.Health/"+method, false), a.WriteData(a.stream, true, make([]byte, 5)), a.out.Flush())
		}
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "most are refused", func() bool { return a.calls.Load() == many-most })
		a.close()
		eventually(t, "the next may ask", func() bool { return freeForStrangers(p.listen.GRPC) })
	}
	ctx, rpc := as(t, p.listen.GRPC, "other")
	if _, err := rpc.DescribeLog(ctx, &headgatev1.DescribeLogRequest{}); err != nil {
		t.Errorf("a reader beside: %v", err)
	}
}
