package access

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that the gateway's wraps
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/headgate/headgate/server/internal/fault"
)

const (
	readerMethod   = "/test.Service/Reader"
	operatorMethod = "/test.Service/Operator"
	openMethod     = "/test.Service/Open"
	newMethod      = "/test.Service/New" // nobody thought of a rule for it
	streamMethod   = "/test.Service/Stream"
	floodMethod    = "/test.Service/Flood" // sends as much as it can, and looks at nothing else
	refuseMethod   = "/test.Service/Refuse"
	talkMethod     = "/test.Service/Talk" // answers each message of a stream
	saveMethod     = "/test.Service/Save"
	breakMethod    = "/test.Service/Break" // is a stream that is refused once it has begun
)

// guarded is a real gRPC server behind a guard, on a port and inside the process.
type guarded struct {
	t           *testing.T
	control     *Control
	guard       *Guard
	audit       *lockedBuffer
	tcp, inside *grpc.ClientConn
	flooded     chan error // what ended floodMethod's handler
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newGuarded(t *testing.T, p *Policy) *guarded {
	t.Helper()
	g := &guarded{t: t, control: NewControl(p), audit: &lockedBuffer{}, flooded: make(chan error, 1)}
	guard := NewGuard(g.control, map[string]Need{
		readerMethod: NeedReader, operatorMethod: NeedOperator, openMethod: NeedNothing, streamMethod: NeedReader, floodMethod: NeedReader,
		refuseMethod: NeedReader, breakMethod: NeedReader, talkMethod: NeedReader, saveMethod: NeedReaderOften,
	}, slog.New(slog.NewTextHandler(g.audit, nil)))
	g.guard = guard
	srv := grpc.NewServer(grpc.ForceServerCodecV2(Codec(encoding.GetCodecV2("proto"))), grpc.UnaryInterceptor(guard.Unary), grpc.StreamInterceptor(guard.Stream))
	guard.Over(srv).RegisterService(g.service(), nil)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inner := bufconn.Listen(1 << 20)
	var served sync.WaitGroup
	for _, l := range []net.Listener{telling{tcp}, inner} {
		served.Go(func() { _ = srv.Serve(l) })
	}
	dial := func(target string, more ...grpc.DialOption) *grpc.ClientConn {
		conn, err := grpc.NewClient(target, append(more, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	g.tcp = dial(tcp.Addr().String())
	g.inside = dial("passthrough:inside", grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return inner.DialContext(ctx) }))
	t.Cleanup(func() {
		_, _ = g.tcp.Close(), g.inside.Close()
		srv.Stop()
		served.Wait()
	})
	return g
}

// service answers each call with the reader's name and where it comes from.
func (g *guarded) service() *grpc.ServiceDesc {
	whoami := func(ctx context.Context, _ any) (any, error) {
		if s := SessionOf(ctx); s != nil {
			return wrapperspb.String(s.Reader.Name + " " + RemoteOf(ctx)), nil
		}
		return wrapperspb.String(""), nil
	}
	desc := &grpc.ServiceDesc{ServiceName: "test.Service", HandlerType: (*any)(nil)}
	for _, full := range []string{readerMethod, operatorMethod, openMethod, newMethod, saveMethod} {
		desc.Methods = append(desc.Methods, grpc.MethodDesc{
			MethodName: full[strings.LastIndexByte(full, '/')+1:],
			Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				req := &emptypb.Empty{}
				if err := decode(req); err != nil {
					return nil, err
				}
				return whoami(ctx, req)
			},
		})
	}
	refuse := func() error { return status.Error(codes.PermissionDenied, strings.Repeat("this is not yours, ", 100)) }
	desc.Methods = append(desc.Methods, grpc.MethodDesc{
		MethodName: "Refuse",
		Handler: func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
			return nil, refuse()
		},
	})
	desc.Streams = []grpc.StreamDesc{
		{StreamName: "Talk", ServerStreams: true, ClientStreams: true, Handler: func(_ any, ss grpc.ServerStream) error {
			for {
				if err := ss.RecvMsg(&emptypb.Empty{}); err != nil {
					return err
				}
				if err := ss.SendMsg(&emptypb.Empty{}); err != nil {
					return err
				}
			}
		}},
		{StreamName: "Break", ServerStreams: true, Handler: func(any, grpc.ServerStream) error { return refuse() }},
		{StreamName: "Stream", ServerStreams: true, Handler: func(_ any, ss grpc.ServerStream) error {
			s := SessionOf(ss.Context())
			if err := ss.SendMsg(wrapperspb.String(s.Reader.Name)); err != nil {
				return err
			}
			select {
			case <-s.Ended():
				return nil
			case <-ss.Context().Done():
				return ss.Context().Err()
			}
		}},
		{StreamName: "Flood", ServerStreams: true, Handler: func(_ any, ss grpc.ServerStream) error {
			m := wrapperspb.String(strings.Repeat("x", 16<<10))
			for {
				if err := ss.SendMsg(m); err != nil {
					g.flooded <- err
					return err
				}
			}
		}},
	}
	return desc
}

