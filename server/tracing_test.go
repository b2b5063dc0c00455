package server_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

const (
	senderTrace = "0af7651916cd43dd8448eb211c80319c"
	senderSpan  = "b7ad6b7169203331"
	postSpan    = "POST /webhooks/superoffice/{source}"
)

// traced is a configuration with traces to the collector.
func traced(t *testing.T, endpoint, protocol string, share float64) server.Config {
	cfg := signedConfig(t.TempDir())
	cfg.Tracing = server.Tracing{Endpoint: endpoint, Protocol: protocol, SampleRatio: share}
	return cfg
}

// postWith posts a body with headers; a signature of its own unless there is one among them.
func (g *gateway) postWith(body []byte, header http.Header) int {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, "http://"+g.addr.Webhook+"/webhooks/superoffice/acme", bytes.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header = header.Clone()
	if req.Header.Get("X-SuperOffice-Signature") == "" {
		req.Header.Set("X-SuperOffice-Signature", sign(testSecret, body))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// live returns what brings the next event of a stream that is open already.
func (g *gateway) live() (next func() *headgatev1.Event) {
	g.t.Helper()
	stream, err := g.events().Subscribe(g.t.Context(), &headgatev1.SubscribeRequest{Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}}})
	if err != nil {
		g.t.Fatal(err)
	}
	until := func(enough func(*headgatev1.SubscribeResponse) bool) *headgatev1.SubscribeResponse {
		for {
			m, err := stream.Recv()
			if err != nil {
				g.t.Fatal(err)
			}
			if enough(m) {
				return m
			}
		}
	}
	until(func(m *headgatev1.SubscribeResponse) bool { return m.GetCheckpoint().GetCaughtUp() })
	return func() *headgatev1.Event {
		return until(func(m *headgatev1.SubscribeResponse) bool { return len(m.GetEvents()) > 0 }).GetEvents()[0]
	}
}

// TestTraceOfAPost: one trace from the post to the send, under that of the sender; the event carries it, live and ever after.
func TestTraceOfAPost(t *testing.T) {
	for _, protocol := range []string{server.TracingGRPC, server.TracingHTTP} {
		t.Run(protocol, func(t *testing.T) {
			c := newCollector(t, protocol)
			cfg := traced(t, c.url, protocol, 1)
			cfg.Tracing.Headers = server.SecretKey("authorization=Bearer%20of-the-collector")
			g := start(t, cfg)
			next := g.live()
			if got := g.postWith(body(1, "relation.created", "Cust1234"), http.Header{
				"Traceparent": {"00-" + senderTrace + "-" + senderSpan + "-01"}, "Tracestate": {"hidden=0123456789"}, "Baggage": {"hidden=0123456789"},
			}); got != http.StatusOK {
				t.Fatalf("the post is answered with %d", got)
			}
			event := next()
			g.stop() // what is left is sent by then
			post := checkSpans(t, c)
			if want := "00-" + senderTrace + "-" + hex.EncodeToString(post.GetSpanId()) + "-01"; event.GetTraceparent() != want {
				t.Errorf("the event carries %q, want %q", event.GetTraceparent(), want)
			}
			checkWhatLeft(t, c)
			cfg.Tracing = server.Default().Tracing
			checkReplay(t, start(t, cfg), event.GetTraceparent())
		})
	}
}

// checkSpans looks at the spans of one post that one reader got, and returns that of the post.
func checkSpans(t *testing.T, c *collector) (post *tracev1.Span) {
	t.Helper()
	var names []string
	at := map[string]*tracev1.Span{}
	for _, s := range c.spans() {
		names, at[s.GetName()] = append(names, s.GetName()), s
		if got := hex.EncodeToString(s.GetTraceId()); got != senderTrace {
			t.Errorf("%s is of the trace %s", s.GetName(), got)
		}
	}
	slices.Sort(names)
	if want := []string{postSpan, "commit", "send", "translate"}; !slices.Equal(names, want) {
		t.Fatalf("spans %q, want %q", names, want)
	}
	post = at[postSpan]
	if got := hex.EncodeToString(post.GetParentSpanId()); got != senderSpan || post.GetKind() != tracev1.Span_SPAN_KIND_SERVER {
		t.Errorf("the post is below %s, of kind %s", got, post.GetKind())
	}
	order := []uint64{post.GetStartTimeUnixNano()}
	for _, name := range []string{"translate", "commit"} {
		order = append(order, at[name].GetStartTimeUnixNano(), at[name].GetEndTimeUnixNano())
	}
	if !slices.IsSorted(append(order, post.GetEndTimeUnixNano())) {
		t.Errorf("the post's steps are out of order: %v", order)
	}
	if at["send"].GetStartTimeUnixNano() < at["commit"].GetStartTimeUnixNano() {
		t.Error("the event is sent before it is committed")
	}
	for _, name := range names[1:] {
		if !bytes.Equal(at[name].GetParentSpanId(), post.GetSpanId()) {
			t.Errorf("%s is not below the post", name)
		}
	}
	return post
}

