package access

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/server/internal/aside"
	"github.com/headgate/headgate/server/internal/fault"
	"github.com/headgate/headgate/server/internal/refusal"
)

// Need is what a caller must be for a method.
type Need int

const (
	// NeedReader: a configured reader. What it then gets, its grant decides.
	NeedReader Need = iota + 1
	// NeedReaderOften: the same, for a Save.
	NeedReaderOften
	// NeedOperator: a reader with the operator's role.
	NeedOperator
	// NeedOperatorOften: the same, for what a page asks for again and again to show how it changes. The audit has a line a minute of that.
	NeedOperatorOften
	// NeedNothing: anybody.
	NeedNothing
)

// CertificateHeader carries the client certificate of a REST caller, and behind it what the client sent beside it (all in DER), from the gateway's
// own HTTP server to its gRPC server. It is believed only from inside the process.
const CertificateHeader = "headgate-client-certificate-bin"

// insideNetwork is the network of bufconn, over which only this process speaks.
const insideNetwork = "bufconn"

// Guard stands before every gRPC method.
type Guard struct {
	control *Control
	needs   map[string]Need
	audit   *slog.Logger
	refused refusal.Lines
	watches watches
	counted func(reader, reason string) // see CountRefused

	single    map[string]bool // the methods that went through Over
	strangers *Tally          // calls without credentials
	answers   *Tally          // over HTTP, to callers whom nobody knows
	deciding  *Tally          // calls of which it takes time to find out who makes them
	staying   context.Context // until Leave
	leave     context.CancelFunc
	oldest    time.Duration // see oldest
}

// oldest is how long a stream in two directions may last: as long as those of events.
const oldest = time.Hour

var errOld = fault.Retry(codes.Unavailable, fault.Unavailable, "the stream was as old as one may get; begin another", time.Second)

var errLeaving = fault.Retry(codes.Unavailable, fault.Draining, "the server is stopping; reconnect", time.Second)

// NewGuard returns a guard that lets calls through as needs says, by full method name. A method that is not in it is for nobody.
func NewGuard(c *Control, needs map[string]Need, audit *slog.Logger) *Guard {
	staying, leave := context.WithCancel(context.Background())
	return &Guard{
		staying: staying, leave: leave, control: c, needs: needs, audit: audit, counted: func(string, string) {}, single: make(map[string]bool),
		strangers: NewTally(maxStrangers), answers: NewTally(maxStrangerAnswers), deciding: NewTally(maxDeciding), oldest: oldest,
	}
}

// Leave ends the calls of those who need no credentials, now and from now on: nobody waits for them with the end of the server.
func (g *Guard) Leave() { g.leave() }

// Leaving is closed by Leave.
func (g *Guard) Leaving() <-chan struct{} { return g.staying.Done() }

// CountRefused has fn called for each call that is refused, also where that leaves no line in the audit: with the reader's name, empty where it is not known, and
// the reason in a word. It is called before the server serves.
func (g *Guard) CountRefused(fn func(reader, reason string)) { g.counted = fn }

// IsSingle says whether the method is asked once and answered once.
func (g *Guard) IsSingle(method string) bool { return g.single[method] }

type sessionKey struct{}

// SessionOf returns the session of a call that came through the guard, nil for a method that needs nothing.
func SessionOf(ctx context.Context) *Session {
	s, _ := ctx.Value(sessionKey{}).(*Session)
	return s
}

// Stream is the interceptor of streams, and of the single calls that went through Over. It knows who calls before anything of the request is read.
func (g *Guard) Stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	ctx := ss.Context()
	if _, known := g.needs[info.FullMethod]; !known {
		return errNoMethod
	}
	kind := g.kindOf(info.FullMethod)
	admit := g.admit
	if kind == Stream {
		admit = g.admitAside
	}
	s, err := admit(ctx, info.FullMethod, kind)
	if decided, ok := ctx.Value(undecidedKey{}).(func()); ok {
		decided()
	}
	if err != nil {
		return err
	}
	if s == nil {
		leave, err := g.admitStranger(ctx, info.FullMethod)
		if err != nil {
			return err
		}
		defer leave()
		defer context.AfterFunc(g.staying, func() { cutOff(ctx, errLeaving) })()
		out := g.newSessionStream(ctx, ss, kind)
		err = next(srv, out)
		out.settle()
		return err
	}
	defer s.Done()
	if kind == Save {
		if err := s.pace(ctx); err != nil {
			return g.refuse(ctx, info.FullMethod, err)
		}
	}
	if kind == Stream {
		s.whenOverdue(func() { cutOff(ctx, overdueBy(s)) })
	}
	if info.IsClientStream { // others end by themselves
		old := time.AfterFunc(g.oldest, func() { cutOff(ctx, errOld) })
		defer old.Stop()
	}
	out := g.newSessionStream(context.WithValue(ctx, sessionKey{}, s), ss, kind)
	err = next(srv, out)
	s.finish()
	if code := status.Code(err); code == codes.PermissionDenied || code == codes.ResourceExhausted {
		g.tellRefused(RemoteOf(ctx), info.FullMethod, s.Identity, err)
	}
	out.settle()
	return err
}

// overdue is how long after its session's end a stream may still say so and end by itself.
const overdue = time.Second

