package rest

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

const token = "hg_0123456789abcdef"

// guarded is an EventService with one reader, whose authorization is what the pointer points at.
func guarded(t *testing.T, authorization *string) *script {
	check := func(ctx context.Context) error {
		md, _ := metadata.FromIncomingContext(ctx)
		if got := md.Get("authorization"); len(got) != 1 || got[0] != *authorization {
			return failure(t, codes.Unauthenticated, "the credentials are of no reader", &errdetails.ErrorInfo{Reason: "UNAUTHENTICATED", Domain: "headgate"})
		}
		return nil
	}
	return &script{
		describe: func(ctx context.Context) (*headgatev1.DescribeLogResponse, error) {
			return &headgatev1.DescribeLogResponse{Epoch: "e"}, check(ctx)
		},
		list: func(ctx context.Context, _ *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
			return &headgatev1.ListEventsResponse{}, check(ctx)
		},
		subscribe: func(_ *headgatev1.SubscribeRequest, out subscribeStream) error {
			if err := check(out.Context()); err != nil {
				return err
			}
			return out.Send(started("c0"))
		},
	}
}

// oneReader serves a guarded API for the reader with the token.
func oneReader(t *testing.T) (a *api, base string) {
	t.Helper()
	authorization := "Bearer " + token
	a = newTestAPI(t, guarded(t, &authorization), Options{}, stall)
	return a, serveAPI(t, a)
}

// sessionOf returns the one cookie that an answer sets.
func sessionOf(t *testing.T, resp *http.Response) *http.Cookie {
	t.Helper()
	all := resp.Cookies()
	if len(all) != 1 || strings.TrimPrefix(all[0].Name, "__Host-") != sessionCookie {
		t.Fatalf("got %d and cookies %v", resp.StatusCode, all)
	}
	return all[0]
}

// wantCleared checks whether an answer takes the cookie back.
func wantCleared(t *testing.T, resp *http.Response, want bool) {
	t.Helper()
	if !want {
		if all := resp.Cookies(); len(all) > 0 {
			t.Errorf("got cookies %v", all)
		}
		return
	}
	if c := sessionOf(t, resp); c.Value != "" || c.MaxAge != -1 || c.Path != "/" {
		t.Errorf("got %v", c)
	}
}

func TestASessionStandsForItsToken(t *testing.T) {
	_, base := oneReader(t)
	resp := call(t, "POST", base+"/v1/session", "", "Authorization", "Bearer "+token)
	if text := body(t, resp); resp.StatusCode != 204 || text != "" {
		t.Fatalf("got %d %s", resp.StatusCode, text)
	}
	c := sessionOf(t, resp)
	if got, want := c.Raw, "headgate_session="+c.Value+"; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(c.Value); err != nil || strings.Contains(string(raw), token) || strings.Contains(c.Value, token) {
		t.Errorf("the token can be read, or %v", err)
	}
	if again := sessionOf(t, call(t, "POST", base+"/v1/session", "{}", "Authorization", "Bearer "+token, "Sec-Fetch-Site", "same-origin")); again.Value == c.Value {
		t.Error("the same token gave the same cookie twice")
	}

	cookie := []string{"Cookie", "other=1; " + sessionCookie + "=" + c.Value}
	for _, r := range [][2]string{{"GET", "/v1/log"}, {"GET", "/v1/events"}, {"POST", "/v1/events:list"}, {"GET", "/v1/events:subscribe"}} {
		resp := call(t, r[0], base+r[1], "", append(cookie, "Accept", "text/event-stream")...)
		if resp.StatusCode != 200 {
			t.Errorf("%s: got %d", r, resp.StatusCode)
		}
		wantCleared(t, resp, false)
	}
	wantError(t, call(t, "GET", base+"/v1/log", ""), 401)
}

