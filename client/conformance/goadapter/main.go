// Command goadapter is the Go client as the conformance kit drives it: it reads a request from its standard input and writes what the client delivers.
// The protocol stands in the kit's README.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

type request struct {
	Address string          `json:"address"`
	Token   string          `json:"token"`
	Filter  json.RawMessage `json:"filter"`
	Start   *struct {
		At       string     `json:"at"`
		After    string     `json:"after_cursor"`
		FromTime *time.Time `json:"from_time"`
	} `json:"start"`
	OnLostCursor     string  `json:"on_lost_cursor"`
	HeartbeatSeconds float64 `json:"heartbeat_seconds"`
	Store            string  `json:"store"`
	Subscription     *struct {
		Name   string `json:"name"`
		Shards int    `json:"shards"`
		Member string `json:"member"`
	} `json:"subscription"`
	StopWhenCaughtUp bool `json:"stop_when_caught_up"`
	Acknowledge      bool `json:"acknowledge"`
	Constants        bool `json:"constants"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "goadapter:", err)
		os.Exit(1)
	}
}

func run() error {
	in := bufio.NewScanner(os.Stdin)
	var req request
	if !in.Scan() {
		return errors.New("no request on standard input")
	}
	if err := json.Unmarshal(in.Bytes(), &req); err != nil {
		return err
	}
	if req.Constants {
		write(constants)
		return nil
	}
	s, err := req.subscription()
	if err != nil {
		return err
	}
	var options []client.Option
	if req.Token != "" {
		options = append(options, client.WithToken(req.Token))
	}
	c, err := client.Dial(req.Address, options...)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(context.Background())
	k := &kit{acknowledge: req.Acknowledge, left: ctx, waiting: map[string][]chan error{}}
	go func() { // until the kit closes standard input, or main returns
		k.listen(in)
		cancel()
	}()
	if s.Name != "" {
		err = c.Consume(ctx, s, k.handle)
	} else {
		err = k.loop(ctx, c, s)
	}
	if ctx.Err() == nil {
		tellEnd(err)
	}
	return nil
}

// loop is the application of a reader without a name. A handling that fails leaves it.
func (k *kit) loop(ctx context.Context, c *client.Client, s client.Subscription) error {
	for m, err := range c.Subscribe(ctx, s) {
		if err != nil {
			return err
		}
		if k.handle(ctx, m) != nil {
			return nil
		}
	}
	return nil
}

func tellEnd(err error) {
	if err == nil {
		write(line{"kind": "end"})
		return
	}
	end := line{"kind": "error", "reason": "", "code": ""}
	if answer, ok := errors.AsType[*client.Error](err); ok {
		end["reason"], end["code"] = answer.Reason, code.Code(answer.Code).String()
	}
	write(end)
}

func (r *request) subscription() (client.Subscription, error) {
	s := client.Subscription{
		OnLostCursor: headgatev1.OnLostCursor(headgatev1.OnLostCursor_value[edge("ON_LOST_CURSOR_", r.OnLostCursor)]),
		Heartbeat:    time.Duration(r.HeartbeatSeconds * float64(time.Second)), StopWhenCaughtUp: r.StopWhenCaughtUp, ClientName: "conformance",
		OnRetry:   func(err error, _ time.Duration) { write(line{"kind": "retry", "cause": err.Error()}) },
		OnFailure: func(m client.Message, _ error, _ time.Duration) { write(line{"kind": "failure", "cursor": m.Cursor()}) },
	}
	if r.Filter != nil {
		s.Filter = &headgatev1.Filter{}
		if err := protojson.Unmarshal(r.Filter, s.Filter); err != nil {
			return s, err
		}
	}
	if at := r.Start; at != nil {
		switch {
		case at.After != "":
			s.Start = client.After(at.After)
		case at.FromTime != nil:
			s.Start = client.FromTime(*at.FromTime)
		default:
			s.Start = map[string]*headgatev1.Start{"earliest": client.Earliest(), "latest": client.Latest()}[at.At]
		}
	}
	if r.Store != "" {
		s.Store = client.FileStore(r.Store)
	}
	if r.Subscription != nil {
		s.Name, s.Shards, s.Member = r.Subscription.Name, r.Subscription.Shards, r.Subscription.Member
	}
	return s, nil
}