// cutOff ends a stream whose handler has not: it is blocked in sending to a client that takes nothing, or in receiving from one that sends nothing,
// and there is no other way to wake it. The client finds the status behind what was on its way. On a stream that has ended it does nothing.
//
// What grpc-go keeps for a stream has the method, though the interface does not name it. It is made to be called beside a sending handler, as
// that of a stream in two directions.
func cutOff(ctx context.Context, cause error) {
	t, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ WriteStatus(*status.Status) error })
	if !ok {
		return
	}
	_ = t.WriteStatus(status.Convert(cause)) // it fails when the connection is gone, and the stream with it
}

// overdueBy is what the client of a stream that was cut off is told. It can come back, and then finds out what holds now; why the stream ended stands in the
// metadata, in the words of Closing, which it would have got.
func overdueBy(s *Session) error {
	message, closing, after := "what this reader may read has changed while nothing was being received; reconnect with your last cursor to find out what holds now", "GRANT_CHANGED", time.Second
	switch {
	case s.Expired():
		message, closing = "the credential has expired while nothing was being received; reconnect with your last cursor and a new one", "CREDENTIAL_EXPIRED"
	case s.Dismissed():
		message, closing, after = "an operator ended the stream while nothing was being received; reconnect with your last cursor", "OPERATOR", fault.OperatorRetry
	}
	return fault.Retry(codes.Unavailable, fault.Unavailable, message, after, "closing", closing)
}

func (g *Guard) kindOf(method string) Kind {
	switch {
	case !g.single[method]:
		return Stream
	case g.needs[method] == NeedReaderOften:
		return Save
	}
	return Single
}

// admitAside is admit for a call that stays.
func (g *Guard) admitAside(ctx context.Context, method string, kind Kind) (s *Session, err error) {
	aside.Do(func() { s, err = g.admit(ctx, method, kind) })
	return s, err
}

func (g *Guard) admit(ctx context.Context, method string, kind Kind) (*Session, error) {
	need := g.needs[method]
	if need == NeedNothing {
		return nil, nil
	}
	s, err := g.begin(ctx, kind)
	if err != nil {
		return nil, g.refuse(ctx, method, err)
	}
	forOperators := need == NeedOperator || need == NeedOperatorOften
	if need != NeedReader && need != NeedReaderOften && !(forOperators && s.Operator()) {
		s.Done()
		err = fault.New(codes.PermissionDenied, fault.OperatorOnly, "this is for operators: the reader's configuration must say operator: true")
		g.tellRefused(RemoteOf(ctx), method, s.Identity, err)
		return nil, err
	}
	switch {
	case forOperators:
		g.tellOperator(ctx, method, need, s.Identity)
	case kind == Stream:
		g.audit.Info("stream begun", lineOf(RemoteOf(ctx), method, s.Identity)...)
	}
	return s, nil
}

// keysRetry is after how long keys may be fetched again.
const keysRetry = 10 * time.Second

// begin is Control's, and counts what is to be answered as Hold does.
func (g *Guard) begin(ctx context.Context, kind Kind) (*Session, error) {
	cred, err := credentialsOf(ctx)
	if err != nil {
		return nil, err
	}
	decided, err := g.decide(ctx, cred)
	if err != nil {
		return nil, err
	}
	s, err := g.control.Begin(ctx, cred, RemoteOf(ctx), kind)
	decided()
	if err != nil {
		return nil, err
	}
	if kind != Stream && !isInside(ctx) { // what REST answers, Enter counts
		if s.release, err = g.control.Hold(s.Identity, RemoteOf(ctx), kind); err != nil {
			s.Done()
			return nil, err
		}
	}
	if c := connectionOf(ctx); c != nil {
		c.Admitted()
	}
	return s, nil
}

// refusalOf is what the caller is told of an error of Control.
func refusalOf(err error) error {
	var over *LimitError
	switch {
	case errors.As(err, &over):
		return fault.Retry(codes.ResourceExhausted, fault.Limit, err.Error(), over.RetryAfter, "limit", over.Limit, "allowed", strconv.Itoa(over.Allowed))
	case errors.Is(err, ErrNoKeys):
		return fault.Retry(codes.Unavailable, fault.Unavailable, err.Error(), keysRetry)
	}
	return fault.New(codes.Unauthenticated, fault.Unauthenticated, err.Error())
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
	if isInside(ctx) {
		if der := md.Get(CertificateHeader); len(der) == 1 {
			certs, err := x509.ParseCertificates([]byte(der[0]))
			if err != nil || len(certs) == 0 {
				return c, errors.New("the client certificate is unreadable")
			}
			c.Certificate, c.Intermediates = certs[0], certs[1:]
		}
		return c, nil
	}
	if c.Certificate = leafOf(p.AuthInfo); c.Certificate != nil {
		c.Intermediates = p.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[1:]
	}
	return c, nil
}

// leafOf is the verified certificate of the client, nil if there is none.
func leafOf(info credentials.AuthInfo) *x509.Certificate {
	if secure, ok := info.(credentials.TLSInfo); ok && len(secure.State.VerifiedChains) > 0 {
		return secure.State.PeerCertificates[0]
	}
	return nil
}

// AddressHeader carries the address and port of a REST caller, believed as CertificateHeader is.
const AddressHeader = "headgate-client-address"

// RemoteOf is the address and port that a call came from: over REST those of the HTTP client.
func RemoteOf(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	if isInside(ctx) {
		if md, _ := metadata.FromIncomingContext(ctx); len(md.Get(AddressHeader)) == 1 {
			return md.Get(AddressHeader)[0]
		}
	}
	return p.Addr.String()
}

// isInside says whether the call comes from the gateway's own REST.
func isInside(ctx context.Context) bool {
	p, ok := peer.FromContext(ctx)
	return ok && p.Addr.Network() == insideNetwork
}