func TestTheServerStillChecksTheTokenOfASession(t *testing.T) {
	authorization := "Bearer " + token
	a := newTestAPI(t, guarded(t, &authorization), Options{}, stall)
	base := serveAPI(t, a)
	c := sessionOf(t, call(t, "POST", base+"/v1/session", "", "Authorization", "Bearer "+token))
	authorization = "Bearer another"
	for _, path := range []string{"/v1/log", "/v1/events:subscribe?start.at=latest"} {
		_, info := wantError(t, call(t, "GET", base+path, "", "Cookie", c.Name+"="+c.Value, "Accept", "text/event-stream"), 401)
		if info.GetReason() != "UNAUTHENTICATED" {
			t.Errorf("%s: got %v", path, info)
		}
	}
}

func TestABadCookieIsNoneAndIsCleared(t *testing.T) {
	a, base := oneReader(t)
	restarted := newTestAPI(t, &script{}, Options{}, stall)
	hour := time.Now().Add(time.Hour)
	good := a.seal.close(token, hour)
	forged := []byte(good)
	forged[len(forged)/2] ^= 1
	for name, value := range map[string]string{
		"empty":                 "",
		"not base64":            "!",
		"too short":             "AAAA",
		"the token itself":      token,
		"forged":                string(forged),
		"cut":                   good[:len(good)-4],
		"of another key":        restarted.seal.close(token, hour),
		"that ended":            a.seal.close(token, time.Now().Add(-time.Second)),
		"that ended long ago":   a.seal.close(token, time.Now().Add(-sessionLife)),
		"that ends this second": a.seal.close(token, time.Now()),
	} {
		t.Run(name, func(t *testing.T) {
			resp := call(t, "GET", base+"/v1/log", "", "Cookie", sessionCookie+"="+value)
			wantError(t, resp, 401)
			wantCleared(t, resp, true)
			resp = call(t, "GET", base+"/v1/events:subscribe?start.at=latest", "", "Cookie", sessionCookie+"="+value, "Accept", "text/event-stream")
			wantError(t, resp, 401)
			wantCleared(t, resp, true)
			// One that another page of this host set does not lock the reader out.
			resp = call(t, "GET", base+"/v1/log", "", "Cookie", sessionCookie+"="+value+"; "+sessionCookie+"="+good)
			wantCleared(t, resp, false)
			if resp.StatusCode != 200 {
				t.Errorf("beside a good one: got %d", resp.StatusCode)
			}
		})
	}
}

func TestASessionLastsTwelveHours(t *testing.T) {
	s, err := newSeal()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	text := s.close(token, begin.Add(sessionLife))
	if got, ok := s.open(text, begin.Add(12*time.Hour-time.Second)); !ok || got != token {
		t.Errorf("before its end: got %q, %v", got, ok)
	}
	if got, ok := s.open(text, begin.Add(12*time.Hour)); ok || got != "" {
		t.Errorf("at its end: got %q, %v", got, ok)
	}
}

func TestTheHeaderWinsOverTheCookie(t *testing.T) {
	a, base := oneReader(t)
	good := sessionCookie + "=" + a.seal.close(token, time.Now().Add(time.Hour))
	for _, header := range []string{"Bearer another", "Basic eDp5", "Bearer", ""} {
		resp := call(t, "GET", base+"/v1/log", "", "Authorization", header, "Cookie", good)
		wantError(t, resp, 401)
		wantCleared(t, resp, false)
	}
	resp := call(t, "GET", base+"/v1/log", "", "Authorization", "Bearer "+token, "Cookie", sessionCookie+"=bad")
	if resp.StatusCode != 200 {
		t.Errorf("got %d", resp.StatusCode)
	}
	wantCleared(t, resp, false)
}

