package server

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/tap"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/access"
)

// sinkConn is a connection that reads what a test wrote, and takes everything.
type sinkConn struct{ readConn }

func (sinkConn) Write(p []byte) (int, error) { return len(p), nil }

func (sinkConn) Close() error { return nil }

func (sinkConn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

func (sinkConn) SetWriteDeadline(time.Time) error { return nil }

// counter counts what is written to it.
type counter struct{ atomic.Int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.Add(int64(len(p)))
	return len(p), nil
}

// twoCalls are what a client sends that makes one call after the other, and how much of it is before the last byte of the head of the second one.
func twoCalls(t *testing.T, reset bool) (b *bytes.Buffer, first int) {
	t.Helper()
	b = bytes.NewBufferString(http2.ClientPreface)
	f := http2.NewFramer(b, nil)
	err := f.WriteSettings()
	for _, stream := range []uint32{1, 3} {
		first = b.Len() + headBytes - 1
		err = errors.Join(err, f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: make([]byte, 300)}), f.WriteContinuation(stream, true, make([]byte, 300)))
		err = errors.Join(err, f.WriteData(stream, false, make([]byte, 300)), f.WriteData(stream, true, make([]byte, 300)))
		if reset {
			err = errors.Join(err, f.WriteRSTStream(stream, http2.ErrCodeCancel))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b, first
}

// TestCallsComeOneByOne: the second call is not read before the first has arrived or was answered, and then all is read as it was sent.
func TestCallsComeOneByOne(t *testing.T) {
	for name, slice := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "halves": iotest.HalfReader,
	} {
		for what, c := range map[string]struct {
			then    func(c *oneByOne, answer *http2.Framer) error
			reset   bool // the client called the first off
			forgets time.Duration
			waits   bool // even then
			after   time.Duration
		}{
			"arrived":  {then: func(c *oneByOne, _ *http2.Framer) error { c.arrived(); return nil }},
			"answered": {then: func(_ *oneByOne, f *http2.Framer) error { return f.WriteData(1, true, make([]byte, 100)) }},
			"answered at once": {then: func(_ *oneByOne, f *http2.Framer) error {
				return f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndStream: true})
			}},
			"refused":             {then: func(_ *oneByOne, f *http2.Framer) error { return f.WriteRSTStream(1, http2.ErrCodeRefusedStream) }},
			"no more calls":       {then: func(_ *oneByOne, f *http2.Framer) error { return f.WriteGoAway(1, http2.ErrCodeNo, nil) }},
			"called off":          {reset: true, forgets: forgotten, after: forgotten},
			"called off, to gRPC": {reset: true, waits: true},
			"neither":             {after: answerLasts},
			"half answered": {waits: true, then: func(_ *oneByOne, f *http2.Framer) error {
				return errors.Join(f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1}), f.WriteData(1, false, make([]byte, 100)), f.WriteSettingsAck())
			}},
			"another's answer": {waits: true, then: func(_ *oneByOne, f *http2.Framer) error { return f.WriteData(3, true, nil) }},
			"no more calls after some": {waits: true, then: func(_ *oneByOne, f *http2.Framer) error {
				return f.WriteGoAway(1<<31-1, http2.ErrCodeNo, []byte("soon"))
			}},
		} {
			synctest.Test(t, func(t *testing.T) {
				sent, first := twoCalls(t, c.reset)
				want := sent.String()
				conn := newOneByOne(sinkConn{readConn{Reader: slice(sent)}}, c.forgets)
				var got bytes.Buffer
				var n counter
				read, begun := make(chan error, 1), time.Now()
				go func() {
					_, err := io.Copy(io.MultiWriter(&got, &n), conn)
					read <- err
				}()
				synctest.Wait()
				if n.Load() != int64(first) {
					t.Errorf("%s, %s: %d bytes are read before that, want %d", name, what, n.Load(), first)
				}
				if c.then != nil {
					if err := c.then(conn, http2.NewFramer(conn, nil)); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(c.after) // of the bubble's time
				synctest.Wait()
				select {
				case err := <-read:
					if c.waits || err != nil || got.String() != want || time.Since(begun) != c.after {
						t.Errorf("%s, %s: it waits no longer: %v, after %v", name, what, err, time.Since(begun))
					}
				default:
					if !c.waits {
						t.Errorf("%s, %s: it waits", name, what)
					}
					_ = conn.Close()
					if err := <-read; !errors.Is(err, net.ErrClosed) {
						t.Errorf("%s, %s: after the end: %v", name, what, err)
					}
				}
			})
		}
	}
}

// TestWhoBecomesKnownGoesOn: a connection that waits for the answer to a call does not any more when its client turns out to be a known caller.
func TestWhoBecomesKnownGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent, first := twoCalls(t, false)
		all := int64(sent.Len())
		conn, _, err := calm{insecure.NewCredentials(), func(credentials.AuthInfo) bool { return false }, nil, newUnknown()}.ServerHandshake(sinkConn{readConn{Reader: sent}})
		if err != nil {
			t.Fatal(err)
		}
		var n counter
		read := make(chan error, 1)
		go func() {
			_, err := io.Copy(&n, conn)
			read <- err
		}()
		synctest.Wait()
		if n.Load() != int64(first) {
			t.Errorf("%d bytes are read, want %d", n.Load(), first)
		}
		conn.RemoteAddr().(lineAddr).Admitted()
		if err := <-read; err != nil || n.Load() != all {
			t.Errorf("%d bytes are read, want %d: %v", n.Load(), all, err)
		}
	})
}

