package feed

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/fault"
)

func TestStartedIsFirstAndBeforeAnyWait(t *testing.T) {
	g := newGateway(t)
	f := &headgatev1.Filter{Entities: []string{"relation", "spaceship"}, EventTypes: []string{"spaceship.landed"}}
	m := g.subscribe(&headgatev1.SubscribeRequest{Filter: f, Start: latest(), HeartbeatInterval: durationpb.New(time.Minute)}).started()
	want := &headgatev1.Started{
		Filter: f, Epoch: g.log.Epoch(), EarliestCursor: g.log.Cursor(0), HeartbeatInterval: durationpb.New(time.Minute),
		UnknownNames: []string{"spaceship", "spaceship.landed"},
	}
	m.GetStarted().EarliestCursor = g.ofRecord(m.GetStarted().GetEarliestCursor())
	if diff := cmp.Diff(want, m.GetStarted(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if g.seq(m.GetCursor()) != 0 {
		t.Error("the cursor is not that of the start")
	}
	m = g.subscribe(&headgatev1.SubscribeRequest{Start: latest()}).started()
	if s := m.GetStarted(); s.GetFilter() == nil || s.GetHeartbeatInterval().AsDuration() != 15*time.Second {
		t.Errorf("defaults are not told: %v", s)
	}
}

func at(t time.Time) *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_FromTime{FromTime: timestamppb.New(t)}}
}

// TestResumableFromEveryStart appends 1 to 6, an hour apart, and asks what each start gives.
func TestResumableFromEveryStart(t *testing.T) {
	g := newGateway(t)
	begin := g.clock.now()
	for n := 1; n <= 6; n++ {
		g.append(event(n))
		g.clock.advance(time.Hour)
	}
	for name, c := range map[string]struct {
		start *headgatev1.Start
		want  []string
	}{
		"earliest":            {earliest(), numbers(1, 6)},
		"latest":              {latest(), nil},
		"after the first":     {after(g.log.Cursor(1)), numbers(2, 6)},
		"after the last":      {after(g.log.Cursor(6)), nil},
		"before all":          {after(g.log.Cursor(0)), numbers(1, 6)},
		"time of the third":   {at(begin.Add(2 * time.Hour)), numbers(3, 6)},
		"between two":         {at(begin.Add(2*time.Hour + time.Nanosecond)), numbers(4, 6)},
		"before the earliest": {at(begin.Add(-1000 * time.Hour)), numbers(1, 6)},
		"now":                 {at(g.clock.now()), nil},
	} {
		if got := keys(g.all(&headgatev1.SubscribeRequest{Start: c.start})); !cmp.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: at(g.clock.now().Add(time.Nanosecond))}), codes.InvalidArgument, fault.FilterInvalid)

	g.trim(3)
	if got := keys(g.all(&headgatev1.SubscribeRequest{Start: earliest()})); !cmp.Equal(got, numbers(4, 6)) {
		t.Error("earliest after a trim:", got)
	}
	if got := keys(g.all(&headgatev1.SubscribeRequest{Start: at(begin.Add(3 * time.Hour))})); !cmp.Equal(got, numbers(4, 6)) {
		t.Error("from the time of the earliest:", got)
	}
	if got := keys(g.all(&headgatev1.SubscribeRequest{Start: at(begin.Add(2*time.Hour + time.Nanosecond))})); !cmp.Equal(got, numbers(4, 6)) {
		t.Error("from between the last removed and the earliest:", got)
	}
	early := at(begin.Add(2 * time.Hour))
	wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: early}), codes.OutOfRange, fault.CursorExpired)
	got := keys(g.all(&headgatev1.SubscribeRequest{Start: early, OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST}))
	if want := append([]string{"REASON_CURSOR_EXPIRED"}, numbers(4, 6)...); !cmp.Equal(got, want) {
		t.Error("before the earliest of a trimmed log:", got)
	}
}

func TestStartIsRequired(t *testing.T) {
	g := newGateway(t)
	for _, start := range []*headgatev1.Start{
		nil, {}, {Position: &headgatev1.Start_At{}}, {Position: &headgatev1.Start_At{At: 9}},
	} {
		wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: start}), codes.InvalidArgument, fault.StartRequired)
	}
}

// foreign is a cursor of another log.
func foreign(t *testing.T) string { return newGateway(t).log.Cursor(0) }

