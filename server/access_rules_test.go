package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/gen"
	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/access"
	"github.com/headgate/headgate/server/internal/console"
)

// TestEveryMethodHasARule: what the gRPC server and the pprof listener serve and what needs says are the same. A method without a rule is for nobody, which its
// author should learn here.
func TestEveryMethodHasARule(t *testing.T) {
	s, _ := running(t, reader("one"))
	served := map[string]bool{}
	for service, info := range s.grpc.GetServiceInfo() {
		for _, m := range info.Methods {
			full := "/" + service + "/" + m.Name
			served[full] = true
			if need := needs[full]; need == 0 {
				t.Errorf("%s has no rule: say in needs who may call it", full)
			} else if admin := strings.Contains(service, ".admin."); admin != (need == access.NeedOperator || need == access.NeedOperatorOften) {
				t.Errorf("%s: the rule is %v; what is of AdminService is for operators, and nothing else", full, need)
			}
		}
	}
	for path := range profiles {
		served[path] = true
		if needs[path] != access.NeedOperator {
			t.Errorf("%s: the rule is %v; profiles are for operators", path, needs[path])
		}
	}
	if len(served) < 10 {
		t.Errorf("only %d methods are served", len(served))
	}
	for full := range needs {
		if !served[full] {
			t.Errorf("needs has a rule for %s, which is not served", full)
		}
	}
}

// route is one of the REST API.
type route struct{ method, path string }

// routes are those of the OpenAPI document: those that ask who calls, and those that it describes as open to anybody.
func routes(t *testing.T) (list, public []route) {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			Security *[]any `json:"security"` // absent: as everywhere
		} `json:"paths"`
	}
	if err := json.Unmarshal(gen.OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	for path, verbs := range doc.Paths {
		for verb, operation := range verbs {
			r := route{strings.ToUpper(verb), strings.NewReplacer("{cursor}", "AAAAAAAAAAAAAAAAAAAAAA", "{id}", "1").Replace(path)}
			if operation.Security != nil && len(*operation.Security) == 0 {
				public = append(public, r)
			} else {
				list = append(list, r)
			}
		}
	}
	if len(list) < 10 || !slices.Contains(list, route{http.MethodPost, "/v1/session"}) {
		t.Fatalf("only %d routes: %v", len(list), list)
	}
	return list, public
}

// TestEveryRouteAsksWho: without credentials every route is closed but the description of the API, the console's files and the end of a session, AdminService's are closed
// to readers, and an operator gets answers.
func TestEveryRouteAsksWho(t *testing.T) {
	h := newHouse(t)
	status := func(who string, r route) int {
		t.Helper()
		code, _ := h.http(who, r.method, r.path, "")
		return code
	}
	guarded, public := routes(t)
	if want := []route{{http.MethodDelete, "/v1/session"}}; !slices.Equal(public, want) {
		t.Errorf("the OpenAPI document has %v for anybody, want %v", public, want)
	}
	public = append(public, route{http.MethodGet, "/openapi.json"})
	for _, path := range append(console.Files(), "/", "/console") { // the console, which has no data
		public = append(public, route{http.MethodGet, path})
	}
	for _, who := range []string{"nobody", "unknown", "expired"} {
		for _, r := range guarded {
			if got := status(who, r); got != http.StatusUnauthorized {
				t.Errorf("%s: %v answers %d", who, r, got)
			}
		}
		for _, r := range public {
			if got := status(who, r); got/100 != 2 {
				t.Errorf("%s: %v answers %d", who, r, got)
			}
		}
	}
	for _, r := range guarded {
		admin := strings.HasPrefix(r.path, "/admin/")
		for _, who := range []string{"all", "machine", "auditor"} {
			if got := status(who, r); admin != (got == http.StatusForbidden) || got == http.StatusUnauthorized && (r.path != "/v1/session" || who != "machine") {
				t.Errorf("%s: %v answers %d", who, r, got)
			}
		}
		// An operator without a grant is told so where events are read.
		reads := strings.HasPrefix(r.path, "/v1/events") && !strings.HasPrefix(r.path, "/v1/events/")
		if got := status("chief", r); reads && got != http.StatusForbidden || !reads && !slices.Contains([]int{200, 204, 400, 404}, got) {
			t.Errorf("an operator: %v answers %d", r, got)
		}
	}
	if got := status("chief", route{http.MethodGet, "/v1/nothing"}); got != http.StatusNotFound {
		t.Errorf("a route that is not there answers %d", got)
	}
}

// TestWhoIsAnOperatorIsTold: the description of the log says it, over gRPC and REST, as GetStatus would by refusing.
func TestWhoIsAnOperatorIsTold(t *testing.T) {
	h := newHouse(t)
	for who, want := range map[string]bool{"all": false, "chief": true} {
		ctx, client := h.as(t.Context(), who)
		d, err := client.DescribeLog(ctx, &headgatev1.DescribeLogRequest{})
		if err != nil || d.GetOperator() != want {
			t.Errorf("%s: %v, %v", who, d, err)
		}
		if _, err := adminv1.NewAdminServiceClient(h.grpcOf[false]).GetStatus(ctx, &adminv1.GetStatusRequest{}); (err == nil) != want {
			t.Errorf("%s asks for the status: %v", who, err)
		}
		status, text := h.http(who, http.MethodGet, "/v1/log", "")
		if status != http.StatusOK || strings.Contains(text, `"operator":true`) != want {
			t.Errorf("%s, over REST: %d %s", who, status, text)
		}
	}
}
