package server

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// TestRESTTakesNothingAhead: the connection over which REST speaks to the gRPC server holds little of a stream that nobody reads, however fast others were read.
func TestRESTTakesNothingAhead(t *testing.T) {
	const events, size, most = 400, 32 << 10, 16
	h := newHouse(t)
	var changes []string
	for i := range size / 32 {
		changes = append(changes, fmt.Sprintf(`"column_%022d"`, i))
	}
	for n := range events {
		h.post("globex", []byte(strings.Replace(string(webhookBody(n+1, "Default", "contact", "created", "")), `"updated"`, strings.Join(changes, ","), 1)))
	}
	ctx, _ := h.as(t.Context(), "all")
	client := headgatev1.NewEventServiceClient(h.s.conn)
	request := &headgatev1.SubscribeRequest{Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}, StopWhenCaughtUp: true, MaxBatchSize: 1}
	subscribe := func() headgatev1.EventService_SubscribeClient {
		t.Helper()
		stream, err := client.Subscribe(ctx, request)
		if err == nil {
			_, err = stream.Recv() // Started
		}
		if err != nil {
			t.Fatal(err)
		}
		return stream
	}
	for range 3 {
		stream := subscribe()
		for {
			if _, err := stream.Recv(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	subscribe()
	last, quiet := uint64(0), 0
	for end := time.Now().Add(20 * time.Second); quiet < 10 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, st := range h.s.feed.Streams(t.Context()) {
			if st.EventsSent > last {
				last, quiet = st.EventsSent, 0
			}
		}
		if last > 0 {
			quiet++
		}
	}
	if last == 0 || last > most {
		t.Errorf("of a stream that nobody reads %d events of %d KiB were taken", last, size>>10)
	}
}
