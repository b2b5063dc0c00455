// Package scripted is a gateway for tests: it listens on this machine, speaks real gRPC and does what the test tells it.
package scripted

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// Stream is a Subscribe call as the server sees it.
type Stream = grpc.ServerStreamingServer[headgatev1.SubscribeResponse]

// Gateway answers Subscribe with its scripts, one after the other, SaveCursors with Save, and the other calls with Events, Subscriptions and Admin.
type Gateway struct {
	// Events, Subscriptions and Admin answer all calls but Subscribe and SaveCursors. Nil answers UNIMPLEMENTED.
	Events        headgatev1.EventServiceServer
	Subscriptions headgatev1.SubscriptionServiceServer
	Admin         adminv1.AdminServiceServer
	// Save answers SaveCursors, for each shard. Nil answers that it is saved.
	Save func(context.Context, Saved) error
	// Subscribe are the scripts: the nth call runs the nth, later ones repeat the last.
	Subscribe []func(*headgatev1.SubscribeRequest, Stream) error
	// Options are those of the grpc server.
	Options []grpc.ServerOption

	mu       sync.Mutex
	requests []*headgatev1.SubscribeRequest
	saves    []Saved
	server   *grpc.Server
	served   chan struct{}
}

// Start listens on address and serves until Stop. It returns the address with its real port.
func (g *Gateway) Start(address string) (string, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", err
	}
	g.server, g.served = grpc.NewServer(g.Options...), make(chan struct{})
	events := g.Events
	if events == nil {
		events = headgatev1.UnimplementedEventServiceServer{}
	}
	headgatev1.RegisterEventServiceServer(g.server, subscribing{events, g})
	subscriptions := g.Subscriptions
	if subscriptions == nil {
		subscriptions = headgatev1.UnimplementedSubscriptionServiceServer{}
	}
	headgatev1.RegisterSubscriptionServiceServer(g.server, saving{subscriptions, g})
	if g.Admin != nil {
		adminv1.RegisterAdminServiceServer(g.server, g.Admin)
	}
	go func() {
		defer close(g.served)
		_ = g.server.Serve(listener)
	}()
	return listener.Addr().String(), nil
}

// Stop cuts all connections.
func (g *Gateway) Stop() {
	g.server.Stop()
	<-g.served
}

// Requests returns the Subscribe requests so far.
func (g *Gateway) Requests() []*headgatev1.SubscribeRequest {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*headgatev1.SubscribeRequest(nil), g.requests...)
}

// Saved is one shard of a SaveCursors request.
type Saved struct {
	Name string // the subscription's
	*headgatev1.ShardSave
}

// Saves returns what SaveCursors was asked to save so far.
func (g *Gateway) Saves() []Saved {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]Saved(nil), g.saves...)
}

type saving struct {
	headgatev1.SubscriptionServiceServer
	gateway *Gateway
}

func (s saving) SaveCursors(ctx context.Context, req *headgatev1.SaveCursorsRequest) (*headgatev1.SaveCursorsResponse, error) {
	g := s.gateway
	for _, one := range req.GetSaves() {
		saved := Saved{req.GetName(), one}
		g.mu.Lock()
		g.saves = append(g.saves, saved)
		g.mu.Unlock()
		if g.Save == nil {
			continue
		}
		if err := g.Save(ctx, saved); err != nil {
			return nil, err
		}
	}
	return &headgatev1.SaveCursorsResponse{}, nil
}

type subscribing struct {
	headgatev1.EventServiceServer
	gateway *Gateway
}

func (s subscribing) Subscribe(req *headgatev1.SubscribeRequest, stream Stream) error {
	g := s.gateway
	g.mu.Lock()
	n := min(len(g.requests), len(g.Subscribe)-1)
	g.requests = append(g.requests, req)
	g.mu.Unlock()
	if n < 0 {
		return status.Error(codes.Unimplemented, "no script")
	}
	return g.Subscribe[n](req, stream)
}

// Send is a script that sends the responses and ends the stream.
func Send(responses ...*headgatev1.SubscribeResponse) func(*headgatev1.SubscribeRequest, Stream) error {
	return func(_ *headgatev1.SubscribeRequest, stream Stream) error {
		for _, r := range responses {
			if err := stream.Send(r); err != nil {
				return err
			}
		}
		return nil
	}
}

// SendAndHold is a script that sends the responses and stays silent until the client goes.
func SendAndHold(responses ...*headgatev1.SubscribeResponse) func(*headgatev1.SubscribeRequest, Stream) error {
	return func(req *headgatev1.SubscribeRequest, stream Stream) error {
		if err := Send(responses...)(req, stream); err != nil {
			return err
		}
		<-stream.Context().Done()
		return context.Cause(stream.Context())
	}
}

// SendAndFail is a script that sends the responses and ends the stream with the error.
func SendAndFail(err error, responses ...*headgatev1.SubscribeResponse) func(*headgatev1.SubscribeRequest, Stream) error {
	return func(req *headgatev1.SubscribeRequest, stream Stream) error {
		if err := Send(responses...)(req, stream); err != nil {
			return err
		}
		return err
	}
}
