package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// hook is a webhook door that keeps what it gets and answers with status and text.
type hook struct {
	status int
	text   string

	mu      sync.Mutex
	bodies  []string
	headers []http.Header
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bodies, h.headers = append(h.bodies, string(body)), append(h.headers, r.Header)
	if h.status == http.StatusFound {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(h.status)
	_, _ = io.WriteString(w, h.text)
}

func (h *hook) serve(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL + "/webhooks/superoffice/dev"
}

func (h *hook) body(t *testing.T, n int) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(h.bodies[n]), &body); err != nil {
		t.Fatal(err)
	}
	return body
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestSendLooksLikeTheCRM(t *testing.T) {
	h := &hook{status: 200}
	out, _, err := headgate(t, nil, "send", "relation.created", "test", "--url", h.serve(t))
	if want := "200 relation.created #20\n200 test #0\n"; err != nil || out != want {
		t.Errorf("wrote %q, %v; want %q", out, err, want)
	}
	first, second := h.headers[0], h.headers[1]
	if first.Get("Content-Type") != "application/json; charset=utf-8" || !strings.HasPrefix(first.Get("User-Agent"), "NetServer-Webhook/") ||
		first.Get("X-SuperOffice-Event") != "relation.created" || !guid.MatchString(first.Get("X-SuperOffice-EventId")) {
		t.Errorf("sent %v", first)
	}
	if first.Values("X-SuperOffice-Signature") != nil || first.Values("X-Hook-Test") != nil || second.Get("X-Hook-Test") != "true" {
		t.Errorf("sent %v and %v", first, second)
	}
}

func TestSendMakesEachEventANewOne(t *testing.T) {
	h := &hook{status: 200}
	before := time.Now().Add(-time.Second)
	if _, _, err := headgate(t, nil, "send", "relation.created", "--count", "3", "--url", h.serve(t)); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for n := range 3 {
		body := h.body(t, n)
		id, _ := body["EventId"].(string)
		at, err := time.Parse(time.RFC3339Nano, body["Timestamp"].(string))
		if !guid.MatchString(id) || seen[id] || err != nil || at.Before(before) || !strings.HasSuffix(body["Timestamp"].(string), "Z") {
			t.Errorf("webhook %d: id %q, time %v, %v", n, id, body["Timestamp"], err)
		}
		seen[id] = true
		if body["PrimaryKey"] != float64(20+n) {
			t.Errorf("webhook %d is of record %v", n, body["PrimaryKey"])
		}
	}
	// Everything else stays as it is, byte for byte.
	sample, err := loadSample("relation.created")
	if err != nil {
		t.Fatal(err)
	}
	blank := regexp.MustCompile(`("(?:EventId|Timestamp|PrimaryKey)": )[^,]*`)
	if got, want := blank.ReplaceAllString(h.bodies[2], "$1"), blank.ReplaceAllString(string(sample.body), "$1"); got != want {
		t.Errorf("sent\n%s\nwant\n%s", got, want)
	}
}

func TestSendKeepsNestedAndOddValues(t *testing.T) {
	h := &hook{status: 200}
	file := `{"Values":{"EventId":"inner","PrimaryKey":7},"PrimaryKey":"12","Big":12345678901234567890.10,"EventId" : "x" }`
	out, _, err := headgate(t, strings.NewReader(file), "send", "--file", "-", "--url", h.serve(t))
	if err != nil || out != "200 -\n" {
		t.Fatalf("wrote %q, %v", out, err)
	}
	got := regexp.MustCompile(`"EventId" : "[0-9a-f-]{36}"`).ReplaceAllString(h.bodies[0], `"EventId" : "x"`)
	if got != file || h.bodies[0] == file {
		t.Errorf("sent %s", h.bodies[0])
	}
}