func call(t *testing.T, conn *grpc.ClientConn, method string, pairs ...string) (string, error) {
	t.Helper()
	resp := &wrapperspb.StringValue{}
	err := conn.Invoke(metadata.AppendToOutgoingContext(t.Context(), pairs...), method, &emptypb.Empty{}, resp)
	return resp.GetValue(), err
}

func open(t *testing.T, ctx context.Context, conn *grpc.ClientConn, method string, pairs ...string) grpc.ClientStream {
	t.Helper()
	s, err := conn.NewStream(metadata.AppendToOutgoingContext(ctx, pairs...), &grpc.StreamDesc{ServerStreams: true}, method)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SendMsg(&emptypb.Empty{}); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	return s
}

func reasonOf(err error) string {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

// wantClosing wants an error that says why the stream ended, and when to come back.
func wantClosing(t *testing.T, err error, want string) {
	t.Helper()
	closing, again := "", false
	for _, d := range status.Convert(err).Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			closing = d.GetMetadata()["closing"]
		case *errdetails.RetryInfo:
			again = d.GetRetryDelay().AsDuration() > 0
		}
	}
	if closing != want || !again {
		t.Errorf("%v says %q, want %q; when to come back: %v", err, closing, want, again)
	}
}

func wantRefused(t *testing.T, what string, err error, code codes.Code, reason string) {
	t.Helper()
	if status.Code(err) != code || reasonOf(err) != reason {
		t.Errorf("%s: %v (%s), want %v (%s)", what, err, reasonOf(err), code, reason)
	}
}

// guardReaders are a reader and an operator. The tokens are words that stand nowhere else.
func guardReaders(t *testing.T) *Policy {
	operator := byToken("chief", "opertoken", Rule{})
	operator.Grant = NewGrant(nil, true)
	return policy(t, byToken("billing", "billtoken", Rule{}), operator,
		Reader{Name: "machine", Certificate: "CN=machine", Grant: NewGrant([]Rule{{}}, false)})
}

