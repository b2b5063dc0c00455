package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// what names an event of the matrix by all that a grant looks at.
type what struct{ source, context, entity, action string }

func (w what) String() string {
	return strings.Join([]string{w.source, w.context, w.entity, w.action}, "/")
}

func whatOf(e *headgatev1.Event) string {
	return what{e.GetSource(), e.GetContext(), e.GetEntity(), e.GetAction()}.String()
}

// may says what each reader of the house may read, in other words than its grant.
var may = map[string]func(what) bool{
	"nobody":     func(what) bool { return false },
	"unknown":    func(what) bool { return false },
	"expired":    func(what) bool { return false },
	"cust1":      func(w what) bool { return w.source+w.context+w.entity == "acmeCust1234relation" },
	"associates": func(w what) bool { return w.entity == "associate" },
	"globex":     func(w what) bool { return w.source == "globex" },
	"created":    func(w what) bool { return w.action == "created" },
	"all":        func(what) bool { return true },
	"machine":    func(w what) bool { return w.source == "acme" && w.context != "Default" },
	"auditor":    func(w what) bool { return w.source == "globex" && w.entity == "contact" },
}

// known says who is somebody.
func known(who string) bool { return who != "nobody" && who != "unknown" && who != "expired" }

func mayRaw(who string, w what) bool { return (who == "all" || who == "auditor") && may[who](w) }

var houseTenants = [][2]string{{"acme", "Cust26759"}, {"acme", "Cust1234"}, {"globex", "Default"}, {"acme", "Default"}}

// everyEvent is one event of each tenant, entity and action.
func everyEvent() (all []what) {
	for _, tenant := range houseTenants {
		for _, entity := range []string{"relation", "associate", "contact"} {
			for _, action := range []string{"created", "changed"} {
				all = append(all, what{tenant[0], tenant[1], entity, action})
			}
		}
	}
	return all
}

// postMatrix posts every event, those of one entity and action with the same event id in all tenants, and a broken body of each source after them.
func (h *house) postMatrix() {
	h.t.Helper()
	for i, w := range everyEvent() {
		h.post(w.source, webhookBody(i%6+1, w.context, w.entity, w.action, ""))
	}
	for _, source := range []string{"globex", "acme"} {
		h.post(source, []byte(`{"EventId":1}`))
	}
}

func wanted(who string, also func(what) bool) (list []string) {
	for _, w := range everyEvent() {
		if may[who](w) && also(w) {
			list = append(list, w.String())
		}
	}
	return list
}

func always(what) bool { return true }

// wantedGaps are the sources whose gaps concern the reader: those of which it may read anything.
func wantedGaps(who string) (list []string) {
	for _, source := range []string{"globex", "acme"} {
		if len(wanted(who, func(w what) bool { return w.source == source })) > 0 {
			list = append(list, "gap of "+source)
		}
	}
	return list
}

// seen is what a stream brought until its end, or until it stands where the cursor does.
func (h *house) seen(t *testing.T, next receive, until string) (list []string, end error) {
	t.Helper()
	for {
		m, err := next()
		if err != nil {
			return list, err
		}
		for _, e := range m.GetEvents() {
			list = append(list, whatOf(e))
		}
		if m.GetGap() != nil {
			list = append(list, "gap of "+m.GetGap().GetSource())
		}
		if until != "" && h.sequence(m.GetCursor()) == h.sequence(until) {
			return list, nil
		}
	}
}

// sequence is where a cursor stands. Two of the same place can differ.
func (h *house) sequence(cursor string) uint64 {
	h.t.Helper()
	seq, err := h.s.log.Locate(cursor)
	if err != nil {
		h.t.Fatal(err)
	}
	return seq
}

