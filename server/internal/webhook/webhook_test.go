package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/eventlog/pebblestore"
	"github.com/headgate/headgate/server/internal/superoffice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testKey = []byte("Something Super Secret")

// today is what the doors of the tests take for now.
var today = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// door is a handler behind a real server, before a real log.
type door struct {
	t       testing.TB
	engine  *pebblestore.Store
	handler *Handler
	url     string
	address string
	logged  *lines
}

// setup is what tests change of it.
type setup struct {
	fs      vfs.FS
	dir     string
	log     Log // instead of the real one
	sources []Source
	opt     Options
	server  http.Server
}

// lines gathers what is logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// memory is a file system in memory without room for a ballast: to make it would be most of what a small test does.
func memory() vfs.FS {
	mem := vfs.NewMem()
	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 64 << 20})
	return mem
}

func newDoor(t testing.TB, change ...func(*setup)) *door {
	t.Helper()
	d := &door{t: t, logged: &lines{}}
	s := &setup{fs: memory(), dir: "data"}
	s.sources = []Source{{Source: superoffice.Source{Name: "acme"}, Contexts: []string{"Cust26759", "Default"}, Secrets: []Secret{{ID: "a", Key: testKey}}}}
	s.opt = Options{Logger: slog.New(slog.NewJSONHandler(d.logged, nil)), Now: func() time.Time { return today }, RefusedPerSecond: 1 << 30}
	// As the gateway sets them.
	s.server = http.Server{
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	for _, f := range change {
		f(s)
	}
	if s.log == nil {
		var err error
		if d.engine, err = pebblestore.Open(s.dir, pebblestore.Options{FS: s.fs, AppendTimeout: 30 * time.Second}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := d.engine.Close(); err != nil {
				t.Error(err)
			}
		})
		if s.log, err = eventlog.Open(d.engine, eventlog.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	d.handler = New(s.log, s.sources, s.opt)
	d.serve(&s.server)
	return d
}

func (d *door) serve(srv *http.Server) {
	d.t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.t.Fatal(err)
	}
	if srv.Handler == nil {
		srv.Handler = d.handler
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(lis) }()
	d.t.Cleanup(func() {
		client.CloseIdleConnections()
		_ = srv.Close()
		<-served
	})
	d.address = lis.Addr().String()
	d.url = "http://" + d.address + Path + "acme"
}

// client follows no redirects.
var client = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
}

// post sends a body with the headers, given as names and values in turn, and returns the answer.
func (d *door) post(body []byte, headers ...string) (status int, text string) {
	d.t.Helper()
	req, err := http.NewRequest(http.MethodPost, d.url, bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	return d.do(req, headers...)
}

func (d *door) do(req *http.Request, headers ...string) (status int, text string) {
	d.t.Helper()
	for i := 0; i < len(headers); i += 2 {
		req.Header[headers[i]] = append(req.Header[headers[i]], headers[i+1])
	}
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	resp, err := client.Do(req)
	if err != nil {
		d.t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Error(err)
	}
	return resp.StatusCode, string(answer)
}

// signed posts a body with the signature that is right for it.
func (d *door) signed(body string, headers ...string) (status int, text string) {
	d.t.Helper()
	return d.post([]byte(body), append(headers, "X-SuperOffice-Signature", Sign(testKey, []byte(body)))...)
}

// stored returns all records.
func (d *door) stored() (list []eventlog.Stored) {
	d.t.Helper()
	head := d.engine.State().Head
	for after := uint64(0); after < head; after = list[len(list)-1].Seq {
		_, err := d.engine.Read(context.Background(), after, nil, func(st eventlog.Stored) bool {
			st.Body = bytes.Clone(st.Body)
			list = append(list, st)
			return true
		})
		if err != nil {
			d.t.Fatal(err)
		}
	}
	return list
}

// raw returns the body that was kept beside a record.
func (d *door) raw(seq uint64) string {
	d.t.Helper()
	raw, err := d.engine.Raw(context.Background(), seq)
	if err != nil {
		d.t.Error(err)
	}
	return string(raw)
}

// samples are the bodies of the vendor's documentation, by name.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	data, err := os.ReadFile("testdata/samples.json")
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]struct{ Body json.RawMessage }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	bodies := make(map[string][]byte)
	for name, s := range file {
		bodies[name] = s.Body
	}
	return bodies
}

// body is one of the samples, as a string that tests change.
func body(t testing.TB) string { return string(samples(t)["relation.created"]) }

// TestSamplesAreAccepted posts what the vendor documents; everything but the test call becomes an event with its raw bytes.
func TestSamplesAreAccepted(t *testing.T) {
	d := newDoor(t, func(s *setup) { s.sources[0].Contexts = []string{"Cust1234", "Cust26759", "Cust31038", "Default"} })
	raws := map[string]bool{}
	for name, b := range samples(t) {
		status, text := d.signed(string(b))
		if status != http.StatusOK || (text == tested.text+"\n") != (name == "test") {
			t.Errorf("%s: %d %s", name, status, text)
		}
		raws[string(b)] = name != "test"
	}
	list := d.stored()
	if len(list) != len(raws)-1 {
		t.Errorf("%d records of %d samples, one of which is the test call", len(list), len(raws))
	}
	for _, rec := range list {
		e := new(headgatev1.Event)
		if err := proto.Unmarshal(rec.Body, e); err != nil || rec.Kind != eventlog.KindEvent {
			t.Fatalf("record %d is of kind %d: %v", rec.Seq, rec.Kind, err)
		}
		want := eventlog.Keys{
			Source: "acme", Context: e.GetContext(), Entity: e.GetEntity(), EventType: e.GetEventType(), Action: e.GetAction(), EventID: e.GetEventId(),
			PrimaryKey: e.GetPrimaryKey(), HasPrimaryKey: true, ChangedBy: e.GetChangedByAssociateId(), HasChangedBy: true,
			Changed: eventlog.JoinChanged(e.GetChangedFields()), Shard: rec.Keys.Shard,
		}
		if rec.Keys != want || e.GetContext() == "" || e.GetCursor() != "" || e.GetReceivedAt() != nil {
			t.Errorf("record %d has the keys %+v for the event %v", rec.Seq, rec.Keys, e)
		}
		if !raws[d.raw(rec.Seq)] {
			t.Errorf("the raw body of record %d is not what was posted", rec.Seq)
		}
	}
}

