package rest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// dial opens a connection of which the test decides what is sent and when it is read.
func dial(t *testing.T, base string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestAStalledReaderIsCutOff(t *testing.T) {
	ended := make(chan struct{})
	large := event("c1", strings.Repeat("x", 256<<10))
	base := serveStalling(t, &script{subscribe: func(_ *headgatev1.SubscribeRequest, out subscribeStream) error {
		defer close(ended)
		if err := out.Send(started("c0")); err != nil {
			return err
		}
		for {
			if err := out.Send(large); err != nil {
				return err
			}
		}
	}}, 200*time.Millisecond)
	c := dial(t, base)
	if _, err := io.WriteString(c, "GET /v1/events:subscribe?start.at=latest HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-ended
}

// The gateway learns that the server ended a stream only when it has written what came before.
func TestAStalledReaderIsLetGoWhenTheServerEndedItsStream(t *testing.T) {
	serverEnded, handlerEnded := make(chan struct{}), make(chan struct{})
	api := newTestAPI(t, &script{subscribe: func(_ *headgatev1.SubscribeRequest, out subscribeStream) error {
		defer close(serverEnded)
		if err := out.Send(started("c0")); err != nil {
			return err
		}
		// More than the buffers of a connection hold.
		if err := out.Send(event("c1", strings.Repeat("x", 32<<20))); err != nil {
			return err
		}
		return failure(t, codes.PermissionDenied, "what this reader may read has changed")
	}}, Options{}, 200*time.Millisecond)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(handlerEnded)
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	if _, err := io.WriteString(dial(t, h.URL), "GET /v1/events:subscribe?start.at=latest HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-serverEnded
	<-handlerEnded
}

func TestAReaderThatIsOnlyIdleIsNotCutOff(t *testing.T) {
	const stall = 50 * time.Millisecond
	base := serveStalling(t, &script{subscribe: func(_ *headgatev1.SubscribeRequest, out subscribeStream) error {
		if err := out.Send(started("c0")); err != nil {
			return err
		}
		select {
		case <-time.After(3 * stall): // the silence is what is tested
		case <-out.Context().Done():
			return out.Context().Err()
		}
		return out.Send(event("c1", "n"))
	}}, stall)
	text := body(t, call(t, "POST", base+"/v1/events:subscribe", `{"start":{"at":"latest"}}`))
	if strings.Count(text, "\n") != 2 || !strings.Contains(text, "c1") {
		t.Errorf("got %q", text)
	}
}

func TestABodyThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	for head, want := range map[string]int{
		"POST /v1/events:list HTTP/1.1\r\nHost: x":                               408,
		"GET /v1/log HTTP/1.1\r\nHost: x":                                        400, // no body is read
		"POST /v1/events:list?%zz HTTP/1.1\r\nHost: x":                           400, // it is refused before
		"POST /v1/events:list HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: cross-site": 403,
	} {
		c := dial(t, serveStalling(t, refusingScript(t), 50*time.Millisecond))
		if _, err := io.WriteString(c, head+"\r\nContent-Length: 10\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", head, resp.StatusCode, want)
		}
	}
}

// A deadline left on a connection of HTTP/2 would end what else goes on there. Over HTTP/1 net/http sends a small answer when the handler has returned, to a client that
// may take none of many.
func TestTheDeadlineIsTakenBack(t *testing.T) {
	part := strconv.Itoa(piece)
	for _, c := range []struct {
		proto, size int
		calls       string
	}{
		{1, 0, "set set 0 set"},
		{1, held, "set set " + strconv.Itoa(held) + " set"},
		{1, 2*piece + 1, "set set " + part + " set " + part + " set 1 set flush clear set"},
		{2, 0, "clear set 0 set flush clear"},
		{2, held, "clear set " + strconv.Itoa(held) + " set flush clear"},
	} {
		rec := &deadlines{header: http.Header{}}
		w := newWriter(rec, &http.Request{ProtoMajor: c.proto}, time.Minute, nil)
		if n, err := w.Write(make([]byte, c.size)); n != c.size || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		w.done()
		if got := strings.Join(rec.calls, " "); got != c.calls {
			t.Errorf("%d bytes: got %s, want %s", c.size, got, c.calls)
		}
	}
}

// deadlines writes down in which order deadlines are set and bytes are written.
type deadlines struct {
	header http.Header
	calls  []string
}

func (d *deadlines) Header() http.Header { return d.header }
func (d *deadlines) WriteHeader(int)     {}
func (d *deadlines) Write(p []byte) (int, error) {
	d.calls = append(d.calls, strconv.Itoa(len(p)))
	return len(p), nil
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	if t.IsZero() {
		d.calls = append(d.calls, "clear")
	} else {
		d.calls = append(d.calls, "set")
	}
	return nil
}

func (d *deadlines) FlushError() error {
	d.calls = append(d.calls, "flush")
	return nil
}

func TestStreamsOverHTTP2(t *testing.T) {
	const stall = 250 * time.Millisecond
	next := make(chan struct{})
	api := newTestAPI(t, &script{subscribe: func(_ *headgatev1.SubscribeRequest, out subscribeStream) error {
		if err := out.Send(started("c0")); err != nil {
			return err
		}
		select {
		case <-next:
		case <-out.Context().Done():
			return out.Context().Err()
		}
		return out.Send(event("c1", "n"))
	}}, Options{}, stall)
	h := httptest.NewUnstartedServer(api)
	h.EnableHTTP2 = true
	h.StartTLS()
	defer h.Close()
	resp, err := h.Client().Post(h.URL+"/v1/events:subscribe", "application/json", strings.NewReader(`{"start":{"at":"latest"}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.ProtoMajor != 2 || resp.StatusCode != 200 {
		t.Fatalf("got %s %s", resp.Proto, resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() {
		t.Fatal(lines.Err())
	}
	<-time.After(3 * stall) // the silence is what is tested
	close(next)
	if !lines.Scan() || !strings.Contains(lines.Text(), "c1") {
		t.Fatalf("got %q, %v", lines.Text(), lines.Err())
	}
}
