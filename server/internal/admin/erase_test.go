package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/superoffice"
)

// erasing is a gateway without configured sources, whose audit a test looks at.
func erasing(a *audited) Gateway {
	return Gateway{Source: func(name string) superoffice.Source { return superoffice.Source{Name: name} }, Audit: a.write}
}

// translated is the record of a body, as the door makes it.
func translated(t *testing.T, tenant, rest string) *eventlog.Record {
	t.Helper()
	body := fmt.Appendf(nil, `{"EventId":"%d","ContextIdentifier":%q,%s}`, len(rest), tenant, rest)
	ev, err := superoffice.Translate(&superoffice.Source{Name: "acme"}, body)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := proto.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	return &eventlog.Record{
		Kind: eventlog.KindEvent, Body: encoded, Raw: body, Keys: eventlog.Keys{
			Source: "acme", Context: tenant, Entity: ev.GetEntity(), PrimaryKey: ev.GetPrimaryKey(), HasPrimaryKey: ev.PrimaryKey != nil,
		},
	}
}

// refused is a body that gave no event, of a tenant if that was readable.
func refused(tenant, body string) *eventlog.Record {
	return &eventlog.Record{
		Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: "acme"}, Raw: []byte(body), Quarantine: &eventlog.Quarantine{Problem: "a problem", Context: tenant},
	}
}

// erase does all steps, and returns the sequences of what was found and of what is undecided.
func erase(t *testing.T, log *eventlog.Log, client adminv1.AdminServiceClient, req *adminv1.EraseRequest) (found, undecided []uint64) {
	t.Helper()
	at := func(list []*adminv1.Erasable) (seqs []uint64) {
		for _, e := range list {
			seq, err := log.LocateRecord(e.GetCursor())
			if err != nil {
				t.Fatal(err)
			}
			f, err := log.Get(t.Context(), seq)
			if err != nil || !e.GetReceivedAt().AsTime().Equal(f.ReceivedAt) {
				t.Fatalf("%v: received at %s, %v", e, f.ReceivedAt, err)
			}
			seqs = append(seqs, seq)
		}
		return seqs
	}
	req = proto.CloneOf(req)
	for more := true; more; {
		resp, err := client.Erase(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if len(resp.GetFound()) > 2*stepFound {
			t.Fatalf("%d in one step", len(resp.GetFound()))
		}
		found, undecided = append(found, at(resp.GetFound())...), append(undecided, at(resp.GetUndecided())...)
		req.AfterCursor, more = resp.GetNextCursor(), resp.GetHasMore()
	}
	return found, undecided
}

func TestErase(t *testing.T) {
	audit := &audited{}
	log, client := start(t, erasing(audit))
	for _, r := range []*eventlog.Record{ // records 1 to 14
		translated(t, "Cust1", `"Event":"person.created","PrimaryKey":17,"ChangedByAssociateId":3`),
		translated(t, "Cust2", `"Event":"person.created","PrimaryKey":17`),
		translated(t, "Cust1", `"Event":"relation.created","PrimaryKey":17,"FieldValues":{"destination_table":6,"destination_record":17}`),
		translated(t, "Cust1", `"Event":"sale.created","PrimaryKey":4,"FieldValues":{"person_id":17,"associate_id":3}`),
		translated(t, "Cust1", `"Event":"sale.created","PrimaryKey":5,"FieldValues":{"person_id":5}`),
		refused("Cust1", `{"PrimaryKey":"x","person_id":17}`),
		refused("Cust2", `{"person_id":17}`),
		refused("", `{"ContextIdentifier":"Cust1","ContextIdentifier":"Cust3","person_id":17}`),
		refused("", `{"person_id":17}`),
		refused("Cust1", `not JSON`),
		refused("", `{"ContextIdentifier":"Cust2","ContextIdentifier":"Cust3","person_id":17}`),
		refused("Cust1", `{"person_id":5}`),
		{Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: "acme", Context: "Cust1"}},
		{Kind: eventlog.KindEvent, Keys: eventlog.Keys{Source: "other", Context: "Cust1"}},
	} {
		add(t, log, r)
	}
	person := &adminv1.EraseRequest{Source: "acme", Context: "Cust1", Subject: &adminv1.EraseRequest_PersonId{PersonId: 17}}
	key := int32(17)
	for _, c := range []struct {
		req              *adminv1.EraseRequest
		found, undecided []uint64
	}{
		{person, []uint64{1, 3, 4, 6, 8}, []uint64{9, 10}},
		{&adminv1.EraseRequest{Subject: &adminv1.EraseRequest_AssociateId{AssociateId: 3}}, []uint64{1, 4}, []uint64{10}},
		{&adminv1.EraseRequest{Subject: &adminv1.EraseRequest_Record_{Record: &adminv1.EraseRequest_Record{Entity: "person", PrimaryKey: &key}}}, []uint64{1}, []uint64{10}},
		{&adminv1.EraseRequest{Subject: &adminv1.EraseRequest_Everything{Everything: true}}, []uint64{1, 3, 4, 5, 6, 8, 10, 12}, []uint64{9}},
		{&adminv1.EraseRequest{Subject: &adminv1.EraseRequest_Cursors_{Cursors: &adminv1.EraseRequest_Cursors{Cursors: []string{log.Cursor(9), log.Cursor(5)}}}}, []uint64{9, 5}, nil},
	} {
		c.req.Source, c.req.Context = "acme", "Cust1"
		if found, undecided := erase(t, log, client, c.req); !slices.Equal(found, c.found) || !slices.Equal(undecided, c.undecided) {
			t.Errorf("%v: found %v, undecided %v; want %v, %v", c.req, found, undecided, c.found, c.undecided)
		}
	}
	if kinds(t, log) != "EEEEEGGGGGGGGE" || len(audit.lines()) > 0 {
		t.Fatalf("a dry run left %s, %q", kinds(t, log), audit.lines())
	}
	person.Execute = true
	erase(t, log, client, person)
	if got := kinds(t, log); got != "-E--E-G-GGGGGE" {
		t.Errorf("the log is %s", got)
	}
	for _, seq := range []uint64{1, 3, 4, 6, 8} {
		if raw, err := log.Raw(t.Context(), seq); err == nil {
			t.Errorf("record %d has the raw body %s", seq, raw)
		}
	}
	if found, _ := erase(t, log, client, person); len(found) > 0 {
		t.Errorf("found again: %v", found)
	}
	decided := &adminv1.EraseRequest{
		Source: "acme", Context: "Cust1", Execute: true,
		Subject: &adminv1.EraseRequest_Cursors_{Cursors: &adminv1.EraseRequest_Cursors{Cursors: []string{log.Cursor(9), log.Cursor(10), log.Cursor(1)}}},
	}
	erase(t, log, client, decided)
	if got := kinds(t, log); got != "-E--E-G---GGGE" || log.State().Quarantined != 3 {
		t.Errorf("the log is %s, with %d in quarantine", got, log.State().Quarantined)
	}
	want := []string{
		"erasure[source acme context Cust1 subject person erased 5 complete true]", "erasure[source acme context Cust1 subject person erased 0 complete true]",
		"erasure[source acme context Cust1 subject cursors erased 2 complete true]",
	}
	if !slices.Equal(audit.lines(), want) {
		t.Errorf("the audit says %q", audit.lines())
	}
}

