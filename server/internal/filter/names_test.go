package filter_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/filter"
)

func entities(v ...string) *headgatev1.Filter   { return &headgatev1.Filter{Entities: v} }
func eventTypes(v ...string) *headgatev1.Filter { return &headgatev1.Filter{EventTypes: v} }
func actions(v ...string) *headgatev1.Filter    { return &headgatev1.Filter{Actions: v} }

func TestKnownNames(t *testing.T) {
	for _, tc := range []struct {
		name  string
		get   func() []string
		field func(...string) *headgatev1.Filter
		some  []string
		not   []string
	}{
		{
			"entities", filter.KnownEntities, entities,
			[]string{"relation", "associate", "contact", "chatsession", "salestakeholder", "webhook"},
			[]string{"test", "appointment"},
		},
		{
			"event types", filter.KnownEventTypes, eventTypes,
			[]string{
				"relation.created", "relation.changed", "relation.deleted", "associate.created", "associate.changed", "associate.deleted",
				"contact.softdeleted", "person.unconsented", "chatsession.message", "document.edited", "sale.lost", "quote.ordered", "webhook.errors",
			},
			[]string{"test", "ticket.deleted", "quote.created", "chatsession.deleted"},
		},
		{
			"actions", filter.KnownActions, actions,
			[]string{"created", "changed", "deleted", "softdeleted", "sold", "errors"},
			[]string{"test", "updated"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			known := tc.get()
			if !slices.IsSorted(known) || len(slices.Compact(slices.Clone(known))) != len(known) {
				t.Errorf("not sorted, or not distinct: %q", known)
			}
			for _, n := range tc.some {
				if !slices.Contains(known, n) {
					t.Errorf("%q is missing", n)
				}
			}
			for _, n := range tc.not {
				if slices.Contains(known, n) {
					t.Errorf("%q is not documented", n)
				}
			}
			if got := compile(t, tc.field(known...), nil).Unknown(); len(got) > 0 {
				t.Errorf("unknown: %q", got)
			}
			known[0] = "overwritten"
			if tc.get()[0] == "overwritten" {
				t.Error("the caller can overwrite the list")
			}
		})
	}
}

func TestNamesOfOpenKindsAreKnown(t *testing.T) {
	for _, f := range []*headgatev1.Filter{
		entities("y_person", "y_table", "y_relation", "list.category", "list.110", "list.relation", "webhook123"),
		eventTypes("y_person.created", "list.category.softdeleted", "list.110.changed", "webhook66.errors", "y_a.b.deleted"),
	} {
		if got := compile(t, f, nil).Unknown(); len(got) > 0 {
			t.Errorf("unknown: %q", got)
		}
	}
}

// Names are open sets: what is not close to a known one may be right.
func TestUnknownNamesAreAcceptedAndListed(t *testing.T) {
	f := &headgatev1.Filter{
		Entities:      []string{"zebra", "invoice", "zebra", "relation", "y_", "list"},
		EventTypes:    []string{"invoice.paid", "heartbeat", "invoice.created", "relation.softdeleted", "y_a.happened", "relation", "zebra"},
		Actions:       []string{"paid", "created", "zebra", "won"},
		Contexts:      []string{"relatoin"},
		Sources:       []string{"relatoin"},
		ChangedFields: []string{"relatoin"},
	}
	want := []string{
		"heartbeat", "invoice", "invoice.created", "invoice.paid", "list", "paid", "relation", "relation.softdeleted", "won", "y_", "y_a.happened",
		"zebra",
	}
	if got := compile(t, f, nil).Unknown(); !slices.Equal(got, want) {
		t.Errorf("Unknown = %q\n      want %q", got, want)
	}
	if got := compile(t, nil, nil).Unknown(); len(got) > 0 {
		t.Errorf("Unknown of no filter = %q", got)
	}
}

// TestManyUnknownNames: what is near is looked for among the first of them only; all are told.
func TestManyUnknownNames(t *testing.T) {
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("spaceship%d", i)
	}
	p, err := filter.Compile(&headgatev1.Filter{Entities: append(names[:999:999], "relatoin")}, nil)
	if err != nil || len(p.Unknown()) != 1000 {
		t.Errorf("%d names, %v", len(p.Unknown()), err)
	}
	if _, err := filter.Compile(&headgatev1.Filter{Entities: append(names[:10:10], "relatoin")}, nil); err == nil {
		t.Error("a slip among a few is not seen")
	}
}