// TestAccessMatrix: over every way of reading, each reader gets all events that it may read, and none else.
func TestAccessMatrix(t *testing.T) {
	h := newHouse(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	live := map[string]map[string]receive{}
	for way, subscribe := range ways {
		live[way] = map[string]receive{}
		for who := range may {
			req := &headgatev1.SubscribeRequest{
				Start:             &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}},
				HeartbeatInterval: durationpb.New(time.Second),
			}
			next := subscribe(h, ctx, who, req, "start.at=latest&heartbeat_interval=1s")
			first, err := next()
			if known(who) != (err == nil && first.GetStarted() != nil) {
				t.Fatalf("%s, %s: the stream begins with %v, %v", who, way, first, err)
			}
			if known(who) {
				live[way][who] = next
			}
		}
	}
	h.postMatrix()
	all := h.wholeLog()
	for way, readers := range live {
		for who, next := range readers {
			got, err := h.seen(t, next, all.head)
			if diff := cmp.Diff(append(wanted(who, always), wantedGaps(who)...), got); diff != "" || err != nil {
				t.Errorf("%s, live over %s: %v; want -, got +\n%s", who, way, err, diff)
			}
		}
	}
	for who := range may {
		t.Run(who, func(t *testing.T) {
			h.checkReplay(t, who)
			h.checkPages(t, who)
			h.checkLookups(t, who, all)
			if known(who) {
				h.checkDescription(t, who)
				h.checkSubscription(t, who)
				h.checkForbiddenNames(t, who)
			}
		})
	}
}

// wholeLog is the log as who may read everything sees it.
type wholeLog struct {
	events map[string]*headgatev1.Event
	gap    string // a cursor where no event stands
	head   string
}

func (h *house) wholeLog() wholeLog {
	h.t.Helper()
	ctx, client := h.as(h.t.Context(), "all")
	l := wholeLog{events: map[string]*headgatev1.Event{}}
	for more := true; more; {
		page, err := client.ListEvents(ctx, &headgatev1.ListEventsRequest{AfterCursor: l.head})
		if err != nil {
			h.t.Fatal(err)
		}
		for _, e := range page.GetEvents() {
			l.events[whatOf(e)] = e
		}
		if page.GetGap() != nil {
			l.gap = h.s.log.Cursor(h.sequence(page.GetNextCursor()))
		}
		l.head, more = page.GetNextCursor(), page.GetHasMore()
	}
	if len(l.events) != len(everyEvent()) || l.gap == "" {
		h.t.Fatalf("the log holds %d events", len(l.events))
	}
	return l
}

func (h *house) checkReplay(t *testing.T, who string) {
	for way, subscribe := range ways {
		req := &headgatev1.SubscribeRequest{
			Start:            &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}},
			StopWhenCaughtUp: true,
		}
		got, end := h.seen(t, subscribe(h, t.Context(), who, req, "start.at=earliest&stop_when_caught_up=true"), "")
		if known(who) != errors.Is(end, io.EOF) {
			t.Errorf("%s ends with %v", way, end)
		}
		if diff := cmp.Diff(append(wanted(who, always), wantedGaps(who)...), got); diff != "" {
			t.Errorf("%s; want -, got +\n%s", way, diff)
		}
	}
}

