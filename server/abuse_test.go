package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server"
)

var abuseFor = flag.Duration("abuse", 300*time.Millisecond, "how long each abuse goes on")

// What no abuse may change.
const (
	mostMemory = 150 << 20       // that the gateway may take above what it had before
	mostWait   = 5 * time.Second // from a post to its event, while the abuser takes all the CPU that it can get
	mostStay   = 9 * time.Second // that an abuser may stay beyond its time; usually it is gone within a tenth of a second
)

// vitals are a gateway's own figures.
type vitals struct{ resident, mapped, goroutines, files int64 }

func vitalsOf(t *testing.T, admin string) vitals {
	t.Helper()
	m := figures(t, admin)
	return vitals{m["process_resident_memory_bytes"], m["go_memstats_sys_bytes"], m["go_goroutines"], m["process_open_fds"]}
}

// figures are what the metrics page says.
func figures(t *testing.T, admin string) map[string]int64 {
	t.Helper()
	resp, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	values := make(map[string]int64)
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok {
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				values[name] = int64(v)
				if family, _, labels := strings.Cut(name, "{"); labels {
					values[family] += int64(v) // over all labels
				}
			}
		}
	}
	return values
}

// unharmed checks what a gateway took since before. mapped never shrinks, so that a peak in between counts as well; unlike the resident size it
// leaves out what the race detector takes.
func (before vitals) unharmed(t *testing.T, admin string) {
	t.Helper()
	now := vitalsOf(t, admin)
	t.Logf("memory %+d KB (resident %+d KB, now %d MB), goroutines %+d, files %+d", (now.mapped-before.mapped)>>10, (now.resident-before.resident)>>10,
		now.resident>>20, now.goroutines-before.goroutines, now.files-before.files)
	if before.mapped == 0 || now.mapped-before.mapped > mostMemory {
		t.Errorf("the gateway's memory grew from %d to %d", before.mapped, now.mapped)
	}
}

// recovered waits until the abuser's goroutines are gone.
func (before vitals) recovered(t *testing.T, admin string) {
	t.Helper()
	end := time.Now().Add(30 * time.Second)
	for vitalsOf(t, admin).goroutines > before.goroutines+20 {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines stay of an abuse that began with %d", vitalsOf(t, admin).goroutines, before.goroutines)
		}
	}
}

// beside is a well-behaved reader, and the CRM that posts what it reads, next to an abuser.
type beside struct {
	t     *testing.T
	stop  context.CancelFunc
	ended chan struct{}
	worst time.Duration
	n     int
}

var besideNumber atomic.Int32 // of the last event that was posted

func startBeside(t *testing.T, at server.Listen) *beside {
	t.Helper()
	return startBesideAs(t, at, "")
}

// startBesideAs is startBeside with a reader's token.
func startBesideAs(t *testing.T, at server.Listen, reader string) *beside {
	t.Helper()
	conn, err := grpc.NewClient(at.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if reader != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+reader)
	}
	stream, err := headgatev1.NewEventServiceClient(conn).Subscribe(ctx, &headgatev1.SubscribeRequest{
		Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}},
	})
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		t.Fatal(err)
	}
	b := &beside{t: t, ended: make(chan struct{})}
	stop := make(chan struct{})
	b.stop = func() {
		close(stop)
		<-b.ended
		cancel()
		_ = conn.Close()
	}
	go func() {
		defer close(b.ended)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := b.one(at.Webhook, stream); err != nil {
				t.Error("a reader beside: ", err)
				return
			}
		}
	}()
	return b
}

// one posts an event and waits for it.
func (b *beside) one(webhook string, stream grpc.ServerStreamingClient[headgatev1.SubscribeResponse]) error {
	n := 1_000_000 + besideNumber.Add(1)
	post := body(int(n), "relation.created", "Cust1234")
	begin := time.Now()
	if err := deliver(webhook, post); err != nil {
		return err
	}
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		for _, e := range m.GetEvents() {
			if e.GetPrimaryKey() == n {
				b.n++
				b.worst = max(b.worst, time.Since(begin))
				return nil
			}
		}
	}
}

