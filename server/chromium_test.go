package server_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a real one, led over a pipe. What a person does is sent to it as keys and clicks; what they see is read from the page.
type browser struct {
	in   io.Writer
	once sync.Mutex // one message at a time

	mu      sync.Mutex
	last    int
	answers map[int]chan browserAnswer
	errors  map[string][]string // what each page's console and its policy complained of, by session
}

type browserAnswer struct {
	ID        int
	Method    string
	SessionID string
	Params    json.RawMessage
	Result    json.RawMessage
	Error     *struct{ Message string }
}

// browse starts a browser, which ends with the test.
func browse(t *testing.T) *browser {
	t.Helper()
	name := chromium(t)
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4, as the browser expects them
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = theirIn.Close(), theirOut.Close()
	b := &browser{in: in, answers: map[int]chan browserAnswer{}, errors: map[string][]string{}}
	read := make(chan struct{})
	go func() {
		defer close(read)
		b.read(out)
	}()
	t.Cleanup(func() {
		// Asked to, it ends its children, too, and writes no more to the folder that is removed next.
		b.call(t, "", "Browser.close", map[string]any{}, nil)
		late := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		late.Stop()
		_ = in.Close()
		<-read
		_ = out.Close()
	})
	return b
}

func (b *browser) read(out io.Reader) {
	lines := bufio.NewReader(out)
	for {
		text, err := lines.ReadBytes(0)
		if err != nil {
			return
		}
		var a browserAnswer
		if json.Unmarshal(text[:len(text)-1], &a) != nil {
			continue
		}
		b.mu.Lock()
		if waiting := b.answers[a.ID]; waiting != nil {
			delete(b.answers, a.ID)
			waiting <- a
		}
		if a.Method == "Log.entryAdded" || a.Method == "Runtime.exceptionThrown" {
			b.errors[a.SessionID] = append(b.errors[a.SessionID], string(a.Params))
		}
		b.mu.Unlock()
	}
}

