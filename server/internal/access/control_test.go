package access

import (
	"context"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/headgate/headgate/server/internal/fault"
)

func begin(t testing.TB, c *Control, token string) *Session {
	t.Helper()
	s, err := c.Begin(t.Context(), Credentials{Bearer: token}, "192.0.2.1", Stream)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func limited(name string, l Limits) Reader {
	r := byToken(name, name, Rule{})
	r.Limits = l
	return r
}

func wantLimit(t *testing.T, err error, limit string, allowed int) {
	t.Helper()
	var over *LimitError
	if !errors.As(err, &over) || over.Limit != limit || over.Allowed != allowed || over.RetryAfter <= 0 {
		t.Errorf("got %v, want a limit of %d %s", err, allowed, limit)
	}
}

func TestStreamLimit(t *testing.T) {
	c := NewControl(policy(t, limited("a", Limits{Streams: 2}), limited("b", Limits{Streams: 1})))
	one, two := begin(t, c, "a"), begin(t, c, "a")
	_, err := c.Begin(t.Context(), Credentials{Bearer: "a"}, "192.0.2.2", Stream)
	wantLimit(t, err, "streams", 2)
	if s, err := c.Begin(t.Context(), Credentials{Bearer: "a"}, "192.0.2.1", Single); err != nil {
		t.Errorf("a single call beside the streams: %v", err)
	} else {
		s.Done()
	}
	begin(t, c, "b").Done() // another reader has its own
	one.Done()
	begin(t, c, "a").Done()
	two.Done()
	// A lower limit ends nothing, and holds for the next.
	one, two = begin(t, c, "a"), begin(t, c, "a")
	c.Replace(policy(t, limited("a", Limits{Streams: 1})))
	if ended(one) || ended(two) {
		t.Error("another limit ended a stream")
	}
	one.Done()
	_, err = c.Begin(t.Context(), Credentials{Bearer: "a"}, "192.0.2.1", Stream)
	wantLimit(t, err, "streams", 1)
	two.Done()
	begin(t, c, "a").Done()
}

func TestConnectionLimit(t *testing.T) {
	c := NewControl(policy(t, limited("a", Limits{Connections: 1})))
	open := func(remote string) (*Session, error) {
		return c.Begin(t.Context(), Credentials{Bearer: "a"}, remote, Stream)
	}
	one, _ := open("192.0.2.1:1")
	two, err := open("192.0.2.1:1")
	if err != nil {
		t.Fatalf("a second stream of one connection: %v", err)
	}
	_, err = open("192.0.2.1:2")
	wantLimit(t, err, "connections", 1)
	one.Done()
	_, err = open("192.0.2.1:2")
	wantLimit(t, err, "connections", 1)
	two.Done()
	three, err := open("192.0.2.1:2")
	if err != nil {
		t.Fatal(err)
	}
	three.Done()
}

// TestTheAnswerOfAStreamOverREST: it counts as a stream and as a connection of its own until it is left, however long the stream behind it lasts.
func TestTheAnswerOfAStreamOverREST(t *testing.T) {
	g := newGuarded(t, policy(t, limited("a", Limits{Streams: 2, Connections: 1})))
	enter := func(remote string) (func(), error) {
		return g.guard.Enter(metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer a", AddressHeader, remote), streamMethod)
	}
	one, err := enter("203.0.113.9:1")
	if err != nil {
		t.Fatal(err)
	}
	behind, err := g.control.Begin(t.Context(), Credentials{Bearer: "a"}, "203.0.113.9:1", Stream)
	if err != nil {
		t.Fatal(err)
	}
	behind.Done()
	_, err = enter("203.0.113.9:2")
	wantRefused(t, "one from another connection", err, codes.ResourceExhausted, fault.Limit)
	two, err := enter("203.0.113.9:1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = enter("203.0.113.9:1")
	wantRefused(t, "a third", err, codes.ResourceExhausted, fault.Limit)
	one()
	one() // it counts once
	two()
	three, err := enter("203.0.113.9:2")
	if err != nil {
		t.Fatal(err)
	}
	three()
}

func TestRequestLimit(t *testing.T) {
	c := NewControl(policy(t, limited("a", Limits{RequestsPerSecond: 1})))
	call := func() error {
		s, err := c.Begin(t.Context(), Credentials{Bearer: "a"}, "192.0.2.1", Single)
		if err == nil {
			s.Done()
		}
		return err
	}
	began := time.Now()
	passed := 0
	var err error
	for err = call(); err == nil; err = call() {
		if passed++; passed > 1000 {
			t.Fatal("nothing is refused")
		}
	}
	wantLimit(t, err, "requests per second", 1)
	if most := 2 + int(time.Since(began)/time.Second) + 1; passed < 2 || passed > most {
		t.Errorf("%d calls passed, want 2 to %d", passed, most)
	}
	c.Replace(policy(t, limited("a", Limits{})))
	if err := call(); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

// TestReplaceEndsWhatChanged: and nothing else.
func TestReplaceEndsWhatChanged(t *testing.T) {
	key, other := newSigner(t, jose.ES256, "k1"), newSigner(t, jose.ES256, "k2")
	rule := Rule{Sources: []string{"acme"}}
	jwt := func(keys *signer) Reader {
		r := byJWT("jwt", JWT{Subject: "audit", Keys: keyFile(t, keys)})
		return r
	}
	cert := Reader{Name: "cert", Certificate: "spiffe://corp/x", Grant: NewGrant([]Rule{rule}, false)}
	rotating := byToken("rotating", "old", rule)
	rotating.Tokens = append(rotating.Tokens, HashToken("new"))
	before := func() []Reader { return []Reader{byToken("tok", "tok", rule), rotating, jwt(key), cert} }
	kinds := map[string]Credentials{
		"tok": {Bearer: "tok"}, "old": {Bearer: "old"}, "new": {Bearer: "new"}, "jwt": {Bearer: key.token(t, nil)},
		"cert": {Certificate: clientCertificate(t, pkix.Name{}, time.Now().Add(time.Hour), "spiffe://corp/x")},
	}
	operator := byToken("tok", "tok", rule)
	operator.Grant = NewGrant([]Rule{rule}, true)
	for name, c := range map[string]struct {
		after []Reader
		ends  string
	}{
		"nothing":                   {before(), ""},
		"a reader gone":             {before()[1:], "tok"},
		"a grant narrowed":          {append([]Reader{byToken("tok", "tok", Rule{Sources: []string{"acme"}, Entities: []string{"sale"}})}, before()[1:]...), "tok"},
		"an operator now":           {append([]Reader{operator}, before()[1:]...), "tok"},
		"a token of another reader": {append([]Reader{byToken("renamed", "tok", rule)}, before()[1:]...), "tok"},
		"a token withdrawn":         {append([]Reader{before()[0], byToken("rotating", "new", rule)}, before()[2:]...), "old"},
		"other keys":                {append([]Reader{jwt(other)}, before()[0], before()[1], before()[3]), "jwt"},
		"a subject of two readers": {append(before(), func() Reader {
			r := byJWT("twin", JWT{Subject: "audit", Keys: keyFile(t, key)})
			return r
		}()), "jwt"},
		"a certificate withdrawn": {before()[:3], "cert"},
		"nobody":                  {nil, "tok old new jwt cert"},
	} {
		control := NewControl(policy(t, before()...))
		sessions := map[string]*Session{}
		for kind, cred := range kinds {
			s, err := control.Begin(t.Context(), cred, kind, Stream)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			sessions[kind] = s
		}
		control.Replace(policy(t, c.after...))
		for kind, s := range sessions {
			want := slices.Contains(strings.Fields(c.ends), kind)
			if ended(s) != want || (want && !errors.Is(s.Cause(), ErrGrantChanged)) || (!want && s.Cause() != nil) || s.Expired() {
				t.Errorf("%s: the session of %s ended: %v, %v", name, kind, ended(s), s.Cause())
			}
			s.Done()
		}
	}
}

func TestExpiryEndsASession(t *testing.T) {
	key := newSigner(t, jose.ES256, "k1")
	c := NewControl(policy(t, byJWT("jwt", JWT{Subject: "audit", Keys: keyFile(t, key)}), Reader{Name: "cert", Certificate: "CN=x", Grant: &Grant{}}))
	// Both are to the second.
	for name, make := range map[string]func(until time.Time) Credentials{
		"jwt": func(until time.Time) Credentials {
			return Credentials{Bearer: key.token(t, map[string]any{"exp": until.Unix()})}
		},
		"cert": func(until time.Time) Credentials {
			return Credentials{Certificate: clientCertificate(t, pkix.Name{CommonName: "x"}, until)}
		},
	} {
		cred := make(time.Now().Add(2 * time.Second))
		s, err := c.Begin(t.Context(), cred, "192.0.2.1", Stream)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wait(t, name+" expires", s.Ended())
		if !s.Expired() || time.Now().Before(s.Expires) {
			t.Errorf("%s: ended for %v", name, s.Cause())
		}
		s.Done()
		if _, err := c.Begin(t.Context(), cred, "192.0.2.1", Single); !errors.Is(err, ErrExpired) {
			t.Errorf("%s: a call afterwards: %v", name, err)
		}
	}
	// The first cause stays.
	s, err := c.Begin(t.Context(), Credentials{Bearer: key.token(t, nil)}, "192.0.2.1", Stream)
	if err != nil {
		t.Fatal(err)
	}
	c.Replace(policy(t))
	s.end(ErrExpired)
	if s.Expired() {
		t.Error("a later cause takes the place of the first")
	}
	s.Done()
}

// TestAccounting: whatever readers do at once, what they have open is counted right, and nothing is left when they are done.
func TestAccounting(t *testing.T) {
	const streams, connections = 5, 3
	make := func(entity string) *Policy {
		var list []Reader
		for _, name := range []string{"a", "b"} {
			r := byToken(name, name, Rule{Entities: []string{entity}})
			r.Limits = Limits{Streams: streams, Connections: connections}
			list = append(list, r)
		}
		return policy(t, list...)
	}
	c := NewControl(make("x"))
	var open [2]atomic.Int32
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 300 {
				if w == 0 && i%10 == 0 {
					c.Replace(make(fmt.Sprint(i)))
				}
				who := (w + i) % 2
				s, err := c.Begin(context.Background(), Credentials{Bearer: string("ab"[who])}, fmt.Sprint(i%5), Kind(i%3))
				if err != nil {
					continue
				}
				if i%3 > 0 {
					if n := open[who].Add(1); n > streams {
						t.Errorf("%d streams are open, more than %d", n, streams)
					}
					open[who].Add(-1)
				}
				s.Done()
			}
		})
	}
	wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sessions) != 0 {
		t.Errorf("%d sessions are left", len(c.sessions))
	}
	for name, u := range c.use {
		if u.streams != 0 || len(u.connections) != 0 {
			t.Errorf("%s has %d streams of %v left", name, u.streams, u.connections)
		}
	}
}

