package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"go/format"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
	"github.com/headgate/headgate/server/internal/access"
)

// TestConsole is what people do with the console, in a real browser.
func TestConsole(t *testing.T) {
	b := browse(t)
	server.SetHistoryEvery(t, 500*time.Millisecond) // three minutes are remembered, which a busy machine may need
	for name, test := range map[string]func(*testing.T, *browser){
		"live": testConsoleLive, "hostile": testConsoleHostile, "paused": testConsolePaused, "restart": testConsoleRestart, "quarantine": testConsoleQuarantine, "streams": testConsoleStreams, "past": testConsolePast, "code": testConsoleCode,
		"tenant": testConsoleTenant, "phone": testConsolePhone,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, b)
		})
	}
}

// consoleReaders are an operator who may read everything, raw bodies too, and the reader of one tenant.
func consoleReaders() map[string]server.Reader {
	return map[string]server.Reader{
		"chief":  {Tokens: []string{access.HashToken("token-of-the-chief")}, Operator: true, Allow: []server.Allow{{Sources: []string{"*"}, RawBody: true}}},
		"tenant": {Tokens: []string{access.HashToken("token-of-the-tenant")}, Allow: []server.Allow{{Sources: []string{"acme"}, Contexts: []string{"Cust1234"}}}},
	}
}

// console starts a gateway with these readers and opens its console.
func console(t *testing.T, b *browser, readers map[string]server.Reader, width int) (*gateway, *tab) {
	t.Helper()
	cfg := signedConfig(t.TempDir())
	cfg.Readers = readers
	g := start(t, cfg)
	p := b.open(t, "http://"+g.addr.API+"/console/", width, 800)
	t.Cleanup(func() {
		if list := p.complaints(); len(list) > 0 {
			t.Errorf("the browser complains: %v", list)
		}
	})
	return g, p
}

const isLive = "document.querySelector('.condition').innerText === 'Live'"

// signIn fills in the form.
func (p *tab) signIn(token string) {
	p.t.Helper()
	p.until("document.activeElement.id === 'token'")
	p.write(token)
	p.press("Enter")
}

// rowsWith is an expression: how many events are drawn whose line has all of the words.
func rowsWith(words ...string) string {
	test := "true"
	for _, w := range words {
		test += fmt.Sprintf(" && r.innerText.includes(%q)", w)
	}
	return "[...document.querySelectorAll('.row')].filter((r) => " + test + ").length"
}

// figure is an expression: one of the numbers above the events.
func figure(name string) string {
	return fmt.Sprintf("Number((document.querySelector('[data-figure=%s]')?.innerText ?? '0').replaceAll(',', ''))", name)
}

func (g *gateway) accept(body []byte) {
	g.t.Helper()
	if got := g.post(body); got != http.StatusOK {
		g.t.Fatalf("a post was answered with %d", got)
	}
}

// testConsoleLive: an event appears when it is accepted, and opens to all that is known of it. A filter that is clicked together narrows what is shown, stands in
// the address, and makes the same of another page.
func testConsoleLive(t *testing.T, b *browser) {
	g, p := console(t, b, nil, 1280)
	p.until(isLive)
	for _, body := range samples(t) {
		g.accept(body)
	}
	p.until(rowsWith("relation.created", "Cust26759", "#20", "contact 1 → contact 2", "by 5") + " === 1")
	p.picture("live")

	p.click(button("Entity"))
	p.until("document.activeElement.placeholder === 'relation'")
	p.picture("menu")
	p.write("relation")
	p.press("Enter")
	p.until("location.hash.includes('filter.entities=relation') && " + isLive + " && " + rowsWith() + " === 4")
	if n := p.number(rowsWith("relation.")); n != 4 {
		t.Errorf("%v relations are shown", n)
	}
	var address string
	if err := p.eval("location.href", &address); err != nil {
		t.Fatal(err)
	}
	p.press("Escape")
	p.press("j") // the keyboard alone opens the newest
	p.press("Enter")
	p.until("document.querySelector('.row .detail')")
	p.click(button("Show raw body"))
	p.until("document.querySelector('pre.raw').innerText.includes('ContextIdentifier')")
	p.picture("detail")

	other := b.open(t, address, 1280, 800)
	other.until(rowsWith() + " === 4 && " + rowsWith("relation.") + " === 4")
}

