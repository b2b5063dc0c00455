package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// said is what a raw connection to the door was answered: the statuses, in their order.
func said(t *testing.T, address, text string) (statuses []int) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	go func() { _, _ = io.WriteString(conn, text) }() // the server may close before it has read everything
	r := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return statuses
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		statuses = append(statuses, resp.StatusCode)
		if resp.Close || err != nil {
			return statuses
		}
	}
}

// lines are the header of a post that ends the connection; more replace or add.
func lines(body string, more ...string) string {
	head := "POST /webhooks/superoffice/acme HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
	return head + "X-SuperOffice-Signature: " + sign(testSecret, []byte(body)) + "\r\n" + strings.Join(more, "")
}

func length(body string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(body)) }

func chunks(body string) string {
	return fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", 5, body[:5], len(body)-5, body[5:])
}

const chunked = "Transfer-Encoding: chunked\r\n"

// wire is bytes to the door, and what becomes of them.
type wire struct {
	name, text string
	statuses   string
	outcomes   string // of the posts that reached the door's code
}

// TestWire: whatever stands on the wire, nothing unauthentic is stored, and what is authentic is.
func TestWire(t *testing.T) {
	cfg := signedConfig(t.TempDir())
	cfg.Webhook.UnauthenticatedPerSecond = 1000
	g := start(t, cfg)
	n := 0
	fresh := func() string {
		n++
		return string(body(n, "relation.created", "Cust1234"))
	}
	for _, c := range append(framing(fresh), oddities(fresh)...) {
		before := figures(t, g.addr.Admin)
		statuses := strings.Trim(fmt.Sprint(said(t, g.addr.Webhook, c.text)), "[]")
		var outcomes []string
		for name, value := range figures(t, g.addr.Admin) {
			if _, label, ok := strings.Cut(name, "headgate_webhook_requests_total{outcome=\""); ok && value != before[name] {
				outcome, _, _ := strings.Cut(label, `"`)
				outcomes = append(outcomes, fmt.Sprintf("%d %s", value-before[name], outcome))
			}
		}
		slices.Sort(outcomes)
		if got := strings.Join(outcomes, ", "); statuses != c.statuses || got != c.outcomes {
			t.Errorf("%s: answered %s (%s), want %s (%s)", c.name, statuses, got, c.statuses, c.outcomes)
		}
	}
}

