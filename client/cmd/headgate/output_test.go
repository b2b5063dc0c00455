package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

func TestEventLines(t *testing.T) {
	relation := func(change func(*headgatev1.RelationEvent)) *headgatev1.Event {
		e := scripted.Event(20)
		change(e.GetRelation())
		return e
	}
	for want, e := range map[string]*headgatev1.Event{
		"relation.created  Cust26759  #20  contact 1 -> contact 2  by 5": scripted.Event(20),
		"relation.created  Cust26759  #20  table 5/1 -> 2  by 5": relation(func(r *headgatev1.RelationEvent) {
			r.SourceEntity, r.DestinationEntity, r.DestinationTable = nil, nil, nil
		}),
		"relation.created  Cust26759  #20  by 5": relation(func(r *headgatev1.RelationEvent) { r.SourceRecord = nil }),
		"ticket.changed  globex/Default  #0  [id read_by_owner]  by 0": {
			EventType: "ticket.changed", Action: "changed", Context: "Default", Source: "globex", PrimaryKey: proto.Int32(0),
			ChangedByAssociateId: proto.Int32(0), ChangedFields: []string{"id", "read_by_owner"},
		},
		"contact.deleted  Cust1": {EventType: "contact.deleted", Action: "deleted", Context: "Cust1", ChangedFields: []string{"name"}},
		`y_\x1b[2J\n.created  \u202eCust\u009b1  [æøå]`: {
			EventType: "y_\x1b[2J\n.created", Action: "changed", Context: "\u202eCust\u009b1", ChangedFields: []string{"æøå"},
		},
	} {
		if got := eventLine(e); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

func TestJSONLineIsSafeAndSaysTheSame(t *testing.T) {
	name := "a\x1b[2J\x7f\u009b\u202e\u2028\U000e0001\"\\ æ 日本 \n"
	e := &headgatev1.Event{EventType: "relation.created", WebhookName: &name}
	line, err := jsonLine(e)
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("%q has %q", line, line[i:])
	}
	var back headgatev1.Event
	if err := protojson.Unmarshal([]byte(line), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, &back, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("relation.created")
	f.Add("\x1b[2J\u009b\u202e\xff")
	f.Add("'\\\U0001f6b0\ufffd")
	f.Fuzz(func(t *testing.T, s string) {
		if got := printable(s); strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q came out as %q", s, got)
		}
		line, err := jsonLine(&headgatev1.Filter{Entities: []string{strings.ToValidUTF8(s, "?")}})
		if err != nil || !json.Valid([]byte(line)) {
			t.Errorf("%q came out as %q, %v", s, line, err)
		}
	})
}
