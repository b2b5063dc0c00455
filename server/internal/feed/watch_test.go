package feed

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

var (
	long        = flag.Bool("long", false, "run the long counts")
	watchEvents = flag.Int("watch.events", 0, "events that TestOneOrder appends; 0: 8,000, or 1,000,000 in the long run")
	watchCuts   = flag.Int("watch.cuts", 0, "streams that TestOneOrder cuts and resumes; 0: 1,024, or 64,000 in the long run")
	watchSeed   = flag.Uint64("watch.seed", 0, "seed of the random choices; 0: another one each time")
)

const (
	watchers  = 64
	producers = 4
)

// message is what the checker keeps of a SubscribeResponse.
type message struct {
	at      uint64   // the record that its cursor stands for
	items   []string // primary keys of its events, or gap
	expired bool     // the stream's own Gap
	started bool
}

// may is what a watcher may read. Of relations it is all, so that nobody is refused.
type may struct {
	everything
	source, context, action string
}

func (m may) Everything() bool { return false }

func (m may) Allows(source, context, entity, action string) bool {
	return entity == "relation" || (source == m.source && context == m.context) || action == m.action
}

// grants are what watchers have, in turn. Each says so in its calls.
var grants = []Grant{everything{}, may{source: "a", context: "A"}, may{source: "b", context: "B", action: "deleted"}, may{action: "created"}}

const grantHeader = "grant"

func grantOf(ctx context.Context) Grant {
	n, err := strconv.Atoi(strings.Join(metadata.ValueFromIncomingContext(ctx, grantHeader), ""))
	if err != nil {
		return everything{}
	}
	return grants[n]
}

// segment is one stream of a watcher.
type segment struct {
	from     uint64
	messages []message
}

// watcher reads with one filter, is cut off, and resumes at any cursor that it was ever sent.
type watcher struct {
	g        *gateway
	rnd      *rand.Rand
	req      *headgatev1.SubscribeRequest
	grant    int            // of grants
	end      *atomic.Uint64 // the log's last record, once it is known
	cursors  []string
	segments []segment
}

// TestOneOrder is the watch checker: concurrent appends and a retention that trims, under watchers with random filters and shards, which may read
// everything or a part, are cut off and resume at random cursors. What each was sent between two cursors must be what the log holds there and the filter admits: in order, once,
// complete, and no checkpoint ahead of it.
func TestOneOrder(t *testing.T) {
	scale := func(flag *int, usual, longRun int) {
		if *flag == 0 && *long {
			*flag = longRun
		} else if *flag == 0 {
			*flag = usual
		}
	}
	scale(watchEvents, 8_000, 1_000_000)
	scale(watchCuts, 1_024, 64_000)
	seed := *watchSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-watch.seed=%d", seed)
	g := newGateway(t, func(s *setup) {
		s.log.TailBytes = 512 << 10
		s.feed.Grant = grantOf
		s.log.Retention = eventlog.Retention{} // the observer alone trims, so that it cannot be overtaken
	})
	var all sync.WaitGroup
	var last atomic.Uint64
	last.Store(^uint64(0))
	list := make([]*watcher, watchers)
	for i := range list {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		w := &watcher{g: g, rnd: rnd, req: randomRequest(rnd), end: &last, grant: i % len(grants)}
		w.cursors = []string{g.log.Cursor(0)}
		list[i] = w
		all.Go(func() { w.watch(*watchCuts / watchers) })
	}
	observed := make(chan []eventlog.Frame, 1)
	end := make(chan uint64, 1)
	go func() { observed <- g.observe(end) }()
	g.produce(seed)
	g.append(gap("", "")) // matches every filter
	last.Store(g.log.Head())
	end <- g.log.Head()
	all.Wait()
	frames := <-observed
	earliest := g.log.State().Earliest
	delivered, cuts, lost := 0, 0, 0
	for i, w := range list {
		for _, s := range w.segments {
			d, l, err := check(s, w, frames, earliest)
			if err != nil {
				t.Fatalf("watcher %d with %v and grant %v: %v", i, w.req, grants[w.grant], err)
			}
			delivered, lost = delivered+d, lost+l
		}
		cuts += len(w.segments) - 1
	}
	t.Logf("%d events delivered, %d streams cut, %d cursors expired, %d records trimmed", delivered, cuts, lost, earliest-1)
	if delivered < *watchEvents || cuts < *watchCuts*9/10 || lost == 0 || earliest == 1 {
		t.Error("too little happened for the run to mean anything")
	}
}