func TestWhatMakesNoSession(t *testing.T) {
	a, base := oneReader(t)
	openAPI := newTestAPI(t, &script{describe: func(context.Context) (*headgatev1.DescribeLogResponse, error) {
		return &headgatev1.DescribeLogResponse{}, nil
	}}, Options{}, stall)
	open := serveAPI(t, openAPI)
	openAPI.seal = a.seal // so that both know the cookie
	bearer := []string{"Authorization", "Bearer " + token}
	long := "Bearer " + strings.Repeat("x", maxToken+1)
	for _, c := range []struct {
		name, query, body string
		headers           []string
		httpStatus        int
	}{
		{"no header", "", "", nil, 401},
		{"a cookie instead", "", "", []string{"Cookie", sessionCookie + "=" + a.seal.close(token, time.Now().Add(time.Hour))}, 401},
		{"another scheme", "", "", []string{"Authorization", "Basic eDp5"}, 401},
		{"no token", "", "", []string{"Authorization", "Bearer"}, 401},
		{"an unknown token", "", "", []string{"Authorization", "Bearer another"}, 401},
		{"two tokens", "", "", append([]string{"Authorization", "Bearer another"}, bearer...), 401},
		{"not ASCII", "", "", []string{"Authorization", "Bearer " + token + "\u00e5"}, 401},
		{"too long for a cookie", "", "", []string{"Authorization", long}, 400},
		{"the token in the URL", "?access_token=" + token, "", nil, 401},
		{"the token in the URL too", "?access_token=" + token, "", bearer, 400},
		{"the token in the body", "", `{"token":"` + token + `"}`, bearer, 400},
		{"another body", "", token, bearer, 400},
		{"from another site", "", "", append([]string{"Sec-Fetch-Site", "cross-site"}, bearer...), 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			// The gateway finds what is amiss by itself, but for a token that it does not know.
			for _, base := range []string{base, open} {
				if base == open && c.name == "an unknown token" {
					continue
				}
				resp := call(t, "POST", base+"/v1/session"+c.query, c.body, c.headers...)
				st, _ := wantError(t, resp, c.httpStatus)
				if strings.Contains(st.String(), token) {
					t.Errorf("the answer tells the token: %v", st)
				}
				wantCleared(t, resp, false)
			}
		})
	}
	wantError(t, call(t, "GET", base+"/v1/session", "", bearer...), 405)
}

func TestTheLongestTokenFitsACookie(t *testing.T) {
	longest := strings.Repeat("x", maxToken)
	authorization := "Bearer " + longest
	base := serve(t, guarded(t, &authorization))
	c := sessionOf(t, call(t, "POST", base+"/v1/session", "", "Authorization", authorization))
	if len(c.Raw)+len("; Secure") > 4096 {
		t.Errorf("the cookie has %d bytes", len(c.Raw))
	}
	if resp := call(t, "GET", base+"/v1/log", "", "Cookie", c.Name+"="+c.Value); resp.StatusCode != 200 {
		t.Errorf("got %d", resp.StatusCode)
	}
}

// A server that stops, or that the reader asks too often, is no reason to forget the token.
func TestWhyNoSessionWasMadeIsTold(t *testing.T) {
	base := serve(t, &script{describe: func(context.Context) (*headgatev1.DescribeLogResponse, error) {
		return nil, failure(t, codes.Unavailable, "stopping", &errdetails.ErrorInfo{Reason: "DRAINING"})
	}})
	resp := call(t, "POST", base+"/v1/session", "", "Authorization", "Bearer "+token)
	if _, info := wantError(t, resp, 503); info.GetReason() != "DRAINING" {
		t.Errorf("got %v", info)
	}
	wantCleared(t, resp, false)
}

func TestLogOut(t *testing.T) {
	a, base := oneReader(t)
	cookie := sessionCookie + "=" + a.seal.close(token, time.Now().Add(time.Hour))
	for _, headers := range [][]string{nil, {"Cookie", cookie}, {"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}} {
		resp := call(t, "DELETE", base+"/v1/session", "", headers...)
		if resp.StatusCode != 204 {
			t.Errorf("got %d", resp.StatusCode)
		}
		wantCleared(t, resp, true)
	}
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "http://elsewhere.example"}} {
		resp := call(t, "DELETE", base+"/v1/session", "", append(headers, "Cookie", cookie)...)
		wantError(t, resp, 403)
		wantCleared(t, resp, false)
	}
	wantError(t, call(t, "DELETE", base+"/v1/session?token="+token, ""), 400)
}
