package webhook

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// TestQuarantineIsListed: what was wrong, of whom as far as that may be believed, and the size; and a gap in its place, for those whom it concerns.
func TestQuarantineIsListed(t *testing.T) {
	d := newDoor(t)
	own := strings.Replace(body(t), `"PrimaryKey": 20`, `"PrimaryKey": true`, 1)
	foreign := strings.Replace(body(t), "Cust26759", "Cust666", 1)
	long := strings.Repeat("x", 300) + "\xff"
	d.signed(own, "Content-Type", long)
	d.signed(foreign)
	d.signed("\xff")
	list, err := d.engine.Quarantined(context.Background(), eventlog.QuarantineQuery{}, 10)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d quarantined, %v", len(list), err)
	}
	for i, want := range []struct{ context, claimed, eventType, body string }{
		{"", "", "", "\xff"},
		{"", "Cust666", "relation.created", foreign},
		{"Cust26759", "Cust26759", "relation.created", own},
	} {
		q := list[i]
		if q.Kind != eventlog.KindGap || q.Keys.Source != "acme" || q.Keys.Context != want.context || q.Quarantine.Context != want.claimed ||
			q.EventType != want.eventType || q.BodySize != len(want.body) || q.Problem == "" || len(q.ContentType) > 256 || d.raw(q.Seq) != want.body {
			t.Errorf("quarantined %d: %+v", i, q)
		}
		gap := new(headgatev1.Gap)
		if err := proto.Unmarshal(d.stored()[q.Seq-1].Body, gap); err != nil {
			t.Fatal(err)
		}
		if gap.GetReason() != headgatev1.Gap_REASON_QUARANTINED || gap.GetSource() != "acme" || strings.Join(gap.GetContexts(), "") != want.context ||
			!gap.GetFromTime().AsTime().Equal(today) || !gap.GetToTime().AsTime().Equal(today) {
			t.Errorf("its gap is %v", gap)
		}
	}
}

// TestTwinsAreNotDuplicates: the CRM uses one event id for several events; what tells them apart is kept apart.
func TestTwinsAreNotDuplicates(t *testing.T) {
	d := newDoor(t)
	b := body(t)
	for _, change := range [][2]string{
		{"Cust26759", "Cust26759"},
		{"Cust26759", "Default"},
		{`"Event": "relation.created"`, `"Event": "relation.changed"`},
		{`"PrimaryKey": 20`, `"PrimaryKey": 0`},
		{`"PrimaryKey": 20,`, ""},
		{"abca7e30", "abca7e31"},
	} {
		if status, text := d.signed(strings.Replace(b, change[0], change[1], 1)); status != http.StatusOK || text != stored.text+"\n" {
			t.Errorf("with %s: answered %d %s", change[1], status, text)
		}
	}
	// What does not tell them apart: the payload, and how it is written.
	for _, change := range [][2]string{{`"reldef_id": 7`, `"reldef_id": 8`}, {"\n", ""}, {`"PrimaryKey": 20`, `"PrimaryKey": "20"`}} {
		if status, text := d.signed(strings.Replace(b, change[0], change[1], 1)); status != http.StatusOK || text != duplicate.text+"\n" {
			t.Errorf("with %s: answered %d %s", change[1], status, text)
		}
	}
	if status, text := d.signed(b, "Content-Type", "text/plain"); status != http.StatusOK || text != duplicate.text+"\n" {
		t.Errorf("under another media type: answered %d %s", status, text)
	}
	if n := len(d.stored()); n != 6 {
		t.Errorf("%d records", n)
	}
}

