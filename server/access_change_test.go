package server

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/headgate/headgate/client"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// soon is how long a stream may go on after its grant has changed.
const soon = 5 * time.Second

// follow begins a stream over the way at the latest event.
func (h *house) follow(ctx context.Context, way, who string) receive {
	return ways[way](h, ctx, who, &headgatev1.SubscribeRequest{
		Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}}, HeartbeatInterval: durationpb.New(5 * time.Minute),
	}, "start.at=latest&heartbeat_interval=300s")
}

// followAll has the readers follow over every way, each until it has been told that it is caught up.
func (h *house) followAll(ctx context.Context, readers ...string) map[string]map[string]receive {
	h.t.Helper()
	streams := map[string]map[string]receive{}
	for way := range ways {
		streams[way] = map[string]receive{}
		for _, who := range readers {
			next := h.follow(ctx, way, who)
			streams[way][who] = next
			for caughtUp := false; !caughtUp; {
				m, err := next()
				if err != nil {
					h.t.Fatalf("%s, %s: %v", way, who, err)
				}
				caughtUp = m.GetCheckpoint() != nil
			}
		}
	}
	return streams
}

// configure puts other readers into the file, and returns when they are in force.
func (h *house) configure(readers string) {
	h.t.Helper()
	at := gauge(h.t, h.s, "headgate_config_reload_timestamp_seconds")
	writeFile(h.t, filepath.Join(h.dir, "headgate.yaml"), houseFile(readers))
	h.s.Reload()
	eventually(h.t, "the readers are taken over", func() bool {
		return gauge(h.t, h.s, "headgate_config_reload_timestamp_seconds") > at && gauge(h.t, h.s, "headgate_config_reload_ok") == 1
	})
}

