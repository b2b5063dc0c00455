package admin

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// retry makes an event of a body that says so, by what it says.
func retry(q *eventlog.QuarantinedRecord, body []byte) (*eventlog.Record, bool, *eventlog.Quarantine) {
	verb, id, _ := strings.Cut(string(body), " ")
	switch verb {
	case "event":
		return made(id, q.Seq), false, nil
	case "test":
		return nil, true, nil
	}
	note := q.Quarantine
	note.Problem = "still wrong"
	return nil, false, &note
}

func made(id string, settles uint64) *eventlog.Record {
	return &eventlog.Record{
		Kind: eventlog.KindEvent, Keys: eventlog.Keys{Source: "acme", Context: "Cust1", EventType: "relation.created", EventID: id},
		Duplicate: eventlog.DuplicateKey(id), Settles: settles,
	}
}

// audited gathers what is written down.
type audited struct {
	mu   sync.Mutex
	said []string
}

func (a *audited) write(_ context.Context, what string, more ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.said = append(a.said, fmt.Sprintf("%s%v", what, more))
}

func (a *audited) lines() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.said
}

// settling is a service with a quarantine of these bodies, and their ids.
func settling(t *testing.T, source string, bodies ...string) (*eventlog.Log, adminv1.AdminServiceClient, *audited, []string) {
	t.Helper()
	a := &audited{}
	log, client := start(t, Gateway{Retry: retry, Audit: a.write})
	return log, client, a, fill(t, log, source, bodies...)
}

func fill(t *testing.T, log *eventlog.Log, source string, bodies ...string) (ids []string) {
	t.Helper()
	for _, body := range bodies {
		q := quarantined(0)
		q.Keys.Source, q.Raw = source, []byte(body)
		add(t, log, q)
		ids = append(ids, log.Cursor(log.Head()))
	}
	return ids
}

func inQuarantine(t *testing.T, client adminv1.AdminServiceClient) (problems []string) {
	t.Helper()
	page, err := client.ListQuarantine(t.Context(), &adminv1.ListQuarantineRequest{PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range page.GetQuarantined() {
		problems = append(problems, q.GetProblem())
	}
	return problems
}

// TestReprocess: each comes to what it is by now, oldest first; a dry run tells the same and changes nothing.
func TestReprocess(t *testing.T) {
	log, client, audit, ids := settling(t, "acme", "event new", "wrong", "test", "event old")
	add(t, log, made("old", 0))
	stranger := log.Cursor(log.Head())
	want := []*adminv1.Reprocessed{
		{Id: ids[0], Source: "acme", Context: "Cust1", EventType: "relation.created", Outcome: adminv1.Reprocessed_OUTCOME_APPENDED},
		{Id: ids[1], Source: "acme", Context: "Cust666", EventType: "a.b", Outcome: adminv1.Reprocessed_OUTCOME_STAYS, Problem: "still wrong"},
		{Id: ids[2], Source: "acme", Context: "Cust666", EventType: "a.b", Outcome: adminv1.Reprocessed_OUTCOME_TEST_CALL},
		{Id: ids[3], Source: "acme", Context: "Cust1", EventType: "relation.created", Outcome: adminv1.Reprocessed_OUTCOME_DUPLICATE},
		{Id: stranger, Outcome: adminv1.Reprocessed_OUTCOME_NOT_FOUND},
	}
	for _, dry := range []bool{true, false} {
		resp, err := client.ReprocessQuarantined(t.Context(), &adminv1.ReprocessQuarantinedRequest{
			Ids: []string{stranger, ids[3], ids[2], ids[1], ids[0], ids[0]}, DryRun: dry,
		})
		if diff := cmp.Diff(want, resp.GetReprocessed(), protocmp.Transform()); diff != "" || err != nil {
			t.Errorf("dry run %v: %v\n%s", dry, err, diff)
		}
		if held := len(inQuarantine(t, client)); dry && (held != 4 || log.State().Head != 5 || len(audit.lines()) > 0) {
			t.Errorf("the dry run changed something: %d in quarantine, %d records, audit %q", held, log.State().Head, audit.lines())
		}
	}
	if err := log.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"still wrong"}, inQuarantine(t, client)); diff != "" || log.State().Head != 6 {
		t.Errorf("%d records, in quarantine %s", log.State().Head, diff)
	}
	if len(audit.lines()) != 1 || !strings.Contains(audit.lines()[0], "quarantine reprocessed") || !strings.Contains(audit.lines()[0], "appended 1 duplicates 1 test_calls 1 stayed 1") {
		t.Errorf("the audit says %q", audit.lines())
	}
	resp, err := client.ReprocessQuarantined(t.Context(), &adminv1.ReprocessQuarantinedRequest{Ids: ids[:1]})
	if err != nil || resp.GetReprocessed()[0].GetOutcome() != adminv1.Reprocessed_OUTCOME_NOT_FOUND {
		t.Errorf("what was settled: %v, %v", resp, err)
	}
}