// TestCallsOfGRPCComeOneByOne: what gRPC passes on has arrived.
func TestCallsOfGRPCComeOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent, first := twoCalls(t, false)
		all := int64(sent.Len())
		conn, info, err := calm{insecure.NewCredentials(), func(credentials.AuthInfo) bool { return false }, nil, newUnknown()}.ServerHandshake(sinkConn{readConn{Reader: sent}})
		if err != nil {
			t.Fatal(err)
		}
		var n counter
		read := make(chan error, 1)
		go func() {
			_, err := io.Copy(&n, conn)
			read <- err
		}()
		synctest.Wait()
		if n.Load() != int64(first) {
			t.Errorf("%d bytes are read before the first call arrives, want %d", n.Load(), first)
		}
		s := &Server{guard: access.NewGuard(access.NewControl(access.Open()), needs, slog.Default())}
		ctx := peer.NewContext(t.Context(), &peer.Peer{Addr: conn.RemoteAddr(), AuthInfo: info})
		if _, err := s.tap(ctx, &tap.Info{FullMethodName: headgatev1.EventService_DescribeLog_FullMethodName}); err != nil {
			t.Error(err)
		}
		if err := <-read; err != nil || n.Load() != all {
			t.Errorf("%d bytes are read, want %d: %v", n.Load(), all, err)
		}
	})
}

// TestCallsOfGRPCIncrease: a call on a stream that is not above the one before ends the connection, a known caller's too. gRPC would keep an answer to each.
func TestCallsOfGRPCIncrease(t *testing.T) {
	for _, known := range []bool{true, false} {
		for _, streams := range [][]uint32{{1, 1}, {3, 1}, {2}, {1, 3, 3}} {
			synctest.Test(t, func(t *testing.T) {
				sent := bytes.NewBufferString(http2.ClientPreface)
				f := http2.NewFramer(sent, nil)
				for _, stream := range streams {
					if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: make([]byte, 10), EndHeaders: true}); err != nil {
						t.Fatal(err)
					}
				}
				conn, _, err := calm{insecure.NewCredentials(), func(credentials.AuthInfo) bool { return known }, nil, newUnknown()}.ServerHandshake(sinkConn{readConn{Reader: sent}})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, conn); !errors.Is(err, errStream) {
					t.Errorf("known %t, streams %d: %v", known, streams, err)
				}
			})
		}
	}
}

// TestLargeFrames: a client of the API that announces a frame of more than 16 KiB is gone before it has sent it.
func TestLargeFrames(t *testing.T) {
	h := newHouse(t)
	c := dialHTTP2(t, h, h.s.Addresses().API)
	if err := c.WriteRawFrame(0xee, 0, 0, make([]byte, 16<<10+1)); err != nil {
		t.Fatal(err)
	}
	refused := false
	c.await(t, func(f http2.Frame) bool {
		away, is := f.(*http2.GoAwayFrame)
		refused = is && away.ErrCode == http2.ErrCodeFrameSize
		return is
	})
	if !refused {
		t.Error("it is read")
	}
}

// TestSessionsOfTLS: the cookie has the name under which browsers take it from this origin alone, and counts under no other.
func TestSessionsOfTLS(t *testing.T) {
	h := newHouse(t)
	by := &http.Transport{TLSClientConfig: h.pki.client(nil), ForceAttemptHTTP2: true}
	defer by.CloseIdleConnections()
	ask := func(method, path string, header ...string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, "https://"+h.s.Addresses().API+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(header[0], header[1])
		resp, err := by.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp
	}
	cookies := ask(http.MethodPost, "/v1/session", "Authorization", "Bearer "+h.token("all")).Cookies()
	if len(cookies) != 1 || cookies[0].Name != "__Host-headgate_session" || !cookies[0].Secure || cookies[0].Path != "/" || cookies[0].Domain != "" {
		t.Fatal(cookies)
	}
	for name, want := range map[string]int{"__Host-headgate_session": 200, "headgate_session": 401} {
		if got := ask(http.MethodGet, "/v1/log", "Cookie", name+"="+cookies[0].Value).StatusCode; got != want {
			t.Errorf("by %s: %d, want %d", name, got, want)
		}
	}
}

// rawClient speaks HTTP/2 as the test says.
type rawClient struct {
	*http2.Framer
	block  bytes.Buffer
	fields *hpack.Encoder
	stream uint32
}

