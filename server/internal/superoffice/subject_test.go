package superoffice

import (
	"slices"
	"strings"
	"testing"
)

func TestSubject(t *testing.T) {
	person := Subject{Entity: "person", ID: 17, Mentions: true}
	associate := Subject{Entity: "associate", ID: 17, Mentions: true}
	contact := Subject{Entity: "contact", ID: 17}
	link := Subject{Entity: "relation", ID: 17}
	src := &Source{Tables: map[int32]string{206: "person"}}
	body := func(event, rest string) string {
		return `{"EventId":"1","Event":"` + event + `","ContextIdentifier":"Cust1",` + rest + `}`
	}
	for _, c := range []struct {
		name string
		body string
		want []Subject
	}{
		{"a person", body("person.created", `"PrimaryKey":17`), []Subject{person}},
		{"its number is a string", body("person.created", `"PrimaryKey":"17"`), []Subject{person}},
		{"another person", body("person.created", `"PrimaryKey":170`), nil},
		{"the number of something else", body("sale.sold", `"PrimaryKey":17,"FieldValues":{"sale_id":17,"amount":17}`), nil},
		{"a record", body("contact.changed", `"PrimaryKey":17,"Entity":"contact"`), []Subject{contact}},
		{"Entity goes before Event", body("my.name", `"PrimaryKey":17,"Entity":"contact"`), []Subject{contact}},
		{"a record that is only mentioned", body("sale.sold", `"PrimaryKey":1,"FieldValues":{"contact_id":17}`), nil},
		{"a record by its own key", body("relation.deleted", `"Values":{"relation_id":17}`), []Subject{link}},
		{"the author", body("sale.sold", `"PrimaryKey":1,"ChangedByAssociateId":17`), []Subject{associate}},
		{"the owner", body("relation.created", `"PrimaryKey":1,"FieldValues":{"associateId":17}`), []Subject{associate}},
		{"the owner, by the documented name", body("relation.created", `"PrimaryKey":1,"Values":{"associate_id":17}`), []Subject{associate}},
		{"the owner, twice", body("relation.created", `"PrimaryKey":1,"FieldValues":{"associateId":5},"Values":{"associateId":17}`), []Subject{associate}},
		{"who registered", body("relation.created", `"PrimaryKey":1,"FieldValues":{"registered_associate_id":17}`), []Subject{associate}},
		{"who updated an associate", body("associate.changed", `"PrimaryKey":1,"FieldValues":{"updated_associate_id":17}`), []Subject{associate}},
		{"an associate", body("associate.changed", `"PrimaryKey":17`), []Subject{associate}},
		{"the person behind an associate", body("associate.changed", `"PrimaryKey":1,"FieldValues":{"person_id":17}`), []Subject{person}},
		{"a relation from", body("relation.created", `"PrimaryKey":1,"FieldValues":{"source_table":6,"source_record":17,"destination_table":5,"destination_record":9}`), []Subject{person}},
		{"a relation to", body("relation.created", `"PrimaryKey":1,"FieldValues":{"source_table":5,"source_record":9,"destination_table":6,"destination_record":17}`), []Subject{person}},
		{"the ends crossed", body("relation.created", `"PrimaryKey":1,"FieldValues":{"source_table":6,"source_record":9,"destination_table":5,"destination_record":17}`), nil},
		{"a configured table", body("relation.created", `"PrimaryKey":1,"FieldValues":{"source_table":206,"source_record":17}`), []Subject{person}},
		{"an entity that is not modelled", body("sale.sold", `"PrimaryKey":1,"FieldValues":{"person_id":"17"}`), []Subject{person}},
		{"an extra table", body("y_boat.created", `"PrimaryKey":1,"FieldValues":{"x_owner_person":"[I:17]"}`), []Subject{person}},
		{"a list", body("chat.created", `"PrimaryKey":1,"FieldValues":{"person_ids":[16,17]}`), []Subject{person}},
		{"deep inside", body("chat.created", `"PrimaryKey":1,"extra":{"a":[{"PersonId":17}]}`), []Subject{person}},
		{"a pair of another entity", body("activity.created", `"PrimaryKey":1,"FieldValues":{"link_table":6,"link_record":17}`), []Subject{person}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ev, err := Translate(src, []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []Subject{person, associate, contact, link} {
				want := slices.Contains(c.want, s)
				if got, err := s.Of(ev, src); got != want || err != nil {
					t.Errorf("the event is of %+v: %v, %v", s, got, err)
				}
				if got, whole := s.OfBody([]byte(c.body), src); got != want || !whole {
					t.Errorf("the body is of %+v: %v, whole %v", s, got, whole)
				}
				if got, whole := s.OfBody([]byte(strings.TrimSuffix(c.body, "}")), src); got != want || whole {
					t.Errorf("the body without its end is of %+v: %v, whole %v", s, got, whole)
				}
			}
		})
	}
}

// What made a body go to quarantine does not hide whom it is of.
func TestSubjectOfABodyThatGaveNoEvent(t *testing.T) {
	person := Subject{Entity: "person", ID: 17, Mentions: true}
	for body, want := range map[string][2]bool{ // found, whole
		`{"Event":"person.created","PrimaryKey":1,"PrimaryKey":17}`: {true, true},
		`{"event":"person.created","primarykey":17}`:                {true, true},
		"{\"WebhookName\":\"\xff\",\"person_id\":17}":               {true, true},
		`{"person_id":17} and more`:                                 {true, false},
		`{"person_id":17`:                                           {true, false},
		`{"person_id":`:                                             {false, false},
		`[{"person_id":17}]`:                                        {true, true},
		`17`:                                                        {false, true},
		`not JSON, person_id 17`:                                    {false, false},
		``:                                                          {false, true}, // there is nothing in it
	} {
		if found, whole := person.OfBody([]byte(body), &Source{}); found != want[0] || whole != want[1] {
			t.Errorf("%q: found %v, whole %v", body, found, whole)
		}
	}
}

func TestContexts(t *testing.T) {
	for body, want := range map[string][]string{
		`{"ContextIdentifier":"a","b":{"ContextIdentifier":"c"},"contextidentifier":"d"}`: {"a", "d"},
		`{"ContextIdentifier":"a","b":`: {"a"},
		`{"ContextIdentifier":1}`:       nil,
		`["ContextIdentifier"]`:         nil,
		`ContextIdentifier`:             nil,
	} {
		if got := Contexts([]byte(body)); !slices.Equal(got, want) {
			t.Errorf("%s: %q", body, got)
		}
	}
}
