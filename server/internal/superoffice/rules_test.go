package superoffice

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// secret stands for content in bodies that break a rule. No problem may repeat it.
const secret = "s3cret"

func deep(levels int) string {
	return strings.Repeat(`{"a":`, levels) + `"` + secret + `"` + strings.Repeat("}", levels)
}

func TestRules(t *testing.T) {
	const ok = `"EventId":"1","Event":"relation.created","ContextIdentifier":"Cust1"`
	long := strings.Repeat("x", 257)
	for _, test := range []struct {
		name, body string
		problem    string // a part of it; "" means that the body is fine
	}{
		{"fine", `{` + ok + `}`, ""},
		{"fine, white space around", "\r\n\t {" + ok + "} \n", ""},

		// Strict JSON.
		{"empty", ``, "the body is empty"},
		{"only white space", " \n", "the body is empty"},
		{"array", `[{` + ok + `}]`, "must be a JSON object"},
		{"string", `"` + secret + `"`, "must be a JSON object"},
		{"number", `1`, "must be a JSON object"},
		{"null", `null`, "must be a JSON object"},
		{"not JSON", secret, "not valid JSON at byte 0"},
		{"byte order mark", "\ufeff{" + ok + `}`, "not valid JSON at byte 0"},
		{"cut", `{` + ok, "ends before"},
		{"cut in a string", `{"EventId":"` + secret, "ends before"},
		{"cut in Changes", `{"Changes":["a",`, "ends before"},
		{"trailing object", `{` + ok + `}{}`, "data after"},
		{"trailing garbage", `{` + ok + `}` + secret, "data after"},
		{"trailing comma", `{` + ok + `,}`, "not valid JSON"},
		{"comment", `{` + ok + `/*` + secret + `*/}`, "not valid JSON"},
		{"single quotes", `{` + ok + `,'a':1}`, "not valid JSON"},
		{"unquoted name", `{` + ok + `,a:1}`, "not valid JSON"},
		{"name is a number", `{` + ok + `,1:1}`, "not valid JSON"},
		{"broken array", `{` + ok + `,"a":[1 2]}`, "not valid JSON"},
		{"NaN", `{` + ok + `,"FieldValues":{"a":NaN}}`, "not valid JSON"},
		{"leading zero", `{` + ok + `,"PrimaryKey":01}`, "not valid JSON"},
		{"raw control character", "{" + ok + ",\"a\":\"\x01\"}", "not valid JSON"},
		{"bad UTF-8 in a value", "{" + ok + ",\"a\":\"\xff\"}", "not valid UTF-8"},
		{"bad UTF-8 in a key", "{" + ok + ",\"a\xc0\xaf\":1}", "not valid UTF-8"},
		{"encoded surrogate", "{" + ok + ",\"a\":\"\xed\xa0\x80\"}", "not valid UTF-8"},
		{"lone surrogate escape", `{` + ok + `,"a":"\ud800"}`, "not valid JSON"},

		// Every key once.
		{"EventId twice", `{"EventId":"` + secret + `",` + ok + `}`, `"EventId" stands twice`},
		{"escaped twin", `{` + ok + `,"\u0045ventId":"2"}`, `"EventId" stands twice`},
		{"unknown key twice", `{` + ok + `,"a":1,"a":1}`, `"a" stands twice`},
		{"twice in FieldValues", `{` + ok + `,"FieldValues":{"associateId":1,"associateId":2}}`, `"FieldValues.associateId" stands twice`},
		{"twice in Values", `{` + ok + `,"Values":{"a":1,"a":2}}`, `"Values.a" stands twice`},
		{"twice deeper", `{` + ok + `,"FieldValues":{"a":{"s3cret":1,"s3cret":2}}}`, `within "FieldValues.a"`},
		{"twice within an array", `{` + ok + `,"x":[{"s3cret":1,"s3cret":2}]}`, `within "x"`},

		// No other spelling of a key.
		{"lower case", `{` + ok + `,"contextidentifier":"` + secret + `"}`, "differs from ContextIdentifier only in case"},
		{"lower case alone", `{"eventid":"1","Event":"a.b","ContextIdentifier":"c"}`, "differs from EventId only in case"},
		{"upper case", `{` + ok + `,"FIELDVALUES":{}}`, "differs from FieldValues only in case"},
		{"Kelvin sign", `{` + ok + `,"Primary` + "\u212a" + `ey":1}`, "differs from PrimaryKey only in case"},
		{"long s", `{` + ok + `,"Value` + "\u017f" + `":{}}`, "differs from Values only in case"},
		{"other case in FieldValues", `{` + ok + `,"FieldValues":{"Event":1,"event":2}}`, ""},

		// Depth.
		{"16 deep", `{` + ok + `,"a":` + deep(15) + `}`, ""},
		{"16 deep in FieldValues", `{` + ok + `,"FieldValues":` + deep(15) + `}`, ""},
		{"17 deep", `{` + ok + `,"a":` + deep(16) + `}`, `nested more than 16 deep in "a"`},
		{"17 deep in FieldValues", `{` + ok + `,"FieldValues":` + deep(16) + `}`, `nested more than 16 deep in "FieldValues.a"`},
		{"17 deep arrays", `{` + ok + `,"a":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`, `nested more than 16 deep in "a"`},
		{"a million deep", `{` + ok + `,"a":` + strings.Repeat("[", 1e6) + `}`, `nested more than 16 deep in "a"`},

		// The names.
		{"no EventId", `{"Event":"a.b","ContextIdentifier":"c"}`, "EventId: expected a string of 1 to 256 bytes without control characters, found nothing"},
		{"EventId null", `{"EventId":null,"Event":"a.b","ContextIdentifier":"c"}`, "EventId: expected a string of 1 to 256 bytes without control characters, found null"},
		{"EventId number", `{"EventId":17,"Event":"a.b","ContextIdentifier":"c"}`, "found a number"},
		{"EventId object", `{"EventId":{"a":"s3cret"},"Event":"a.b","ContextIdentifier":"c"}`, "found an object"},
		{"EventId array", `{"EventId":[],"Event":"a.b","ContextIdentifier":"c"}`, "found an array"},
		{"EventId boolean", `{"EventId":true,"Event":"a.b","ContextIdentifier":"c"}`, "found a boolean"},
		{"EventId empty", `{"EventId":"","Event":"a.b","ContextIdentifier":"c"}`, "found an empty one"},
		{"EventId long", `{"EventId":"` + long + `","Event":"a.b","ContextIdentifier":"c"}`, "found a longer one"},
		{"EventId of 256", `{"EventId":"` + long[1:] + `","Event":"a.b","ContextIdentifier":"c"}`, ""},
		{"EventId with NUL", `{"EventId":"a\u0000","Event":"a.b","ContextIdentifier":"c"}`, "EventId: expected"},
		{"EventId with C1", `{"EventId":"a\u0085","Event":"a.b","ContextIdentifier":"c"}`, "found one with control characters"},
		{"no Event", `{"EventId":"1","ContextIdentifier":"c"}`, "Event: expected"},
		{"Event empty", `{"EventId":"1","Event":"","ContextIdentifier":"c"}`, "Event: expected"},
		{"Event long", `{"EventId":"1","Event":"` + long + `","ContextIdentifier":"c"}`, "Event: expected"},
		{"Event with newline", `{"EventId":"1","Event":"a\nb","ContextIdentifier":"c"}`, "Event: expected"},
		{"no context", `{"EventId":"1","Event":"a.b"}`, "ContextIdentifier: expected"},
		{"context empty", `{"EventId":"1","Event":"a.b","ContextIdentifier":""}`, "ContextIdentifier: expected"},
		{"context long", `{"EventId":"1","Event":"a.b","ContextIdentifier":"` + long + `"}`, "ContextIdentifier: expected"},
		{"context with DEL", `{"EventId":"1","Event":"a.b","ContextIdentifier":"` + "\x7f" + `"}`, "ContextIdentifier: expected"},
		{"Entity number", `{` + ok + `,"Entity":1}`, "Entity: expected"},
		{"Entity long", `{` + ok + `,"Entity":"` + long + `"}`, "Entity: expected"},
		{"Entity with tab", `{` + ok + `,"Entity":"a\tb"}`, "Entity: expected"},
		{"Entity null", `{` + ok + `,"Entity":null}`, ""},
		{"Entity empty", `{` + ok + `,"Entity":""}`, ""},
		{"no entity at all", `{"EventId":"1","Event":".created","ContextIdentifier":"c"}`, "Entity: expected"},
		{"entity before no dot", `{"EventId":"1","Event":".created","Entity":"x","ContextIdentifier":"c"}`, ""},

		// The other types.
		{"Changes null", `{` + ok + `,"Changes":null}`, ""},
		{"Changes string", `{` + ok + `,"Changes":"s3cret"}`, "Changes: expected an array of strings, found a string"},
		{"Changes object", `{` + ok + `,"Changes":{}}`, "Changes: expected an array of strings, found an object"},
		{"Changes of numbers", `{` + ok + `,"Changes":["a",1]}`, "Changes: expected an array of strings, found a number in it"},
		{"Changes with null", `{` + ok + `,"Changes":[null]}`, "found null in it"},
		{"Changes of arrays", `{` + ok + `,"Changes":[["s3cret"]]}`, "found an array in it"},
		{"PrimaryKey null", `{` + ok + `,"PrimaryKey":null}`, ""},
		{"PrimaryKey beyond", `{` + ok + `,"PrimaryKey":2147483648}`, "PrimaryKey: expected an integer of 32 bits, found a number"},
		{"PrimaryKey below", `{` + ok + `,"PrimaryKey":-2147483649}`, "PrimaryKey: expected"},
		{"PrimaryKey fraction", `{` + ok + `,"PrimaryKey":20.5}`, "PrimaryKey: expected"},
		{"PrimaryKey exponent", `{` + ok + `,"PrimaryKey":2e1}`, "PrimaryKey: expected"},
		{"PrimaryKey text", `{` + ok + `,"PrimaryKey":"s3cret"}`, "PrimaryKey: expected an integer of 32 bits, found a string"},
		{"PrimaryKey empty", `{` + ok + `,"PrimaryKey":""}`, "PrimaryKey: expected"},
		{"PrimaryKey spaced", `{` + ok + `,"PrimaryKey":" 20"}`, "PrimaryKey: expected"},
		{"PrimaryKey signed", `{` + ok + `,"PrimaryKey":"+20"}`, "PrimaryKey: expected"},
		{"PrimaryKey padded", `{` + ok + `,"PrimaryKey":"020"}`, "PrimaryKey: expected"},
		{"PrimaryKey boolean", `{` + ok + `,"PrimaryKey":true}`, "PrimaryKey: expected"},
		{"PrimaryKey object", `{` + ok + `,"PrimaryKey":{}}`, "PrimaryKey: expected"},
		{"changed by null", `{` + ok + `,"ChangedByAssociateId":null}`, ""},
		{"changed by text", `{` + ok + `,"ChangedByAssociateId":"s3cret"}`, "ChangedByAssociateId: expected"},
		{"changed by beyond", `{` + ok + `,"ChangedByAssociateId":99999999999}`, "ChangedByAssociateId: expected"},
		{"WebhookName null", `{` + ok + `,"WebhookName":null}`, ""},
		{"WebhookName long, odd", `{` + ok + `,"WebhookName":"` + long + `\u0000"}`, ""},
		{"WebhookName number", `{` + ok + `,"WebhookName":1}`, "WebhookName: expected a string, found a number"},
		{"FieldValues array", `{` + ok + `,"FieldValues":["s3cret"]}`, "FieldValues: expected an object, found an array"},
		{"FieldValues string", `{` + ok + `,"FieldValues":"s3cret"}`, "FieldValues: expected an object, found a string"},
		{"FieldValues null", `{` + ok + `,"FieldValues":null}`, ""},
		{"Values number", `{` + ok + `,"Values":1}`, "Values: expected an object, found a number"},
		{"Values null", `{` + ok + `,"Values":null}`, ""},
		{"Timestamp of any type", `{` + ok + `,"Timestamp":{"a":["s3cret"]}}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			ev, err := Translate(testSource(t), []byte(test.body))
			if test.problem == "" {
				if err != nil || ev == nil {
					t.Fatalf("got %v, %v, want an event", ev, err)
				}
				return
			}
			var rule *RuleError
			if !errors.As(err, &rule) || ev != nil {
				t.Fatalf("got %v, %v, want a RuleError", ev, err)
			}
			if !strings.Contains(rule.Problem, test.problem) {
				t.Errorf("problem %q does not say %q", rule.Problem, test.problem)
			}
			if strings.Contains(err.Error(), secret) || len(err.Error()) > 600 {
				t.Errorf("problem repeats the body: %q", err)
			}
		})
	}
}

// TestClaims: a broken body is shown under the tenant and the event type that it claims, but only where there is one claim.
func TestClaims(t *testing.T) {
	for _, test := range []struct{ name, body, context, eventType string }{
		{"wrong type before", `{"EventId":1,"ContextIdentifier":"Cust1","Event":"a.b"}`, "Cust1", "a.b"},
		{"wrong Changes before", `{"Changes":1,"EventId":"1","ContextIdentifier":"Cust1","Event":"a.b"}`, "Cust1", "a.b"},
		{"too deep before", `{"Values":` + deep(16) + `,"ContextIdentifier":"Cust1","Event":"a.b"}`, "Cust1", "a.b"},
		{"other variant before", `{"eventid":"1","ContextIdentifier":"Cust1","Event":"a.b"}`, "Cust1", "a.b"},
		{"cut after", `{"ContextIdentifier":"Cust1","Event":"a.b","Fiel`, "Cust1", "a.b"},
		{"cut before", `{"Event":"a.b","ContextIdentifier":"Cu`, "", "a.b"},
		{"context twice", `{"ContextIdentifier":"Cust1","Event":"a.b","ContextIdentifier":"Cust2"}`, "", "a.b"},
		{"context variant after", `{"ContextIdentifier":"Cust1","Event":"a.b","contextIdentifier":"Cust2"}`, "", "a.b"},
		{"context variant before", `{"contextIdentifier":"Cust1","Event":"a.b","ContextIdentifier":"Cust2"}`, "", "a.b"},
		{"event twice", `{"ContextIdentifier":"Cust1","Event":"a.b","Event":"c.d"}`, "Cust1", ""},
		{"odd context", `{"ContextIdentifier":"Cust\u00001","Event":"a.b"}`, "", "a.b"},
		{"context elsewhere twice", `{"ContextIdentifier":"Cust1","Event":"a.b","x":{"ContextIdentifier":1,"ContextIdentifier":2}}`, "Cust1", "a.b"},
		{"not JSON", `Cust1`, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Translate(testSource(t), []byte(test.body))
			var rule *RuleError
			if !errors.As(err, &rule) {
				t.Fatalf("got %v, want a RuleError", err)
			}
			if rule.Context != test.context || rule.EventType != test.eventType {
				t.Errorf("claims %q, %q, want %q, %q", rule.Context, rule.EventType, test.context, test.eventType)
			}
		})
	}
}

func TestEntityAndAction(t *testing.T) {
	for _, test := range []struct{ event, entity, wantEntity, wantAction string }{
		{"relation.created", "relation", "relation", "created"},
		{"relation.created", "", "relation", "created"},
		{"list.category.created", "", "list.category", "created"},
		{"list.category.created", "list.category", "list.category", "created"},
		{"webhook.errors", "", "webhook", "errors"},
		{"test", "", "test", ""},
		{"test", "test", "test", ""},
		{"odd.", "", "odd", ""},
		{"sale.sold", "relation", "relation", "sold"},
		{"Relation.created", "", "Relation", "created"},
	} {
		body := `{"EventId":"1","ContextIdentifier":"c","Event":"` + test.event + `","Entity":"` + test.entity + `"}`
		ev := mustTranslate(t, testSource(t), body)
		if ev.Entity != test.wantEntity || ev.Action != test.wantAction || ev.EventType != test.event {
			t.Errorf("%s %q: got entity %q, action %q", test.event, test.entity, ev.Entity, ev.Action)
		}
		if got := ev.GetRelation() != nil; got != (test.wantEntity == "relation") {
			t.Errorf("%s %q: has a relation: %v", test.event, test.entity, got)
		}
		if ev.GetAssociate() != nil {
			t.Errorf("%s %q: has an associate", test.event, test.entity)
		}
	}
}

// TestNoLocation: a source without a location reads dates without a zone as UTC.
func TestNoLocation(t *testing.T) {
	ev := mustTranslate(t, &Source{Name: "dev"}, relationBody(`{"updated":"2025-05-14T16:00:00"}`))
	if got, want := ev.GetRelation().GetUpdated().AsTime(), time.Date(2025, 5, 14, 16, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func relationBody(fieldValues string) string {
	return `{"EventId":"1","ContextIdentifier":"c","Event":"relation.changed","FieldValues":` + fieldValues + `}`
}

func mustTranslate(t testing.TB, src *Source, body string) *headgatev1.Event {
	t.Helper()
	ev, err := Translate(src, []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return ev
}

// TestNothingOfTheBodyBefore: what one body held, or was wrong with it, is no part of the next.
func TestNothingOfTheBodyBefore(t *testing.T) {
	src := testSource(t)
	plain := relationBody(`{"reldef_id":7}`)
	want := mustTranslate(t, src, plain)
	for _, before := range []string{
		relationBody(`{"a":1,"b":{"c":[2]},"reldef_id":8}`),
		strings.Replace(plain, "{", `{"Values":{"d":3},"WebhookName":"w","more":"x","Changes":["y"],`, 1),
		strings.Replace(plain, "{", `{"contextidentifier":"Cust1",`, 1),
		plain[:len(plain)/2], "[]", "",
	} {
		_, _ = Translate(src, []byte(before))
		if got := mustTranslate(t, src, plain); !proto.Equal(got, want) {
			t.Errorf("after %s: got %v, want %v", before, got, want)
		}
	}
}