func TestGuard(t *testing.T) {
	const noMethod = "no such method"
	g := newGuarded(t, guardReaders(t))
	for _, c := range []struct {
		method string
		header []string
		want   string // the reader, or the reason of the refusal
	}{
		{readerMethod, nil, fault.Unauthenticated},
		{readerMethod, []string{"authorization", "Bearer wrong"}, fault.Unauthenticated},
		{readerMethod, []string{"authorization", "Bearer billtoken"}, "billing"},
		{readerMethod, []string{"authorization", "bEARER billtoken"}, "billing"},
		{readerMethod, []string{"authorization", "billtoken"}, fault.Unauthenticated},
		{readerMethod, []string{"authorization", "Basic billtoken"}, fault.Unauthenticated},
		{readerMethod, []string{"authorization", "Bearer"}, fault.Unauthenticated},
		{readerMethod, []string{"authorization", "Bearer "}, fault.Unauthenticated},
		{readerMethod, []string{"authorization", ""}, fault.Unauthenticated},
		{readerMethod, []string{"authorization", "Bearer billtoken", "authorization", "Bearer billtoken"}, fault.Unauthenticated},
		{readerMethod, []string{"authorization", "Bearer billtoken", "authorization", "Bearer opertoken"}, fault.Unauthenticated},
		{readerMethod, []string{"authorization", "Bearer billtoken, Bearer opertoken"}, fault.Unauthenticated},
		{readerMethod, []string{"cookie", "headgate_session=billtoken"}, fault.Unauthenticated},
		{readerMethod, []string{"authorization", "Bearer opertoken"}, "chief"},
		{operatorMethod, []string{"authorization", "Bearer billtoken"}, fault.OperatorOnly},
		{operatorMethod, []string{"authorization", "Bearer opertoken"}, "chief"},
		{operatorMethod, nil, fault.Unauthenticated},
		{newMethod, nil, noMethod},
		{newMethod, []string{"authorization", "Bearer billtoken"}, noMethod},
		{newMethod, []string{"authorization", "Bearer opertoken"}, noMethod},
		{openMethod, nil, ""},
		{openMethod, []string{"authorization", "Bearer wrong"}, ""},
	} {
		got, err := call(t, g.tcp, c.method, c.header...)
		if who, _, _ := strings.Cut(got, " "); err == nil && who != c.want {
			t.Errorf("%s %q: %q, want %q", c.method, c.header, got, c.want)
		}
		switch {
		case err != nil && c.want == noMethod:
			if status.Code(err) != codes.Unimplemented {
				t.Errorf("%s %q: %v", c.method, c.header, err)
			}
		case err != nil && c.want == fault.OperatorOnly:
			wantRefused(t, c.method, err, codes.PermissionDenied, c.want)
		case err != nil:
			wantRefused(t, c.method, err, codes.Unauthenticated, c.want)
		}
	}
}

// TestCertificateFromInside: only the gateway's own REST may say whose certificate it saw, and from where a call came.
func TestCertificateFromInside(t *testing.T) {
	g := newGuarded(t, guardReaders(t))
	der := string(clientCertificate(t, pkix.Name{CommonName: "machine"}, time.Now().Add(time.Hour)).Raw)
	forged := []string{CertificateHeader, der, AddressHeader, "203.0.113.9:1"}
	_, err := call(t, g.tcp, readerMethod, forged...)
	wantRefused(t, "over TCP", err, codes.Unauthenticated, fault.Unauthenticated)
	got, err := call(t, g.tcp, readerMethod, append(forged, "authorization", "Bearer billtoken")...)
	if err != nil || !strings.HasPrefix(got, "billing 127.0.0.1:") {
		t.Errorf("over TCP with a token: %q, %v", got, err)
	}
	got, err = call(t, g.inside, readerMethod, CertificateHeader, der, AddressHeader, "203.0.113.9:1", "x-forwarded-for", "198.51.100.1")
	if err != nil || got != "machine 203.0.113.9:1" {
		t.Errorf("from inside: %q, %v", got, err)
	}
	between := clients().issue(&x509.Certificate{Subject: pkix.Name{CommonName: "between"}, NotAfter: time.Now().Add(time.Hour)})
	leaf := between.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "machine"}, NotAfter: time.Now().Add(time.Hour)})
	if got, err = call(t, g.inside, readerMethod, CertificateHeader, string(leaf.Raw)+string(between.Raw)); err != nil || !strings.HasPrefix(got, "machine") {
		t.Errorf("with what leads to its authority: %q, %v", got, err)
	}
	for name, header := range map[string][]string{
		"two":        {CertificateHeader, der, CertificateHeader, der},
		"no chain":   {CertificateHeader, string(leaf.Raw)},
		"none":       {CertificateHeader, ""},
		"unreadable": {CertificateHeader, "x"},
	} {
		_, err = call(t, g.inside, readerMethod, header...)
		wantRefused(t, name, err, codes.Unauthenticated, fault.Unauthenticated)
	}
}

