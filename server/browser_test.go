package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/server"
	"github.com/headgate/headgate/server/internal/access"
)

// chromium returns the command of a browser. Without one the test is left out, unless all toolchains must be there.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CONFORMANCE") == "all" {
		t.Fatal("there is no chromium")
	}
	t.Skip("there is no chromium: the test with a real browser is left out")
	return ""
}

// browserFrame is a page around the script of client/rest.md, which reads with the browser's own EventSource. What the script does is reported, one after the other.
const browserFrame = `<!doctype html><meta charset="utf-8"><script>
let reports = Promise.resolve();
const send = window.fetch.bind(window);
const report = (what) => { reports = reports.then(() => send("/report", {method: "POST", body: JSON.stringify(what)})); };
window.fetch = async (...request) => {
	const answer = await send(...request);
	report({kind: "session", status: answer.status});
	return answer;
};
window.EventSource = class extends EventSource {
	constructor(url) {
		super(url);
		this.addEventListener("open", () => report({kind: "open"}));
		this.addEventListener("message", (m) => report({kind: "event", id: m.lastEventId, key: JSON.parse(m.data).primary_key}));
		this.addEventListener("closing", (m) => report({kind: "closing", reason: JSON.parse(m.data).reason}));
	}
};
const token = location.hash.slice(1);
const show = (event) => report({kind: "shown", id: event.cursor});
const reconcile = (gap) => report({kind: "gap", reason: gap.reason});
%s</script>`

// browserPage is the frame with the script in it.
func browserPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../client/rest.md")
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile("(?s)```js\n(.*?)```").FindStringSubmatch(string(text))
	if script == nil {
		t.Fatal("client/rest.md has no script")
	}
	return fmt.Sprintf(browserFrame, script[1])
}

// browserReport is one line of the page.
type browserReport struct {
	Kind, ID, Reason string
	Status, Key      int
}

// TestEventSource: a real browser reads as a reader with a session. When its connection is cut it goes on by itself, by Last-Event-ID, and after a restart of
// the gateway it does so with a new session: without a gap and without an event twice.
func TestEventSource(t *testing.T) {
	browser := chromium(t)
	cfg := signedConfig(t.TempDir())
	cfg.Readers = map[string]server.Reader{"page": {Tokens: []string{access.HashToken("token-of-the-page")}, Allow: []server.Allow{{Sources: []string{"acme"}}}}}
	g := start(t, cfg)
	site := newSite(t, g.addr.API)
	cmd := exec.Command(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--user-data-dir="+t.TempDir(), site.URL+"/#token-of-the-page")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	const n = 20
	var ids []string
	receive := func() {
		t.Helper()
		for range n {
			r := site.next("event")
			if r.Key != len(ids)+1 || slices.Contains(ids, r.ID) {
				t.Fatalf("event %d came with cursor %q, want %d", r.Key, r.ID, len(ids)+1)
			}
			ids = append(ids, r.ID)
			if shown := site.next("shown"); shown.ID != r.ID {
				t.Fatalf("the page shows %q, want %q", shown.ID, r.ID)
			}
		}
	}
	postKeys(t, g, 1, n)
	if r := site.next("session"); r.Status != http.StatusNoContent {
		t.Fatalf("the session was answered with %d", r.Status)
	}
	site.next("open")
	receive()

	site.cut()
	postKeys(t, g, n+1, n)
	site.next("open")
	receive()

	g.stop()
	if r := site.next("closing"); r.Reason != "REASON_DRAINING" {
		t.Errorf("the stream was closed for %s", r.Reason)
	}
	g = start(t, cfg)
	postKeys(t, g, 2*n+1, n)
	site.api.Store(g.addr.API)
	if r := site.next("session"); r.Status != http.StatusNoContent {
		t.Fatalf("the second session was answered with %d", r.Status)
	}
	receive()
}

func postKeys(t *testing.T, g *gateway, first, n int) {
	t.Helper()
	for key := first; key < first+n; key++ {
		body := fmt.Appendf(nil, `{"EventId":"5b0f6c1e-5fd4-41d3-849a-%012x","Timestamp":"2026-01-02T03:04:05Z","Changes":[],"Event":"relation.created","PrimaryKey":%d,`+
			`"Entity":"relation","ContextIdentifier":"Cust26759","ChangedByAssociateId":5,"WebhookName":"Page","FieldValues":{}}`, key, key)
		if got := g.post(body); got != http.StatusOK {
			t.Fatalf("a post was answered with %d", got)
		}
	}
}

// site serves the page and, under the same name, the gateway.
type site struct {
	*httptest.Server
	t       *testing.T
	api     atomic.Value // the gateway's address
	cutting atomic.Value // ends the answers of now
	reports chan browserReport
}

func newSite(t *testing.T, api string) *site {
	page := browserPage(t)
	s := &site{t: t, reports: make(chan browserReport, 100)}
	s.api.Store(api)
	s.cut()
	mux := http.NewServeMux()
	mux.Handle("/v1/", s.gateway())
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		var report browserReport
		if body, err := io.ReadAll(r.Body); err == nil && json.Unmarshal(body, &report) == nil {
			s.reports <- report
		}
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// gateway passes requests on. While the gateway is away connections break, as they do without a proxy: any answer but 200 would end an EventSource.
func (s *site) gateway() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: s.api.Load().(string)})
			r.Out.Host = r.In.Host
		},
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:      log.New(io.Discard, "", 0),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		stop := context.AfterFunc(s.cutting.Load().(*cutting), cancel)
		defer stop()
		proxy.ServeHTTP(w, r.WithContext(ctx))
	})
}

// cutting is the time between two cuts.
type cutting struct {
	context.Context
	end context.CancelFunc
}

// cut ends all answers that are under way.
func (s *site) cut() {
	ctx, end := context.WithCancel(context.Background())
	if old, ok := s.cutting.Swap(&cutting{ctx, end}).(*cutting); ok {
		old.end()
	}
}

// next waits for the page's next report of that kind.
func (s *site) next(kind string) browserReport {
	s.t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case r := <-s.reports:
			if r.Kind == kind {
				return r
			}
		case <-late:
			s.t.Fatalf("the browser did not report %q", kind)
		}
	}
}
