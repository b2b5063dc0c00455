package access

import (
	"runtime"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// mostHeld are how many answers the server makes and keeps for one reader at once. With the size of the largest, it bounds what a reader can make the
// server hold by asking and not taking; of saves, which have small answers, with the size of the largest request.
var mostHeld = map[Kind]int{Single: 64, Save: 256}

// answerRetry is after how long a reader that has that many under way should try again.
const answerRetry = time.Second

// Hold counts an answer that is being made for a reader, from before its request is read until all of it has left the server's memory; then
// release must be called. A Stream's counts against the reader's limits on streams and connections, apart from the streams themselves, which can be
// over before. The error is a *LimitError.
func (c *Control) Hold(by Identity, remote string, kind Kind) (release func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.useOf(by.Reader)
	if kind == Stream {
		if over := u.room(by.Reader, remote, u.held[Stream], Stream); over != nil {
			over.By = by
			return nil, over
		}
		u.connections[remote]++
	} else if most := mostHeld[kind]; u.held[kind] >= most {
		what := map[Kind]string{Single: "answers at once", Save: "saves at once"}[kind]
		return nil, &LimitError{Limit: what, Allowed: most, RetryAfter: answerRetry, By: by}
	}
	u.held[kind]++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		u.held[kind]--
		if kind == Stream {
			u.leave(remote)
		}
	}), nil
}

// Readers returns who is known under the policy in force.
func (c *Control) Readers() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.policy.names
}

// Connections counts, by reader, those with calls or answers of streams on them; of whoever has had any since the start, and who is known now.
func (c *Control) Connections() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := make(map[string]int, len(c.use))
	for _, name := range c.policy.names {
		counts[name] = 0
	}
	for name, u := range c.use {
		counts[name] = len(u.connections)
	}
	return counts
}

func (c *Control) useOf(r *Reader) *use {
	u := c.use[r.Name]
	if u == nil {
		// Half of the processors are left to others.
		u = &use{connections: make(map[string]int), held: make(map[Kind]int), turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
		c.use[r.Name] = u
	}
	if n := r.Limits.RequestsPerSecond; n != u.limit {
		u.limit, u.requests = n, nil
		u.saves = nil
		if n > 0 {
			u.requests = rate.NewLimiter(rate.Limit(n), 2*n)
			u.saves = rate.NewLimiter(rate.Limit(savesPerRequest*n), mostHeld[Save])
		}
	}
	return u
}

// limitRetry is after how long a reader that has too much open should try again.
const limitRetry = 10 * time.Second

func (u *use) admit(r *Reader, remote string, kind Kind) *LimitError {
	if kind != Save && !u.mayAsk() {
		return u.tooFast()
	}
	return u.room(r, remote, u.streams, kind)
}

// room is nil when a call of the kind has room beside that many streams.
func (u *use) room(r *Reader, remote string, streams int, kind Kind) *LimitError {
	l := r.Limits
	if kind == Stream && l.Streams > 0 && streams >= l.Streams {
		return &LimitError{Limit: "streams", Allowed: l.Streams, RetryAfter: limitRetry}
	}
	if l.Connections > 0 && u.connections[remote] == 0 && len(u.connections) >= l.Connections {
		return &LimitError{Limit: "connections", Allowed: l.Connections, RetryAfter: limitRetry}
	}
	return nil
}

// leave takes one call off the connection.
func (u *use) leave(remote string) {
	if u.connections[remote]--; u.connections[remote] == 0 {
		delete(u.connections, remote)
	}
}

// mayAsk counts a request, and says whether the reader may make it now.
func (u *use) mayAsk() bool { return u.requests == nil || u.requests.Allow() }

func (u *use) tooFast() *LimitError {
	return &LimitError{Limit: "requests per second", Allowed: u.limit, RetryAfter: time.Second}
}