// TestNoSilentGapAtALostStart checks what becomes of cursors that cannot be resumed after, by on_lost_cursor.
func TestNoSilentGapAtALostStart(t *testing.T) {
	g := newGateway(t)
	for n := 1; n <= 6; n++ {
		g.append(event(n))
		g.clock.advance(time.Hour)
	}
	g.trim(3)
	oldest := g.log.State().EarliestAt
	type lost struct {
		cursor string
		code   codes.Code
		reason string
		gap    headgatev1.Gap_Reason
	}
	for name, l := range map[string]lost{
		"expired": {g.log.Cursor(2), codes.OutOfRange, fault.CursorExpired, headgatev1.Gap_REASON_CURSOR_EXPIRED},
		"foreign": {foreign(t), codes.FailedPrecondition, fault.CursorForeign, headgatev1.Gap_REASON_CURSOR_FOREIGN},
	} {
		t.Run(name, func(t *testing.T) {
			for _, on := range []headgatev1.OnLostCursor{0, headgatev1.OnLostCursor_ON_LOST_CURSOR_FAIL} {
				info, _ := wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: after(l.cursor), OnLostCursor: on}), l.code, l.reason)
				if name == "expired" && g.seq(info.GetMetadata()["earliest_cursor"]) != 3 {
					t.Errorf("metadata %v", info.GetMetadata())
				}
			}
			for on, want := range map[headgatev1.OnLostCursor]struct {
				keys []string
				to   time.Time
				pos  uint64
			}{
				headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST: {append([]string{l.gap.String()}, numbers(4, 6)...), oldest.Add(-time.Hour), 3},
				headgatev1.OnLostCursor_ON_LOST_CURSOR_LATEST:   {[]string{l.gap.String()}, g.clock.now(), 6},
			} {
				all := g.all(&headgatev1.SubscribeRequest{Start: after(l.cursor), OnLostCursor: on})
				if got := keys(all); !cmp.Equal(got, want.keys) {
					t.Errorf("%v: got %v, want %v", on, got, want.keys)
				}
				if m := all[0]; !m.GetGap().GetToTime().AsTime().Equal(want.to) || g.seq(m.GetCursor()) != want.pos {
					t.Errorf("%v: %v", on, m)
				}
				// Whoever stores the cursor of Started and is cut off before the Gap must meet the Gap again.
				started := g.subscribe(&headgatev1.SubscribeRequest{Start: after(l.cursor), OnLostCursor: on}).started()
				again := g.all(&headgatev1.SubscribeRequest{Start: after(started.GetCursor()), OnLostCursor: on})
				if got := keys(again); !cmp.Equal(got, want.keys) {
					t.Errorf("%v: after the cursor of Started: got %v, want %v", on, got, want.keys)
				}
			}
		})
	}
	early := &headgatev1.SubscribeRequest{Start: at(oldest.Add(-time.Hour)), OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_LATEST}
	early.Start = after(g.subscribe(early).started().GetCursor())
	if got := keys(g.all(early)); !cmp.Equal(got, []string{"REASON_CURSOR_EXPIRED"}) {
		t.Errorf("after the cursor of Started of a lost from_time: %v", got)
	}
	for _, cursor := range []string{"", "x", strings.Repeat("=", 22), g.log.Cursor(3) + "A", strings.Repeat("ø", 11)} {
		for on := range headgatev1.OnLostCursor_name {
			err := g.refused(&headgatev1.SubscribeRequest{Start: after(cursor), OnLostCursor: headgatev1.OnLostCursor(on)})
			wantFailure(t, err, codes.InvalidArgument, fault.CursorMalformed)
		}
	}
}

// TestNoSilentGapBeyondTheHead: a cursor of this log that stands where the log has not come yet is of a part that was cut off.
func TestNoSilentGapBeyondTheHead(t *testing.T) {
	g := newGateway(t)
	wantFailure(t, g.refused(&headgatev1.SubscribeRequest{Start: after(g.log.Cursor(7))}), codes.FailedPrecondition, fault.CursorForeign)
}

func TestRequestIsChecked(t *testing.T) {
	g := newGateway(t)
	for field, req := range map[string]*headgatev1.SubscribeRequest{
		"heartbeat_interval": {HeartbeatInterval: durationpb.New(time.Second - 1)},
		"on_lost_cursor":     {OnLostCursor: 9},
		"client_name":        {ClientName: strings.Repeat("ø", 129)},
		"filter.entities":    {Filter: &headgatev1.Filter{Entities: []string{"relatoin"}}},
		"shard.count":        {Shard: &headgatev1.Shard{}},
		"shard.index":        {Shard: &headgatev1.Shard{Index: 2, Count: 2}},
	} {
		req.Start = latest()
		info, _ := wantFailure(t, g.refused(req), codes.InvalidArgument, fault.FilterInvalid)
		if info.GetMetadata()["field"] != field {
			t.Errorf("%s: metadata %v", field, info.GetMetadata())
		}
	}
	for _, req := range []*headgatev1.SubscribeRequest{
		{HeartbeatInterval: durationpb.New(5*time.Minute + 1)},
		{HeartbeatInterval: &durationpb.Duration{Seconds: 2, Nanos: -1}},
		{ClientName: "two\nlines"},
		{ClientName: "\x1b[31mred"},
	} {
		req.Start = latest()
		wantFailure(t, g.refused(req), codes.InvalidArgument, fault.FilterInvalid)
	}
	for _, req := range []*headgatev1.SubscribeRequest{
		{HeartbeatInterval: durationpb.New(time.Second)},
		{HeartbeatInterval: durationpb.New(5 * time.Minute)},
		{ClientName: strings.Repeat("ø", 128)},
		{ClientName: "billing 7 (æ)"},
		{MaxBatchSize: 1 << 31},
	} {
		req.Start = latest()
		g.subscribe(req).started()
	}
}

// TestRequestWithUnknownFieldIsRefused: what protobuf would pass over could be a field of a filter, and the stream wider than was asked for.
func TestRequestWithUnknownFieldIsRefused(t *testing.T) {
	g := newGateway(t)
	unknown := func(m proto.Message) { m.ProtoReflect().SetUnknown([]byte{0xfa, 0x07, 1, 'x'}) } // field 127
	requests := map[string]*headgatev1.SubscribeRequest{}
	for _, part := range []string{"request", "filter", "start", "shard", "time"} {
		requests[part] = &headgatev1.SubscribeRequest{Filter: &headgatev1.Filter{}, Start: latest(), Shard: &headgatev1.Shard{Count: 1}}
	}
	unknown(requests["request"])
	unknown(requests["filter"].Filter)
	unknown(requests["start"].Start)
	unknown(requests["shard"].Shard)
	requests["time"].Start = at(time.Unix(0, 0))
	unknown(requests["time"].Start.GetFromTime())
	for part, req := range requests {
		t.Run(part, func(t *testing.T) {
			info, _ := wantFailure(t, g.refused(req), codes.InvalidArgument, fault.FilterInvalid)
			if info.GetMetadata()["field"] == "" {
				t.Error("the error names no field")
			}
		})
	}
}
