package access

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/server/internal/fault"
)

// Need is what a caller must be for a method.
type Need int

const (
	// NeedReader: a configured reader. What it then gets, its grant decides.
	NeedReader Need = iota + 1
	// NeedOperator: a reader with the operator's role.
	NeedOperator
	// NeedNothing: anybody.
	NeedNothing
)

// CertificateHeader carries the client certificate (DER) of a REST caller from the gateway's own HTTP server to its gRPC server. It is believed
// only from inside the process.
const CertificateHeader = "headgate-client-certificate-bin"

// insideNetwork is the network of bufconn, over which only this process speaks.
const insideNetwork = "bufconn"

// Guard stands before every gRPC method.
type Guard struct {
	control *Control
	needs   map[string]Need
	audit   *slog.Logger
	refused rate.Sometimes
}

// NewGuard returns a guard that lets calls through as needs says, by full method name. A method that is not in it is for nobody.
func NewGuard(c *Control, needs map[string]Need, audit *slog.Logger) *Guard {
	return &Guard{control: c, needs: needs, audit: audit, refused: rate.Sometimes{First: 100, Interval: 100 * time.Millisecond}}
}

type sessionKey struct{}

// SessionOf returns the session of a call that came through the guard, nil for a method that needs nothing.
func SessionOf(ctx context.Context) *Session {
	s, _ := ctx.Value(sessionKey{}).(*Session)
	return s
}

// Unary is the interceptor of single calls.
func (g *Guard) Unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	s, err := g.admit(ctx, info.FullMethod, false)
	if err != nil {
		return nil, err
	}
	if s != nil {
		ctx = context.WithValue(ctx, sessionKey{}, s)
	}
	return next(ctx, req)
}

// Stream is the interceptor of streams.
func (g *Guard) Stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	s, err := g.admit(ss.Context(), info.FullMethod, true)
	if err != nil {
		return err
	}
	if s == nil {
		return next(srv, ss)
	}
	defer s.Done()
	stop := context.AfterFunc(s.life, func() { time.AfterFunc(overdue, func() { cutOff(ss.Context()) }) })
	defer stop()
	return next(srv, &sessionStream{ServerStream: ss, ctx: context.WithValue(ss.Context(), sessionKey{}, s)})
}

// overdue is how long after its session's end a stream may still say so and end by itself.
const overdue = 2 * time.Second

// cutOff ends a stream whose handler has not: it is blocked in sending to a client that takes nothing, and there is no other way to wake it. The
// client finds the status behind what was on its way. On a stream that has ended it does nothing.
//
// What grpc-go keeps for a stream has the method, though the interface does not name it. It is made to be called beside a sending handler, as
// that of a stream in two directions.
func cutOff(ctx context.Context) {
	t, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ WriteStatus(*status.Status) error })
	if !ok {
		return
	}
	err := fault.Retry(codes.Unavailable, fault.Unavailable,
		"the credential or its grant ended while nothing was being received; reconnect with your last cursor to find out what holds now", time.Second)
	_ = t.WriteStatus(status.Convert(err)) // it fails when the connection is gone, and the stream with it
}

type sessionStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *sessionStream) Context() context.Context { return s.ctx }

func (g *Guard) admit(ctx context.Context, method string, stream bool) (*Session, error) {
	need := g.needs[method]
	if need == NeedNothing {
		return nil, nil
	}
	s, err := g.begin(ctx, stream)
	if err == nil && need != NeedReader && (need != NeedOperator || !s.Operator()) {
		s.Done()
		err = fault.New(codes.PermissionDenied, fault.OperatorOnly, "this is for operators: the reader's configuration must say operator: true")
	}
	who := []any{"method", method, "remote", RemoteOf(ctx)}
	if s != nil {
		who = append(who, "reader", s.Reader.Name, "credential", s.Credential)
	}
	switch {
	case err != nil:
		g.refused.Do(func() { g.audit.Warn("call refused", append(who, "cause", status.Convert(err).Message())...) })
		return nil, err
	case need == NeedOperator:
		g.audit.Info("operator call", who...)
	case stream:
		g.audit.Info("stream begun", who...)
	}
	return s, nil
}

// keysRetry is after how long keys may be fetched again.
const keysRetry = 10 * time.Second

func (g *Guard) begin(ctx context.Context, stream bool) (*Session, error) {
	cred, err := credentialsOf(ctx)
	if err != nil {
		return nil, fault.New(codes.Unauthenticated, fault.Unauthenticated, err.Error())
	}
	s, err := g.control.Begin(ctx, cred, RemoteOf(ctx), stream)
	var over *LimitError
	switch {
	case err == nil:
		return s, nil
	case errors.As(err, &over):
		return nil, fault.Retry(codes.ResourceExhausted, fault.Limit, err.Error(), over.RetryAfter, "limit", over.Limit, "allowed", strconv.Itoa(over.Allowed))
	case errors.Is(err, ErrNoKeys):
		return nil, fault.Retry(codes.Unavailable, fault.Unavailable, err.Error(), keysRetry)
	}
	return nil, fault.New(codes.Unauthenticated, fault.Unauthenticated, err.Error())
}

// credentialsOf reads what the call came with.
func credentialsOf(ctx context.Context) (Credentials, error) {
	var c Credentials
	md, _ := metadata.FromIncomingContext(ctx)
	switch values := md.Get("authorization"); len(values) {
	case 0:
	case 1:
		scheme, token, _ := strings.Cut(values[0], " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return c, errors.New("the authorization is not a bearer token: send \"Bearer \" and the token")
		}
		c.Bearer = token
	default:
		return c, errors.New("there is more than one authorization")
	}
	p, ok := peer.FromContext(ctx)
	if !ok {
		return c, nil
	}
	if p.Addr.Network() == insideNetwork {
		if der := md.Get(CertificateHeader); len(der) == 1 {
			cert, err := x509.ParseCertificate([]byte(der[0]))
			if err != nil {
				return c, errors.New("the client certificate is unreadable")
			}
			c.Certificate = cert
		}
		return c, nil
	}
	if info, ok := p.AuthInfo.(credentials.TLSInfo); ok && len(info.State.VerifiedChains) > 0 {
		c.Certificate = info.State.VerifiedChains[0][0]
	}
	return c, nil
}

// RemoteOf is where a call came from: over REST the address of the HTTP client.
func RemoteOf(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	if p.Addr.Network() == insideNetwork {
		md, _ := metadata.FromIncomingContext(ctx)
		if v := md.Get("x-forwarded-for"); len(v) > 0 {
			list := strings.Split(v[len(v)-1], ",")
			return strings.TrimSpace(list[len(list)-1])
		}
	}
	return p.Addr.String()
}
