package server_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// TestSocketsNobodyReads: clients fill their sockets with answers and then ask on, with the largest headers there may be, for what is refused. gRPC would keep all
// of that, and the connections, for ever.
func TestSocketsNobodyReads(t *testing.T) {
	const connections, answers, refused = 8, 8, 490
	text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("y", 2_900)))
	forged := "Bearer a." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://id"}`)) + ".b"
	header := []string{"authorization", forged, "x-bin", text, "x-bin", text, "x-bin", text, "x-bin", text}
	methods := []string{"/a/b", "/headgate.v1.EventService/ListEvents", "/grpc.health.v1.Health/Check"}
	p := startAbused(t)
	get := postLarge(t, p)
	before := vitalsOf(t, p.listen.Admin)
	var all []*abuser
	for range connections {
		a, err := abuseDeaf(p.listen.GRPC, nil, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		defer a.conn.Close()
		err = a.WriteWindowUpdate(0, 1<<30)
		for range answers {
			err = errors.Join(err, a.callAs("other", headgatev1.EventService_GetEvent_FullMethodName, get))
		}
		for n := range refused {
			err = errors.Join(err, a.open(methods[n%len(methods)], true, header...))
		}
		if err := errors.Join(err, a.out.Flush()); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	eventually(t, "the gateway ends the connections, which their clients do not", func() bool {
		for _, a := range all { // to gRPC this is life
			_ = errors.Join(a.WriteRawFrame(0x42, 0, 0, nil), a.out.Flush())
		}
		return vitalsOf(t, p.listen.Admin).goroutines < before.goroutines+connections
	})
}

// TestTimeoutsOfRefusedCalls: a client's time limit costs the gateway nothing once the call is refused, however long it is.
func TestTimeoutsOfRefusedCalls(t *testing.T) {
	const calls = 120_000
	p := startAbused(t)
	before := vitalsOf(t, p.listen.Admin)
	a, err := abuse(p.listen.GRPC, nil)
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