// TestReprocessOfASource goes through all of it, page by page, and leaves other sources alone.
func TestReprocessOfASource(t *testing.T) {
	var bodies []string
	for i := range 2*maxAtOnce + 10 {
		bodies = append(bodies, fmt.Sprintf("event %d", i))
	}
	bodies[maxAtOnce-1], bodies[5] = "wrong", "wrong"
	log, client, _, ids := settling(t, "acme", bodies...)
	fill(t, log, "other", "event of another")
	req, pages := &adminv1.ReprocessQuarantinedRequest{Source: "acme"}, 0
	var got []string
	for more := true; more; pages++ {
		resp, err := client.ReprocessQuarantined(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range resp.GetReprocessed() {
			got = append(got, one.GetId())
		}
		req.AfterId, more = got[len(got)-1], resp.GetHasMore()
	}
	if diff := cmp.Diff(ids, got); diff != "" || pages != 3 {
		t.Errorf("in %d pages: %s", pages, diff)
	}
	if diff := cmp.Diff([]string{"problem 0", "still wrong", "still wrong"}, inQuarantine(t, client)); diff != "" {
		t.Error(diff)
	}
}

// TestDiscard: some, or all of a source, once and with a reason.
func TestDiscard(t *testing.T) {
	log, client, audit, ids := settling(t, "acme", "a", "b", "c")
	fill(t, log, "other", "d")
	for _, c := range []struct {
		req  *adminv1.DiscardQuarantinedRequest
		n    uint64
		left int
	}{
		{&adminv1.DiscardQuarantinedRequest{Ids: []string{ids[1], ids[1], "x"}, Reason: "nobody needs it"}, 1, 3},
		{&adminv1.DiscardQuarantinedRequest{Source: "acme", Reason: "noise"}, 2, 1},
		{&adminv1.DiscardQuarantinedRequest{Source: "acme", Reason: "noise"}, 0, 1},
	} {
		resp, err := client.DiscardQuarantined(t.Context(), c.req)
		if left := len(inQuarantine(t, client)); err != nil || resp.GetDiscarded() != c.n || left != c.left {
			t.Errorf("%v: %v, %v, %d are left", c.req, resp, err, left)
		}
	}
	if head := log.State().Head; head != 4 {
		t.Errorf("%d records", head)
	}
	if len(audit.lines()) != 3 || !strings.Contains(audit.lines()[0], ids[1]) || !strings.Contains(audit.lines()[0], "reason nobody needs it") ||
		!strings.Contains(audit.lines()[1], "source acme") || !strings.Contains(audit.lines()[1], "discarded 2 reason noise") {
		t.Errorf("the audit says %q", audit.lines())
	}
}

func TestWhatSettlingRefuses(t *testing.T) {
	_, client, audit, ids := settling(t, "acme", "event a")
	many := make([]string, maxAtOnce+1)
	for name, req := range map[string]*adminv1.DiscardQuarantinedRequest{
		"nothing": {Reason: "x"}, "both": {Ids: ids, Source: "acme", Reason: "x"}, "many": {Ids: many, Reason: "x"},
		"no reason": {Ids: ids}, "long": {Ids: ids, Reason: strings.Repeat("ä", 257)}, "two lines": {Ids: ids, Reason: "a\nb"},
	} {
		if _, err := client.DiscardQuarantined(t.Context(), req); status.Code(err) != codes.InvalidArgument {
			t.Errorf("discard, %s: %v", name, err)
		}
	}
	for name, req := range map[string]*adminv1.ReprocessQuarantinedRequest{
		"nothing": {}, "both": {Ids: ids, Source: "acme"}, "many": {Ids: many}, "no id": {Source: "acme", AfterId: "x"},
	} {
		if _, err := client.ReprocessQuarantined(t.Context(), req); status.Code(err) != codes.InvalidArgument {
			t.Errorf("reprocess, %s: %v", name, err)
		}
	}
	if n := len(inQuarantine(t, client)); n != 1 || len(audit.lines()) > 0 {
		t.Errorf("%d are left, the audit says %q", n, audit.lines())
	}
}
