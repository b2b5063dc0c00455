package server_test

import (
	"net/http"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/headgate/headgate/server"
	"github.com/headgate/headgate/server/internal/access"
)

const (
	eventService = "headgate.v1.EventService"
	adminService = "headgate.admin.v1.AdminService"
)

// TestExploration: whoever has a token finds by reflection, of either version, what there is, and calls it. Whoever has none finds nothing.
func TestExploration(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	cfg.Readers = map[string]server.Reader{
		"billing":    {Tokens: []string{access.HashToken("token-of-billing")}, Allow: []server.Allow{{Sources: []string{"acme"}, Entities: []string{"relation"}}}},
		"operations": {Tokens: []string{access.HashToken("token-of-operations")}, Operator: true},
	}
	g := start(t, cfg)
	for n, event := range []string{"relation.created", "contact.created", "relation.deleted"} {
		if got := g.post(body(n+1, event, "Cust26759")); got != http.StatusOK {
			t.Fatalf("a post was answered with %d", got)
		}
	}
	for _, version := range []string{"v1", "v1alpha"} {
		t.Run(version, func(t *testing.T) {
			for _, token := range []string{"", "of nobody"} {
				if names, err := g.explore(version, token).list(); status.Code(err) != codes.Unauthenticated {
					t.Errorf("with the token %q there is %v, %v", token, names, err)
				}
			}
			e := g.explore(version, "token-of-billing")
			checkDescribed(t, e)
			checkCalled(t, e)
			checkAdmin(t, e, g.explore(version, "token-of-operations"))
		})
	}
}

// checkDescribed: what is listed can be described, down to each field of each request and answer.
func checkDescribed(t *testing.T, e *explorer) {
	names, err := e.list()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{eventService, "headgate.v1.SubscriptionService", adminService, "grpc.health.v1.Health"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not listed, but %v", want, names)
		}
	}
	for _, name := range names {
		methods := e.describe(name).(protoreflect.ServiceDescriptor).Methods()
		if methods.Len() == 0 {
			t.Errorf("%s has no methods", name)
		}
		for i := range methods.Len() {
			for _, m := range []protoreflect.MessageDescriptor{methods.Get(i).Input(), methods.Get(i).Output()} {
				if found := e.describe(string(m.FullName())).(protoreflect.MessageDescriptor); found.Fields().Len() != m.Fields().Len() {
					t.Errorf("%s is described twice, not alike", m.FullName())
				}
			}
		}
	}
}

// checkCalled: single answers, streams and errors.
func checkCalled(t *testing.T, e *explorer) {
	answers, err := e.call(eventService, "ListEvents", `{"filter": {"actions": ["created"]}, "page_size": 10}`)
	if err != nil || len(answers) != 1 {
		t.Fatal(answers, err)
	}
	if events := answers[0].Get(fieldOf(answers[0], "events")).List(); events.Len() != 1 {
		t.Errorf("%d events are listed, want the one that the reader may read: %v", events.Len(), answers[0])
	}
	answers, err = e.call(eventService, "Subscribe", `{"start": {"at": "EDGE_EARLIEST"}, "stop_when_caught_up": true}`)
	if err != nil || len(answers) < 3 || !answers[0].Has(fieldOf(answers[0], "started")) || !answers[len(answers)-1].Has(fieldOf(answers[0], "closing")) {
		t.Fatalf("a stream ended with %v after %v", err, answers)
	}
	events := 0
	for _, answer := range answers {
		events += answer.Get(fieldOf(answer, "events")).List().Len()
	}
	if events != 2 {
		t.Errorf("a stream had %d events, want 2: %v", events, answers)
	}
	_, err = e.call(eventService, "ListEvents", `{"filter": {"entities": ["relatoin"]}}`)
	if got := e.detail(err, "google.rpc.ErrorInfo", "reason"); status.Code(err) != codes.InvalidArgument || got != "FILTER_INVALID" {
		t.Errorf("a misspelt name is refused with %v for %q", err, got)
	}
}

// checkAdmin: the operators' service shows itself to readers, and answers operators only.
func checkAdmin(t *testing.T, reader, operator *explorer) {
	if _, err := reader.call(adminService, "GetStatus", `{}`); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a reader's GetStatus ended with %v", err)
	}
	answers, err := operator.call(adminService, "GetStatus", `{}`)
	if err != nil || len(answers) != 1 || !answers[0].Get(fieldOf(answers[0], "ready")).Bool() {
		t.Errorf("an operator's GetStatus: %v, %v", answers, err)
	}
}

func fieldOf(m protoreflect.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(name)
}
