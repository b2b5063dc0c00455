package webhook

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/server/internal/superoffice"
)

// onePost is one that has been sent but for its last byte.
type onePost struct {
	net.Conn
	status chan int // what it is answered; 0 for nothing
}

// begin sends the post of a host, all but the last byte.
func (d *door) begin(host string, b []byte) onePost {
	d.t.Helper()
	conn, err := net.Dial("tcp", d.address)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	p := onePost{conn, make(chan int, 1)}
	head := fmt.Sprintf("POST %sacme HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\nX-Forwarded-For: %s\r\n\r\n",
		Path, signature, Sign(testKey, b), len(b), host)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = conn.Write(append([]byte(head), b[:len(b)-1]...)) // one that is refused is cut short
	}()
	go func() {
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			p.status <- 0
			return
		}
		_ = resp.Body.Close()
		p.status <- resp.StatusCode
	}()
	d.t.Cleanup(func() {
		_ = conn.Close()
		<-sent
	})
	return p
}

// refusedOf waits for as many answers of 503, and returns the posts that have none.
func refusedOf(t *testing.T, posts []onePost, refused int) (waiting []onePost) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		waiting = waiting[:0]
		for _, p := range posts {
			if len(p.status) == 0 {
				waiting = append(waiting, p)
			}
		}
		if len(posts)-len(waiting) == refused {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d have an answer, want %d", len(posts)-len(waiting), len(posts), refused)
		}
	}
	for _, p := range posts {
		if len(p.status) == 0 {
			continue
		}
		if got := <-p.status; got != http.StatusServiceUnavailable {
			t.Errorf("answered %d", got)
		}
	}
	return waiting
}

// behindProxy lets tests say where a post comes from, and take their time.
func behindProxy(s *setup) {
	s.opt.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s.server.ReadTimeout = time.Minute
}

// large is an event with a body of a mebibyte.
func large(t *testing.T) []byte {
	b := body(t)
	return []byte(b + strings.Repeat(" ", 1<<20-len(b)))
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestLargeBodiesAreBounded: however many hosts send large bodies without end, they take no more than their room; small ones are heard beside them, and the
// large ones that have their place too. The others are to try again.
func TestLargeBodiesAreBounded(t *testing.T) {
	const many, places = 200, heldMost >> 20
	d := newDoor(t, behindProxy)
	b := large(t)
	before := heap()
	var posts []onePost
	for i := range many {
		posts = append(posts, d.begin(fmt.Sprintf("2001:db8:0:%x::1", i), b))
	}
	waiting := refusedOf(t, posts, many-places)
	grown := heap() - before
	t.Logf("%d bodies of a mebibyte take %d MiB", many, grown>>20)
	if grown < heldMost || grown > heldMost+32<<20 {
		t.Errorf("%d bodies of a mebibyte take %d MiB", many, grown>>20)
	}
	// Whether they were authentic is not known, so they tell nothing of the feed.
	if st := d.handler.Status()[0]; st.Stopped || st.RefusedBy["busy"] != many-places {
		t.Errorf("status %+v", st)
	}
	if status, _ := d.signed(body(t)); status != http.StatusOK {
		t.Errorf("a small one beside them: %d", status)
	}
	req, err := http.NewRequest(http.MethodPost, d.url, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(signature, Sign(testKey, b))
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("one too many: %d, %v", resp.StatusCode, resp.Header)
	}
	for _, p := range waiting {
		if _, err := p.Write(b[len(b)-1:]); err != nil {
			t.Error(err)
		}
		if got := <-p.status; got != http.StatusOK {
			t.Errorf("one that has its place: %d", got)
		}
	}
	if status, _ := d.signed(string(b)); status != http.StatusOK {
		t.Errorf("when they are gone: %d", status)
	}
}

// TestOneHostDoesNotTakeTheRoom: a host gets a part of it, and gives back what it took, however that ends.
func TestOneHostDoesNotTakeTheRoom(t *testing.T) {
	const many, share = 20, heldFromOneHost >> 20
	d := newDoor(t, behindProxy)
	b := large(t)
	for range many {
		req, err := http.NewRequest(http.MethodPost, d.url, chunked{io.MultiReader(bytes.NewReader(b), strings.NewReader(" "))})
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := d.do(req, signature, Sign(testKey, b), "X-Forwarded-For", "2001:db8::1"); status != http.StatusRequestEntityTooLarge {
			t.Fatalf("too large: answered %d", status)
		}
	}
	var posts []onePost
	for i := range many {
		posts = append(posts, d.begin(fmt.Sprintf("2001:db8::%x", i), b)) // one network is one host
	}
	waiting := refusedOf(t, posts, many-share)
	if status, _ := d.signed(string(b), "X-Forwarded-For", "2001:db8:0:1::1"); status != http.StatusOK {
		t.Errorf("another host: %d", status)
	}
	for _, p := range waiting {
		_ = p.Close()
	}
	for end := time.Now().Add(20 * time.Second); ; {
		if status, _ := d.signed(string(b), "X-Forwarded-For", "2001:db8::1"); status == http.StatusOK {
			break
		}
		if time.Now().After(end) {
			t.Fatal("those that hang up keep their place")
		}
	}
	for end := time.Now().Add(20 * time.Second); ; {
		d.handler.held.mu.Lock()
		all, hosts := d.handler.held.all, len(d.handler.held.from)
		d.handler.held.mu.Unlock()
		if all == 0 && hosts == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d bytes of %d hosts are counted in the end", all, hosts)
		}
	}
}