// produce appends events of many kinds, and a gap now and then.
func (g *gateway) produce(seed uint64) {
	var n atomic.Int64
	var wg sync.WaitGroup
	for p := range producers {
		rnd := rand.New(rand.NewPCG(seed, 1000+uint64(p)))
		wg.Go(func() {
			for i := n.Add(1); i <= int64(*watchEvents); i = n.Add(1) {
				g.clock.advance(time.Second)
				r := randomEvent(rnd, int(i))
				if rnd.IntN(200) == 0 {
					r = gap(pick(rnd, sources), pick(rnd, []string{"", "A", "B"}))
				}
				if _, err := g.log.Append(context.Background(), r); err != nil {
					g.t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// observe collects the whole log while it is written and trims it behind itself.
func (g *gateway) observe(end <-chan uint64) (frames []eventlog.Frame) {
	last, trimmed := ^uint64(0), uint64(0)
	for uint64(len(frames)) < last {
		changed := g.log.Changed()
		chunk, err := g.log.Read(context.Background(), uint64(len(frames)), nil)
		if err != nil {
			g.t.Error("the observer was overtaken: ", err)
			return frames
		}
		frames = append(frames, chunk.Frames...)
		if len(chunk.Frames) > 0 {
			continue
		}
		if read, keep := uint64(len(frames)), uint64(min(*watchEvents/4, 50_000)); read > keep+trimmed+keep/50 {
			trimmed = read - keep
			if err := g.engine.Trim(context.Background(), read-keep); err != nil {
				g.t.Error(err)
			}
		}
		select {
		case <-changed:
		case last = <-end:
		}
	}
	return frames
}

// watch reads until the last record, and is cut off that many times on the way, at any place of the log.
func (w *watcher) watch(cuts int) {
	var places []uint64
	for range cuts {
		places = append(places, w.rnd.Uint64N(uint64(*watchEvents)))
	}
	slices.Sort(places)
	for _, place := range append(places, ^uint64(0)) {
		from := w.cursors[len(w.cursors)-1]
		switch w.rnd.IntN(12) {
		case 0: // in a long run it has expired nearly always
			from = pick(w.rnd, w.cursors)
		case 1, 2, 3:
			from = pick(w.rnd, w.cursors[max(0, len(w.cursors)-200):])
		}
		if !w.stream(from, place) {
			return
		}
	}
}

// stream reads from the cursor until it has passed the place, or until the log's last record.
func (w *watcher) stream(from string, place uint64) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*patience)
	defer cancel()
	w.req.Start = after(from)
	stream, err := w.g.client.Subscribe(metadata.AppendToOutgoingContext(ctx, grantHeader, strconv.Itoa(w.grant)), w.req)
	s := segment{from: w.g.seq(from)}
	defer func() { w.segments = append(w.segments, s) }()
	for passed := false; err == nil && !passed; {
		var m *headgatev1.SubscribeResponse
		if m, err = stream.Recv(); err != nil {
			break
		}
		w.cursors = append(w.cursors, m.GetCursor())
		note := message{
			at: w.g.seq(m.GetCursor()), started: m.GetStarted() != nil,
			expired: m.GetGap().GetReason() == headgatev1.Gap_REASON_CURSOR_EXPIRED,
		}
		if m.GetGap() != nil && !note.expired {
			note.items = []string{"gap"}
		}
		for _, e := range m.GetEvents() {
			note.items = append(note.items, fmt.Sprint(e.GetPrimaryKey()))
		}
		s.messages = append(s.messages, note)
		// A heartbeat asks again when the end becomes known only after it was sent.
		passed = note.at > place || note.at == w.end.Load()
	}
	if err != nil {
		w.g.t.Error("the stream ended: ", err)
		return false
	}
	return true
}

// check holds what a stream sent against the log. frames[i] is record i+1.
func check(s segment, w *watcher, frames []eventlog.Frame, earliest uint64) (delivered, lost int, err error) {
	at := s.from
	for i, m := range s.messages {
		switch {
		case m.started != (i == 0):
			return 0, 0, fmt.Errorf("message %d: Started is not the first, or not only", i)
		case m.started && m.at != at:
			return 0, 0, fmt.Errorf("started at %d instead of %d", m.at, at)
		case m.expired && (at+1 >= earliest || m.at >= earliest):
			return 0, 0, fmt.Errorf("expired at %d, going on at %d, but the earliest record is %d", at, m.at, earliest)
		case m.expired:
			at = m.at
			lost++
			continue
		case m.at < at:
			return 0, 0, fmt.Errorf("the cursor goes back from %d to %d", at, m.at)
		}
		var want []string
		last := m.at
		for _, f := range frames[at:m.at] {
			if item, ok := admits(w, &f); ok {
				want = append(want, item)
				last = f.Seq
			}
		}
		if !slices.Equal(m.items, want) || (len(want) > 0 && last != m.at) {
			return 0, 0, fmt.Errorf("after %d up to %d it sent %v, the log holds %v up to %d", at, m.at, m.items, want, last)
		}
		delivered += len(m.items)
		at = m.at
	}
	return delivered, lost, nil
}

// admits says in the plainest way whether a record belongs to the stream, and how it is noted.
func admits(w *watcher, f *eventlog.Frame) (string, bool) {
	has := func(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }
	k, req := &f.Keys, w.req
	r := req.GetFilter()
	if f.Kind == eventlog.KindGap {
		return "gap", k.Source == "" || has(r.GetSources(), k.Source) && (k.Context == "" || has(r.GetContexts(), k.Context))
	}
	ok := has(r.GetSources(), k.Source) && has(r.GetContexts(), k.Context) && has(r.GetEntities(), k.Entity) &&
		has(r.GetEventTypes(), k.EventType) && has(r.GetActions(), k.Action) &&
		(len(r.GetPrimaryKeys()) == 0 || slices.Contains(r.GetPrimaryKeys(), k.PrimaryKey)) &&
		!slices.Contains(r.GetExcludeChangedByAssociateIds(), k.ChangedBy) &&
		(req.GetShard() == nil || k.Shard%uint64(req.GetShard().GetCount()) == uint64(req.GetShard().GetIndex()))
	if ok && len(r.GetChangedFields()) > 0 && k.Action == "changed" {
		ok = slices.ContainsFunc(r.GetChangedFields(), func(c string) bool { return k.Changed == "\x00"+c+"\x00" })
	}
	return fmt.Sprint(k.PrimaryKey), ok && grants[w.grant].Allows(k.Source, k.Context, k.Entity, k.Action)
}

var (
	sources  = []string{"a", "b", "c"}
	contexts = []string{"A", "B", "C"}
	entities = []string{"relation", "associate", "sale"}
	actions  = []string{"created", "changed", "deleted"}
	columns  = []string{"updated", "name"}
)

func pick[T any](rnd *rand.Rand, list []T) T { return list[rnd.IntN(len(list))] }

func randomEvent(rnd *rand.Rand, n int) *eventlog.Record {
	return event(n, in(pick(rnd, sources), pick(rnd, contexts)), of(pick(rnd, entities), pick(rnd, actions)), func(e *headgatev1.Event) {
		e.ChangedByAssociateId = proto.Int32(int32(1 + rnd.IntN(3)))
		if e.GetAction() == "changed" {
			e.ChangedFields = []string{pick(rnd, columns)}
		}
	})
}

func randomRequest(rnd *rand.Rand) *headgatev1.SubscribeRequest {
	some := func(list []string) []string { return list[:1+rnd.IntN(2)] }
	f := &headgatev1.Filter{}
	switch rnd.IntN(16) {
	case 0: // everything
	case 1:
		f.Sources, f.Contexts, f.ExcludeChangedByAssociateIds = sources[:1], contexts[1:2], []int32{2, 3}
	case 2:
		f.EventTypes, f.ChangedFields = []string{"sale.changed", "relation.changed"}, columns[:1]
	default:
		f.Sources, f.Contexts, f.Entities, f.Actions = some(sources), some(contexts), some(entities), some(actions)
	}
	req := &headgatev1.SubscribeRequest{
		Filter: f, HeartbeatInterval: durationpb.New(time.Second), MaxBatchSize: uint32(rnd.IntN(5)),
		OnLostCursor: headgatev1.OnLostCursor_ON_LOST_CURSOR_EARLIEST,
	}
	if rnd.IntN(3) == 0 {
		req.Shard = &headgatev1.Shard{Count: 3, Index: uint32(rnd.IntN(3))}
	}
	return req
}
