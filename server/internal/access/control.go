package access

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc/codes"

	"github.com/headgate/headgate/server/internal/fault"
)

// Limits bound what one reader may take, over all its connections. Zero means no bound.
type Limits struct {
	// Streams is how many it may have at once, Connections from how many connections it may have calls open, streams or not.
	Streams, Connections int
	// RequestsPerSecond is how many calls it may begin, on average; bursts of twice that are let through. A further message of a stream counts as a call.
	// Saves do not: there may be ten for each request, and what is beyond waits.
	RequestsPerSecond int
}

// Kind is how a call counts against its reader's limits.
type Kind int

// The kinds.
const (
	// Stream stays: it counts as a stream, and as a request.
	Stream Kind = iota
	// Single is asked and answered: it counts as a request, and its answer while there is one.
	Single
	// Save is what a client must ask often to do right. It does not count as a request, and apart from others as an answer, which is empty.
	Save
)

// LimitError says which limit was reached.
type LimitError struct {
	Limit      string // "streams", "connections", "requests per second", "saves per second", "answers at once", "saves at once", "calls without credentials at once", "calls of unknown callers at once"
	Allowed    int
	RetryAfter time.Duration
	// By is who reached it, empty where nobody was asked for credentials.
	By Identity
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("one caller may have %d %s; try again in %s", e.Allowed, e.Limit, e.RetryAfter)
}

// callerOf is who was refused, empty where that is not known.
func callerOf(err error) Identity {
	var over *LimitError
	if errors.As(err, &over) {
		return over.By
	}
	return Identity{}
}

// ErrGrantChanged: a session ended because its reader was removed, its credential was withdrawn, or its grant is another one now.
var ErrGrantChanged = errors.New("what this reader may read has changed")

// ErrDismissed: a session ended because an operator wanted it to.
var ErrDismissed = errors.New("an operator ended the stream")

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
	held        map[Kind]int   // see Hold
	connections map[string]int // calls and answers of streams by remote address
	requests    *rate.Limiter
	saves       *rate.Limiter // nil: no limit
	limit       int           // requests is for this many a second
	turns       chan struct{} // has one for each of its calls that is being answered
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
	policy  *Policy // that it was begun under
	remote  string
	kind    Kind
	release func()        // what else the call holds; nil for nothing
	ended   chan struct{} // nil for all but streams

	// Guarded by control's mu.
	cause error       // why ended is closed
	timer *time.Timer // ends the session when its credential expires, and cuts off the call when it is overdue
	cut   func()      // see whenOverdue
}

// Ended is closed when the session must end before its time; Cause then says why. Only of a stream it ever is.
func (s *Session) Ended() <-chan struct{} { return s.ended }

// Cause is ErrGrantChanged, ErrExpired or ErrDismissed once Ended is closed.
func (s *Session) Cause() error {
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	return s.cause
}

// Expired says whether the session ended because its credential did.
func (s *Session) Expired() bool { return errors.Is(s.Cause(), ErrExpired) }

// Dismissed says whether the session ended because of Dismiss.
func (s *Session) Dismissed() bool { return errors.Is(s.Cause(), ErrDismissed) }

// Dismiss ends a stream's session on an operator's behalf.
func (s *Session) Dismiss() { s.end(ErrDismissed) }

// end ends a stream's session, unless its call is over.
func (s *Session) end(cause error) {
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	s.endLocked(cause)
}

// endLocked is end with control's mu held.
func (s *Session) endLocked(cause error) {
	if _, open := s.control.sessions[s]; !open || s.cause != nil {
		return
	}
	s.cause = cause
	close(s.ended)
	if s.timer != nil { // it would keep the session for as long as its credential is good, which may be years
		s.timer.Stop()
	}
	if s.cut != nil {
		s.timer = time.AfterFunc(overdue, s.cut)
	}
}

// whenOverdue has cut called when the session of a stream has ended and its call is not over for a while.
func (s *Session) whenOverdue(cut func()) {
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	if s.cut = cut; s.cause != nil {
		s.timer = time.AfterFunc(overdue, cut)
	}
}

