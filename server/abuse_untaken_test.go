package server_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// TestStrangersMayAskLittle: somebody without rights asks, of whatever needs none or some, with the largest headers there may be, which cost nothing once the first
// call has brought them. The gateway ends the connections before it holds much.
func TestStrangersMayAskLittle(t *testing.T) {
	const connections, calls = 40, 4_000
	text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("y", 2_900)))
	large := []string{"x-bin", text, "x-bin", text, "x-bin", text, "x-bin", text}
	p := startAbused(t)
	before := vitalsOf(t, p.listen.Admin)
	var all sync.WaitGroup
	for n := range connections {
		header := append([]string{}, large...)
		if n%2 == 0 {
			header = append(header, "grpc-timeout", "99999999H")
		}
		a, err := abuse(p.listen.GRPC, nil)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			var err error
			for i := 0; i < calls && err == nil; i++ {
				err = a.open([]string{"/grpc.health.v1.Health/Check", "/a/b", "/headgate.v1.EventService/ListEvents"}[n%3], true, header...)
			}
			_ = errors.Join(err, a.out.Flush()) // it may be closed by now
			<-a.over
		})
	}
	all.Wait()
	before.heldLess(t, p.listen.Admin, 60<<20)
	before.recovered(t, p.listen.Admin)
}

// TestMalformedCalls: gRPC itself answers calls with malformed headers, and repeats what was wrong. Clients that take no answer, or all, strangers and a reader's,
// cannot have it keep many.
func TestMalformedCalls(t *testing.T) {
	const calls = 14_000
	bad := strings.Repeat("\xff", 3_600)
	p := startAbused(t)
	before := vitalsOf(t, p.listen.Admin)
	var strangers sync.WaitGroup
	for _, malformed := range [][]string{
		{"x-bin", bad},
		{"content-type", bad},
		{"content-type", "application/grpc", "connection", bad},
		{":method", "GET", "x", bad},
		{":authority", bad, "host", bad},
		{"grpc-timeout", bad},
	} {
		for _, c := range []struct {
			who  string
			deaf bool
		}{{"", false}, {"", true}, {"other", true}} {
			client := abuse
			if c.deaf {
				client = abuseDeaf
			}
			a, err := client(p.listen.GRPC, nil)
			if err == nil && c.who != "" {
				err = a.callAs(c.who, headgatev1.EventService_DescribeLog_FullMethodName, &headgatev1.DescribeLogRequest{})
			}
			if err != nil {
				t.Fatal(err)
			}
			defer a.conn.Close()
			send := func() {
				var err error
				for n := 0; n < calls && err == nil; n++ {
					err = a.open("/grpc.health.v1.Health/Check", true, malformed...)
				}
				_ = errors.Join(err, a.out.Flush()) // it may be closed by now
			}
			if c.who != "" { // it is no stranger, and may stay
				go send()
				continue
			}
			strangers.Go(func() {
				if send(); !c.deaf {
					<-a.over
				}
			})
		}
	}
	strangers.Wait()
	before.heldLess(t, p.listen.Admin, 250<<20) // a known caller may have 20 MB a connection
}

// TestTooManyCallsAtOnce: a reader that asks more at once than a connection takes, as it does not know better yet, is refused what is too much, and goes on.
func TestTooManyCallsAtOnce(t *testing.T) {
	const taken, many = 500, 800
	p := startAbused(t)
	a, err := abuse(p.listen.GRPC, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	subscribe := &headgatev1.SubscribeRequest{Start: &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}}}
	for range many {
		err = errors.Join(err, a.callAs("other", headgatev1.EventService_Subscribe_FullMethodName, subscribe))
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all that is taken has begun", func() bool { return a.answers.Load() == taken })
	for stream := uint32(1); stream < 2*taken; stream += 2 {
		err = errors.Join(err, a.WriteRSTStream(stream, http2.ErrCodeCancel))
	}
	if err = errors.Join(err, a.callAs("other", headgatev1.EventService_DescribeLog_FullMethodName, &headgatev1.DescribeLogRequest{})); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is served on", func() bool { return a.answers.Load() == taken+1 })
}

// TestTimeoutsOfRefusedCalls: a client's time limit costs the gateway nothing once the call is refused, however long it is.
func TestTimeoutsOfRefusedCalls(t *testing.T) {
	const calls = 120_000
	p := startAbused(t)
	before := vitalsOf(t, p.listen.Admin)
	a, err := abuse(p.listen.GRPC, nil)
	if err == nil { // a connection of somebody known may ask as often as it likes
		err = a.callAs("other", headgatev1.EventService_DescribeLog_FullMethodName, &headgatev1.DescribeLogRequest{})
	}
	if err != nil {
		t.Fatal(err)
	}
	methods := []string{"/a/b", "/headgate.v1.EventService/ListEvents"}
	for n := 0; n < calls; n++ {
		err := a.open(methods[n%len(methods)], true, "grpc-timeout", "99999999H")
		if n%100 == 99 {
			err = errors.Join(err, a.out.Flush())
			eventually(t, "the calls are answered", func() bool { return a.calls.Load() > int32(n-300) })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	a.close()
	before.heldLess(t, p.listen.Admin, 30<<20) // the timers would be 45 MB
}