// testConsoleHostile: what an event says is text, wherever it is shown.
func testConsoleHostile(t *testing.T, b *browser) {
	g, p := console(t, b, nil, 1280)
	p.until(isLive)
	const bad = `<img src=x onerror="window.hacked=1">`
	quoted := strings.ReplaceAll(bad, `"`, `\"`)
	g.accept(fmt.Appendf(nil, `{"EventId":"%[1]s","Timestamp":"2026-01-02T03:04:05Z","Changes":["%[1]s"],"Event":"y_%[1]s.changed","PrimaryKey":1,"Entity":"y_%[1]s",`+
		`"ContextIdentifier":"Cust1234","WebhookName":"%[1]s","%[1]s":"%[1]s"}`, quoted))
	g.accept([]byte(`{"EventId":"` + quoted + `"}`)) // to the quarantine
	p.until(rowsWith(bad) + " === 1")
	p.click("[...document.querySelectorAll('.row > button')].find((r) => r.innerText.includes('onerror'))")
	p.click(button("Show raw body"))
	p.until("document.querySelector('pre.raw').innerText.includes('onerror')")
	p.click(button("+ filter"))
	p.until("document.querySelector('.chip').innerText.includes('onerror')")
	p.click(button("Code"))
	p.until("document.querySelector('pre.code').innerText.includes('onerror') || document.querySelector('pre.code').innerText.includes('%3Cimg')")
	p.click(button("Quarantine"))
	p.click(button("Show"))
	p.until("document.querySelector('pre.raw').innerText.includes('onerror')")
	if n := p.number("document.images.length + (window.hacked ?? 0)"); n != 0 {
		t.Error("what an event said became a part of the page")
	}
}

// testConsolePaused: what comes while nothing is drawn is counted to the last one, and more than can be drawn is passed over, not forgotten.
func testConsolePaused(t *testing.T, b *browser) {
	g, p := console(t, b, nil, 1280)
	p.until(isLive)
	postKeys(t, g, 1, 10)
	p.until(rowsWith() + " === 10")
	p.press("Space")
	p.until("document.querySelector('.figures button').innerText === 'Resume'")
	const n = 1200
	done := make(chan struct{}, 8)
	for i := range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for key := range n / 8 {
				body := body(1000+i*n+key, "relation.created", "Cust1234")
				if got, err := tryPost(g.addr.Webhook, body, sign(testSecret, body)); got != http.StatusOK {
					t.Errorf("a post was answered with %d, %v", got, err)
				}
			}
		}()
	}
	for range 8 {
		<-done
	}
	p.until(fmt.Sprintf("%s === %d", figure("received"), n+10))
	if got := p.number(figure("waiting") + " + " + figure("passed")); got != n || p.number(rowsWith()) != 10 {
		t.Errorf("%v wait or were passed over, want %d", got, n)
	}
	p.picture("paused")
	p.press("Space")
	p.until(rowsWith() + " === 500")
	if got := p.number(figure("passed")); got != n-500 {
		t.Errorf("%v were passed over, want %d", got, n-500)
	}
}

// testConsoleRestart: when the gateway is started anew, which ends all sessions, and when the connection breaks, the page goes on where it was: nothing is missed
// and nothing is doubled.
func testConsoleRestart(t *testing.T, b *browser) {
	cfg := signedConfig(t.TempDir())
	cfg.Readers = consoleReaders()
	g := start(t, cfg)
	relay := &site{t: t}
	relay.api.Store(g.addr.API)
	relay.cut()
	front := httptest.NewServer(relay.gateway())
	t.Cleanup(front.Close)
	p := b.open(t, front.URL+"/console/", 1280, 800)
	p.signIn("token-of-the-chief")
	p.until(isLive)
	all := func(n int) {
		t.Helper()
		p.until(fmt.Sprintf("%s >= %d", figure("received"), n))
		var got []string
		if err := p.eval("[...document.querySelectorAll('.row .pk')].map((e) => e.innerText).reverse()", &got); err != nil {
			t.Fatal(err)
		}
		var want []string
		for key := range n {
			want = append(want, fmt.Sprintf("#%d", key+1))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("shown are %v, want %v", got, want)
		}
	}
	postKeys(t, g, 1, 10)
	all(10)

	relay.cut()
	postKeys(t, g, 11, 10)
	all(20)

	g.stop()
	p.until("document.querySelector('[data-waiting=true]')")
	p.picture("waiting")
	g = start(t, cfg)
	postKeys(t, g, 21, 10)
	relay.api.Store(g.addr.API)
	all(30)
	p.until(isLive)
	g.stop() // before the page is gone, so that its end is not waited for
}

