package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // what gateways in the process tell
	goleak.VerifyTestMain(m)
}

const heartbeat = 15 * time.Second

// dial starts a gateway with the scripts and connects to it.
func dial(t *testing.T, scripts ...func(*headgatev1.SubscribeRequest, scripted.Stream) error) (*client.Client, *scripted.Gateway) {
	t.Helper()
	gateway := &scripted.Gateway{Subscribe: scripts}
	return connect(t, gateway), gateway
}

// connect starts the gateway and connects to it.
func connect(t *testing.T, gateway *scripted.Gateway) *client.Client {
	t.Helper()
	address, err := gateway.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gateway.Stop)
	c, err := client.Dial(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// replay is a script of a log with the places 1 to last: it begins where it is asked to, sends batches of five, and closes.
func replay(last int) func(*headgatev1.SubscribeRequest, scripted.Stream) error {
	return func(req *headgatev1.SubscribeRequest, stream scripted.Stream) error {
		at, err := place(req.GetStart())
		if err != nil {
			return err
		}
		if err := stream.Send(scripted.Started(at, heartbeat)); err != nil {
			return err
		}
		for ; at < last; at = min(at+5, last) {
			if err := stream.Send(scripted.Batch(at+1, min(at+5, last))); err != nil {
				return err
			}
		}
		return stream.Send(scripted.CaughtUp(last))
	}
}

// place is where a start stands in the scripted log.
func place(start *headgatev1.Start) (int, error) {
	if start.GetAt() == headgatev1.Start_EDGE_EARLIEST {
		return 0, nil
	}
	return strconv.Atoi(strings.TrimLeft(start.GetAfterCursor(), "c"))
}

// read collects what the subscription yields, by name, up to its end.
func read(ctx context.Context, c *client.Client, s client.Subscription) (names []string, err error) {
	for msg, err := range c.Subscribe(ctx, s) {
		if err != nil {
			return names, err
		}
		names = append(names, name(msg))
	}
	return names, nil
}

func name(msg client.Message) string {
	switch {
	case msg.Event != nil:
		return fmt.Sprintf("#%d", msg.Event.GetPrimaryKey())
	case msg.Gap != nil:
		return "gap"
	case msg.Erased != nil:
		return "erased"
	case msg.Checkpoint != nil:
		return "checkpoint"
	case msg.Started != nil:
		return "started"
	case msg.Assigned != nil:
		return "assigned"
	case msg.Standby != nil:
		return "standby"
	}
	return "nothing"
}

// memory is a store that remembers what it was told.
type memory struct {
	cursor           string
	saved            []string
	loadErr, saveErr error
}

func (m *memory) Load(context.Context) (string, error) { return m.cursor, m.loadErr }

func (m *memory) Save(ctx context.Context, cursor string) error {
	if err := errors.Join(m.saveErr, ctx.Err()); err != nil {
		return err
	}
	m.cursor, m.saved = cursor, append(m.saved, cursor)
	return nil
}

func cursors(from, to int) (all []string) {
	for n := from; n <= to; n++ {
		all = append(all, scripted.Cursor(n))
	}
	return all
}
