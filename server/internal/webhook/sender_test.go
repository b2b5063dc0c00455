package webhook

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/superoffice"
)

func TestSenderOf(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}
	for _, c := range []struct {
		remote, forwarded, want string
		proxies                 []netip.Prefix
	}{
		{"192.0.2.1:5", "", "192.0.2.1", proxies},
		{"192.0.2.1:5", "198.51.100.7", "192.0.2.1", proxies}, // not a proxy: whatever it says
		{"127.0.0.1:5", "198.51.100.7", "127.0.0.1", nil},
		{"127.0.0.1:5", "198.51.100.7", "198.51.100.7", proxies},
		{"10.1.1.1:5", "203.0.113.9, 198.51.100.7, 10.2.2.2", "198.51.100.7", proxies}, // the first is what the sender wrote itself
		{"10.1.1.1:5", "nonsense", "10.1.1.1", proxies},
		{"10.1.1.1:5", "198.51.100.7:51234", "198.51.100.7", proxies},
		{"10.1.1.1:5", "[2001:db8::1]:443", "2001:db8::1", proxies},
		{"10.1.1.1:5", "[2001:db8::1]", "2001:db8::1", proxies},
		{"[::ffff:10.1.1.1]:5", "198.51.100.7", "198.51.100.7", proxies},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := senderOf(r, c.proxies).String(); got != c.want {
			t.Errorf("%s forwarding %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

func TestAllowedAddresses(t *testing.T) {
	d := newDoor(t, func(s *setup) {
		s.sources[0].AllowAddresses = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		s.opt.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	if status, _ := d.signed(body(t)); status != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", status)
	}
	if status, _ := d.signed(body(t), "X-Forwarded-For", "192.0.2.9"); status != http.StatusOK {
		t.Errorf("from an allowed address: %d", status)
	}
	if status, _ := d.signed(body(t), "X-Forwarded-For", "192.0.2.9, 203.0.113.1"); status != http.StatusForbidden {
		t.Errorf("with an allowed address that the sender made up: %d", status)
	}
}

// TestFloodOfRefusals: an address that posts without a right signature over and over is cut short, and its authentic posts are not.
func TestFloodOfRefusals(t *testing.T) {
	d := newDoor(t, func(s *setup) { s.opt.RefusedPerSecond = 5 })
	seen := map[int]int{}
	for range 100 {
		status, _ := d.post([]byte("{}"), signature, "wrong")
		seen[status]++
		if status, _ := d.signed(body(t)); status != http.StatusOK {
			t.Fatalf("an authentic post in between: %d", status)
		}
	}
	if seen[401] == 0 || seen[429] < 50 || seen[401]+seen[429] != 100 {
		t.Errorf("answers %v", seen)
	}
	if n := len(d.stored()); n != 1 {
		t.Errorf("%d records stored", n)
	}
	st := d.handler.Status()[0]
	if st.Refused != 100 || st.RefusedBy["unauthenticated"] != uint64(seen[401]) || st.RefusedBy["rate_limited"] != uint64(seen[429]) {
		t.Errorf("status %+v", st)
	}
}

func TestStrikesAreBounded(t *testing.T) {
	s := strikes{perSecond: 1}
	at := today
	for i := range 3 * strikesMost {
		s.allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), at)
	}
	if n := len(s.now) + len(s.old); n > 2*strikesMost {
		t.Errorf("%d addresses are remembered", n)
	}
	sender := netip.MustParseAddr("192.0.2.1")
	for s.allow(sender, at) {
	}
	if at = at.Add(3 * strikesKept); !s.allow(sender, at) {
		t.Error("an address is not forgiven")
	}
}

// TestStrikesAreOfNetworks: whoever has a network of IPv6 is one sender, and whatever is refused counts: the names of sources cannot be tried out.
func TestStrikesAreOfNetworks(t *testing.T) {
	for name, tries := range map[string][2]string{
		"unknown sources":  {"nobody", ""},
		"wrong signatures": {"acme", Sign([]byte("wrong"), nil)},
		"no signatures":    {"acme", "x"},
	} {
		d := newDoor(t, func(s *setup) { s.opt.RefusedPerSecond = 1 })
		post := func(from, source, sign string) int {
			r := httptest.NewRequest(http.MethodPost, Path+source, strings.NewReader("{}"))
			r.RemoteAddr = "[" + from + "]:1"
			r.Header.Set(signature, sign)
			w := httptest.NewRecorder()
			d.handler.ServeHTTP(w, r)
			return w.Code
		}
		seen := map[int]int{}
		for i := range 200 {
			seen[post(fmt.Sprintf("2001:db8::%x", i), tries[0], tries[1])]++
		}
		if told := seen[401] + seen[404]; told == 0 || told > 100 || told+seen[429] != 200 {
			t.Errorf("%s: answers %v", name, seen)
		}
		for _, other := range []string{"nobody", "acme"} {
			told := 0
			for range 5 {
				if post("2001:db8::ffff", other, "") != http.StatusTooManyRequests {
					told++
				}
			}
			if told > 1 { // one if a second has gone by
				t.Errorf("%s, then to %s: %d of 5 are told why", name, other, told)
			}
		}
		if got := post("2001:db8:0:1::1", "acme", ""); got != http.StatusUnauthorized {
			t.Errorf("%s of another network: %d", name, got)
		}
		if got := post("2001:db8::1", "acme", Sign(testKey, []byte("{}"))); got != http.StatusOK {
			t.Errorf("%s beside an authentic post: %d", name, got)
		}
	}
}

// TestPagesCannotPost: a source that needs no signature takes nothing from pages in the developer's browser, and all from programs, through a tunnel too.
func TestPagesCannotPost(t *testing.T) {
	d := newDoor(t, func(s *setup) {
		s.sources = append(s.sources, Source{Source: superoffice.Source{Name: "dev"}, Unsigned: true})
	})
	post := func(source, host string, headers ...string) (int, string) {
		req, err := http.NewRequest(http.MethodPost, "http://"+d.address+Path+source, strings.NewReader(body(t)))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		return d.do(req, headers...)
	}
	for _, page := range [][]string{
		{"Origin", "https://evil.example"},
		{"Origin", "null"},
		{"Origin", ""},
		{"Origin", "http://rebound.example:8080"}, // a name that its owner points at this machine
		{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "same-origin"},
	} {
		for _, host := range []string{"", "rebound.example:8080"} {
			if status, text := post("dev", host, page...); status != http.StatusForbidden || text != fromPage.text+"\n" {
				t.Errorf("%q: answered %d %s", page, status, text)
			}
		}
		if status, _ := post("acme", "", append(page, signature, Sign(testKey, []byte(body(t))))...); status != http.StatusOK {
			t.Errorf("%q, signed: answered %d", page, status)
		}
	}
	for _, program := range [][]string{nil, {"Sec-Fetch-Mode", "cors"}, {"X-Forwarded-Host", "dev.tunnel.example", "X-Forwarded-Proto", "https"}} {
		for _, host := range []string{"", "dev.tunnel.example"} {
			if status, text := post("dev", host, program...); status != http.StatusOK {
				t.Errorf("%q to %q: answered %d %s", program, host, status, text)
			}
		}
	}
}

// TestAwaitingSecret: a source whose secret the CRM will make up answers the test call alone, for the stated time.
func TestAwaitingSecret(t *testing.T) {
	now := today
	d := newDoor(t, func(s *setup) {
		s.sources[0].Secrets, s.sources[0].AwaitingSecretUntil = nil, today.Add(time.Hour)
		s.opt.Now = func() time.Time { return now }
	})
	call := strings.NewReplacer("relation.created", "test").Replace(body(t))
	post := func(text string) int {
		status, _ := d.post([]byte(text))
		return status
	}
	if got := post(call); got != http.StatusOK {
		t.Errorf("the test call: %d", got)
	}
	if got := post(body(t)); got != http.StatusUnauthorized {
		t.Errorf("an event: %d", got)
	}
	if got := post("nonsense"); got != http.StatusUnauthorized {
		t.Errorf("nonsense: %d", got)
	}
	if st := d.handler.Status()[0]; st.AwaitingSecretUntil.IsZero() || st.Tests != 1 {
		t.Errorf("status %+v", st)
	}
	now = today.Add(time.Hour)
	if got := post(call); got != http.StatusUnauthorized {
		t.Errorf("the test call after its time: %d", got)
	}
	// The CRM shows its secret; it is configured, and the source works without a restart.
	d.handler.SetSources([]Source{{Source: superoffice.Source{Name: "acme"}, Contexts: []string{"Cust26759"}, Secrets: []Secret{{ID: "made", Key: testKey}}}})
	if status, _ := d.signed(body(t)); status != http.StatusOK {
		t.Errorf("signed: %d", status)
	}
	if st := d.handler.Status()[0]; st.LastSecret != "made" || st.Tests != 1 || st.Accepted != 1 {
		t.Errorf("status %+v", st)
	}
	if n := len(d.stored()); n != 1 {
		t.Errorf("%d records stored", n)
	}
}

// TestWrongSignaturesInARow: they are counted until an authentic post, a test call too, shows that the CRM has the right secret.
func TestWrongSignaturesInARow(t *testing.T) {
	d := newDoor(t)
	unauthenticated := func() uint64 { return d.handler.Status()[0].Unauthenticated }
	for range 3 {
		if status, _ := d.post([]byte(body(t))); status != http.StatusUnauthorized {
			t.Fatal(status)
		}
	}
	if n := unauthenticated(); n != 3 {
		t.Errorf("after three there are %d", n)
	}
	if status, _ := d.signed(body(t)); status != http.StatusOK || unauthenticated() != 0 {
		t.Errorf("after an authentic one, answered with %d, there are %d", status, unauthenticated())
	}
}

// TestStoppedFeed: the CRM's own words, or as many failures in a row as make it stop, tell that a person must act; an event tells that one has.
func TestStoppedFeed(t *testing.T) {
	d := newDoor(t, func(s *setup) { s.sources[0].Contexts = nil })
	stopped := func() bool { return d.handler.Status()[0].Stopped }
	event := func(name string, n string) {
		if status, text := d.signed(strings.NewReplacer("relation.created", name, "abca7e30", n).Replace(body(t))); status != http.StatusOK {
			t.Fatal(status, text)
		}
	}
	event("webhook.errors", "00000001")
	if !stopped() {
		t.Error("webhook.errors was not understood")
	}
	event("relation.changed", "00000002")
	if stopped() {
		t.Error("an event came, and the feed still counts as stopped")
	}

	d = newDoor(t, func(s *setup) { s.log = failing{} })
	for i := range failuresToStop {
		if d.handler.Status()[0].Stopped {
			t.Errorf("counts as stopped after %d failures", i)
		}
		if status, _ := d.signed(body(t)); status != http.StatusServiceUnavailable {
			t.Fatal(status)
		}
	}
	if !d.handler.Status()[0].Stopped {
		t.Error("does not count as stopped, after as many failures as stop it")
	}
}

// failing is a log whose disk is full.
type failing struct{}

func (failing) Append(context.Context, *eventlog.Record) (bool, error) {
	return false, eventlog.ErrFull
}
