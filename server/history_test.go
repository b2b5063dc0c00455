package server

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/headgate/headgate/gen/go/headgate/admin/v1"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// TestHistory: each point tells of its own ten seconds, there are those of the last hour and no more, and whoever has some gets the others.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var so atomic.Pointer[figures]
		so.Store(&figures{posts: map[string]uint64{"accepted": 1000}, sent: 5000, size: 77, deliveries: histogram(t, 4, 8)})
		h := &history{look: func() figures { return *so.Load() }}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { h.run(ctx); close(done) }()
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() } // in the bubble's time
		pass(9 * time.Second)
		if got := h.lastHour(); len(got) != 0 {
			t.Fatalf("after nine seconds there is %v", got)
		}
		then := figures{
			posts: map[string]uint64{"accepted": 1020, "duplicate": 3, "test": 0}, sent: 5100, size: 99, lag: time.Minute, deliveries: histogram(t, 4, 104),
		}
		so.Store(&then)
		begun := time.Now().Add(-9 * time.Second)
		pass(time.Second)
		first := &adminv1.HistoryPoint{
			At: timestamppb.New(begun.Add(historyEvery)), Over: durationpb.New(historyEvery), Posts: map[string]uint64{"accepted": 20, "duplicate": 3},
			EventsSent: 100, Lag: durationpb.New(time.Minute), Delivery: durationpb.New(199 * time.Millisecond), LogSizeBytes: 99,
		}
		if diff := cmp.Diff([]*adminv1.HistoryPoint{first}, h.lastHour(), protocmp.Transform()); diff != "" {
			t.Errorf("want -, got +\n%s", diff)
		}
		later := then
		later.lag = 0
		so.Store(&later)
		pass(historyEvery)
		if got := h.lastHour(); len(got) != 2 || len(got[1].GetPosts()) != 0 || got[1].GetEventsSent() != 0 || got[1].GetLag() != nil || got[1].GetDelivery() != nil {
			t.Errorf("when nothing happens: %v", got)
		}
		pass(2 * time.Hour)
		all := h.lastHour()
		if n := len(all); n != 360 || !all[n-1].GetAt().AsTime().Equal(time.Now()) || !all[0].GetAt().AsTime().Equal(time.Now().Add(-time.Hour+historyEvery)) {
			t.Errorf("after two hours there are %d points, from %v to %v", n, all[0].GetAt().AsTime(), all[n-1].GetAt().AsTime())
		}
		cancel()
		<-done
	})
}

// histogram counts so many in its first bucket, of 0.1 s, and in both together, the second being of 0.2 s.
func histogram(t *testing.T, first, both uint64) *dto.Histogram {
	t.Helper()
	return &dto.Histogram{SampleCount: &both, Bucket: []*dto.Bucket{
		{UpperBound: proto.Float64(.1), CumulativeCount: &first}, {UpperBound: proto.Float64(.2), CumulativeCount: &both},
	}}
}

// TestQuantile: what is beyond the last bound is that bound, and of nothing there is none.
func TestQuantile(t *testing.T) {
	before, so := histogram(t, 1, 2), histogram(t, 1, 2)
	if got, known := quantile(before, so, .99); known {
		t.Errorf("of nothing it is %v", got)
	}
	so.SampleCount = proto.Uint64(10)
	if got, _ := quantile(before, so, .99); got != 200*time.Millisecond {
		t.Errorf("beyond the last bound it is %v", got)
	}
	if got, _ := quantile(nil, histogram(t, 4, 4), .5); got != 50*time.Millisecond {
		t.Errorf("in the middle of the first bucket it is %v", got)
	}
}

// TestHistoryOfAGateway: an operator gets over REST what happened before anybody looked, and nobody else does.
func TestHistoryOfAGateway(t *testing.T) {
	SetHistoryEvery(t, 200*time.Millisecond) // over a minute is remembered
	h := newHouse(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	next := ways["grpc"](h, ctx, "all", &headgatev1.SubscribeRequest{Start: atEarliest}, "")
	for n := range 5 {
		h.post("acme", webhookBody(n+1, "Cust26759", "relation", "created", ""))
	}
	h.post("acme", webhookBody(1, "Cust26759", "relation", "created", ""))
	h.post("globex", []byte("no event"))
	if resp, err := http.Post("http://"+h.s.Addresses().Webhook+"/webhooks/superoffice/nobody", "application/json", nil); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Fatal(resp, err)
	} else {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	for events := 0; events < 5; {
		m, err := next()
		if err != nil {
			t.Fatal(err)
		}
		events += len(m.GetEvents())
	}
	var sum *adminv1.HistoryPoint
	eventually(t, "all of it is in the history", func() bool {
		sum = h.sumOfHistory(t)
		return sum.GetEventsSent() == 5 && sum.GetPosts()["unknown_source"] == 1
	})
	want := map[string]uint64{"accepted": 5, "duplicate": 1, "quarantined": 1, "unknown_source": 1}
	if diff := cmp.Diff(want, sum.GetPosts()); diff != "" || sum.GetDelivery().AsDuration() <= 0 {
		t.Errorf("the history tells of %v\n%s", sum, diff)
	}
	for _, who := range []string{"nobody", "all"} {
		if code, body := h.http(who, http.MethodGet, "/admin/v1/history", ""); code != map[string]int{"nobody": 401, "all": 403}[who] {
			t.Errorf("%s is answered with %d %s", who, code, body)
		}
	}
}

// sumOfHistory asks as an operator, and adds up all the points.
func (h *house) sumOfHistory(t *testing.T) *adminv1.HistoryPoint {
	t.Helper()
	code, body := h.http("chief", http.MethodGet, "/admin/v1/history", "")
	resp := &adminv1.GetHistoryResponse{}
	if err := protojson.Unmarshal([]byte(body), resp); code != http.StatusOK || err != nil {
		t.Fatalf("%d %s, %v", code, body, err)
	}
	sum := &adminv1.HistoryPoint{Posts: map[string]uint64{}}
	for _, p := range resp.GetPoints() {
		for outcome, n := range p.GetPosts() {
			sum.Posts[outcome] += n
		}
		sum.EventsSent += p.GetEventsSent()
		if d := p.GetDelivery(); d.AsDuration() > sum.GetDelivery().AsDuration() {
			sum.Delivery = d
		}
	}
	return sum
}
