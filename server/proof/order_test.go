package proof

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
)

// place is an event in its place.
type place struct {
	cursor string
	number int32
}

// order is the log as a reader came to know it. What it read once must never be otherwise.
type order struct {
	places []place
	cursor string // where it resumes
}

// extend reads on, up to the head, over a connection of its own.
func (o *order) extend(g *gateway) error {
	conn, err := grpc.NewClient(g.rpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	start := client.Earliest()
	if o.cursor != "" {
		start = client.After(o.cursor)
	}
	stream, err := headgatev1.NewEventServiceClient(conn).Subscribe(ctx, &headgatev1.SubscribeRequest{Start: start, StopWhenCaughtUp: true}, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("after %d events: %w", len(o.places), err)
		}
		if m.GetGap() != nil {
			return fmt.Errorf("after %d events there is a gap: %v", len(o.places), m.GetGap())
		}
		for _, e := range m.GetEvents() {
			o.places = append(o.places, place{e.GetCursor(), numberOf(e)})
		}
		o.cursor = m.GetCursor()
	}
}

// check reads the whole log anew, from a gateway that is at rest: it must be what was read while it grew, and hold all that was accepted, once, and nothing else.
func (o *order) check(t *testing.T, g *gateway, c *crm) {
	t.Helper()
	var whole order
	if err := errors.Join(o.extend(g), whole.extend(g)); err != nil {
		t.Fatal(err)
	}
	for i := range min(len(o.places), len(whole.places)) {
		if o.places[i] != whole.places[i] {
			t.Fatalf("place %d held event %d, and now %d", i, o.places[i].number, whole.places[i].number)
		}
	}
	if len(o.places) != len(whole.places) {
		t.Fatalf("%d events were read as they came, %d are there", len(o.places), len(whole.places))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := make(map[int32]bool)
	for _, p := range whole.places {
		if seen[p.number] {
			t.Errorf("event %d is there twice", p.number)
		}
		seen[p.number] = true
	}
	lost := 0
	for number := range c.accepted {
		if !seen[number] {
			lost++
		}
	}
	if lost > 0 || len(seen) != len(c.accepted) {
		t.Errorf("%d of %d accepted events are lost, %d are there", lost, len(c.accepted), len(seen))
	}
}

// checkStore opens the store of a gateway that is gone: its sequences have no hole, and there are so many.
func checkStore(t *testing.T, dir string, want int) {
	t.Helper()
	s, err := pebblestore.Open(dir, pebblestore.Options{MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	n := uint64(0)
	for head := s.State().Head; n < head; {
		_, err := s.Read(context.Background(), n, nil, func(st eventlog.Stored) bool {
			n++
			return st.Seq == n
		})
		if err != nil {
			t.Fatalf("after %d records: %v", n, err)
		}
	}
	if n != uint64(want) {
		t.Errorf("the store has %d records without a hole, readers got %d", n, want)
	}
}
