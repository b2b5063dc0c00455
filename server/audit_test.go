package server

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// lines are those of the audit that say all of these.
func (l *lockedBuffer) lines(says ...string) (found []string) {
next:
	for line := range strings.Lines(l.String()) {
		for _, part := range append(says, "log=audit") {
			if !strings.Contains(line, part) {
				continue next
			}
		}
		found = append(found, line)
	}
	return found
}

// TestRefusalsAreInTheAudit: what a reader is refused once it is known leaves one line with its name, over gRPC and REST alike, and what a page of another site
// tries leaves one as well.
func TestRefusalsAreInTheAudit(t *testing.T) {
	log := logged(t)
	h := newHouse(t)
	ctx, client := h.as(t.Context(), "globex")
	forbidden := &headgatev1.Filter{Sources: []string{"acme"}}
	latest := &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}}
	h.post("globex", webhookBody(1, "Default", "contact", "created", ""))
	page, err := client.ListEvents(ctx, &headgatev1.ListEventsRequest{})
	if err != nil || len(page.GetEvents()) != 1 {
		t.Fatal(page, err)
	}
	cursor := page.GetEvents()[0].GetCursor()
	if refused := log.lines("call refused"); len(refused) > 0 {
		t.Fatalf("refused already: %s", refused)
	}
	_, err = client.ListEvents(ctx, &headgatev1.ListEventsRequest{Filter: forbidden})
	_, rawErr := client.GetEvent(ctx, &headgatev1.GetEventRequest{Cursor: cursor, IncludeRawBody: true})
	stream, streamErr := client.Subscribe(ctx, &headgatev1.SubscribeRequest{Filter: forbidden, Start: latest})
	if streamErr == nil {
		_, streamErr = stream.Recv()
	}
	for _, err := range []error{err, rawErr, streamErr} {
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("answered %v", err)
		}
	}
	for _, path := range []string{"/v1/events?filter.sources=acme", "/v1/events/" + cursor + "?include_raw_body=true", "/v1/events:subscribe?start.at=latest&filter.sources=acme"} {
		if code, _ := h.http("globex", http.MethodGet, path, ""); code != http.StatusForbidden {
			t.Errorf("%s: answered %d", path, code)
		}
	}
	for method, cause := range map[string]string{
		headgatev1.EventService_ListEvents_FullMethodName: "acme", headgatev1.EventService_GetEvent_FullMethodName: "request bodies",
		headgatev1.EventService_Subscribe_FullMethodName: "acme",
	} {
		if n := len(log.lines("call refused", "method="+method, "reader=globex", `credential="token `, "remote=127.0.0.1:", cause)); n != 2 {
			t.Errorf("%d lines of the refusals of %s, want one over gRPC and one over REST:\n%s", n, method, log)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+h.s.Addresses().API+"/v1/log", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := h.httpOf[false].Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a page of another site: %d, %v", resp.StatusCode, err)
	}
	if n := len(log.lines("call refused", `method="REST GET"`, "remote=127.0.0.1:", "another site")); n != 1 {
		t.Errorf("%d lines of what a page of another site tried", n)
	}
	eventually(t, "nothing else is told", func() bool { return len(log.lines("call refused")) == 7 })
}
