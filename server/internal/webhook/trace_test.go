package webhook

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// recorded has the door's spans recorded.
func recorded(spans *tracetest.SpanRecorder) func(*setup) {
	return func(s *setup) {
		s.opt.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	}
}

// told is what a span of a post says: its status, and then its attributes by their names.
func told(s sdktrace.ReadOnlySpan, names ...attribute.Key) (list []string) {
	list = append(list, s.Status().Code.String()+s.Status().Description)
	for _, name := range names {
		for _, a := range s.Attributes() {
			if a.Key == name {
				list = append(list, a.Value.String())
			}
		}
	}
	return list
}

// TestTraceOfEachOutcome: every authentic post is a trace that says what came of it, and no other post is one.
func TestTraceOfEachOutcome(t *testing.T) {
	const unset, failed = "Unset", "Error"
	created, test := body(t), string(samples(t)["test"])
	spans := tracetest.NewSpanRecorder()
	d := newDoor(t, recorded(spans))
	full := newDoor(t, recorded(spans), func(s *setup) { s.log = failing{} })
	for _, c := range []struct {
		door   *door
		body   string
		header []string
		want   []string // of the post's span
		steps  []string
	}{
		{d, created, nil, []string{unset, "200", "accepted", "relation.created"}, []string{"translate", "commit"}},
		{d, created, []string{"X-Superoffice-Retry", "2"}, []string{unset, "200", "duplicate", "relation.created", "2"}, []string{"translate", "commit"}},
		{d, test, nil, []string{unset, "200", "test"}, []string{"translate"}},
		{d, `{"EventId":1}`, nil, []string{unset, "200", "quarantined"}, []string{"translate", "commit"}},
		{full, created, nil, []string{failed, "503", "unavailable", "relation.created"}, []string{"translate", "commit"}},
	} {
		spans.Reset()
		c.door.signed(c.body, c.header...)
		ended := spans.Ended()
		var steps []string
		for _, s := range ended[:max(0, len(ended)-1)] {
			steps = append(steps, s.Name())
			if s.Parent().SpanID() != ended[len(ended)-1].SpanContext().SpanID() {
				t.Errorf("%s is not below the post", s.Name())
			}
			want := sdktrace.Status{}
			if s.Name() == "commit" && c.door == full {
				want.Code = codes.Error
			}
			if s.Status() != want {
				t.Errorf("%s: %s ends as %v", c.body, s.Name(), s.Status())
			}
		}
		if !slices.Equal(steps, c.steps) {
			t.Errorf("%s: the steps are %q, want %q", c.body, steps, c.steps)
			continue
		}
		if got := told(ended[len(ended)-1], "http.response.status_code", attrOutcome, attrEventType, "http.request.resend_count"); !slices.Equal(got, c.want) {
			t.Errorf("%s: the post is told of as %q, want %q", c.body, got, c.want)
		}
	}
	spans.Reset()
	d.post([]byte(created), signature, Sign([]byte("another"), []byte(created)))
	d.post([]byte(created))
	if got := spans.Started(); len(got) != 0 {
		t.Errorf("posts that are not authentic made %d spans", len(got))
	}
}

// TestTheSendersTrace: what the sender wants traced is, where it brings an event. Sent again, as by somebody who has captured it, or as anything else that can be
// repeated, it is not, whatever it names.
func TestTheSendersTrace(t *testing.T) {
	created := body(t)
	spans := tracetest.NewSpanRecorder()
	d := newDoor(t, recorded(spans))
	full := newDoor(t, recorded(spans), func(s *setup) { s.log = failing{} })
	for i, c := range []struct {
		door *door
		body string
		want int
	}{
		{d, created, 3},
		{d, created, 0},
		{d, created, 0},
		{d, string(samples(t)["test"]), 0},
		{d, `{"EventId":1}`, 0},
		{full, created, 0},
		{d, strings.Replace(created, "abca7e30", "abca7e31", 1), 3},
	} {
		spans.Reset()
		c.door.signed(c.body, "Traceparent", fmt.Sprintf("00-%032x-%016x-01", i+1, i+1))
		if got := spans.Ended(); len(got) != c.want {
			t.Errorf("%d: %d spans of %s, want %d", i, len(got), c.body, c.want)
		}
	}
}

// TestARetryIsNoPartOfTheTrace: what an operator has tried again later carries none.
func TestARetryIsNoPartOfTheTrace(t *testing.T) {
	d := newDoor(t, recorded(tracetest.NewSpanRecorder()))
	d.signed(body(t))
	door := d.stored()[0]
	rec, _, _ := d.handler.Retry(quarantinedBody("application/json"), []byte(body(t)))
	for name, c := range map[string]struct {
		body   []byte
		traced bool
		want   bool
	}{"the door's": {door.Body, door.Traced, true}, "the retry's": {rec.Body, rec.Traced, false}} {
		e := new(headgatev1.Event)
		if err := proto.Unmarshal(c.body, e); err != nil || (e.GetTraceparent() != "") != c.want || c.traced != c.want {
			t.Errorf("%s: traced %v, %q, %v", name, c.traced, e.GetTraceparent(), err)
		}
	}
}

// BenchmarkTracedPost is BenchmarkPost from one client, with traces off, on with nothing sampled, and on with all.
func BenchmarkTracedPost(b *testing.B) {
	for name, sampler := range map[string]sdktrace.Sampler{"off": nil, "none sampled": sdktrace.TraceIDRatioBased(0), "all sampled": sdktrace.AlwaysSample()} {
		b.Run(name, func(b *testing.B) {
			d := newDoor(b, func(s *setup) {
				s.fs, s.opt.Now = memory(), time.Now
				if sampler != nil {
					s.opt.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler)).Tracer("bench")
				}
			})
			created := body(b)
			b.ReportAllocs()
			for b.Loop() {
				text := strings.Replace(created, "abca7e30", randomHex(), 1)
				r := httptest.NewRequest(http.MethodPost, Path+"acme", strings.NewReader(text))
				r.Header.Set(signature, Sign(testKey, []byte(text)))
				w := httptest.NewRecorder()
				if d.handler.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("answered %d %s", w.Code, w.Body)
				}
			}
		})
	}
}