// testConsoleQuarantine: an operator looks at what could not be used, tries it again, and gives it up with a reason.
func testConsoleQuarantine(t *testing.T, b *browser) {
	g, p := console(t, b, consoleReaders(), 1280)
	p.signIn("token-of-the-chief")
	g.accept(body(1, "relation.created", "Cust777")) // a tenant that the source may not speak for
	p.until(rowsWith("Gap", "acme") + " === 1")
	p.click(button("Quarantine"))
	p.click(button("Show"))
	p.until("document.querySelector('pre.raw').innerText.includes('Cust777')")
	p.click("document.querySelector('.quarantine input')")
	p.click(button("Reprocess"))
	p.until("document.querySelector('.notice').innerText.includes('1 stays')")
	p.picture("quarantine")
	p.click(button("Discard…"))
	p.until("document.activeElement.placeholder?.startsWith('Why')")
	p.write("not ours")
	p.press("Enter")
	p.until("document.querySelector('.notice').innerText.includes('1 discarded') && document.querySelector('.empty')")
}

// testConsoleStreams: an operator sees who reads what, and ends one stream.
func testConsoleStreams(t *testing.T, b *browser) {
	g, p := console(t, b, consoleReaders(), 1280)
	p.signIn("token-of-the-chief")
	p.until(isLive)
	client := g.open("/v1/events:subscribe?start.at=latest&filter.entities=relation&client_name=billing", "Authorization", "Bearer token-of-the-tenant")
	end := func() { _ = client.Body.Close() }
	late := time.AfterFunc(time.Minute, end)
	defer late.Stop()
	defer end()
	p.click(button("Streams"))
	const row = "[...document.querySelectorAll('tbody tr')].find((r) => r.innerText.includes('tenant') && r.innerText.includes('billing') && r.innerText.includes('relation'))"
	p.until(row + "&& document.querySelectorAll('tbody tr').length === 2")
	p.picture("streams")
	p.click(row + "?.querySelector('td:last-child button:last-child')")
	p.click(button("End it"))
	text, err := io.ReadAll(client.Body)
	if err != nil || !strings.Contains(string(text), "REASON_OPERATOR") {
		t.Errorf("the client got %s, %v", text, err)
	}
	p.until("!" + row + " && document.querySelector('.notice').innerText.includes('is ending')")
}

// testConsolePast: who opens the page sees in its plots what happened before.
func testConsolePast(t *testing.T, b *browser) {
	cfg := signedConfig(t.TempDir())
	g := start(t, cfg)
	for n := range 9 {
		g.accept(body(n, "relation.created", "Cust1234"))
	}
	if got := postTo(t, g.addr.Webhook, body(9, "relation.created", "Cust1234"), "wrong"); got != http.StatusUnauthorized {
		t.Errorf("a wrong signature is answered with %d", got)
	}
	for n := 0; n == 0; { // the page is opened when these posts are in the past
		_, answer := g.get("/admin/v1/history")
		n = strings.Count(answer, "unauthenticated")
	}
	p := b.open(t, "http://"+g.addr.API+"/console/#/log", 1280, 800)
	plot := func(title string) string {
		return fmt.Sprintf("[...document.querySelectorAll('.plot')].find((e) => e.innerText.startsWith(%q))", title)
	}
	for _, title := range []string{"Intake", "Refused", "Deliveries", "Lag", "Size"} {
		p.until(plot(title) + "?.querySelector('polyline')?.points.length >= 2")
	}
	for _, title := range []string{"Intake", "Refused"} {
		if most := p.number(fmt.Sprintf("Number(%s.innerText.match(/at most ([0-9.,]+)\\/s/)[1].replaceAll(',', ''))", plot(title))); most <= 0 {
			t.Errorf("%s was at most %v a second", title, most)
		}
	}
	p.until(plot("Refused") + ".innerText.includes('unauthenticated')")
	p.picture("past")
	if list := p.complaints(); len(list) > 0 {
		t.Errorf("the browser complains: %v", list)
	}
}

