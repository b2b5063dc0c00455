package webhook

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// quarantinedBody is one that the door would not take for an event.
func quarantinedBody(contentType string) *eventlog.QuarantinedRecord {
	return &eventlog.QuarantinedRecord{
		Stored:     eventlog.Stored{Seq: 7, ReceivedAt: today.Add(-time.Hour), Kind: eventlog.KindGap, Keys: eventlog.Keys{Source: "acme"}},
		Quarantine: eventlog.Quarantine{Problem: "of that time", ContentType: contentType},
	}
}

// TestRetryGivesTheEventOfTheDoor: but for when it was first received, and that it ends a quarantine. Its duplicate key is the same.
func TestRetryGivesTheEventOfTheDoor(t *testing.T) {
	d := newDoor(t)
	d.signed(body(t))
	q := quarantinedBody("application/json")
	rec, isTest, stays := d.handler.Retry(q, []byte(body(t)))
	if isTest || stays != nil || rec == nil {
		t.Fatalf("%v, %v, %v", rec, isTest, stays)
	}
	door := d.stored()[0]
	got, want := new(headgatev1.Event), new(headgatev1.Event)
	if err := proto.Unmarshal(rec.Body, got); err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(door.Body, want); err != nil {
		t.Fatal(err)
	}
	if !got.GetFirstReceivedAt().AsTime().Equal(q.ReceivedAt) || want.FirstReceivedAt != nil {
		t.Errorf("first received at %v, at the door %v", got.GetFirstReceivedAt(), want.GetFirstReceivedAt())
	}
	got.FirstReceivedAt = nil
	if door.Keys.Shard = 0; !proto.Equal(got, want) || rec.Duplicate != door.Duplicate || rec.Keys != door.Keys || rec.Settles != 7 || string(rec.Raw) != body(t) {
		t.Errorf("%+v is not the event of the door, %+v", rec, door)
	}
	if dup, err := d.engine.Append(t.Context(), rec); !dup || err != nil {
		t.Errorf("what the CRM sent meanwhile is no duplicate: %v, %v", dup, err)
	}
}

// TestRetryKeepsTheRulesOfTheDoor: as the sources are now.
func TestRetryKeepsTheRulesOfTheDoor(t *testing.T) {
	foreign := strings.Replace(body(t), "Cust26759", "Cust666", 1)
	test := string(samples(t)["test"])
	d := newDoor(t)
	for name, c := range map[string]struct{ body, contentType, says string }{
		"foreign":     {foreign, "application/json", "may not speak for this context"},
		"not JSON":    {"{", "application/json", "JSON"},
		"nothing":     {"", "application/json", "JSON"},
		"wrong type":  {strings.Replace(body(t), `"PrimaryKey": 20`, `"PrimaryKey": true`, 1), "application/json", "PrimaryKey"},
		"test, wrong": {strings.Replace(test, `"PrimaryKey": 0`, `"PrimaryKey": true`, 1), "application/json", "PrimaryKey"},
	} {
		rec, isTest, stays := d.handler.Retry(quarantinedBody(c.contentType), []byte(c.body))
		if rec != nil || isTest || stays == nil || !strings.Contains(stays.Problem, c.says) || stays.ContentType != c.contentType {
			t.Errorf("%s: %v, %v, %+v", name, rec, isTest, stays)
		}
	}
	if rec, isTest, stays := d.handler.Retry(quarantinedBody("application/json"), []byte(test)); rec != nil || !isTest || stays != nil {
		t.Errorf("a test call: %v, %v, %v", rec, isTest, stays)
	}
	acme := (*d.handler.sources.Load())["acme"].Source
	acme.Contexts = append(acme.Contexts, "Cust666")
	d.handler.SetSources([]Source{acme})
	if rec, _, stays := d.handler.Retry(quarantinedBody("application/json"), []byte(foreign)); rec == nil || rec.Keys.Context != "Cust666" {
		t.Errorf("when the context is the source's: %v, %v", rec, stays)
	}
	d.handler.SetSources(nil)
	if rec, _, stays := d.handler.Retry(quarantinedBody("application/json"), []byte(body(t))); rec != nil || stays == nil || !strings.Contains(stays.Problem, "no source") {
		t.Errorf("when the source is gone: %v, %v", rec, stays)
	}
}