// TestBeginRacesReplace: a session never outlives the grant that it was begun under, and a reader that stays is never refused for a change of it.
func TestBeginRacesReplace(t *testing.T) {
	version := func(i int) *Policy { return policy(t, byToken("a", "a", Rule{Entities: []string{fmt.Sprint(i)}})) }
	c := NewControl(version(0))
	stop := make(chan struct{})
	var begun sync.WaitGroup
	var mu sync.Mutex
	var sessions []*Session
	for range 4 {
		begun.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				s, err := c.Begin(context.Background(), Credentials{Bearer: "a"}, "192.0.2.1", Stream)
				if err != nil {
					t.Errorf("refused: %v", err)
					return
				}
				mu.Lock()
				sessions = append(sessions, s)
				mu.Unlock()
			}
		})
	}
	const last = 30
	for i := 1; i <= last; i++ {
		c.Replace(version(i))
	}
	close(stop)
	begun.Wait()
	for _, s := range sessions {
		if current := s.Allows("s", "c", fmt.Sprint(last), "a"); current == ended(s) {
			t.Fatalf("a session has the grant in force: %v, and has ended: %v", current, ended(s))
		}
		s.Done()
	}
}

// TestReplaceWhileIdentifying: who is identified while the policy is replaced, which fetching keys gives time for, is whom the new one says.
func TestReplaceWhileIdentifying(t *testing.T) {
	key := newSigner(t, jose.ES256, "k1")
	for name, after := range map[string][]string{"another grant": {"new"}, "nobody": nil} {
		srv := newIssuerServer(t, keyFile(t, key))
		version := func(sources ...string) *Policy {
			r := byJWT("a", JWT{Subject: "audit", KeysURL: srv.URL})
			r.Grant = NewGrant([]Rule{{Sources: sources}}, false)
			return policy(t, r)
		}
		c := NewControl(version("old"))
		replaced := policy(t)
		if after != nil {
			replaced = version(after...)
		}
		srv.during(sync.OnceFunc(func() { c.Replace(replaced) }))
		s, err := c.Begin(t.Context(), Credentials{Bearer: key.token(t, nil)}, "192.0.2.1", Stream)
		switch {
		case after == nil && !errors.Is(err, ErrUnknown):
			t.Errorf("%s: %v", name, err)
		case after != nil && (err != nil || s.Allows("old", "c", "e", "a") || !s.Allows("new", "c", "e", "a") || ended(s)):
			t.Errorf("%s: %v", name, err)
		}
		if s != nil {
			s.Done()
		}
	}
}