// TestAnswers goes through the design's table of answers.
func TestAnswers(t *testing.T) {
	created := body(t)
	test := string(samples(t)["test"])
	with := func(old, new string) string {
		if !strings.Contains(created, old) {
			t.Fatalf("the sample has no %s", old)
		}
		return strings.Replace(created, old, new, 1)
	}
	events, gaps := 1, 1
	for name, c := range map[string]struct {
		body       string
		headers    []string
		answer     answer
		event, gap int
	}{
		"accepted":                    {body: created, answer: stored, event: events},
		"test":                        {body: test, answer: tested},
		"test, in a foreign context":  {body: strings.Replace(test, "Default", "Cust666", 1), answer: tested},
		"test, of an odd media type":  {body: test, headers: []string{"Content-Type", "text/plain"}, answer: tested},
		"indented, CRLF":              {body: strings.ReplaceAll(created, "\n", "\r\n"), answer: stored, event: events},
		"numeric string as key":       {body: with(`"PrimaryKey": 20`, `"PrimaryKey": "20"`), answer: stored, event: events},
		"payload field of wrong type": {body: with(`"reldef_id": 7`, `"reldef_id": "seven"`), answer: stored, event: events},
		"bad Timestamp":               {body: with("2024-11-05T11:25:24.0528404Z", "yesterday"), answer: stored, event: events},
		"own charset":                 {body: created, headers: []string{"Content-Type", `application/json;charset="UTF-8"`}, answer: stored, event: events},
		"odd media type":              {body: created, headers: []string{"Content-Type", "text/json"}, answer: stored, event: events},
		"odd charset":                 {body: created, headers: []string{"Content-Type", "application/json; charset=utf-16"}, answer: stored, event: events},
		"unreadable type":             {body: created, headers: []string{"Content-Type", "application/json; ="}, answer: stored, event: events},

		"wrong context":       {body: with("Cust26759", "Cust666"), answer: quarantined, gap: gaps},
		"empty":               {body: "", answer: quarantined, gap: gaps},
		"not JSON":            {body: "<xml/>", answer: quarantined, gap: gaps},
		"array":               {body: "[" + created + "]", answer: quarantined, gap: gaps},
		"data after it":       {body: created + "{}", answer: quarantined, gap: gaps},
		"case variant":        {body: with(`"PrimaryKey"`, `"contextidentifier": "Default", "PrimaryKey"`), answer: quarantined, gap: gaps},
		"duplicate key":       {body: with(`"PrimaryKey"`, `"ContextIdentifier": "Default", "PrimaryKey"`), answer: quarantined, gap: gaps},
		"bad UTF-8":           {body: with("Relation Webhook", "Relation \xff"), answer: quarantined, gap: gaps},
		"wrong type":          {body: with(`"PrimaryKey": 20`, `"PrimaryKey": [20]`), answer: quarantined, gap: gaps},
		"number too large":    {body: with(`"PrimaryKey": 20`, `"PrimaryKey": 2147483648`), answer: quarantined, gap: gaps},
		"17 deep":             {body: with(`"associateId": 5`, `"associateId": `+strings.Repeat("[", 15)+strings.Repeat("]", 15)), answer: quarantined, gap: gaps},
		"a million deep":      {body: strings.Repeat("[", 1_000_000), answer: quarantined, gap: gaps},
		"a million deep keys": {body: `{"x":` + strings.Repeat(`{"":`, 200_000), answer: quarantined, gap: gaps},
		"no context":          {body: with(`"ContextIdentifier": "Cust26759",`, ""), answer: quarantined, gap: gaps},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			for _, want := range []answer{c.answer, again(c.answer)} {
				status, text := d.signed(c.body, c.headers...)
				// What went into quarantine is answered with the reason.
				told := text == want.text+"\n" || want.outcome == quarantined.outcome && strings.HasPrefix(text, want.text+": ")
				if status != want.status || !told {
					t.Errorf("answered %d %q, want %d %q", status, text, want.status, want.text)
				}
			}
			var events, gaps int
			for _, rec := range d.stored() {
				switch rec.Kind {
				case eventlog.KindEvent:
					events++
				case eventlog.KindGap:
					gaps++
				}
				if c.body != "" && d.raw(rec.Seq) != c.body {
					t.Error("the raw bytes are not what was posted")
				}
			}
			if events != c.event || gaps != c.gap {
				t.Errorf("%d events and %d gaps are stored", events, gaps)
			}
			st := d.handler.Status()[0]
			tests := 0
			if c.answer.outcome == tested.outcome {
				tests = 2
			}
			if int(st.Accepted) != c.event || int(st.Quarantined) != c.gap || int(st.Duplicates) != c.event+c.gap || int(st.Tests) != tests || st.Refused != 0 {
				t.Errorf("counted %+v", st)
			}
			if got := d.engine.State().Quarantined; got != uint64(c.gap) {
				t.Errorf("%d in quarantine", got)
			}
		})
	}
}

// again is what the same post is answered with the second time.
func again(a answer) answer {
	if a.outcome == tested.outcome {
		return a
	}
	return duplicate
}
