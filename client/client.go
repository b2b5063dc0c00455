package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// maxMessage is the largest answer taken: an event takes at most 3 MiB, and GetEvent returns its raw body beside it.
const maxMessage = 16 << 20

// Client is a connection to a gateway. It is safe for concurrent use; many subscriptions can share it.
type Client struct {
	conn          *connection
	events        headgatev1.EventServiceClient
	subscriptions headgatev1.SubscriptionServiceClient
	member        string // of its named subscriptions, where they say no other
}

// Option changes how Dial connects.
type Option func(*dialing)

type dialing struct {
	tls   *tls.Config
	token string
	extra []grpc.DialOption
}

// WithTLS sets the terms of the encrypted connection: other roots than the system's, or a client certificate.
func WithTLS(config *tls.Config) Option { return func(d *dialing) { d.tls = config } }

// WithToken sends a reader's token with every call. It is never sent unencrypted to another machine: such calls fail.
func WithToken(token string) Option { return func(d *dialing) { d.token = token } }

// WithDialOptions adds options of grpc. They win over those that Dial sets.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(d *dialing) { d.extra = append(d.extra, options...) }
}

const (
	// streamWindow is how many bytes of a stream may be on their way to a client that does not read, the least that grpc takes. What is on its way when a
	// shard goes to another member is handled by the one before: the less, the sooner the other begins.
	streamWindow = 64 << 10
	// connWindow is the same for all streams of the connection together, so that slow ones do not hold up the others.
	connWindow = 1 << 20
)

// Dial prepares a connection to the gateway's gRPC address, "host:port" or any other target of grpc. It returns at once; the
// first call connects. The connection is encrypted, except to this machine without WithTLS.
func Dial(address string, options ...Option) (*Client, error) {
	var d dialing
	for _, o := range options {
		o(&d)
	}
	local, err := isLocal(address)
	if err != nil {
		return nil, err
	}
	transport := credentials.NewTLS(d.tls)
	if local && d.tls == nil {
		transport = insecure.NewCredentials()
	}
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		// Fixed windows: to find its own, grpc would ping with the data, and each ping costs the gateway as much as a message.
		grpc.WithInitialWindowSize(streamWindow), grpc.WithInitialConnWindowSize(connWindow),
		// Subscribe has a backoff of its own. The connection's stays short, so that a gateway that is back is found soon.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
	}
	if d.token != "" {
		dial = append(dial, grpc.WithPerRPCCredentials(bearer{token: d.token, local: local}))
	}
	dial = append(dial, d.extra...)
	conn, err := newConnection(func() (*grpc.ClientConn, error) { return grpc.NewClient(address, dial...) })
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", address, err)
	}
	return &Client{
		conn: conn, events: headgatev1.NewEventServiceClient(conn), subscriptions: headgatev1.NewSubscriptionServiceClient(conn), member: newMember(),
	}, nil
}

// newMember is a name for this client that no other has, and that tells an operator which machine it is on.
func newMember() string {
	host, _ := os.Hostname()
	host = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, host)
	return host[:min(len(host), 100)] + "-" + rand.Text()[:8]
}

// Conn is the connection, for the generated clients of all other calls. When a subscription finds that it is dead, a new one is made: calls that wait on the old
// one end then, with the code Canceled.
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// Close ends the connection and every subscription on it, with an *Error whose Code is Canceled. What was handled and not saved yet is not saved.
func (c *Client) Close() error {
	return c.conn.close()
}

// isLocal tells whether the target is this machine itself.
func isLocal(address string) (bool, error) {
	target := address
	if scheme, rest, found := strings.Cut(address, ":///"); found {
		if scheme != "dns" && scheme != "passthrough" {
			return scheme == "unix", nil
		}
		target = rest
	} else if strings.HasPrefix(address, "unix:") {
		return true, nil
	}
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return false, fmt.Errorf("address %q: want host:port: %w", address, err)
	}
	if host == "" || host == "localhost" {
		return true, nil
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback(), nil
}

// bearer sends a token with every call.
type bearer struct {
	token string
	local bool
}

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + b.token}, nil
}

func (b bearer) RequireTransportSecurity() bool { return !b.local }