// checkSubscription: readers that call their subscriptions the same have each their own, and get through it what they may read.
func (h *house) checkSubscription(t *testing.T, who string) {
	ctx, client := h.as(t.Context(), who)
	stream, err := client.Subscribe(ctx, &headgatev1.SubscribeRequest{
		Subscription: "ours", StopWhenCaughtUp: true,
		Start: &headgatev1.Start{Position: &headgatev1.Start_Saved{Saved: &headgatev1.Saved{
			Otherwise: &headgatev1.Saved_At{At: headgatev1.Start_EDGE_EARLIEST},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, end := h.seen(t, stream.Recv, "")
	if diff := cmp.Diff(append(wanted(who, always), wantedGaps(who)...), got); diff != "" || !errors.Is(end, io.EOF) {
		t.Errorf("through a subscription: %v; want -, got +\n%s", end, diff)
	}
	code, text := h.http(who, http.MethodGet, "/v1/subscriptions", "")
	list := &headgatev1.ListSubscriptionsResponse{}
	if err := protojson.Unmarshal([]byte(text), list); err != nil || code != http.StatusOK || len(list.GetSubscriptions()) != 1 {
		t.Fatalf("its subscriptions: %d, %s", code, text)
	}
	// Nothing was saved, so all that it may read is behind; what it may not read does not count.
	if got, want := list.GetSubscriptions()[0].GetLag() != nil, len(wanted(who, always)) > 0; got != want {
		t.Errorf("there is a lag: %v", got)
	}
}

// list lists over gRPC and over REST, which must be the same.
func (h *house) list(t *testing.T, who string, req *headgatev1.ListEventsRequest, query string) (*headgatev1.ListEventsResponse, error) {
	t.Helper()
	ctx, client := h.as(t.Context(), who)
	page, err := client.ListEvents(ctx, req)
	code, text := h.http(who, http.MethodGet, "/v1/events?"+query, "")
	want := map[codes.Code]int{codes.OK: 200, codes.Unauthenticated: 401, codes.PermissionDenied: 403}[status.Code(err)]
	if code != want {
		t.Errorf("over REST: %d, over gRPC %v", code, err)
	}
	if err == nil {
		rest := &headgatev1.ListEventsResponse{}
		if err := protojson.Unmarshal([]byte(text), rest); err != nil || !slices.EqualFunc(page.GetEvents(), rest.GetEvents(), func(a, b *headgatev1.Event) bool {
			return a.GetCursor() == b.GetCursor() && whatOf(a) == whatOf(b)
		}) || page.GetGap().GetSource() != rest.GetGap().GetSource() {
			t.Errorf("over REST: %s, over gRPC %v", text, page)
		}
	}
	return page, err
}

func (h *house) checkPages(t *testing.T, who string) {
	var got []string
	req := &headgatev1.ListEventsRequest{PageSize: 5}
	for more := true; more; {
		page, err := h.list(t, who, req, "page_size=5&after_cursor="+req.GetAfterCursor())
		if !known(who) {
			if status.Code(err) != codes.Unauthenticated {
				t.Errorf("a page: %v", err)
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.GetEvents() {
			got = append(got, whatOf(e))
		}
		if page.GetGap() != nil {
			got = append(got, "gap of "+page.GetGap().GetSource())
		}
		req.AfterCursor, more = page.GetNextCursor(), page.GetHasMore()
	}
	if diff := cmp.Diff(append(wanted(who, always), wantedGaps(who)...), got); diff != "" {
		t.Errorf("pages; want -, got +\n%s", diff)
	}
}

func (h *house) checkLookups(t *testing.T, who string, all wholeLog) {
	for _, w := range everyEvent() {
		event := all.events[w.String()]
		if page, err := h.list(t, who, &headgatev1.ListEventsRequest{EventId: event.GetEventId()}, "event_id="+event.GetEventId()); known(who) {
			var got []string
			for _, e := range page.GetEvents() {
				got = append(got, whatOf(e))
			}
			same := func(o what) bool { return o.entity == w.entity && o.action == w.action }
			if diff := cmp.Diff(wanted(who, same), got); diff != "" || err != nil {
				t.Errorf("by the event id of %v: %v; want -, got +\n%s", w, err, diff)
			}
		}
		h.checkGet(t, who, event.GetCursor(), w, may[who](w), mayRaw(who, w))
	}
	h.checkGet(t, who, all.gap, what{}, false, false)
}

// checkGet gets the event at a cursor, with its raw body and without. What may not be read answers like what is not there.
func (h *house) checkGet(t *testing.T, who, cursor string, w what, allowed, raw bool) {
	t.Helper()
	ctx, client := h.as(t.Context(), who)
	const absent = "no event stands at this cursor"
	for _, withRaw := range []bool{false, true} {
		want, words := codes.OK, ""
		switch {
		case !known(who):
			want = codes.Unauthenticated
		case !allowed:
			want, words = codes.NotFound, absent
		case withRaw && !raw:
			want = codes.PermissionDenied
		}
		resp, err := client.GetEvent(ctx, &headgatev1.GetEventRequest{Cursor: cursor, IncludeRawBody: withRaw})
		if status.Code(err) != want || (words != "" && status.Convert(err).Message() != words) {
			t.Errorf("%v, raw %v: %v, want %v", w, withRaw, err, want)
		}
		if err == nil && (whatOf(resp.GetEvent()) != w.String() || withRaw != strings.Contains(string(resp.GetRawBody()), `"ContextIdentifier":"`+w.context)) {
			t.Errorf("%v, raw %v: %v", w, withRaw, resp)
		}
		code, text := h.http(who, http.MethodGet, fmt.Sprintf("/v1/events/%s?include_raw_body=%v", cursor, withRaw), "")
		if code != map[codes.Code]int{codes.OK: 200, codes.Unauthenticated: 401, codes.NotFound: 404, codes.PermissionDenied: 403}[want] {
			t.Errorf("%v, raw %v, over REST: %d %s", w, withRaw, code, text)
		}
		if code != http.StatusOK && w.context != "" && strings.Contains(text, w.context) {
			t.Errorf("%v, over REST: %s tells what it refuses", w, text)
		}
	}
}

func (h *house) checkDescription(t *testing.T, who string) {
	ctx, client := h.as(t.Context(), who)
	d, err := client.DescribeLog(ctx, &headgatev1.DescribeLogRequest{})
	if err != nil {
		t.Fatal(err)
	}
	code, text := h.http(who, http.MethodGet, "/v1/log", "")
	rest := &headgatev1.DescribeLogResponse{}
	if err := protojson.Unmarshal([]byte(text), rest); err != nil || code != http.StatusOK {
		t.Fatalf("over REST: %d, %s", code, text)
	}
	var want []string
	for _, tenant := range houseTenants {
		if len(wanted(who, func(w what) bool { return w.source == tenant[0] && w.context == tenant[1] })) > 0 {
			want = append(want, tenant[0]+"/"+tenant[1])
		}
	}
	slices.Sort(want)
	for _, d := range []*headgatev1.DescribeLogResponse{d, rest} {
		var got []string
		for _, tenant := range d.GetTenants() {
			got = append(got, tenant.GetSource()+"/"+tenant.GetContext())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tenants; want -, got +\n%s", diff)
		}
		if timed := d.GetEarliestTime() != nil || d.GetLatestTime() != nil; timed != (who == "all") {
			t.Errorf("it tells times: %v", timed)
		}
		if d.GetOperator() {
			t.Error("it says that a reader is an operator")
		}
	}
}

// checkForbiddenNames: a filter that names what the reader may not read is refused in the same words, be it there or made up, and one that names
// what it may read is not.
func (h *house) checkForbiddenNames(t *testing.T, who string) {
	part := map[string]func(what) string{
		"sources": func(w what) string { return w.source }, "contexts": func(w what) string { return w.context },
		"entities": func(w what) string { return w.entity }, "actions": func(w what) string { return w.action },
		"event_types": func(w what) string { return w.entity + "." + w.action },
	}
	for field, values := range map[string][]string{
		"sources": {"acme", "globex", "initech"}, "contexts": {"Cust26759", "Cust1234", "Default", "Nowhere"},
		"entities": {"relation", "associate", "contact", "y_boat"}, "actions": {"created", "changed", "deleted"},
		"event_types": {"relation.created", "contact.changed", "y_boat.sunk"},
	} {
		for _, value := range values {
			f := &headgatev1.Filter{}
			if err := protojson.Unmarshal(fmt.Appendf(nil, `{%q:[%q]}`, field, value), f); err != nil {
				t.Fatal(err)
			}
			page, err := h.list(t, who, &headgatev1.ListEventsRequest{Filter: f}, url.Values{"filter." + field: {value}}.Encode())
			named := func(w what) bool { return part[field](w) == value }
			forbidden := fmt.Sprintf("filter.%s: this reader may not read %q", field, value)
			switch {
			case status.Code(err) == codes.PermissionDenied:
				if len(wanted(who, named)) > 0 || status.Convert(err).Message() != forbidden {
					t.Errorf("%s %s: %v", field, value, err)
				}
			case err != nil:
				t.Errorf("%s %s: %v", field, value, err)
			default:
				if got := len(page.GetEvents()); got != len(wanted(who, named)) || got == 0 && !free[who][field] {
					t.Errorf("%s %s: %d events, want %d", field, value, got, len(wanted(who, named)))
				}
			}
		}
	}
}

// free are the parts that a reader's grant does not bound: there any name is taken, for it might come to be.
var free = map[string]map[string]bool{
	"cust1":      {"actions": true},
	"associates": {"contexts": true, "actions": true, "sources": true},
	"globex":     {"contexts": true, "entities": true, "actions": true, "event_types": true},
	"created":    {"contexts": true, "entities": true, "sources": true},
	"all":        {"contexts": true, "entities": true, "sources": true, "actions": true, "event_types": true},
	"machine":    {"entities": true, "actions": true, "event_types": true},
	"auditor":    {"contexts": true, "actions": true},
}