func TestSendSignsTheExactBytes(t *testing.T) {
	var vectors []struct {
		Name, Secret string
		Body         []byte `json:"body_b64"`
		Signature    string
	}
	content, err := os.ReadFile("testdata/signature-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &vectors); err != nil || len(vectors) == 0 {
		t.Fatalf("%d vectors, %v", len(vectors), err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			h := &hook{status: 200}
			url := h.serve(t)
			if _, _, err := headgate(t, nil, "send", "--as-is", "--file", write(t, string(v.Body)), "--secret-file", write(t, v.Secret+"\n"), "--url", url); err != nil {
				t.Fatal(err)
			}
			t.Setenv("HEADGATE_SECRET", v.Secret)
			if _, _, err := headgate(t, nil, "send", "--as-is", "--file", write(t, string(v.Body)), "--url", url); err != nil {
				t.Fatal(err)
			}
			for n, header := range h.headers {
				if got := header.Get("X-SuperOffice-Signature"); h.bodies[n] != string(v.Body) || got != v.Signature {
					t.Errorf("signed %q with %s, want %s", h.bodies[n], got, v.Signature)
				}
			}
		})
	}
}

func TestFreshBodiesAreSignedAsSent(t *testing.T) {
	h := &hook{status: 200}
	t.Setenv("HEADGATE_SECRET", "Something Super Secret")
	if _, _, err := headgate(t, nil, "send", "associate.created", "--url", h.serve(t)); err != nil {
		t.Fatal(err)
	}
	if got, want := h.headers[0].Get("X-SuperOffice-Signature"), sign([]byte("Something Super Secret"), []byte(h.bodies[0])); got != want {
		t.Errorf("signed with %s, want %s", got, want)
	}
}

func TestSendTellsWhatWasRefused(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusUnauthorized: "--secret-file", http.StatusNotFound: "--url", http.StatusServiceUnavailable: "headgate status",
		http.StatusRequestEntityTooLarge: "larger", http.StatusMethodNotAllowed: "--url", http.StatusNoContent: "not answered with 200", http.StatusFound: "not answered with 200",
	} {
		h := &hook{status: status}
		if status >= 400 {
			h.text = "in words\x1b[2J\n"
		}
		out, _, err := headgate(t, nil, "send", "relation.deleted", "--url", h.serve(t))
		if err == nil || exitCode(err) != 1 || !strings.Contains(err.Error(), want) || len(h.bodies) != 1 {
			t.Errorf("%d: ended with %v after %d requests, want %q", status, err, len(h.bodies), want)
		}
		if status >= 400 && !strings.HasSuffix(out, ` relation.deleted #178105: in words\x1b[2J`+"\n") {
			t.Errorf("%d: wrote %q", status, out)
		}
	}
}

func TestSendSumsUpMany(t *testing.T) {
	h := &hook{status: 200}
	out, _, err := headgate(t, nil, "send", "relation.created", "associate.created", "--count", "50", "--concurrency", "4", "--url", h.serve(t))
	if err != nil || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "sent 100 in ") || !strings.HasSuffix(out, ": 100 x 200\n") {
		t.Errorf("wrote %q, %v", out, err)
	}
	keys := make([]int, 0, 50)
	for n := range h.bodies {
		if body := h.body(t, n); body["Entity"] == "relation" {
			keys = append(keys, int(body["PrimaryKey"].(float64)))
		}
	}
	slices.Sort(keys)
	if len(keys) != 50 || keys[0] != 20 || keys[49] != 69 || len(slices.Compact(keys)) != 50 {
		t.Errorf("sent the records %v", keys)
	}
	h = &hook{status: 503, text: "full"}
	out, _, err = headgate(t, nil, "send", "relation.created", "--count", "30", "--url", h.serve(t))
	if err == nil || strings.Count(out, "503 relation.created") != mostFailures || !strings.HasSuffix(out, ": 30 x 503\n") {
		t.Errorf("wrote %q, %v", out, err)
	}
}