// framing are tricks with where a request ends.
func framing(fresh func() string) []wire {
	post := func(more ...string) string {
		b := fresh()
		return lines(b, append([]string{length(b)}, more...)...) + "\r\n" + b
	}
	stay := func(s string) string { return strings.Replace(s, "Connection: close\r\n", "", 1) }
	one, two, hidden := fresh(), fresh(), fresh()
	unsigned := "POST /webhooks/superoffice/acme HTTP/1.1\r\nHost: x\r\n" + length(hidden) + "\r\n" + hidden
	inside := one + unsigned
	return []wire{
		{"one that is well", post(), "200", "1 accepted"},
		{"chunks", lines(one, chunked) + "\r\n" + chunks(one), "200", "1 accepted"},
		{"a length besides chunks", lines(two, length(two), chunked) + "\r\n" + chunks(two), "200", "1 accepted"},
		{"a length that hides the chunks", lines("0\r\n\r\n", "Content-Length: 5\r\n", chunked) + "\r\n0\r\n\r\n" + unsigned, "401", "1 unauthenticated"},
		{"chunks that hide a post", lines("x", "Content-Length: 3\r\n", chunked) + "\r\n1\r\nx\r\n0\r\n\r\n" + unsigned, "200", "1 quarantined"},
		{"a length twice", lines(one, length(one), length(one)) + "\r\n" + one, "200", "1 duplicate"},
		{"two lengths", lines(one, length(one), "Content-Length: 5\r\n") + "\r\n" + one, "400", ""},
		{"a length in a list", lines(one, "Content-Length: 5, 5\r\n") + "\r\n" + one, "400", ""},
		{"a signed length", lines(one, "Content-Length: +5\r\n") + "\r\n" + one, "400", ""},
		{"a length too long for a number", lines(one, "Content-Length: 99999999999999999999\r\n") + "\r\n" + one, "400", ""},
		{"a space before the colon", lines(one, length(one), "Transfer-Encoding : chunked\r\n") + "\r\n" + one, "400", ""},
		{"an unknown coding", lines(one, length(one), "Transfer-Encoding: xchunked\r\n") + "\r\n" + one, "501", ""},
		{"chunks and more", lines(one, "Transfer-Encoding: chunked, identity\r\n") + "\r\n" + chunks(one), "501", ""},
		{"chunks twice", lines(one, chunked, chunked) + "\r\n" + chunks(one), "501", ""},
		{"a chunk too long for a number", lines(one, chunked) + "\r\nfffffffffffffffff\r\n" + one, "400", "1 broken"},
		{"a chunk that is longer than it says", lines(one, chunked) + "\r\n2\r\n" + one + "\r\n0\r\n\r\n", "400", "1 broken"},
		{"pipelined", stay(post()) + stay(post()) + post(), "200 200 200", "3 accepted"},
		{"an unsigned post behind a signed one", stay(post()) + strings.Replace(unsigned, "Host", "Connection: close\r\nHost", 1), "200 401", "1 accepted, 1 unauthenticated"},
		{"an unsigned post in a body", lines(inside, length(inside)) + "\r\n" + inside, "200", "1 quarantined"},
		{"an unsigned post behind the end", post() + unsigned, "200", "1 accepted"},
		{"it waits for 100", post("Expect: 100-continue\r\n"), "100 200", "1 accepted"},
		{"it waits in vain", strings.Replace(post("Expect: 100-continue\r\n"), "X-SuperOffice", "X-Other", 1), "401", "1 unauthenticated"},
		{"it waits for something else", post("Expect: the best\r\n"), "417", ""},
		{"HTTP/0.9", "GET /webhooks/superoffice/acme\r\n\r\n", "400", ""},
		{"HTTP/2 without TLS", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "404", "1 unknown_source"},
		{"HTTP/3", strings.Replace(post(), "HTTP/1.1", "HTTP/3.0", 1), "505", ""},
		{"no host", strings.Replace(post(), "Host: x\r\n", "", 1), "400", ""},
		{"two hosts", post("Host: y\r\n"), "400", ""},
		{"a host with a space", strings.Replace(post(), "Host: x", "Host: x y", 1), "400", ""},
		{"a tunnel", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n", "404", "1 unknown_source"},
		{"an authority to post to", strings.Replace(post(), "/webhooks/superoffice/acme", "example.com:443", 1), "404", "1 unknown_source"},
		{"a trace", strings.Replace(post(), "POST", "TRACE", 1), "405", "1 bad_method"},
		{"a huge target", strings.Replace(post(), "acme", "acme?"+strings.Repeat("x", 30_000), 1), "431", ""},
		{"a huge header", post("X: " + strings.Repeat("x", 30_000) + "\r\n"), "431", ""},
		{"many headers", post(strings.Repeat("X: y\r\n", 5_000)), "431", ""},
		{"two signatures", post("X-SuperOffice-Signature: " + sign(testSecret, nil) + "\r\n"), "401", "1 unauthenticated"},
		{"one signature twice", lines(one, length(one), "X-SuperOffice-Signature: "+sign(testSecret, []byte(one))+"\r\n") + "\r\n" + one, "401", "1 unauthenticated"},
	}
}

// oddities are authentic bodies that are no events.
func oddities(fresh func() string) []wire {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(make([]byte, 1<<20)) // into memory
	if err = errors.Join(err, z.Close()); err != nil {
		panic(err)
	}
	bodies := []struct{ name, body, header string }{
		{"a bomb of half a gigabyte", strings.Repeat(packed.String(), 500), "Content-Encoding: gzip\r\n"},
		{"a million deep", strings.Repeat("[", 1_000_000), ""},
		{"a million deep in an event", strings.Replace(fresh(), `"Changes":["updated"]`, `"Deep":`+strings.Repeat("[", 500_000)+strings.Repeat("]", 500_000), 1), ""},
		{"a key twice", strings.Replace(fresh(), "{", `{"PrimaryKey":7,`, 1), ""},
		{"a key in another case", strings.Replace(fresh(), "{", `{"primarykey":7,`, 1), ""},
		{"bad UTF-8", strings.Replace(fresh(), "test", "te\xffst", 1), ""},
		{"a key too large", strings.Replace(fresh(), `"PrimaryKey":`, `"PrimaryKey":99999999999`, 1), ""},
		{"a number too large for any", strings.Replace(fresh(), `"PrimaryKey":`, `"PrimaryKey":1e999,"Other":`, 1), ""},
		{"two values", fresh() + fresh(), ""},
		{"nothing", "", ""},
	}
	var list []wire
	for _, b := range bodies {
		list = append(list, wire{b.name, lines(b.body, length(b.body), b.header) + "\r\n" + b.body, "200", "1 quarantined"})
	}
	return list
}

// TestSlowPosts: hundreds of senders that never come to an end are cut off, and keep nobody else from posting. One that is slow but comes to an
// end in time is heard.
func TestSlowPosts(t *testing.T) {
	t.Parallel()
	const each = 250
	p := startProcess(t, t.TempDir(), nil)
	t.Cleanup(func() { _ = p.kill() })
	before := vitalsOf(t, p.listen.Admin)
	b := body(1, "relation.created", "Cust1234")
	head := lines(string(b), length(string(b)))
	slow := make([]*slowPost, 0, 2*each+1)
	for n := range 2*each + 1 {
		text, at := head+"X: "+strings.Repeat("x", 1000), len(head) // a header without end
		switch {
		case n == 0: // at this pace it arrives after some seconds
			text, at = head+"\r\n"+string(b), len(head)+2+len(b)-40
		case n%2 == 0: // a body that takes too long
			text, at = head+"\r\n"+string(b), len(head)+2+len(b)-200
		}
		slow = append(slow, dialSlow(t, p.listen.Webhook, text, at))
	}
	begun, worst := time.Now(), time.Duration(0)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 2; time.Since(begun) < 12*time.Second; n++ {
		for _, s := range slow {
			s.more()
		}
		post, at := body(n, "relation.created", "Cust1234"), time.Now()
		if got := postTo(t, p.listen.Webhook, post, sign(testSecret, post)); got != http.StatusOK {
			t.Fatalf("an honest post was answered %d", got)
		}
		worst = max(worst, time.Since(at))
		<-tick.C // one byte at a time
	}
	t.Logf("the slowest honest post took %v", worst.Round(time.Millisecond))
	if worst > time.Second {
		t.Errorf("an honest post took %v", worst)
	}
	before.unharmed(t, p.listen.Admin)
	count := make(map[int]int)
	for _, s := range slow {
		count[s.answer(t)]++
	}
	late := count[http.StatusRequestTimeout]
	if count[http.StatusOK] != 1 || late == 0 || late+count[http.StatusTooManyRequests] != each || count[0] != each {
		t.Errorf("the slow ones were answered %v", count)
	}
	before.recovered(t, p.listen.Admin)
}

// slowPost sends one byte at a time.
type slowPost struct {
	conn net.Conn
	rest string
}

// dialSlow sends the text up to at.
func dialSlow(t *testing.T, address, text string, at int) *slowPost {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err == nil {
		_, err = io.WriteString(conn, text[:at])
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &slowPost{conn, text[at:]}
}

func (s *slowPost) more() {
	if s.rest == "" {
		return
	}
	if _, err := io.WriteString(s.conn, s.rest[:1]); err != nil {
		s.rest = ""
		return
	}
	s.rest = s.rest[1:]
}

// answer is the status, 0 for none. The connection must be closed by now.
func (s *slowPost) answer(t *testing.T) int {
	t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(s.conn), nil)
	if isTimeout(err) {
		t.Error("one is still open")
	}
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