// testConsoleCode: what the page builds for a filter does what it says, whatever the filter's values are.
func testConsoleCode(t *testing.T, b *browser) {
	g, p := console(t, b, nil, 1280)
	const odd = `it's "odd" $HOME \ % & é`
	headgate := filepath.Join(t.TempDir(), "headgate")
	if out, err := exec.Command("go", "build", "-race=false", "-o", headgate, "../client/cmd/headgate").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	g.accept(body(1, "relation.created", "Cust1234"))
	g.accept(body(2, "relation.created", "Cust26759"))
	for _, filter := range []url.Values{
		{"filter.entities": {"relation"}, "filter.sources": {"acme"}, "filter.contexts": {"Cust1234"}, "filter.primary_keys": {"1", "7"}},
		{"filter.contexts": {"Cust1234", odd}, "filter.changed_fields": {odd}},
	} {
		p.run(fmt.Sprintf("location.hash = %q", "#/code?"+filter.Encode()))
		p.until("document.querySelectorAll('.chip').length >= 3")
		for _, name := range []string{"curl", "curl, Server", "headgate tail"} {
			p.click(button(name))
			p.until("document.querySelector('[aria-selected=true]').innerText.startsWith('" + name + "')")
			command := strings.Replace(p.text("pre.code"), "headgate tail", headgate+" tail --until-caught-up --address="+g.addr.GRPC, 1)
			runs(t, name, command)
		}
		p.click(button("grpcurl"))
		_, rest, _ := strings.Cut(p.text("pre.code"), " -d ")
		words, err := exec.Command("sh", "-c", "printf %s "+strings.TrimSuffix(rest, " 127.0.0.1:9090 headgate.v1.EventService/Subscribe")).Output()
		req := &headgatev1.SubscribeRequest{}
		if err := errors.Join(err, protojson.Unmarshal(words, req)); err != nil || fmt.Sprint(req.GetFilter().GetContexts()) != fmt.Sprint(filter["filter.contexts"]) {
			t.Errorf("grpcurl sends %s, %v", words, err)
		}
	}
	p.run(fmt.Sprintf("location.hash = %q", "#/code?"+url.Values{
		"filter.entities": {"relation"}, "filter.event_types": {odd}, "filter.actions": {odd}, "filter.sources": {"acme"}, "filter.contexts": {odd},
		"filter.primary_keys": {"1", "7"}, "filter.changed_fields": {odd}, "filter.exclude_changed_by_associate_ids": {"-5"},
	}.Encode()))
	p.until("document.querySelectorAll('.chip').length === 9")
	p.click(button("Go"))
	p.until("document.querySelector('pre.code').innerText.startsWith('package main')")
	compiles(t, p.text("pre.code"))
	p.picture("code")

	// A link of a stranger's, whose code nobody asked for.
	p.run(fmt.Sprintf("location.hash = %q", "#/code?"+url.Values{
		"filter.primary_keys": {"1]),)\nopen(\"x\",\"w\")\nx=(([", "8"}, "filter.contexts": {"a\x03b'; echo OWNED #"},
	}.Encode()))
	p.until("document.querySelectorAll('.chip').length === 2")
	for _, name := range []string{"Python", "Go", "TypeScript", "Java", "headgate tail", "curl", "grpcurl"} {
		p.click(button(name))
		p.until("document.querySelector('[aria-selected=true]').innerText.startsWith('" + name + "')")
		if text := p.text("pre.code"); strings.Contains(text, "open(\"x") || strings.Contains(text, "\x03") || !strings.Contains(text, "8") {
			t.Errorf("%s of a stranger's link: %q", name, text)
		} else if name == "headgate tail" { // a shell that does not know the quotes does nothing else either
			out, err := exec.Command("sh", "-c", strings.Replace(text, "headgate tail", "true", 1)).CombinedOutput()
			if err != nil || strings.Contains(string(out), "OWNED") {
				t.Errorf("%q does %q, %v", text, out, err)
			}
		}
	}
}

// runs runs a command of the page's, which finds the one event. Where there is no curl it is left out.
func runs(t *testing.T, name, command string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil && strings.HasPrefix(name, "curl") {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", "exec "+command)
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		seen.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "caught_up") || strings.HasPrefix(lines.Text(), "id: ") && strings.Contains(seen.String(), "data: {\"cursor") {
			break
		}
	}
	cancel()
	_ = cmd.Wait()
	if got := seen.String(); !strings.Contains(got, "relation.created") || !strings.Contains(got, "Cust1234") || strings.Contains(got, "Cust26759") {
		t.Errorf("%s: %s\nbrings %s", name, command, got)
	}
}

