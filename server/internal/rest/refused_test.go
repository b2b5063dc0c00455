package rest

import (
	"net"
	"net/http"
	"slices"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// TestWhatIsRefusedAtTheDoorIsTold: nobody behind the door hears of it otherwise.
func TestWhatIsRefusedAtTheDoorIsTold(t *testing.T) {
	type line struct{ remote, what, reason string }
	var told []line
	hear := func(remote, what string, err error) {
		host, _, _ := net.SplitHostPort(remote)
		info, _ := status.Convert(err).Details()[0].(*errdetails.ErrorInfo)
		told = append(told, line{host, what, info.GetReason()})
	}
	authorization := "Bearer " + token
	guarded := serveAPI(t, newTestAPI(t, guarded(t, &authorization), Options{Refused: hear}, stall))
	open := serveAPI(t, newTestAPI(t, refusingScript(t), Options{Refused: hear, OpenToAnybody: true}, stall))
	for _, c := range []struct {
		name, method, url string
		header            []string
		status            int
		want              []line
	}{
		{"what is allowed", "GET", guarded + "/v1/log", []string{"Authorization", authorization}, 200, nil},
		{"what is wrong with a request", "GET", guarded + "/v1/log?x=1", []string{"Authorization", authorization}, 400, nil},
		{"a page of another site", "GET", guarded + "/v1/log", []string{"Sec-Fetch-Site", "cross-site"}, 403, []line{{"127.0.0.1", "REST GET", "CROSS_ORIGIN"}}},
		{"a method of its own", "SECRET", guarded + "/v1/log", []string{"Origin", "null"}, 403, []line{{"127.0.0.1", "REST", "CROSS_ORIGIN"}}},
		{"a host that is another", "GET", open + "/v1/log", []string{"Host", "evil.example"}, 403, []line{{"127.0.0.1", "REST GET", "HOST_REFUSED"}}},
		{"no header", "GET", guarded + "/v1/log", []string{"Authorization", "Bearer \u00e9"}, 401, []line{{"127.0.0.1", "REST GET", "UNAUTHENTICATED"}}},
		{"a session for nobody", "POST", guarded + "/v1/session", nil, 401, []line{{"127.0.0.1", "REST POST", "UNAUTHENTICATED"}}},
		{"a session for no token", "POST", guarded + "/v1/session", []string{"Authorization", "Basic x"}, 401, []line{{"127.0.0.1", "REST POST", "UNAUTHENTICATED"}}},
	} {
		told = nil
		req, err := http.NewRequestWithContext(t.Context(), c.method, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.header) > 0 {
			req.Header.Set(c.header[0], c.header[1])
			req.Host = req.Header.Get("Host") // else the URL's
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s: answered %d", c.name, resp.StatusCode)
		}
		if !slices.Equal(told, c.want) {
			t.Errorf("%s: told %v, want %v", c.name, told, c.want)
		}
	}
}