// call has the browser do something, and returns its answer.
func (b *browser) call(t *testing.T, session, method string, params map[string]any, into any) {
	t.Helper()
	waiting := make(chan browserAnswer, 1)
	b.mu.Lock()
	b.last++
	id := b.last
	b.answers[id] = waiting
	b.mu.Unlock()
	message := map[string]any{"id": id, "method": method, "params": params}
	if session != "" {
		message["sessionId"] = session
	}
	text, err := json.Marshal(message)
	if err == nil {
		b.once.Lock()
		_, err = b.in.Write(append(text, 0))
		b.once.Unlock()
	}
	if err != nil {
		t.Fatal(err)
	}
	select {
	case a := <-waiting:
		if a.Error != nil {
			t.Fatalf("%s: %s", method, a.Error.Message)
		}
		if into != nil {
			if err := json.Unmarshal(a.Result, into); err != nil {
				t.Fatal(err)
			}
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("the browser did not answer %s", method)
	}
}

// tab is one page, with cookies of its own.
type tab struct {
	*browser
	t       *testing.T
	session string
}

// open opens a page as somebody who was never there.
func (b *browser) open(t *testing.T, url string, width, height int) *tab {
	t.Helper()
	var context struct{ BrowserContextID string }
	b.call(t, "", "Target.createBrowserContext", map[string]any{}, &context)
	var target struct{ TargetID string }
	b.call(t, "", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": context.BrowserContextID, "width": width, "height": height}, &target)
	var attached struct{ SessionID string }
	b.call(t, "", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p := &tab{b, t, attached.SessionID}
	p.do("Log.enable", nil)
	p.do("Runtime.enable", nil)
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
	p.do("Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true})
	p.do("Page.navigate", map[string]any{"url": url})
	t.Cleanup(func() {
		b.call(t, "", "Target.disposeBrowserContext", map[string]any{"browserContextId": context.BrowserContextID}, nil)
	})
	return p
}

func (p *tab) do(method string, params map[string]any) {
	p.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	p.call(p.t, p.session, method, params, nil)
}

// eval returns what an expression of the page's is. Its value has a form in JSON; it may be one that is still to come.
func (p *tab) eval(expression string, into any) error {
	p.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	p.call(p.t, p.session, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &answer)
	if x := answer.ExceptionDetails; x != nil {
		return errors.New(x.Text + " " + x.Exception.Description)
	}
	if into == nil || len(answer.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(answer.Result.Value, into)
}

// run runs a script in the page.
func (p *tab) run(script string) {
	p.t.Helper()
	if err := p.eval(script, nil); err != nil {
		p.t.Fatal(err)
	}
}

// until waits for the expression to be true. The page looks at each of its frames.
func (p *tab) until(expression string) {
	p.t.Helper()
	var ok bool
	late := time.Now().Add(time.Minute)
	for !ok {
		// The page itself may be replaced while it is looked at.
		err := p.eval(`new Promise((done) => {
			const end = performance.now() + 2000;
			const look = () => { let yes = false; try { yes = !!(`+expression+`); } catch {} yes || performance.now() > end ? done(yes) : setTimeout(look, 15); };
			look();
		})`, &ok)
		if time.Now().After(late) {
			var text string
			_ = p.eval("location.href + '\\n' + document.body.innerText", &text)
			p.t.Fatalf("never true: %s (%v); the page:\n%s\n%s", expression, err, text, strings.Join(p.complaints(), "\n"))
		}
	}
}

// number is what an expression of the page's is.
func (p *tab) number(expression string) (n float64) {
	p.t.Helper()
	if err := p.eval(expression, &n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

// text is the visible text of the first element that the selector finds.
func (p *tab) text(selector string) (text string) {
	p.t.Helper()
	if err := p.eval(fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector), &text); err != nil {
		p.t.Fatal(err)
	}
	return text
}

// click clicks with the mouse on what the expression is, once it is there.
func (p *tab) click(element string) {
	p.t.Helper()
	p.until(fmt.Sprintf("!(%s).disabled", element))
	for _, kinds := range [][]string{{"mouseMoved"}, {"mousePressed", "mouseReleased"}} { // what it moves to may move until then, and not after
		var at struct{ X, Y float64 }
		if err := p.eval(fmt.Sprintf("(() => { const e = %s; e.scrollIntoView({block: 'nearest'}); const b = e.getBoundingClientRect(); return {X: b.x + b.width / 2, Y: b.y + b.height / 2}; })()", element), &at); err != nil {
			p.t.Fatal(err)
		}
		for _, kind := range kinds {
			p.do("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1})
		}
	}
}

// button is an element by the text that begins it.
func button(text string) string {
	return fmt.Sprintf("[...document.querySelectorAll('button, summary, nav a, label')].find((e) => e.innerText.trim().startsWith(%q))", text)
}

// press presses one key.
func (p *tab) press(key string) {
	p.t.Helper()
	text := map[string]string{"Enter": "\r", "Space": " "}[key]
	if len(key) == 1 {
		text = key
	}
	name := key
	if key == "Space" {
		name = " "
	}
	code := map[string]int{"Enter": 13, "Space": 32, "Escape": 27, "Tab": 9, "ArrowDown": 40}[key]
	p.do("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": name, "code": key, "text": text, "windowsVirtualKeyCode": code})
	p.do("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": name, "code": key, "windowsVirtualKeyCode": code})
}

// write types a text where the focus is.
func (p *tab) write(text string) {
	p.t.Helper()
	p.do("Input.insertText", map[string]any{"text": text})
}

// complaints are what the page's console shows as errors, but those of the network.
func (p *tab) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.errors[p.session]), func(text string) bool {
		return strings.Contains(text, `"source":"network"`) || strings.Contains(text, `"level":"verbose"`)
	})
}

// busy is how long the page has worked so far.
func (p *tab) busy() time.Duration {
	p.t.Helper()
	var answer struct {
		Metrics []struct {
			Name  string
			Value float64
		}
	}
	p.do("Performance.enable", nil)
	p.call(p.t, p.session, "Performance.getMetrics", map[string]any{}, &answer)
	for _, m := range answer.Metrics {
		if m.Name == "TaskDuration" {
			return time.Duration(m.Value * float64(time.Second))
		}
	}
	p.t.Fatal("the browser does not tell how long the page worked")
	return 0
}

var pictures = flag.String("console.pictures", "", "the folder to which TestConsole saves what it sees")

// picture saves what the page looks like, if somebody wants to see it.
func (p *tab) picture(name string) {
	p.t.Helper()
	if *pictures == "" {
		return
	}
	var shot struct{ Data string }
	p.call(p.t, p.session, "Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(*pictures, name+".png"), png, 0o600)
	}
	if err != nil {
		p.t.Error(err)
	}
}