// compiles has the compiler look at a program as if it stood in this module.
func compiles(t *testing.T, program string) {
	t.Helper()
	if formatted, err := format.Source([]byte(program)); err != nil || string(formatted) != strings.TrimSpace(program)+"\n" {
		t.Errorf("gofmt makes of it, %v:\n%s", err, formatted)
	}
	path := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(path, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "vet", path).CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, program)
	}
}

// testConsoleTenant: the reader of one tenant sees its events and nothing of another's, and is told which pages are not for readers.
func testConsoleTenant(t *testing.T, b *browser) {
	g, p := console(t, b, consoleReaders(), 1280)
	p.signIn("token-of-nobody")
	p.until("document.querySelector('.trouble').innerText !== ''")
	p.picture("signin")
	p.run("document.getElementById('token').value = ''")
	p.signIn("token-of-the-tenant")
	p.until(isLive)
	for n, tenant := range []string{"Cust26759", "Cust1234", "Default", "Cust777"} {
		g.accept(body(n+1, "relation.created", tenant))
	}
	g.accept(body(9, "associate.created", "Cust1234"))
	p.until(rowsWith("associate.created") + " === 1")
	if n := p.number(rowsWith("Cust1234", "#")); n != 2 {
		t.Errorf("%v events are shown", n)
	}
	for _, page := range []string{"events", "code", "sources", "streams", "subscriptions", "log", "quarantine"} {
		p.run("location.hash = '#/" + page + "'")
		p.until("document.title.toLowerCase().startsWith('" + page + "')")
		text := p.text("body")
		for _, other := range []string{"Cust26759", "Default", "Cust777"} {
			if strings.Contains(text, other) {
				t.Errorf("%s shows %s to its reader", page, other)
			}
		}
		if operators := strings.Contains(text, "This page is for operators"); operators != (page != "events" && page != "code") {
			t.Errorf("%s: for operators: %v", page, operators)
		}
	}
	if nav := p.text("nav"); strings.Contains(nav, "Quarantine") || !strings.Contains(p.text("footer"), "You are a reader") {
		t.Errorf("a reader is offered %q, and told %q", nav, p.text("footer"))
	}
	// To find that out it made no call that is for operators.
	resp, err := http.Get("http://" + g.addr.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if figures, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(figures), "headgate_calls_refused_total{") ||
		strings.Contains(string(figures), `headgate_calls_refused_total{reader="tenant"`) {
		t.Errorf("calls of the reader's were refused: %v %s", err, figures)
	}
}

// testConsolePhone: on a small screen no page is wider than the screen.
func testConsolePhone(t *testing.T, b *browser) {
	g, p := console(t, b, nil, 360)
	p.until(isLive)
	for _, body := range samples(t) {
		g.accept(body)
	}
	g.accept([]byte("{"))
	p.until(rowsWith("relation.created") + " === 1")
	for _, page := range []string{"events", "code", "sources", "streams", "subscriptions", "log", "quarantine"} {
		p.run("location.hash = '#/" + page + "'")
		p.until("document.title.toLowerCase().startsWith('" + page + "') && !document.querySelector('main').innerText.includes('Asking')")
		p.picture("phone-" + page)
		if page == "events" {
			p.click(button("Action"))
			p.until("document.activeElement.placeholder === 'created'")
			p.picture("phone-menu")
			p.press("Escape")
			p.click("document.querySelector('.row > button')")
			p.until("document.querySelector('.detail')")
			p.picture("phone-detail")
		}
		if n := p.number("document.documentElement.scrollWidth"); n > 360 {
			t.Errorf("%s is %v wide", page, n)
		}
	}
	if *pictures == "" {
		return
	}
	p.do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}})
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": false})
	for _, page := range []string{"events", "code", "sources", "streams", "subscriptions", "log", "quarantine"} {
		p.run("location.hash = '#/" + page + "'")
		p.until("document.title.toLowerCase().startsWith('" + page + "') && !document.querySelector('main').innerText.includes('Asking')")
		p.picture("dark-" + page)
	}
}