// TestImpossibleSignatures: what is none is refused before anything of the body is read, and only where one is asked for.
func TestImpossibleSignatures(t *testing.T) {
	d := newDoor(t, func(s *setup) {
		s.sources = append(s.sources,
			Source{Source: superoffice.Source{Name: "dev"}, Unsigned: true},
			Source{Source: superoffice.Source{Name: "new"}, AwaitingSecretUntil: today.Add(time.Hour)})
	})
	good := Sign(testKey, []byte(body(t)))
	odd := good[:42] + map[bool]string{true: "B", false: good[42:43]}[strings.Contains("AEIMQUYcgkosw048", good[42:43])] + "=" // other bits that count for nothing
	encode := func(bytes int) string { return base64.StdEncoding.EncodeToString(make([]byte, bytes)) }
	for _, bad := range []string{
		"x", "sha256=" + good, good + "," + good, good[:43], good + "=", odd, encode(31), encode(33), encode(20), encode(64),
		strings.Repeat("a", 64), strings.Repeat("-_", 21) + "A=", strings.Repeat("x", 10_000),
	} {
		begin := time.Now()
		text := "POST " + Path + "acme HTTP/1.1\r\nHost: x\r\n" + signature + ": " + bad + "\r\nContent-Length: 1000000\r\n\r\n"
		if status := d.rawRequest(text); status != http.StatusUnauthorized {
			t.Errorf("%.70s: answered %d after %v", bad, status, time.Since(begin).Round(time.Second))
			break // each of them waits for the body
		}
		d.url = "http://" + d.address + Path + "dev"
		if status, _ := d.post([]byte(body(t)), signature, bad); status != http.StatusOK {
			t.Errorf("%.70s, where none is asked for: %d", bad, status)
		}
		d.url = "http://" + d.address + Path + "new"
		if status, _ := d.post(samples(t)["test"], signature, bad); status != http.StatusOK {
			t.Errorf("%.70s, at a test call: %d", bad, status)
		}
	}
	for n := range 1000 { // and what is one is never taken for none
		if err := checkSignatures([]string{Sign(testKey, []byte{byte(n), byte(n >> 8)})}); err != nil {
			t.Fatal(err)
		}
	}
}