// dialHTTP2 connects with settings that make no room for any answer's body.
func dialHTTP2(t *testing.T, h *house, address string) *rawClient {
	t.Helper()
	config := h.pki.client(nil)
	config.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	c := &rawClient{Framer: http2.NewFramer(conn, conn)}
	c.ReadMetaHeaders, c.fields = hpack.NewDecoder(4096, nil), hpack.NewEncoder(&c.block)
	if _, err = io.WriteString(conn, http2.ClientPreface); err == nil {
		err = c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// get asks for the log, with more headers.
func (c *rawClient) get(t *testing.T, more ...string) {
	t.Helper()
	c.begin(t, http.MethodGet, "/v1/log", true, more...)
}

// begin sends the headers of a request, which may be all of it.
func (c *rawClient) begin(t *testing.T, method, path string, whole bool, more ...string) {
	t.Helper()
	c.block.Reset()
	more = append([]string{":method", method, ":scheme", "https", ":authority", "localhost", ":path", path}, more...)
	for i := 0; i < len(more); i += 2 {
		_ = c.fields.WriteField(hpack.HeaderField{Name: more[i], Value: more[i+1]}) // into memory
	}
	err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*c.stream + 1, BlockFragment: c.block.Bytes(), EndStream: whole, EndHeaders: true})
	if c.stream++; err != nil {
		t.Fatal(err)
	}
}

// await reads until there is such a frame, or the end.
func (c *rawClient) await(t *testing.T, is func(http2.Frame) bool) {
	t.Helper()
	for {
		if f, err := c.ReadFrame(); err != nil || is(f) {
			return
		}
	}
}

// TestAnswersOfTheLibrary: what net/http answers by itself, to requests that come to nobody, a client that takes nothing gets once for each connection. Who asks
// from the same address meanwhile is served.
func TestAnswersOfTheLibrary(t *testing.T) {
	const deaf, each, honest = 10, 20, 50
	h, at := newHouse(t), time.Now()
	begun := make(chan int, deaf*each) // whose
	for n := range deaf {
		c, bad := dialHTTP2(t, h, h.s.Addresses().API), []string{"te", "gzip"}
		if n%2 == 0 {
			bad = slices.Repeat([]string{"cookie", strings.Repeat("c", 3900)}, 5)
		}
		go func() {
			for {
				frame, err := c.ReadFrame()
				if err != nil {
					return
				}
				if m, ok := frame.(*http2.MetaHeadersFrame); ok {
					begun <- n
					if got := m.PseudoValue("status"); got != "400" && got != "431" || m.StreamEnded() {
						t.Errorf("answered %s, to its end: %v", got, m.StreamEnded())
					}
				}
			}
		}()
		if n%3 == 0 { // what net/http cannot read gives no number to the stream, and those that follow may have lower ones
			if err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1<<31 - 1, BlockFragment: []byte("\x00\x01X\x01y"), EndStream: true, EndHeaders: true}); err != nil {
				t.Fatal(err)
			}
		}
		for range each {
			c.get(t, bad...)
		}
	}
	count := make(map[int]int)
	for len(count) < deaf {
		count[<-begun]++
	}
	var all sync.WaitGroup
	for range honest {
		transport := &http.Transport{TLSClientConfig: h.pki.client(nil), ForceAttemptHTTP2: true, MaxConnsPerHost: 1}
		defer transport.CloseIdleConnections()
		for _, who := range []string{"all", "globex", "created", "cust1"} {
			all.Go(func() { h.asksByHTTP2(transport, who) })
		}
	}
	all.Wait()
	for len(begun) > 0 {
		count[<-begun]++
	}
	most := 1 + int(time.Since(at)/h.s.http[listenAPI].WriteTimeout)
	for n, answers := range count {
		if answers > most {
			t.Errorf("client %d takes nothing, and has %d answers", n, answers)
		}
	}
}

// asksByHTTP2 has the reader ask for the log.
func (h *house) asksByHTTP2(by http.RoundTripper, who string) {
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "https://"+h.s.Addresses().API+"/v1/log", nil)
	if err != nil {
		h.t.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+h.token(who))
	resp, err := by.RoundTrip(req)
	if err != nil {
		h.t.Error(err)
		return
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 || err != nil {
		h.t.Errorf("a reader gets %d by %s: %s, %v", resp.StatusCode, resp.Proto, body, err)
	}
}

// TestShutdownOfHTTP2: a client is told that the server leaves, and its connection ends when its requests have.
func TestShutdownOfHTTP2(t *testing.T) {
	h := newHouse(t)
	c := dialHTTP2(t, h, h.s.Addresses().API)
	c.get(t, "authorization", "Bearer "+h.token("all"))
	told, whole := false, false
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			break
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			if f.PseudoValue("status") != "200" {
				t.Errorf("answered %v", f.Fields)
			}
			go h.s.shutdown(t.Context(), listenAPI)
		case *http2.GoAwayFrame:
			if told = true; f.ErrCode != http2.ErrCodeNo || f.LastStreamID != 1 {
				t.Errorf("it leaves with %v", f)
			}
			if err := c.WriteWindowUpdate(1, 1<<16); err != nil { // what was asked before is answered
				t.Fatal(err)
			}
		case *http2.DataFrame:
			whole = whole || told && f.StreamEnded()
		}
	}
	if !whole {
		t.Errorf("it was told: %v; its answer came whole: %v", told, whole)
	}
}
