package server

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/headgate/headgate/client"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// operator calls AdminService as the operator of the house.
func (h *house) operator() (context.Context, adminv1.AdminServiceClient) {
	ctx, _ := h.as(h.t.Context(), "chief")
	return ctx, adminv1.NewAdminServiceClient(h.grpcOf[false])
}

// streamsOf are the streams of the reader, as the operator sees them.
func (h *house) streamsOf(who string) (list []*adminv1.Stream) {
	h.t.Helper()
	ctx, admin := h.operator()
	all, err := admin.ListStreams(ctx, &adminv1.ListStreamsRequest{})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, st := range all.GetStreams() {
		if st.GetReader() == who {
			list = append(list, st)
		}
	}
	return list
}

// TestOperatorEndsStreams: over every way, a stream that an operator ends says so, with when to come back and the cursor to do so, and nothing is lost. The other
// streams go on, the audit says who did what to whom, and an id is never of a stream again.
func TestOperatorEndsStreams(t *testing.T) {
	log := logged(t)
	h := newHouse(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	streams := h.followAll(ctx, "globex", "all")
	ended := h.streamsOf("globex")
	if len(ended) != len(ways) {
		t.Fatalf("the streams are %v", ended)
	}
	goodID := regexp.MustCompile(`^[A-Z2-7]{26}$`)
	for i, st := range ended {
		if !goodID.MatchString(st.GetId()) || st.GetState() != adminv1.Stream_STATE_LIVE || st.GetPeer() == "" || !strings.HasPrefix(st.GetCredential(), "token ") || h.sequence(st.GetCursor()) != 0 {
			t.Errorf("it is listed as %v", st)
		}
		if i == 0 { // once over gRPC, then over REST
			ctx, admin := h.operator()
			if resp, err := admin.EndStream(ctx, &adminv1.EndStreamRequest{Id: st.GetId()}); err != nil || resp.GetStream().GetReader() != "globex" {
				t.Errorf("answered %v, %v", resp, err)
			}
			continue
		}
		if code, text := h.http("chief", http.MethodPost, "/admin/v1/streams/"+st.GetId()+":end", ""); code != http.StatusOK || !strings.Contains(text, st.GetId()) {
			t.Errorf("answered %d %s", code, text)
		}
	}
	cursors := map[string]string{}
	for way, readers := range streams {
		m, err := readers["globex"]()
		closing := m.GetClosing()
		if closing.GetReason() != headgatev1.Closing_REASON_OPERATOR || closing.GetRetryAfter().AsDuration() != 30*time.Second || m.GetCursor() == "" {
			t.Errorf("%s: %v, %v", way, m, err)
		}
		if _, err := readers["globex"](); err != io.EOF {
			t.Errorf("%s: after Closing comes %v", way, err)
		}
		cursors[way] = m.GetCursor()
	}
	eventually(t, "the streams are gone", func() bool { return len(h.streamsOf("globex")) == 0 })
	h.post("globex", webhookBody(1, "Default", "contact", "created", ""))
	for way, cursor := range cursors {
		next := ways[way](h, ctx, "globex", &headgatev1.SubscribeRequest{Start: &headgatev1.Start{Position: &headgatev1.Start_AfterCursor{AfterCursor: cursor}}}, "start.after_cursor="+cursor)
		for _, next := range []receive{next, streams[way]["all"]} {
			m, err := next()
			for err == nil && len(m.GetEvents()) == 0 {
				m, err = next()
			}
			if err != nil || m.GetEvents()[0].GetPrimaryKey() != 1 {
				t.Errorf("%s: then comes %v, %v", way, m, err)
			}
		}
	}
	h.checkEndedIDs(ended)
	for _, st := range ended {
		if n := len(log.lines("stream ended", "by=chief", "stream="+st.GetId(), "reader=globex", `of_credential="token `, "of_remote="+st.GetPeer())); n != 1 {
			t.Errorf("the audit has %d lines of %s", n, st.GetId())
		}
	}
}

// checkEndedIDs: who asks for a stream that is gone, or is no operator, ends nothing.
func (h *house) checkEndedIDs(gone []*adminv1.Stream) {
	h.t.Helper()
	ctx, admin := h.operator()
	for _, id := range []string{gone[0].GetId(), "", "1"} {
		if _, err := admin.EndStream(ctx, &adminv1.EndStreamRequest{Id: id}); status.Code(err) != codes.NotFound {
			h.t.Errorf("%q: answered %v", id, err)
		}
	}
	if code, text := h.http("chief", http.MethodPost, "/admin/v1/streams/"+gone[0].GetId()+":end", ""); code != http.StatusNotFound {
		h.t.Errorf("answered %d %s", code, text)
	}
	open := h.streamsOf("all")
	if code, text := h.http("all", http.MethodPost, "/admin/v1/streams/"+open[0].GetId()+":end", ""); code != http.StatusForbidden {
		h.t.Errorf("a reader: answered %d %s", code, text)
	}
	if n := len(h.streamsOf("all")); n != len(open) {
		h.t.Errorf("%d streams of %d are left", n, len(open))
	}
}

// retryOf is when the error says to come back.
func retryOf(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// TestOperatorEndsAStalledStream: one that is stuck in sending is cut off, and its client finds why when it takes something again.
func TestOperatorEndsAStalledStream(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, events := h.as(ctx, "globex")
	stream, err := events.Subscribe(c, &headgatev1.SubscribeRequest{Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}}}, grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stream is open", func() bool { return len(h.streamsOf("globex")) == 1 })
	more := `","Odd":"` + strings.Repeat("x", 900<<10)
	const posts = 8
	for n := range posts {
		h.post("globex", webhookBody(n+1, "Default", "contact", "created", more))
	}
	st := h.streamsOf("globex")[0]
	if st.GetCaughtUp() {
		t.Fatal("the stream is not stalled; the test shows nothing")
	}
	ctx, admin := h.operator()
	if _, err := admin.EndStream(ctx, &adminv1.EndStreamRequest{Id: st.GetId()}); err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	eventually(t, "the stream is gone", func() bool { return len(h.streamsOf("globex")) == 0 })
	if took := time.Since(since); took > soon {
		t.Errorf("it took %v", took)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	if e := client.ErrorOf(err); e.Reason != client.ReasonUnavailable || e.Metadata["closing"] != "OPERATOR" || retryOf(err) != 30*time.Second {
		t.Errorf("it ended with %v, %v", e, e.Metadata)
	}
}