func TestGuardLimits(t *testing.T) {
	r := byToken("a", "a", Rule{})
	r.Limits = Limits{Streams: 1}
	g := newGuarded(t, policy(t, r))
	ctx, cancel := context.WithCancel(t.Context())
	first := open(t, ctx, g.tcp, streamMethod, "authorization", "Bearer a")
	if err := first.RecvMsg(&wrapperspb.StringValue{}); err != nil {
		t.Fatal(err)
	}
	err := open(t, t.Context(), g.tcp, streamMethod, "authorization", "Bearer a").RecvMsg(&wrapperspb.StringValue{})
	wantRefused(t, "one too many", err, codes.ResourceExhausted, fault.Limit)
	retry := false
	for _, d := range status.Convert(err).Details() {
		info, ok := d.(*errdetails.RetryInfo)
		retry = retry || ok && info.GetRetryDelay().AsDuration() > 0
	}
	if !retry {
		t.Errorf("%v does not say when to try again", err)
	}
	cancel()
	for deadline := time.Now().Add(patience); ; {
		if err := open(t, t.Context(), g.tcp, streamMethod, "authorization", "Bearer a").RecvMsg(&wrapperspb.StringValue{}); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestGuardWhileKeysCannotBeHad(t *testing.T) {
	key := newSigner(t, jose.ES256, "k1")
	srv := newIssuerServer(t, nil)
	g := newGuarded(t, policy(t, byJWT("audit", JWT{Subject: "audit", KeysURL: srv.URL})))
	_, err := call(t, g.tcp, readerMethod, "authorization", "Bearer "+key.token(t, nil))
	wantRefused(t, "no keys", err, codes.Unavailable, fault.Unavailable)
	if strings.Contains(err.Error(), srv.URL) {
		t.Errorf("%v tells where the keys are", err)
	}
}

// TestStalledStreamEnds: a handler that is blocked in sending, to a client that takes nothing, ends with its session. Others of the connection go on.
func TestStalledStreamEnds(t *testing.T) {
	for name, conn := range map[string]func(*guarded) *grpc.ClientConn{
		"tcp": func(g *guarded) *grpc.ClientConn { return g.tcp }, "inside": func(g *guarded) *grpc.ClientConn { return g.inside },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, policy(t, byToken("gone", "gone", Rule{}), byToken("stays", "stays", Rule{})))
			stays := open(t, t.Context(), conn(g), streamMethod, "authorization", "Bearer stays")
			if err := stays.RecvMsg(&wrapperspb.StringValue{}); err != nil {
				t.Fatal(err)
			}
			stalled := open(t, t.Context(), conn(g), floodMethod, "authorization", "Bearer gone")
			if err := stalled.RecvMsg(&wrapperspb.StringValue{}); err != nil {
				t.Fatal(err)
			}
			g.control.Replace(policy(t, byToken("stays", "stays", Rule{})))
			select {
			case <-g.flooded:
			case <-time.After(patience):
				t.Fatal("the handler is still blocked")
			}
			var err error
			for err == nil {
				err = stalled.RecvMsg(&wrapperspb.StringValue{})
			}
			wantRefused(t, "what the client finds", err, codes.Unavailable, fault.Unavailable)
			wantClosing(t, err, "GRANT_CHANGED")
			if got, err := call(t, conn(g), readerMethod, "authorization", "Bearer stays"); err != nil {
				t.Errorf("another call of the connection: %q, %v", got, err)
			}
			g.control.Replace(policy(t))
			if err := stays.RecvMsg(&wrapperspb.StringValue{}); err != io.EOF {
				t.Errorf("the stream beside it ended with %v before its own session did", err)
			}
		})
	}
}