// checkWhatLeft looks at all that the collector got for what must stay: values, persons, tenants, secrets, free text of the sender.
func checkWhatLeft(t *testing.T, c *collector) {
	t.Helper()
	text := c.text()
	for _, secret := range []string{"Cust1234", "hidden", "0123456789\"", testSecret, "updated", "WebhookName", "of-the-collector", "127.0.0.1"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q left: %s", secret, text)
		}
	}
	want := map[string][]string{
		postSpan: {
			"headgate.action", "headgate.entity", "headgate.event_id", "headgate.event_type", "headgate.outcome", "headgate.source", "http.request.body.size",
			"http.request.method", "http.response.status_code", "http.route", "url.path", "url.scheme",
		},
		"send":      {"headgate.reader", "headgate.stream", "messaging.batch.message_count"},
		"translate": {}, "commit": {},
	}
	for _, s := range c.spans() {
		if got := attributes(s); !slices.Equal(keys(got), want[s.GetName()]) {
			t.Errorf("%s has the attributes %v", s.GetName(), got)
		} else if s.GetName() == postSpan && (got["headgate.event_type"] != "relation.created" || got["headgate.outcome"] != "accepted" || got["headgate.source"] != "acme") {
			t.Errorf("the post's attributes are %v", got)
		}
	}
	if !strings.Contains(text, `"headgated"`) {
		t.Errorf("the service is not named: %s", text)
	}
	if slices.Contains(c.headers, "") || c.headers[0] != "Bearer of-the-collector" {
		t.Errorf("the collector's headers are %q", c.headers)
	}
}

// checkReplay reads the one event in every way from a gateway that was started anew and traces nothing.
func checkReplay(t *testing.T, g *gateway, want string) {
	t.Helper()
	if got := g.stored(nil); len(got) != 1 || got[0].GetTraceparent() != want {
		t.Errorf("replayed over gRPC: %v", got)
	}
	for _, accept := range []string{"application/json", "text/event-stream"} {
		_, text := g.get("/v1/events:subscribe?start.at=earliest&stop_when_caught_up=true", "Accept", accept)
		if strings.Count(text, `"traceparent":"`+want+`"`) != 1 {
			t.Errorf("replayed as %s: %s", accept, text)
		}
	}
	g.stop()
}

