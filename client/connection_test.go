package client

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// readLost reads a stream until it is lost, and tells how often a new line was made before that was told.
func readLost(t *testing.T, sub Subscription, saves *fakeSaves, stream script) (dialed int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dials, told := 0, -1
	conn := &connection{dial: func() (*grpc.ClientConn, error) {
		dials++
		return nil, errors.New("there is nothing to dial")
	}}
	c := &Client{conn: conn, subscriptions: saves, events: &fakeEvents{scripts: []script{stream}}}
	sub.Start = Earliest()
	sub.OnRetry = func(error, time.Duration) {
		told = dials
		cancel()
	}
	for _, err := range c.Subscribe(ctx, sub) {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	return told
}

// TestDeadLineIsAbandoned: a line over which nothing comes is not used again; one that says something is.
func TestDeadLineIsAbandoned(t *testing.T) {
	unanswered := func(*headgatev1.ShardSave) error { return status.Error(codes.DeadlineExceeded, "10 s") }
	away := func(*headgatev1.ShardSave) error { return status.Error(codes.Unavailable, "draining") }
	for name, c := range map[string]struct {
		sub    Subscription
		save   func(*headgatev1.ShardSave) error
		stream script
		want   int
	}{
		"silence":         {stream: script{hold: true, responses: []*headgatev1.SubscribeResponse{scripted.Started(0, time.Second)}}, want: 1},
		"no answer":       {stream: script{hold: true}, want: 1},
		"unanswered save": {sub: Subscription{Name: "billing"}, save: unanswered, stream: served("a", 0, scripted.Batch(1, 1)), want: 1},
		"refused save":    {sub: Subscription{Name: "billing"}, save: away, stream: served("a", 0, scripted.Batch(1, 1)), want: 0},
		"end":             {stream: script{responses: []*headgatev1.SubscribeResponse{scripted.Started(0, time.Second)}}, want: 0},
		"refusal":         {stream: script{refused: status.Error(codes.Unavailable, "503")}, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := readLost(t, c.sub, &fakeSaves{answer: c.save}, c.stream); got != c.want {
					t.Errorf("%d new lines, want %d", got, c.want)
				}
			})
		})
	}
}

// TestOneDeadLineIsReplacedOnce: of several subscriptions that find it dead the first replaces it, and nobody does once the client is closed.
func TestOneDeadLineIsReplacedOnce(t *testing.T) {
	c, err := Dial("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	dead := c.conn.current()
	c.conn.abandon(dead)
	second := c.conn.current()
	if second == dead {
		t.Error("the dead line is used on")
	}
	c.conn.abandon(dead)
	if c.conn.current() != second {
		t.Error("a line was replaced that nobody found dead")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	c.conn.abandon(second)
	if c.conn.current() != second {
		t.Error("a line was made for a client that is closed")
	}
}

// TestLostStreamIsNotLostUnseen: without OnRetry the log is told, unless the gateway ended the stream in order.
func TestLostStreamIsNotLostUnseen(t *testing.T) {
	for name, c := range map[string]struct {
		first script
		want  string
	}{
		"away":     {script{refused: status.Error(codes.Unavailable, "connection refused")}, "connection refused"},
		"draining": {script{responses: []*headgatev1.SubscribeResponse{scripted.Closing(0, headgatev1.Closing_REASON_DRAINING, 0)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			log := &bytes.Buffer{}
			before := slog.Default()
			slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
			defer slog.SetDefault(before)
			synctest.Test(t, func(t *testing.T) {
				client := &Client{conn: &connection{dial: noDial}, events: &fakeEvents{scripts: []script{
					c.first, {responses: []*headgatev1.SubscribeResponse{scripted.Started(0, time.Second), scripted.CaughtUp(0)}},
				}}}
				for _, err := range client.Subscribe(t.Context(), Subscription{Start: Earliest()}) {
					if err != nil {
						t.Error(err)
					}
				}
			})
			if got := log.String(); strings.Contains(got, "level=WARN") != (c.want != "") || !strings.Contains(got, c.want) {
				t.Errorf("logged %q, want %q", got, c.want)
			}
		})
	}
}