// served ends the reader and checks how it fared.
func (b *beside) served() {
	b.t.Helper()
	b.stop()
	b.t.Logf("beside: %d events, the slowest took %v", b.n, b.worst.Round(time.Millisecond))
	if b.n == 0 || b.worst > mostWait {
		b.t.Errorf("a reader beside got %d events, the slowest after %v", b.n, b.worst)
	}
}

// abuser speaks HTTP/2 as nobody should.
type abuser struct {
	*http2.Framer
	conn   net.Conn
	out    *bufio.Writer
	block  bytes.Buffer
	fields *hpack.Encoder
	stream uint32 // the last that was opened
	began  time.Time

	over   chan struct{} // closed once the server ended the connection
	ended  time.Time     // when it did, or said that it would
	goAway string        // the code with which it did

	answers, calls atomic.Int32 // that the server began, and that it ended
}

// abuse connects, with TLS if there is a configuration.
func abuse(address string, secure *tls.Config, settings ...http2.Setting) (*abuser, error) {
	a, err := abuseDeaf(address, secure, settings...)
	if err == nil {
		go a.listen()
	}
	return a, err
}

// abuseDeaf is abuse by one that reads nothing. Its connection must be closed without close.
func abuseDeaf(address string, secure *tls.Config, settings ...http2.Setting) (*abuser, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if secure != nil {
		conn = tls.Client(conn, secure)
	}
	a := &abuser{conn: conn, out: bufio.NewWriterSize(conn, 32<<10), began: time.Now(), over: make(chan struct{})}
	a.Framer, a.fields = http2.NewFramer(a.out, conn), hpack.NewEncoder(&a.block)
	a.AllowIllegalWrites = true
	_, err = io.WriteString(a.out, http2.ClientPreface)
	if err = errors.Join(err, a.WriteSettings(settings...), a.out.Flush()); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return a, nil
}

// listen reads what the server says, so that nothing but its own limits holds the abuser up.
func (a *abuser) listen() {
	defer close(a.over)
	for {
		f, err := a.ReadFrame()
		if err != nil {
			if a.ended.IsZero() {
				a.ended = time.Now()
			}
			return
		}
		if h, ok := f.(*http2.HeadersFrame); ok && h.StreamEnded() {
			a.calls.Add(1)
		} else if ok {
			a.answers.Add(1)
		}
		if g, ok := f.(*http2.GoAwayFrame); ok && a.goAway == "" {
			a.goAway, a.ended = g.ErrCode.String(), time.Now()
		}
	}
}

// open writes the header of a call on a new stream.
func (a *abuser) open(method string, end bool, more ...string) error {
	if a.stream++; a.stream%2 == 0 {
		a.stream++
	}
	return a.WriteHeaders(http2.HeadersFrameParam{StreamID: a.stream, BlockFragment: a.headers(method, more...), EndStream: end, EndHeaders: true})
}

// headers is the block of a call, in memory that the next one takes. Of more, what the block has anyway replaces it.
func (a *abuser) headers(path string, more ...string) []byte {
	a.block.Reset()
	fields := []string{":method", http.MethodPost, ":scheme", "http", ":path", path, ":authority", "localhost", "content-type", "application/grpc"}
	for i := 0; i+1 < len(more); i += 2 {
		if at := slices.Index(fields, more[i]); at >= 0 && at%2 == 0 {
			fields[at+1] = more[i+1]
		} else {
			fields = append(fields, more[i], more[i+1])
		}
	}
	for i := 0; i < len(fields); i += 2 {
		_ = a.fields.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // into memory
	}
	return a.block.Bytes()
}

// flood calls round until the server ends the connection, or the time is up. It says whether the server did.
func (a *abuser) flood(until time.Time, round func(*abuser) error) bool {
	_ = a.conn.SetDeadline(until)
	for err := error(nil); err == nil && time.Now().Before(until); {
		for range 50 {
			err = errors.Join(err, round(a))
		}
		err = errors.Join(err, a.out.Flush())
	}
	<-a.over // at the latest when the time is up
	a.close()
	return a.ended.Before(until)
}

func (a *abuser) close() {
	_ = a.conn.Close()
	<-a.over
}