// TestWhatIsNotContinued: who sends something else than a trace begins none of his own choice, and who is not authentic none at all.
func TestWhatIsNotContinued(t *testing.T) {
	c := newCollector(t, server.TracingGRPC)
	g := start(t, traced(t, c.url, server.TracingGRPC, 1))
	next := g.live()
	good := "00-" + senderTrace + "-" + senderSpan + "-01"
	hostile := []http.Header{
		{"Traceparent": {good[:54]}},
		{"Traceparent": {good + "-"}},
		{"Traceparent": {strings.ToUpper(good)}},
		{"Traceparent": {good, good}},
		{"Traceparent": {""}},
		{"Traceparent": {"ff" + good[2:]}},
		{"Traceparent": {"00-" + strings.Repeat("0", 32) + good[35:]}},
		{"Traceparent": {good[:36] + strings.Repeat("0", 16) + "-01"}},
		{"Traceparent": {good + good}},
		{"Traceparent": {strings.Repeat("a", 8000)}},
		{"Traceparent": {"00-" + senderTrace + "-" + senderSpan + "-0\xff"}},
		{"Traceparent": {"00-" + senderTrace[:31] + "g-" + senderSpan + "-01"}},
		{"X-Traceparent": {good}},
		{},
	}
	form := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`)
	for i, header := range hostile {
		if got := g.postWith(body(i+1, "relation.created", "Cust1234"), header); got != http.StatusOK {
			t.Fatalf("%q: answered %d", header, got)
		}
		if got := next().GetTraceparent(); !form.MatchString(got) || strings.Contains(got, senderTrace) || strings.Contains(got, strings.Repeat("0", 16)) {
			t.Errorf("%q: the event carries %q", header, got)
		}
	}
	forged := http.Header{"Traceparent": {good}, "X-Superoffice-Signature": {sign("another secret", body(100, "relation.created", "Cust1234"))}}
	if got := g.postWith(body(100, "relation.created", "Cust1234"), forged); got != http.StatusUnauthorized {
		t.Fatalf("a forged post: answered %d", got)
	}
	// Its sender does not take it, so nobody does.
	if got := g.postWith(body(101, "relation.created", "Cust1234"), http.Header{"Traceparent": {good[:53] + "00"}}); got != http.StatusOK {
		t.Fatalf("answered %d", got)
	}
	if got := next().GetTraceparent(); got != "" {
		t.Errorf("an event that is not sampled carries %q", got)
	}
	g.stop()
	if n := len(c.named(postSpan)); n != len(hostile) {
		t.Errorf("%d posts are traced, want %d", n, len(hostile))
	}
	if text := c.text(); len(c.spans()) != 4*len(hostile) || strings.Contains(text, senderSpan) {
		t.Errorf("%d spans for %d posts", len(c.spans()), len(hostile))
	}
}

// TestBatchIsOneSpan: a message of several events of traces makes one span, in the first one's trace and linked to the others.
func TestBatchIsOneSpan(t *testing.T) {
	c := newCollector(t, server.TracingHTTP)
	g := start(t, traced(t, c.url, server.TracingHTTP, 1))
	for i := range 5 {
		if got := g.post(body(i+1, "relation.created", "Cust1234")); got != http.StatusOK {
			t.Fatalf("answered %d", got)
		}
	}
	events := g.stored(nil)
	g.stop()
	sends := c.named("send")
	if len(events) != 5 || len(sends) != 1 || len(sends[0].GetLinks()) != 4 || attributes(sends[0])["messaging.batch.message_count"] != "5" {
		t.Fatalf("%d events, sent by %v", len(events), sends)
	}
	if got := "00-" + hex.EncodeToString(sends[0].GetTraceId()) + "-" + hex.EncodeToString(sends[0].GetParentSpanId()) + "-01"; got != events[0].GetTraceparent() {
		t.Errorf("it is below %s, want %s", got, events[0].GetTraceparent())
	}
	for i, link := range sends[0].GetLinks() {
		if got := "00-" + hex.EncodeToString(link.GetTraceId()) + "-" + hex.EncodeToString(link.GetSpanId()) + "-01"; got != events[i+1].GetTraceparent() {
			t.Errorf("link %d is %s, want %s", i, got, events[i+1].GetTraceparent())
		}
	}
}

// stacks are those of all goroutines.
func stacks() string {
	for size := 1 << 20; ; size *= 2 {
		b := make([]byte, size)
		if n := runtime.Stack(b, true); n < size {
			return string(b[:n])
		}
	}
}

// TestNoTracingUnlessAsked: by default, and with nothing sampled, there is no exporter, nor a goroutine of one; and no event carries anything.
func TestNoTracingUnlessAsked(t *testing.T) {
	for name, set := range map[string]func(c *collector, t *server.Tracing){
		"default":         func(*collector, *server.Tracing) {},
		"nothing sampled": func(c *collector, t *server.Tracing) { t.Endpoint, t.SampleRatio = c.url, 0 },
		"sampled":         func(c *collector, t *server.Tracing) { t.Endpoint = c.url },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t, server.TracingHTTP)
			cfg := signedConfig(t.TempDir())
			set(c, &cfg.Tracing)
			g := start(t, cfg)
			if got := g.postWith(body(1, "relation.created", "Cust1234"), http.Header{"Traceparent": {"00-" + senderTrace + "-" + senderSpan + "-01"}}); got != http.StatusOK {
				t.Fatalf("answered %d", got)
			}
			on := name == "sampled"
			if events := g.stored(nil); len(events) != 1 || (events[0].GetTraceparent() != "") != on {
				t.Errorf("stored %v", events)
			}
			if got := strings.Contains(stacks(), "go.opentelemetry.io/otel/sdk"); got != on {
				t.Errorf("there are goroutines of the exporter: %v", got)
			}
			g.stop()
			if got := len(c.spans()) > 0; got != on {
				t.Errorf("the collector got spans: %v", got)
			}
			if strings.Contains(stacks(), "go.opentelemetry.io/otel/sdk") {
				t.Error("goroutines of the exporter are left")
			}
		})
	}
}

// TestCollectorAway: one that refuses, and one that takes a connection and says nothing, delay neither posts nor readers nor the end for long, and are told once.
func TestCollectorAway(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
	for _, at := range []struct {
		name, protocol string
		net.Addr
	}{{"silent", server.TracingGRPC, silent.Addr()}, {"silent", server.TracingHTTP, silent.Addr()}, {"gone", server.TracingHTTP, gone.Addr()}} {
		t.Run(at.name+" "+at.protocol, func(t *testing.T) {
			log := captureLog(t)
			g := start(t, traced(t, "http://"+at.String(), at.protocol, 1))
			next := g.live()
			const posts = 100 // many more spans than the queue holds
			for i := range posts {
				if got := g.post(body(i+1, "relation.created", "Cust1234")); got != http.StatusOK {
					t.Fatalf("answered %d", got)
				}
				if e := next(); e.GetTraceparent() == "" {
					t.Fatalf("got %v", e)
				}
			}
			lost := func() float64 { return g.metric("headgate_spans_lost_total") }
			for deadline := time.Now().Add(time.Minute); lost() < 2*posts-40 && time.Now().Before(deadline); { // all but those that wait
			}
			if n := lost(); n < 2*posts-40 {
				t.Errorf("%v spans were lost", n)
			}
			began := time.Now()
			g.stop()
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("the gateway took %s to end", took)
			}
			if n := strings.Count(log.String(), "traces do not reach the collector"); n != 1 {
				t.Errorf("%d lines: %s", n, log)
			}
		})
	}
}

// metric is one figure of the gateway's, without labels.
func (g *gateway) metric(name string) float64 {
	g.t.Helper()
	resp, err := http.Get("http://" + g.addr.Admin + "/metrics")
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name+" "); found {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				g.t.Fatal(err)
			}
			return n
		}
	}
	g.t.Fatalf("there is no %s", name)
	return 0
}

// logText gathers the program's log.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func captureLog(t *testing.T) *logText {
	l, before := &logText{}, slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(l, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return l
}

// TestManyReadersOfOneTrace: each reader's send is a span of its own in the trace, and none is made of what is not sampled.
func TestManyReadersOfOneTrace(t *testing.T) {
	const readers = 20
	c := newCollector(t, server.TracingGRPC)
	g := start(t, traced(t, c.url, server.TracingGRPC, 1))
	var all []func() *headgatev1.Event
	for range readers {
		all = append(all, g.live())
	}
	for i, flags := range []string{"01", "00"} {
		header := http.Header{"Traceparent": {fmt.Sprintf("00-%s-%s-%s", senderTrace, senderSpan, flags)}}
		if got := g.postWith(body(i+1, "relation.created", "Cust1234"), header); got != http.StatusOK {
			t.Fatalf("answered %d", got)
		}
		for _, next := range all {
			if got := next().GetTraceparent() != ""; got != (flags == "01") {
				t.Errorf("flags %s: it is traced: %v", flags, got)
			}
		}
	}
	g.stop()
	streams := map[string]bool{}
	for _, s := range c.named("send") {
		streams[attributes(s)["headgate.stream"]] = true
	}
	if len(streams) != readers || len(c.spans()) != readers+3 {
		t.Errorf("%d streams, %d spans", len(streams), len(c.spans()))
	}
}