// TestChangedGrantEndsStreams: over every way, a stream whose grant changes ends with the reason and a cursor; what reconnects gets what holds now; the
// streams of others go on.
func TestChangedGrantEndsStreams(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	gone, narrowed, stay := []string{"cust1", "globex", "machine", "auditor"}, "created", []string{"associates", "all"}
	streams := h.followAll(ctx, slices.Concat(gone, []string{narrowed}, stay)...)
	changed := houseReaders
	for old, by := range map[string]string{
		"{cust1}":                     `"sha256:` + hashA + `"`, // a token withdrawn
		"  globex: {tokens":           "  another: {tokens",     // a reader that is another now
		"spiffe://corp/machine":       "spiffe://corp/other",
		"subject: auditor":            "subject: nobody",
		`{sources: ["*"], actions: [`: `{sources: [globex], actions: [`,
	} {
		if strings.Count(changed, old) != 1 {
			t.Fatalf("%s stands %d times in the file", old, strings.Count(changed, old))
		}
		changed = strings.Replace(changed, old, by, 1)
	}
	h.configure(changed)
	since := time.Now()
	for way, readers := range streams {
		for _, who := range append(gone, narrowed) {
			m, err := readers[who]()
			if m.GetClosing().GetReason() != headgatev1.Closing_REASON_GRANT_CHANGED || m.GetCursor() == "" {
				t.Errorf("%s, %s: %v, %v", way, who, m, err)
				continue
			}
			if _, err := readers[who](); err != io.EOF {
				t.Errorf("%s, %s: after Closing comes %v", way, who, err)
			}
		}
	}
	if took := time.Since(since); took > soon {
		t.Errorf("it took %v", took)
	}
	for way := range ways {
		for _, who := range append(gone, narrowed) {
			m, err := h.follow(ctx, way, who)()
			// The token of globex is another reader's now.
			if in := who == narrowed || who == "globex"; in != (m.GetStarted() != nil) {
				t.Errorf("%s, %s, again: %v, %v", way, who, m, err)
			}
		}
	}
	h.postMatrix()
	for way, readers := range streams {
		for _, who := range stay {
			var got []string
			for want := append(wanted(who, always), wantedGaps(who)...); len(got) < len(want); {
				m, err := readers[who]()
				if err != nil || m.GetClosing() != nil {
					t.Fatalf("%s, %s: %v, %v after %v", way, who, m, err, got)
				}
				for _, e := range m.GetEvents() {
					got = append(got, whatOf(e))
				}
				if m.GetGap() != nil {
					got = append(got, "gap of "+m.GetGap().GetSource())
				}
			}
		}
	}
	again, client := h.as(ctx, narrowed)
	page, err := client.ListEvents(again, &headgatev1.ListEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range page.GetEvents() {
		got = append(got, whatOf(e))
	}
	if diff := cmp.Diff(wanted(narrowed, func(w what) bool { return w.source == "globex" }), got); diff != "" {
		t.Errorf("narrowed; want -, got +\n%s", diff)
	}
}

// TestExpiryEndsStreams: over every way, a stream ends when its reader's token does, and the token opens nothing any more.
func TestExpiryEndsStreams(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	until := time.Now().Add(3 * time.Second).Truncate(time.Second)
	h.tokens["auditor"] = h.jwt(until)
	for way, readers := range h.followAll(ctx, "auditor") {
		m, err := readers["auditor"]()
		if m.GetClosing().GetReason() != headgatev1.Closing_REASON_CREDENTIAL_EXPIRED || time.Now().Before(until) || time.Since(until) > soon {
			t.Errorf("%s: %v, %v, %v after the token", way, m, err, time.Since(until))
		}
		if m, err := h.follow(ctx, way, "auditor")(); err == nil {
			t.Errorf("%s, again: %v", way, m)
		}
	}
}

// TestStalledReaderLosesItsStream: a reader that takes nothing, so that its stream is stuck in sending, keeps it no longer than others do from when the file
// that takes its grant away is written, and finds the reason when it takes something again. What goes through the same connection as its stream, goes on.
func TestStalledReaderLosesItsStream(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	beside := h.followAll(ctx, "all")
	begin := &headgatev1.SubscribeRequest{Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}}}
	var takesNothing []grpc.ServerStreamingClient[headgatev1.SubscribeResponse]
	for range 2 {
		c, client := h.as(ctx, "globex")
		stream, err := client.Subscribe(c, begin)
		if err != nil {
			t.Fatal(err)
		}
		takesNothing = append(takesNothing, stream)
	}
	// Small buffers, so that less than the log holds fills them.
	transport := h.httpOf[false].Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		}
		return conn, err
	}
	plain := h.httpOf[false]
	h.httpOf[false] = &http.Client{Transport: transport}
	defer transport.CloseIdleConnections()
	resp := h.open(ctx, "globex", http.MethodGet, "/v1/events:subscribe?start.at=latest", "")
	defer resp.Body.Close()
	h.httpOf[false] = plain
	stalled := func() (open, behind int) {
		for _, st := range h.s.feed.Streams(t.Context()) {
			if st.Caller.Reader == "globex" {
				open++
				if !st.CaughtUp {
					behind++
				}
			}
		}
		return open, behind
	}
	eventually(t, "three streams are open", func() bool { open, _ := stalled(); return open == 3 })
	more := `","Odd":"` + strings.Repeat("x", 900<<10)
	const posts = 16
	for n := 1; n <= posts; n++ {
		h.post("globex", webhookBody(n, "Default", "contact", "created", more))
	}
	for way, readers := range beside {
		for got := 0; got < posts; {
			m, err := readers["all"]()
			if err != nil {
				t.Fatalf("%s: %v", way, err)
			}
			got += len(m.GetEvents())
		}
	}
	if open, behind := stalled(); open != 3 || behind != 3 {
		t.Fatalf("%d of %d streams are stalled; the test shows nothing", behind, open)
	}
	since := time.Now()
	changed := strings.Replace(houseReaders, "  globex: {tokens: [{globex}]", `  globex: {tokens: ["sha256:`+hashA+`"]`, 1)
	writeFile(t, filepath.Join(h.dir, "headgate.yaml"), houseFile(changed))
	eventually(t, "the streams are gone", func() bool { open, _ := stalled(); return open == 0 })
	if took := time.Since(since); took > soon {
		t.Errorf("it took %v", took)
	}
	for _, stream := range takesNothing {
		var err error
		for err == nil {
			_, err = stream.Recv()
		}
		if e := client.ErrorOf(err); e.Reason != client.ReasonUnavailable || e.Metadata["closing"] != "GRANT_CHANGED" {
			t.Errorf("a stream that was cut off ended with %v, %v", err, e.Metadata)
		}
	}
	h.post("globex", webhookBody(posts+1, "Default", "contact", "created", ""))
	for way, readers := range beside {
		m, err := readers["all"]()
		for err == nil && m.GetCheckpoint() != nil {
			m, err = readers["all"]()
		}
		if err != nil || len(m.GetEvents()) != 1 {
			t.Errorf("%s, beside it: %v, %v", way, m, err)
		}
	}
}

// TestRequestsAfterTheGrant: a single call whose request comes after its reader's grant is gone is refused, though it was begun before.
func TestRequestsAfterTheGrant(t *testing.T) {
	h := newHouse(t)
	h.postMatrix()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	list := func(who string) grpc.ClientStream {
		ctx, _ := h.as(ctx, who)
		s, err := h.grpcOf[false].NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, headgatev1.EventService_ListEvents_FullMethodName)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	removed, stays := list("all"), list("globex")
	again, same := h.as(ctx, "all")
	if _, err := same.DescribeLog(again, &headgatev1.DescribeLogRequest{}); err != nil { // through the same connection, so the others have begun
		t.Fatal(err)
	}
	h.configure(strings.Replace(houseReaders, "{all}", `"sha256:`+hashA+`"`, 1))
	for s, served := range map[grpc.ClientStream]bool{removed: false, stays: true} {
		err := s.SendMsg(&headgatev1.ListEventsRequest{})
		if err == nil {
			err = s.CloseSend()
		}
		answer := new(headgatev1.ListEventsResponse)
		if err == nil {
			err = s.RecvMsg(answer)
		}
		if served != (err == nil) || served != (len(answer.GetEvents()) > 0) {
			t.Errorf("%d events, %v; want some: %v", len(answer.GetEvents()), err, served)
		}
	}
}
