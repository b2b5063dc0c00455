package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// TestQuarantineIsReprocessed: a tenant that was missing in the configuration is added, and what it sent is tried again. Who may read it gets the gap in its place
// and the event behind all others; who may not gets neither. A restart changes nothing of it.
func TestQuarantineIsReprocessed(t *testing.T) {
	polling(t)
	log := logged(t)
	h := newHouse(t)
	h.post("acme", webhookBody(1, "Cust555", "relation", "created", ""))
	h.post("acme", webhookBody(2, "Cust555", "relation", "created", ""))
	h.post("acme", webhookBody(3, "Cust1234", "relation", "created", ""))
	path := filepath.Join(h.dir, "headgate.yaml")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, strings.Replace(string(file), "[Cust26759, Cust1234, Default]", "[Cust26759, Cust1234, Default, Cust555]", 1))
	eventually(t, "the tenant is the source's", func() bool { return strings.Contains(log.String(), "configuration reloaded") })
	h.post("acme", webhookBody(2, "Cust555", "relation", "created", "")) // the CRM's administrator sends this one again

	ids := h.quarantined(2)
	for _, dry := range []bool{true, false} {
		answer := &adminv1.ReprocessQuarantinedResponse{}
		h.admin("/admin/v1/quarantine:reprocess", map[string]any{"source": "acme", "dry_run": dry}, answer)
		list := answer.GetReprocessed()
		if len(list) != 2 || list[0].GetId() != ids[1] || list[0].GetOutcome() != adminv1.Reprocessed_OUTCOME_APPENDED ||
			list[1].GetOutcome() != adminv1.Reprocessed_OUTCOME_DUPLICATE {
			t.Fatalf("dry run %v: %v", dry, answer)
		}
	}
	h.quarantined(0)
	if n := gauge(t, h.s, "headgate_log_quarantined_bytes"); n != 0 {
		t.Errorf("%v bytes are counted still", n)
	}
	if lines := log.lines("quarantine reprocessed", "by=chief", "source=acme", "appended=1", "duplicates=1"); len(lines) != 1 {
		t.Errorf("the audit has %d lines of it", len(lines))
	}
	for who, want := range map[string][]string{
		"all":   {"gap of acme", "gap of acme", "Cust1234 3", "Cust555 2", "Cust555 1 again"},
		"cust1": {"gap of acme", "gap of acme", "Cust1234 3"}, "globex": nil,
	} {
		if got := h.story(who); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s reads %v, want %v", who, got, want)
		}
	}
}

// TestQuarantineIsDiscarded: by operators alone, with a reason that the audit keeps.
func TestQuarantineIsDiscarded(t *testing.T) {
	log := logged(t)
	h := newHouse(t)
	h.post("acme", []byte("{"))
	ids := h.quarantined(1)
	body := map[string]any{"ids": ids, "reason": "not the CRM's"}
	for _, path := range []string{"/admin/v1/quarantine:discard", "/admin/v1/quarantine:reprocess"} {
		if code, _ := h.http("all", http.MethodPost, path, ""); code != http.StatusForbidden {
			t.Errorf("%s by a reader: %d", path, code)
		}
	}
	answer := &adminv1.DiscardQuarantinedResponse{}
	if h.admin("/admin/v1/quarantine:discard", body, answer); answer.GetDiscarded() != 1 {
		t.Errorf("%v", answer)
	}
	h.quarantined(0)
	if lines := log.lines("quarantine discarded", "by=chief", "discarded=1", `reason="not the CRM's"`, ids[0]); len(lines) != 1 {
		t.Errorf("the audit has %d lines of it", len(lines))
	}
	if got := h.story("all"); fmt.Sprint(got) != "[gap of acme]" {
		t.Errorf("all that may be read: %v", got)
	}
}

// quarantined returns the ids of what lies in quarantine, newest first.
func (h *house) quarantined(n int) (ids []string) {
	h.t.Helper()
	if err := h.s.log.CatchUp(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	code, text := h.http("chief", http.MethodGet, "/admin/v1/quarantine?source=acme", "")
	list := &adminv1.ListQuarantineResponse{}
	if err := protojson.Unmarshal([]byte(text), list); err != nil || code != http.StatusOK || len(list.GetQuarantined()) != n {
		h.t.Fatalf("in quarantine: %d %s, want %d", code, text, n)
	}
	for _, q := range list.GetQuarantined() {
		ids = append(ids, q.GetId())
	}
	return ids
}

// story is what the reader reads, in order.
func (h *house) story(who string) (list []string) {
	h.t.Helper()
	if err := h.s.log.CatchUp(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	ctx, client := h.as(h.t.Context(), who)
	req := &headgatev1.ListEventsRequest{}
	for more := true; more; {
		page, err := client.ListEvents(ctx, req)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, e := range page.GetEvents() {
			again := ""
			if first := e.GetFirstReceivedAt(); first != nil {
				again = " again"
				if !first.AsTime().Before(e.GetReceivedAt().AsTime()) {
					h.t.Errorf("first received %v, then %v", first.AsTime(), e.GetReceivedAt().AsTime())
				}
			}
			list = append(list, fmt.Sprint(e.GetContext(), " ", e.GetPrimaryKey(), again))
		}
		if page.GetGap() != nil {
			list = append(list, "gap of "+page.GetGap().GetSource())
		}
		req.AfterCursor, more = page.GetNextCursor(), page.GetHasMore()
	}
	return list
}

// admin calls AdminService over REST, as an operator.
func (h *house) admin(path string, body map[string]any, into proto.Message) {
	h.t.Helper()
	sent, err := json.Marshal(body)
	if err != nil {
		h.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, "https://"+h.s.Addresses().API+path, bytes.NewReader(sent))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.token("chief"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := h.httpOf[false].Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = protojson.Unmarshal(text, into)
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %d %s, %v", path, resp.StatusCode, text, err)
	}
}