// TestNothingOfTheBodyIsLogged: neither values of a body nor signatures, however they are refused.
func TestNothingOfTheBodyIsLogged(t *testing.T) {
	metrics := prometheus.NewRegistry()
	d := newDoor(t, func(s *setup) { s.opt.Metrics = metrics })
	const secret = "Kari Nordmann"
	bodies := []string{
		strings.Replace(body(t), "Relation Webhook", secret, 1),
		strings.Replace(body(t), `"PrimaryKey": 20`, `"PrimaryKey": "`+secret+`"`, 1),
		strings.Replace(body(t), `"Cust26759"`, `"`+secret+`"`, 1),
		`{"x": "` + secret + `", "x": "` + secret + `"}`,
		`{"x": {"` + secret + `": 1, "` + secret + `": 1}}`,
		`"` + secret + `"`, secret, `{"EventId": "` + secret,
		// Names are content too: of keys, and of events that the CRM does not have.
		`{"` + secret + `": 1, "` + secret + `": 1}`,
		strings.Replace(body(t), `"Values": {`, `"Values": {"`+secret+`": 1, "`+secret+`": 1, `, 1),
		strings.Replace(body(t), `"FieldValues": {`, `"FieldValues": {"`+secret+`": 1, "`+secret+`": 1, `, 1),
		strings.Replace(body(t), `"Event": "relation.created"`, `"Event": "`+secret+`"`, 1),
		strings.Replace(strings.Replace(body(t), `"Event": "relation.created"`, `"Event": "`+secret+`"`, 1), "Cust26759", "Cust666", 1),
	}
	for _, b := range bodies {
		good := Sign(testKey, []byte(b))
		d.signed(b, "Content-Type", "application/json")
		d.signed(b, "Content-Type", secret)
		d.post([]byte(b), signature, good[1:])
		d.post([]byte(b), signature, good, signature, secret)
		d.post([]byte(b))
		for _, sign := range []string{good, good[1:]} {
			if strings.Contains(d.logged.String(), sign) {
				t.Error("a signature is in the log lines")
			}
		}
	}
	text := d.logged.String()
	if strings.Contains(text, "Nordmann") || strings.Contains(text, string(testKey)) {
		t.Errorf("what was posted is in the log lines: %s", text)
	}
	if !strings.Contains(text, "webhook quarantined") || !strings.Contains(text, "webhook refused") {
		t.Errorf("the log lines do not tell what happened: %s", text)
	}
	families, err := metrics.Gather()
	if err != nil || len(families) != 5 {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	for _, f := range families {
		if strings.Contains(f.String(), "Nordmann") {
			t.Error("what was posted is in the metrics")
		}
	}
}

// TestQuarantineSaysItsCause: as far as it can be told without the body.
func TestQuarantineSaysItsCause(t *testing.T) {
	for cause, c := range map[string][]string{
		"rules":           {strings.Replace(body(t), `"PrimaryKey": 20`, `"PrimaryKey": true`, 1), "application/json"},
		"foreign_context": {strings.Replace(body(t), "Cust26759", "Cust666", 1), "application/json"},
	} {
		d := newDoor(t)
		d.signed(c[0], "Content-Type", c[1])
		want := fmt.Sprintf(`"msg":"webhook quarantined","source":"acme","cause":%q,"bytes":%d}`, cause, len(c[0]))
		if got := d.logged.String(); !strings.Contains(got, want) {
			t.Errorf("want %s in: %s", want, got)
		}
	}
}

// TestFloodOfRefusalsHidesNobody: while one posts nonsense, another's refusals are logged too, and the next line of the first counts the others.
func TestFloodOfRefusalsHidesNobody(t *testing.T) {
	d := newDoor(t)
	refuse := func(from string) {
		r := httptest.NewRequest(http.MethodPost, Path+"acme", strings.NewReader("{}"))
		r.RemoteAddr = from
		d.handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	for i := range 2000 {
		refuse(fmt.Sprintf("192.0.2.1:%d", 1000+i))
	}
	refuse("192.0.2.2:1")
	if !strings.Contains(d.logged.String(), `"remote":"192.0.2.2"`) {
		t.Error("the refusal of another address is not logged")
	}
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(d.logged.String(), `"suppressed":`); refuse("192.0.2.1:1") {
		if time.Now().After(deadline) {
			t.Fatal("what was suppressed is never told")
		}
	}
}

// TestFloodOfRefusalsIsNotLogged: whoever posts nonsense does not fill the disk with log lines.
func TestFloodOfRefusalsIsNotLogged(t *testing.T) {
	d := newDoor(t)
	for range 2000 {
		r := httptest.NewRequest(http.MethodPost, Path+"acme", strings.NewReader("{}"))
		d.handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	if n := strings.Count(d.logged.String(), "\n"); n < 20 || n > 200 {
		t.Errorf("%d log lines of 2,000 refusals", n)
	}
	if st := d.handler.Status()[0]; st.Refused != 2000 {
		t.Errorf("%d counted", st.Refused)
	}
}

// FuzzServeHTTP: whatever is in an authentic body, it is stored and answered with 200; without its signature nothing is.
func FuzzServeHTTP(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b, "application/json", Sign(testKey, []byte("another")))
	}
	f.Add([]byte("{"), "text/plain", "")
	f.Add([]byte("\xff"), ";", "=,=\x00")
	d := newDoor(f)
	post := func(b []byte, contentType, sign string) int {
		r := httptest.NewRequest(http.MethodPost, Path+"acme", bytes.NewReader(b))
		r.Header["Content-Type"] = []string{contentType}
		r.Header.Set(signature, sign)
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, r)
		return w.Code
	}
	f.Fuzz(func(t *testing.T, b []byte, contentType, header string) {
		head := d.engine.State().Head
		good := Sign(testKey, b)
		if status := post(b, contentType, header); header != good && status != http.StatusUnauthorized {
			t.Errorf("with the signature %q: answered %d", header, status)
		}
		bit := len(b) % (len(good) * 8)
		other := []byte(good)
		other[bit/8] ^= 1 << (bit % 8)
		if status := post(b, contentType, string(other)); status != http.StatusUnauthorized {
			t.Errorf("with a wrong signature: answered %d", status)
		}
		if d.engine.State().Head != head {
			t.Error("something unauthentic was stored")
		}
		for range 2 {
			if status := post(b, contentType, good); status != http.StatusOK {
				t.Errorf("authentic: answered %d", status)
			}
		}
		if more := d.engine.State().Head - head; more > 1 {
			t.Errorf("two posts of one body made %d records", more)
		}
	})
}

// BenchmarkPost stores events on the real disk, from 16 clients at once, without the network.
func BenchmarkPost(b *testing.B) {
	d := newDoor(b, func(s *setup) { s.fs, s.dir = vfs.Default, b.TempDir() })
	created := body(b)
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			text := strings.Replace(created, "abca7e30", randomHex(), 1)
			r := httptest.NewRequest(http.MethodPost, Path+"acme", strings.NewReader(text))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set(signature, Sign(testKey, []byte(text)))
			w := httptest.NewRecorder()
			if d.handler.ServeHTTP(w, r); w.Code != http.StatusOK || w.Body.String() != stored.text+"\n" {
				b.Errorf("answered %d %s", w.Code, w.Body)
			}
		}
	})
}

func randomHex() string {
	const digits = "0123456789abcdef"
	id := make([]byte, 16)
	for i := range id {
		id[i] = digits[rand.IntN(len(digits))]
	}
	return string(id)
}
