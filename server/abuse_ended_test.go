package server_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/net/http2"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
	"github.com/headgate/headgate/server/internal/access"
)

// TestEndedStreamsNobodyTakes: streams that end by themselves count against their reader's limits, and so do their connections, until what they sent was
// taken or called off or the connection is gone. The gateway stops with some of them there.
func TestEndedStreamsNobodyTakes(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	cfg.Drain = 100 * time.Millisecond
	cfg.Readers = map[string]server.Reader{"some": {
		Tokens: []string{access.HashToken("some")}, Allow: []server.Allow{{Sources: []string{"acme"}}},
		Limits: server.ReaderLimits{Streams: 3, Connections: 1, RequestsPerSecond: 10_000},
	}}
	g := start(t, cfg)
	until := &headgatev1.SubscribeRequest{Start: earliest(), StopWhenCaughtUp: true}
	ended := func() int64 {
		return figures(t, g.addr.Admin)[`headgate_stream_ends_total{reader="some",reason="caught_up"}`]
	}
	fill := func(streams int) *abuser {
		a, err := abuse(g.addr.GRPC, nil, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		before := ended()
		for range streams {
			err = errors.Join(err, a.callAs("some", headgatev1.EventService_Subscribe_FullMethodName, until))
		}
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the streams end", func() bool { return ended() >= before+int64(streams) })
		return a
	}
	ctx, self := as(t, g.addr.GRPC, "some")
	refused := func() string {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		stream, err := self.Subscribe(ctx, until)
		for err == nil {
			_, err = stream.Recv()
		}
		return limitOf(err)
	}

	a := fill(2)
	if got := refused(); got != "connections" {
		t.Fatalf("a stream on another connection was refused for %q", got)
	}
	for range 3 { // one has room
		if err := a.callAs("some", headgatev1.EventService_Subscribe_FullMethodName, until); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "two streams are refused", func() bool { return a.calls.Load() == 2 })
	eventually(t, "the third ends", func() bool { return ended() == 3 })
	err := error(nil)
	for id := uint32(1); id <= a.stream; id += 2 {
		err = errors.Join(err, a.WriteRSTStream(id, http2.ErrCodeCancel))
	}
	if err := errors.Join(err, a.out.Flush()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all is free after the streams were called off", func() bool { return refused() == "" })
	a.close()

	a = fill(3)
	if got := refused(); got != "streams" {
		t.Errorf("a fourth stream was refused for %q", got)
	}
	a.close()
	eventually(t, "all is free after the connection's end", func() bool { return refused() == "" })

	defer fill(3).close()
	begun := time.Now()
	g.stop()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("the gateway stopped after %v", took)
	}
}
