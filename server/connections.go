package server

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// connections are those of an HTTP server, by what they do. http.Server's Shutdown is not enough for the webhook's: it drops a request that it reads after
// it was called, and closes a connection while the next request may be on its way. For the CRM both are failed posts.
type connections struct {
	mu      sync.Mutex
	state   map[net.Conn]http.ConnState
	changed chan struct{} // closed at the next change; nil while nobody waits for one
}

// of keeps account of the server's, which is about to begin to serve.
func (c *connections) of(srv *http.Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = make(map[net.Conn]http.ConnState)
	srv.ConnState = func(conn net.Conn, state http.ConnState) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if state == http.StateClosed || state == http.StateHijacked {
			delete(c.state, conn)
		} else {
			c.state[conn] = state
		}
		if c.changed != nil {
			close(c.changed)
			c.changed = nil
		}
	}
}

// wait returns when none is in one of the states, or when ctx ends.
func (c *connections) wait(ctx context.Context, states ...http.ConnState) {
	for {
		changed := c.any(states)
		if changed == nil {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// any returns nil if none is in one of the states, else a channel that is closed at the next change.
func (c *connections) any(states []http.ConnState) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, is := range c.state {
		for _, state := range states {
			if is == state {
				if c.changed == nil {
					c.changed = make(chan struct{})
				}
				return c.changed
			}
		}
	}
	return nil
}