func TestNearlyKnownNamesAreRefused(t *testing.T) {
	for _, tc := range []struct {
		field   func(...string) *headgatev1.Filter
		path    string
		problem string // %s stands for written, meant
		cases   map[string]string
	}{
		{entities, "filter.entities", `%q is not a known entity; did you mean %q?`, map[string]string{
			"relatoin":        "relation", // two neighbours swapped
			"relaton":         "relation",
			"relations":       "relation",
			"relatiun":        "relation",
			"reltaionn":       "relation", // two errors in a long name
			"Relation":        "relation",
			"RELATOIN":        "relation",
			" relation":       "relation",
			"relation.":       "relation",
			"assosiates":      "associate",
			"sale.":           "sale",
			"SALE":            "sale",
			"sales":           "sale",
			"salestakeholdr":  "salestakeholder",
			"sale-stakeholde": "salestakeholder",
			"project-member":  "projectmember",
			"Webhook":         "webhook",
			"webhooks":        "webhook",
			"List.Category":   "list.category",
			"Y_person":        "y_person",
			"WEBHOOK66":       "webhook66",
		}},
		{eventTypes, "filter.event_types", `%q is not a known event type; did you mean %q?`, map[string]string{
			"relation.create":       "relation.created",
			"relations.created":     "relation.created",
			"relatoin.craeted":      "relation.created",
			"Relation.Created":      "relation.created",
			"relation_created":      "relation.created",
			"relationcreated":       "relation.created",
			"relations.create":      "relation.created",
			"asociates.deleteds":    "associate.deleted",
			"contact.soft-deleted":  "contact.softdeleted",
			"quote.create":          "quote.created", // the action is mistyped, whatever the entity
			"invoice.create":        "invoice.created",
			"relations.paid":        "relation.paid",
			"y_order.create":        "y_order.created",
			"Y_order.created":       "y_order.created",
			"List.category.created": "list.category.created",
			"list.category.change":  "list.category.changed",
			"webhook66.error":       "webhook66.errors",
			"webhook.erorrs":        "webhook.errors",
			"sale.sole":             "sale.sold",
			"Sale.Lost":             "sale.lost",
		}},
		{actions, "filter.actions", `%q is not a known action; did you mean %q?`, map[string]string{
			"create":      "created",
			"Created":     "created",
			"craeted":     "created",
			"delete":      "deleted",
			"changes":     "changed",
			"soft_delete": "softdeleted",
			"softdelete":  "softdeleted",
			"sol":         "sold",
			"LOST":        "lost",
			"send":        "sent",
			"unconsentd":  "unconsented",
			"nconsented":  "consented", // as near to unconsented: the first of the alphabet
		}},
	} {
		for written, meant := range tc.cases {
			t.Run(tc.path+"/"+written, func(t *testing.T) {
				e := refusal(t, tc.field("y_fine", written), nil)
				if want := fmt.Sprintf(tc.problem, written, meant); e.Field != tc.path || e.Problem != want {
					t.Errorf("refused with %v\nwant %s: %s", e, tc.path, want)
				}
			})
		}
	}
}

// Two errors in a short name make another name.
func TestNamesThatAreNotNear(t *testing.T) {
	for _, f := range []*headgatev1.Filter{
		entities("saga", "product", "parson-s", "offer", "appointment"),
		actions("seen", "updated", "said", "told-me", "ended"),
		eventTypes("sale.won", "appointment.created", "person.anonymized", "created", "test"),
	} {
		compile(t, f, nil)
	}
}

// A known entity with a known action may be rare, but it is not misspelt.
func TestPairsOfKnownNamesAreNeverRefused(t *testing.T) {
	for _, e := range append(filter.KnownEntities(), "y_a", "list.b", "webhook7", "y_relation") {
		for _, a := range filter.KnownActions() {
			compile(t, eventTypes(e+"."+a), nil)
		}
	}
}

// Whatever the one error, the name that is suggested is one of the documented ones.
func TestEveryTypingErrorIsFound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, tc := range []struct {
		field func(...string) *headgatev1.Filter
		known []string
	}{
		{entities, filter.KnownEntities()},
		{eventTypes, filter.KnownEventTypes()},
		{actions, filter.KnownActions()},
	} {
		for _, name := range tc.known {
			for range 50 {
				written := mistype(r, name)
				p, err := filter.Compile(tc.field(written), nil)
				if err == nil {
					if len(p.Unknown()) > 0 {
						t.Errorf("%q for %q was accepted", written, name)
					}
					continue // another known name
				}
				_, meant, _ := strings.Cut(err.Error(), "did you mean ")
				meant = strings.Trim(meant, `"?`)
				if !slices.Contains(tc.known, meant) {
					t.Errorf("%q for %q is refused with %v", written, name, err)
				}
			}
		}
	}
}

// mistype makes one error: a letter too many, too few or wrong, or two neighbours swapped.
func mistype(r *rand.Rand, name string) string {
	b := []byte(name)
	i := r.IntN(len(b) - 1)
	letter := "abcdefghijklmnopqrstuvwxyzABC_.-1"[r.IntN(33)]
	switch r.IntN(4) {
	case 0:
		return string(slices.Insert(b, i, letter))
	case 1:
		return string(slices.Delete(b, i, i+1))
	case 2:
		b[i] = letter
	default:
		b[i], b[i+1] = b[i+1], b[i]
	}
	return string(b)
}