func TestSendShowsWhatBecameOfAWebhook(t *testing.T) {
	for text, want := range map[string]string{
		"stored\n":         "200 associate.created #141424\n",
		"already stored\n": "200 associate.created #141424: already stored\n",
		"stored in quarantine: it has no EventId": "200 associate.created #141424: stored in quarantine: it has no EventId\n",
	} {
		h := &hook{status: 200, text: text}
		out, errs, err := headgate(t, nil, "send", "associate.created", "--url", h.serve(t))
		hinted := errs == "see headgate quarantine list\n"
		if err != nil || out != want || hinted != strings.Contains(text, "quarantine") || (!hinted && errs != "") {
			t.Errorf("%q: wrote %q, told %q, %v; want %q", text, out, errs, err, want)
		}
	}
	h := &hook{status: 200, text: "stored in quarantine: no"}
	out, errs, err := headgate(t, nil, "send", "associate.created", "--count", "30", "--url", h.serve(t))
	if err != nil || !strings.HasSuffix(out, ": 30 x 200, 30 of them stored in quarantine\n") || errs != "see headgate quarantine list\n" {
		t.Errorf("wrote %q, told %q, %v", out, errs, err)
	}
}

func TestSendKeepsToTheRate(t *testing.T) {
	h := &hook{status: 200}
	began := time.Now()
	if _, _, err := headgate(t, nil, "send", "relation.created", "--count", "6", "--rate", "50/s", "--concurrency", "3", "--url", h.serve(t)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 100*time.Millisecond {
		t.Errorf("6 at 50/s took %v: the five waits alone take 100ms", took)
	}
}

func TestSendEndsWhenToldTo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := &hook{status: 200}
	url := h.serve(t)
	err := run(ctx, []string{"send", "relation.created", "--count", "15", "--rate", "10", "--url", url}, nil, writer(func(string) error {
		cancel()
		return nil
	}), io.Discard)
	if err != nil || len(h.bodies) != 1 {
		t.Errorf("ended with %v after %d requests", err, len(h.bodies))
	}
}

func TestWebhookUnderWayIsNoFailureWhenToldToEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	var out strings.Builder
	if err := run(ctx, []string{"send", "test", "--url", server.URL}, nil, &out, io.Discard); err != nil || out.Len() > 0 {
		t.Errorf("ended with %v, wrote %q", err, out.String())
	}
}

func TestSamplesAreWhatTheirNamesSay(t *testing.T) {
	out, _, err := headgate(t, nil, "send", "--list")
	names := strings.Fields(out)
	if err != nil || !slices.Contains(names, "relation.created") || !slices.Contains(names, "associate.deleted") {
		t.Fatalf("listed %v, %v", names, err)
	}
	for _, name := range names {
		p, err := loadSample(name)
		if err != nil || !strings.HasPrefix(name, p.text("Event")) || p.text("Event") == "" {
			t.Errorf("%s is of %q, %v", name, p.text("Event"), err)
		}
	}
}

func TestFilesThatAreNoObjectGoOnlyAsTheyAre(t *testing.T) {
	h := &hook{status: 200}
	url := h.serve(t)
	for _, body := range []string{"", "[]", "{", `{"a":1}{"b":2}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", "nonsense"} {
		if _, _, err := headgate(t, nil, "send", "--file", write(t, body), "--url", url); err == nil || !strings.Contains(err.Error(), "--as-is") {
			t.Errorf("%q: %v", body, err)
		}
		if _, _, err := headgate(t, nil, "send", "--as-is", "--file", write(t, body), "--url", url); err != nil || h.bodies[len(h.bodies)-1] != body {
			t.Errorf("%q as it is: %v", body, err)
		}
	}
}

func FuzzFreshChangesOnlyItsKeys(f *testing.F) {
	for _, name := range sampleNames() {
		p, err := loadSample(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p.body)
	}
	f.Add([]byte(` {"EventId":[{"EventId":1}],"Timestamp":null,"PrimaryKey":2147483647}` + "\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := newPayload("fuzz", body, false)
		if err != nil {
			return
		}
		fresh, err := p.fresh(1)
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		for key, at := range p.parts {
			again, ok := fresh.parts[key]
			if !ok {
				t.Fatalf("%q lost %q", body, key)
			}
			replaced := key == "EventId" || key == "Timestamp" || key == "PrimaryKey"
			if !replaced && string(p.body[at.from:at.to]) != string(fresh.body[again.from:again.to]) {
				t.Errorf("%q: %q changed", body, key)
			}
		}
	})
}

func TestSignatureIsBase64OfSHA256(t *testing.T) {
	if raw, err := base64.StdEncoding.DecodeString(sign([]byte("key"), nil)); err != nil || len(raw) != 32 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
}