// TestSavesArePaced: of more saves than a reader may make, each waits its turn, and none is refused.
func TestSavesArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := byToken("r", "rtoken", Rule{})
		r.Limits.RequestsPerSecond = 1
		c := NewControl(policy(t, r))
		begun := time.Now()
		for range mostHeld[Save] + 2*savesPerRequest {
			s, err := c.Begin(t.Context(), Credentials{Bearer: "rtoken"}, "1.2.3.4:5", Save)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.pace(t.Context()); err != nil {
				t.Error(err)
			}
			s.Done()
		}
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("they took %v", took)
		}
		s, err := c.Begin(t.Context(), Credentials{Bearer: "rtoken"}, "1.2.3.4:5", Save)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Done()
		soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var over *LimitError
		if err := s.pace(soon); !errors.As(err, &over) || over.Limit != "saves per second" {
			t.Errorf("who has no time to wait gets %v", err)
		}
	})
}

// TestAnEndedSessionIsNotKept: the timer of its credential is stopped when the stream ends for another reason.
func TestAnEndedSessionIsNotKept(t *testing.T) {
	signer := newSigner(t, jose.ES256, "k1")
	c := NewControl(policy(t, byJWT("r", JWT{Subject: "audit", Keys: keyFile(t, signer)})))
	s := begin(t, c, signer.token(t, nil))
	expires := s.timer
	s.whenOverdue(func() {})
	s.Dismiss()
	s.finish()
	s.Done()
	if expires == nil || expires.Stop() {
		t.Error("a timer keeps the session until its credential ends")
	}
}