// kinds shows the log, a letter a record.
func kinds(t *testing.T, log *eventlog.Log) string {
	t.Helper()
	var b strings.Builder
	for seq := range log.Head() {
		f, err := log.Get(t.Context(), seq+1)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteByte(" EG-"[f.Kind])
	}
	return b.String()
}

// TestEraseInSteps: a large tenant takes several, which find each event once; what is trimmed meanwhile is no error.
func TestEraseInSteps(t *testing.T) {
	log, client := start(t, erasing(&audited{}))
	const n = 3*stepFound + 7
	for i := range n {
		r := translated(t, []string{"Cust1", "Cust2"}[i%2], `"Event":"sale.created","PrimaryKey":1`)
		if _, err := log.Append(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	req := &adminv1.EraseRequest{Source: "acme", Context: "Cust1", Execute: true, Subject: &adminv1.EraseRequest_Everything{Everything: true}}
	found, _ := erase(t, log, client, req)
	if !slices.IsSorted(found) || len(slices.Compact(found)) != (n+1)/2 {
		t.Errorf("found %d", len(found))
	}
	if got := kinds(t, log); got != strings.Repeat("-E", n/2)+"-" {
		t.Errorf("the log is %s", got)
	}
}

func TestEraseRefuses(t *testing.T) {
	log, client := start(t, erasing(&audited{}))
	add(t, log, translated(t, "Cust1", `"Event":"sale.created","PrimaryKey":1`))
	add(t, log, translated(t, "Cust2", `"Event":"sale.created","PrimaryKey":1`))
	everything := &adminv1.EraseRequest_Everything{Everything: true}
	key := int32(1)
	cursors := func(list ...string) *adminv1.EraseRequest_Cursors_ {
		return &adminv1.EraseRequest_Cursors_{Cursors: &adminv1.EraseRequest_Cursors{Cursors: list}}
	}
	for want, req := range map[string]*adminv1.EraseRequest{
		"source and context":   {Source: "acme", Subject: everything},
		"source and context m": {Context: "Cust1", Subject: everything},
		"say what is to go":    {Source: "acme", Context: "Cust1"},
		"must be true":         {Source: "acme", Context: "Cust1", Subject: &adminv1.EraseRequest_Everything{}},
		"person_id must be":    {Source: "acme", Context: "Cust1", Subject: &adminv1.EraseRequest_PersonId{}},
		"associate_id must be": {Source: "acme", Context: "Cust1", Subject: &adminv1.EraseRequest_AssociateId{AssociateId: -1}},
		"record needs":         {Source: "acme", Context: "Cust1", Subject: &adminv1.EraseRequest_Record_{Record: &adminv1.EraseRequest_Record{Entity: "sale"}}},
		"record needs its":     {Source: "acme", Context: "Cust1", Subject: &adminv1.EraseRequest_Record_{Record: &adminv1.EraseRequest_Record{PrimaryKey: &key}}},
		"has never held":       {Source: "acme", Context: "Cust3", Subject: everything},
		"has never held any":   {Source: "emca", Context: "Cust1", Subject: everything},
		"cursors must be 1":    {Source: "acme", Context: "Cust1", Subject: cursors()},
		"cursors[0]: malf":     {Source: "acme", Context: "Cust1", Subject: cursors("x")},
		"cursors[1] is of no":  {Source: "acme", Context: "Cust1", Subject: cursors(log.Cursor(1), log.Cursor(2))},
		"cursors[0] is of no":  {Source: "acme", Context: "Cust1", Subject: cursors(log.Cursor(0))},
		"after_cursor: malf":   {Source: "acme", Context: "Cust1", Subject: everything, AfterCursor: "x"},
	} {
		req.Execute = true
		_, err := client.Erase(t.Context(), req)
		if c := status.Code(err); c != codes.InvalidArgument && c != codes.NotFound || !strings.Contains(status.Convert(err).Message(), want) {
			t.Errorf("%v: %v, want %q", req, err, want)
		}
	}
	if got := kinds(t, log); got != "EE" {
		t.Errorf("the log is %s", got)
	}
}