// TestStalledStreamOfAnExpiredCredential: its client is told what it needs.
func TestStalledStreamOfAnExpiredCredential(t *testing.T) {
	key := newSigner(t, jose.ES256, "k1")
	g := newGuarded(t, policy(t, byJWT("audit", JWT{Subject: "audit", Keys: keyFile(t, key)})))
	token := key.token(t, map[string]any{"exp": time.Now().Add(2 * time.Second).Unix()})
	s := open(t, t.Context(), g.tcp, floodMethod, "authorization", "Bearer "+token)
	select {
	case <-g.flooded:
	case <-time.After(patience):
		t.Fatal("the handler is still blocked")
	}
	var err error
	for err == nil {
		err = s.RecvMsg(&wrapperspb.StringValue{})
	}
	wantRefused(t, "what the client finds", err, codes.Unavailable, fault.Unavailable)
	wantClosing(t, err, "CREDENTIAL_EXPIRED")
}

// TestAudit: it says who did what, and nothing that is secret.
func TestAudit(t *testing.T) {
	key := newSigner(t, jose.ES256, "k1")
	readers := []Reader{byToken("billing", "billtoken", Rule{}), byJWT("audit", JWT{Subject: "audit", Keys: keyFile(t, key)})}
	readers[0].Grant = NewGrant([]Rule{{}}, true)
	g := newGuarded(t, policy(t, readers...))
	good, bad := key.token(t, nil), newSigner(t, jose.ES256, "k1").token(t, nil)
	secrets := []string{"billtoken", "wrongtoken", good, bad, good[len(good)-20:], bad[len(bad)-20:], HashToken("billtoken")}
	var told []error
	for _, header := range []string{"Bearer wrongtoken", "wrongtoken", "Bearer " + bad, "Basic wrongtoken", "Bearer wrong.token.wrongtoken"} {
		_, err := call(t, g.tcp, readerMethod, "authorization", header)
		told = append(told, err)
	}
	_, err := call(t, g.tcp, operatorMethod, "authorization", "Bearer "+good)
	told = append(told, err)
	if _, err := call(t, g.tcp, operatorMethod, "authorization", "Bearer billtoken"); err != nil {
		t.Fatal(err)
	}
	s := open(t, t.Context(), g.tcp, streamMethod, "authorization", "Bearer "+good)
	if err := s.RecvMsg(&wrapperspb.StringValue{}); err != nil {
		t.Fatal(err)
	}
	log := g.audit.String()
	for _, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("the audit holds %q", secret)
		}
		for _, err := range told {
			if strings.Contains(fmt.Sprint(err, status.Convert(err).Proto()), secret) {
				t.Errorf("%v holds %q", err, secret)
			}
		}
	}
	for _, want := range []string{
		`msg="call refused" method=` + readerMethod + ` remote=127.0.0.1:`,
		`msg="call refused" method=` + operatorMethod, `reader=audit credential="jwt audit" cause="this is for operators`,
		`msg="operator call" method=` + operatorMethod, `reader=billing credential="token `,
		`msg="stream begun" method=` + streamMethod,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit lacks %s:\n%s", want, log)
		}
	}
	if n := strings.Count(log, "\n"); n != 8 {
		t.Errorf("the audit has %d lines, want 8", n)
	}
	// Who is refused all the time does not fill the disk.
	for range 300 {
		_, _ = call(t, g.tcp, readerMethod)
	}
	if n := strings.Count(g.audit.String(), "call refused"); n < 20 || n > 100 {
		t.Errorf("300 refusals make %d lines", n)
	}
	// Nor does it hide who else is: it comes from a connection of another address.
	_, _ = call(t, g.inside, readerMethod, AddressHeader, "203.0.113.9:1")
	if !strings.Contains(g.audit.String(), "remote=203.0.113.9") {
		t.Error("the refusal of another address is not in the audit")
	}
	for deadline := time.Now().Add(patience); !strings.Contains(g.audit.String(), " suppressed="); _, _ = call(t, g.tcp, readerMethod) {
		if time.Now().After(deadline) {
			t.Fatal("what was suppressed is never told")
		}
	}
}
