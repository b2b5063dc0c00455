package client

import (
	"context"
	"sync"

	"google.golang.org/grpc"
)

// connection is the way to the gateway. It is one grpc.ClientConn after the other: when a line is dead, grpc notices that only by keepalive, and until then a new
// stream waits on it. Safe for concurrent use.
type connection struct {
	dial func() (*grpc.ClientConn, error)

	mu     sync.Mutex
	line   *grpc.ClientConn
	closed bool
}

func newConnection(dial func() (*grpc.ClientConn, error)) (*connection, error) {
	line, err := dial()
	return &connection{dial: dial, line: line}, err
}

// current is the line that calls are made over now.
func (c *connection) current() *grpc.ClientConn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.line
}

// abandon has all further calls made over a new line, unless they are already. What is open on the dead one ends; subscriptions begin again.
func (c *connection) abandon(dead *grpc.ClientConn) {
	c.mu.Lock()
	if c.closed || c.line != dead {
		c.mu.Unlock()
		return
	}
	line, err := c.dial()
	if err == nil { // it was possible before
		c.line = line
	}
	c.mu.Unlock()
	if err == nil {
		_ = dead.Close()
	}
}

func (c *connection) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func (c *connection) close() error {
	c.mu.Lock()
	c.closed = true
	line := c.line
	c.mu.Unlock()
	return line.Close()
}

// Invoke implements grpc.ClientConnInterface.
func (c *connection) Invoke(ctx context.Context, method string, args, reply any, options ...grpc.CallOption) error {
	return c.current().Invoke(ctx, method, args, reply, options...)
}

// NewStream implements grpc.ClientConnInterface.
func (c *connection) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.current().NewStream(ctx, desc, method, options...)
}