// finish says that the call's handler has returned, with the call's own end: nothing can or need be cut off any more. What the call took stays taken.
func (s *Session) finish() {
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	if s.cut = nil; s.timer != nil {
		s.timer.Stop()
	}
}

// Replace puts a new policy in force, which takes over the keys of issuers that both have. Sessions whose reader is gone, or has another grant, or
// whose certificate's authority is none any more, end.
func (c *Control) Replace(p *Policy) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.keepKeys(c.policy)
	c.policy = p
	for s := range c.sessions {
		if !s.Reader.same(s.find(p)) {
			s.endLocked(ErrGrantChanged)
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
// at the other end of the connection. The errors of Identify, a *LimitError. Done must be called when the call is over.
func (c *Control) Begin(ctx context.Context, cred Credentials, remote string, kind Kind) (*Session, error) {
	id, err := c.identifyLocked(ctx, cred)
	defer c.mu.Unlock()
	if err != nil {
		return nil, err
	}
	u := c.useOf(id.Reader)
	if over := u.admit(id.Reader, remote, kind); over != nil {
		over.By = id
		return nil, over
	}
	s := &Session{Identity: id, Grant: id.Reader.Grant, control: c, policy: c.policy, remote: remote, kind: kind}
	u.connections[remote]++
	if s.kind == Stream {
		s.ended = make(chan struct{})
		u.streams++
		c.sessions[s] = struct{}{}
		if !id.Expires.IsZero() {
			s.timer = time.AfterFunc(time.Until(id.Expires), func() { s.end(ErrExpired) })
		}
	}
	return s, nil
}

// identifyLocked is Identify; it returns with the lock held and while the policy is still the one in force. Identifying can take seconds, when
// keys are fetched, and holds nobody up meanwhile.
func (c *Control) identifyLocked(ctx context.Context, cred Credentials) (Identity, error) {
	c.mu.Lock()
	for {
		p := c.policy
		c.mu.Unlock()
		id, err := p.Identify(ctx, cred)
		c.mu.Lock()
		if p == c.policy {
			return id, err
		}
	}
}

// confirm fails when what holds for the call is no longer what held when it began. Its request can be long in coming, and nothing ends the session of a
// single call meanwhile. The error is fit for the caller.
func (s *Session) confirm() error {
	c := s.control
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.policy != s.policy && !s.Reader.same(s.find(c.policy)) || !s.Expires.IsZero() && time.Now().After(s.Expires) {
		return fault.Retry(codes.Unavailable, fault.Unavailable, "what this reader may read has changed while the request was coming; call again", time.Second)
	}
	return nil
}

// Pay counts what the call asks beyond its first message, as another request. The error is fit for the caller.
func (s *Session) Pay() error {
	c := s.control
	c.mu.Lock()
	defer c.mu.Unlock()
	// By the limit in force: the session's reader can be one of a policy that was replaced.
	if u := c.use[s.Reader.Name]; !u.mayAsk() {
		return refusalOf(u.tooFast())
	}
	return nil
}

// savesPerRequest is how many saves a reader may make for each request that it may. What is beyond waits, as each is an entry on the disk that the webhooks
// use too.
const savesPerRequest = 10

// pace waits until the reader may save once more. It fails where the caller's time is over or would be, with a *LimitError.
func (s *Session) pace(ctx context.Context) error {
	c := s.control
	c.mu.Lock()
	saves := c.use[s.Reader.Name].saves
	c.mu.Unlock()
	if saves == nil || saves.Wait(ctx) == nil {
		return nil
	}
	return &LimitError{Limit: "saves per second", Allowed: int(saves.Limit()), RetryAfter: answerRetry, By: s.Identity}
}

// turns is what a call puts something into for as long as it is being answered.
func (s *Session) turns() chan struct{} {
	c := s.control
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.use[s.Reader.Name].turns
}

// Done gives back what the call took.
func (s *Session) Done() {
	if s.release != nil {
		s.release()
	}
	c := s.control
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	u := c.use[s.Reader.Name]
	if s.kind == Stream {
		delete(c.sessions, s)
		u.streams--
	}
	u.leave(s.remote)
}
