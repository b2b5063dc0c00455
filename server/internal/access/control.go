package access

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound what one reader may take, over all its connections. Zero means no bound.
type Limits struct {
	// Streams is how many it may have at once, Connections from how many connections.
	Streams, Connections int
	// RequestsPerSecond is how many calls it may begin, on average; bursts of ten times that are let through.
	RequestsPerSecond int
}

// LimitError says which limit was reached.
type LimitError struct {
	Limit      string // "streams", "connections", "requests per second"
	Allowed    int
	RetryAfter time.Duration
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("this reader may have %d %s; try again in %s", e.Allowed, e.Limit, e.RetryAfter)
}

// Why a session ended.
var (
	// ErrGrantChanged: the reader was removed, its credential was withdrawn, or its grant is another one now.
	ErrGrantChanged = errors.New("what this reader may read has changed")
	// ErrExpired: its credential has.
	ErrExpired = errors.New("the credential has expired")
)

// Control holds the policy in force and the calls that run under it. It is safe for concurrent use.
type Control struct {
	mu       sync.Mutex
	policy   *Policy
	sessions map[*Session]struct{}
	use      map[string]*use // by reader's name
}

// use is what a reader takes now.
type use struct {
	streams     int
	connections map[string]int // streams by remote address
	requests    *rate.Limiter
	limit       int // requests is for this many a second
}

// NewControl returns a control with the policy.
func NewControl(p *Policy) *Control {
	return &Control{policy: p, sessions: make(map[*Session]struct{}), use: make(map[string]*use)}
}

// Session is one call of a reader. Its grant does not change: when the reader's does, the session ends.
type Session struct {
	Identity
	*Grant
	control *Control
	remote  string
	stream  bool
	ended   chan struct{}
	timer   *time.Timer

	once  sync.Once
	cause error
}

// Ended is closed when the session must end before its time; Cause then says why.
func (s *Session) Ended() <-chan struct{} { return s.ended }

// Cause is ErrGrantChanged or ErrExpired once Ended is closed.
func (s *Session) Cause() error {
	select {
	case <-s.ended:
		return s.cause
	default:
		return nil
	}
}

// Expired says whether the session ended because its credential did.
func (s *Session) Expired() bool { return errors.Is(s.Cause(), ErrExpired) }

func (s *Session) end(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.ended)
	})
}

// Replace puts another policy in force. Sessions whose reader is gone, or has another grant, end.
func (c *Control) Replace(p *Policy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.policy = p
	for s := range c.sessions {
		if !s.Reader.same(s.find(p)) {
			s.end(ErrGrantChanged)
		}
	}
}

// Identify says whose the credentials are, under the policy in force.
func (c *Control) Identify(ctx context.Context, cred Credentials) (Identity, error) {
	c.mu.Lock()
	p := c.policy
	c.mu.Unlock()
	return p.Identify(ctx, cred)
}

// Begin starts a call: it identifies the reader and counts the call against its limits. remote is the address
// at the other end of the connection. ErrNone, ErrUnknown, a *LimitError. Done must be called when the call is over.
func (c *Control) Begin(ctx context.Context, cred Credentials, remote string, stream bool) (*Session, error) {
	id, err := c.Identify(ctx, cred)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// The policy may have been replaced since.
	if !id.Reader.same(id.find(c.policy)) {
		return nil, ErrUnknown
	}
	id.Reader = id.find(c.policy)
	u := c.useOf(id.Reader)
	if err := u.admit(id.Reader, remote, stream); err != nil {
		return nil, err
	}
	s := &Session{Identity: id, Grant: id.Reader.Grant, control: c, remote: remote, stream: stream, ended: make(chan struct{})}
	if stream {
		u.streams++
		u.connections[remote]++
		c.sessions[s] = struct{}{}
		if !id.Expires.IsZero() {
			s.timer = time.AfterFunc(time.Until(id.Expires), func() { s.end(ErrExpired) })
		}
	}
	return s, nil
}

// Done gives back what the call took.
func (s *Session) Done() {
	if !s.stream {
		return
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	c := s.control
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sessions, s)
	u := c.use[s.Reader.Name]
	u.streams--
	if u.connections[s.remote]--; u.connections[s.remote] == 0 {
		delete(u.connections, s.remote)
	}
}

func (c *Control) useOf(r *Reader) *use {
	u := c.use[r.Name]
	if u == nil {
		u = &use{connections: make(map[string]int)}
		c.use[r.Name] = u
	}
	if n := r.Limits.RequestsPerSecond; n != u.limit {
		u.limit, u.requests = n, nil
		if n > 0 {
			u.requests = rate.NewLimiter(rate.Limit(n), 10*n)
		}
	}
	return u
}

// limitRetry is after how long a reader that has too much open should try again.
const limitRetry = 10 * time.Second

func (u *use) admit(r *Reader, remote string, stream bool) error {
	l := r.Limits
	if u.requests != nil && !u.requests.Allow() {
		return &LimitError{Limit: "requests per second", Allowed: l.RequestsPerSecond, RetryAfter: time.Second}
	}
	if !stream {
		return nil
	}
	if l.Streams > 0 && u.streams >= l.Streams {
		return &LimitError{Limit: "streams", Allowed: l.Streams, RetryAfter: limitRetry}
	}
	if l.Connections > 0 && u.connections[remote] == 0 && len(u.connections) >= l.Connections {
		return &LimitError{Limit: "connections", Allowed: l.Connections, RetryAfter: limitRetry}
	}
	return nil
}
