package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// reader is a client's side of one stream.
type reader struct {
	t      testing.TB
	stream headgatev1.EventService_SubscribeClient
	cancel context.CancelFunc
}

func earliest() *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}
}

func latest() *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}}
}

func after(cursor string) *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_AfterCursor{AfterCursor: cursor}}
}

// subscribe begins a stream. It ends with the test.
func (g *gateway) subscribe(req *headgatev1.SubscribeRequest) *reader {
	g.t.Helper()
	return subscribe(g.t, g.client, req)
}

func subscribe(t testing.TB, client headgatev1.EventServiceClient, req *headgatev1.SubscribeRequest) *reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	stream, err := client.Subscribe(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{t: t, stream: stream, cancel: cancel}
}

// recv returns the next message.
func (r *reader) recv() *headgatev1.SubscribeResponse {
	r.t.Helper()
	m, err := r.stream.Recv()
	if err != nil {
		r.t.Fatalf("the stream ended: %v", err)
	}
	if m.GetCursor() == "" {
		r.t.Fatalf("a message without cursor: %v", m)
	}
	return m
}

// started takes the first message.
func (r *reader) started() *headgatev1.SubscribeResponse {
	r.t.Helper()
	m := r.recv()
	if m.GetStarted() == nil {
		r.t.Fatalf("the first message is not Started: %v", m)
	}
	return m
}

// caughtUp takes the messages up to the first checkpoint at the head.
func (r *reader) caughtUp() (before []*headgatev1.SubscribeResponse, checkpoint *headgatev1.SubscribeResponse) {
	r.t.Helper()
	for {
		m := r.recv()
		if m.GetCheckpoint().GetCaughtUp() {
			return before, m
		}
		before = append(before, m)
	}
}

// rest takes all messages until the stream ends, and returns the end: io.EOF for the status OK.
func (r *reader) rest() (all []*headgatev1.SubscribeResponse, end error) {
	for {
		m, err := r.stream.Recv()
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
}

// all reads what is stored, as a stream that stops there.
func (g *gateway) all(req *headgatev1.SubscribeRequest) []*headgatev1.SubscribeResponse {
	g.t.Helper()
	req.StopWhenCaughtUp = true
	r := g.subscribe(req)
	r.started()
	all, end := r.rest()
	if !errors.Is(end, io.EOF) {
		g.t.Fatalf("the stream ended with %v", end)
	}
	last := all[len(all)-1]
	if last.GetClosing().GetReason() != headgatev1.Closing_REASON_CAUGHT_UP {
		g.t.Fatalf("the last message is not Closing: %v", last)
	}
	return all[:len(all)-1]
}

// keys are the primary keys of the messages' events, in order; a signal is shown by its name.
func keys(messages []*headgatev1.SubscribeResponse) (list []string) {
	for _, m := range messages {
		for _, e := range m.GetEvents() {
			list = append(list, fmt.Sprint(e.GetPrimaryKey()))
		}
		switch s := m.GetSignal().(type) {
		case *headgatev1.SubscribeResponse_Gap:
			list = append(list, s.Gap.GetReason().String())
		case *headgatev1.SubscribeResponse_Erased:
			list = append(list, "erased")
		case *headgatev1.SubscribeResponse_Checkpoint:
			list = append(list, "checkpoint")
		case *headgatev1.SubscribeResponse_Closing:
			list = append(list, s.Closing.GetReason().String())
		}
	}
	return list
}

// numbers are the primary keys from one number to the other.
func numbers(from, to int) (list []string) {
	for n := from; n <= to; n++ {
		list = append(list, fmt.Sprint(n))
	}
	return list
}

// infoOf returns the error's ErrorInfo, nil when it has none.
func infoOf(err error) *errdetails.ErrorInfo {
	for _, d := range status.Convert(err).Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}

// wantFailure checks an error's code and reason, and returns its details.
func wantFailure(t testing.TB, err error, code codes.Code, reason string) (*errdetails.ErrorInfo, *errdetails.RetryInfo) {
	t.Helper()
	st := status.Convert(err)
	var info *errdetails.ErrorInfo
	var retry *errdetails.RetryInfo
	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			info = d
		case *errdetails.RetryInfo:
			retry = d
		}
	}
	if st.Code() != code || info.GetReason() != reason || info.GetDomain() != "headgate" {
		t.Fatalf("got %v %v, want %v %s", err, info, code, reason)
	}
	return info, retry
}

// refused subscribes and returns how that is refused, before any message.
func (g *gateway) refused(req *headgatev1.SubscribeRequest) error {
	g.t.Helper()
	m, err := g.subscribe(req).stream.Recv()
	if err == nil {
		g.t.Fatalf("expected a refusal, got %v", m)
	}
	return err
}
