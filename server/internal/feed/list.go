package feed

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/fault"
	"github.com/headgate/headgate/server/internal/filter"
)

const (
	defaultPage = 100
	maxPage     = 1000
	// maxPageBytes bounds what a caller that does not take its answer makes the server hold.
	maxPageBytes = 128 << 10
	// pageBudget is how many frames one page may look at, so that a filter that matches nothing does not read the whole log in one call.
	pageBudget = 20_000
	// pageReads bounds the same where the log leaves out what is not wanted.
	pageReads = 32
)

// page is a ListEventsResponse in the making.
type page struct {
	resp  *headgatev1.ListEventsResponse
	pos   uint64
	limit int
	bytes int
	full  bool
}

// ListEvents implements headgate.v1.EventService.
func (s *Service) ListEvents(ctx context.Context, req *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
	if err := s.log.CatchUp(ctx); err != nil {
		return nil, s.statusOf(err)
	}
	resp, err := s.listEvents(ctx, req)
	if n := len(resp.GetEvents()); n > 0 {
		s.metrics.listed.WithLabelValues(s.opt.Caller(ctx).Reader).Add(float64(n))
	}
	return resp, s.statusOf(err)
}

func (s *Service) listEvents(ctx context.Context, req *headgatev1.ListEventsRequest) (*headgatev1.ListEventsResponse, error) {
	v, err := s.viewOf(ctx, req.GetFilter(), nil)
	if err != nil {
		return nil, err
	}
	if err := v.refuseNothing(); err != nil {
		return nil, err
	}
	if req.GetPageSize() > maxPage {
		return nil, invalid("page_size", "it may be at most 1,000")
	}
	p := &page{resp: &headgatev1.ListEventsResponse{}, limit: int(req.GetPageSize())}
	if p.limit == 0 {
		p.limit = defaultPage
	}
	if req.GetEventId() != "" {
		if req.GetAfterCursor() != "" || req.GetFromTime() != nil {
			return nil, invalid("event_id", "it cannot be combined with after_cursor or from_time")
		}
		return s.listByID(ctx, req.GetEventId(), v, p)
	}
	if p.pos, err = s.listStart(ctx, req, &v); err != nil {
		return nil, err
	}
	if err := s.fill(ctx, v, p, req.GetAfterCursor() == "" && req.GetFromTime() == nil); err != nil {
		return nil, err
	}
	p.resp.NextCursor = s.log.Position(p.pos)
	p.resp.HasMore = s.hasMore(ctx, &v, p.pos)
	return p.resp, nil
}

// hasMore says whether there is more behind the position for a caller that may not know of everything: a record that it may know of, or what there was no time
// to look at.
func (s *Service) hasMore(ctx context.Context, v *view, pos uint64) bool {
	head := s.log.Head()
	if v.grant.Everything() {
		return pos < head
	}
	seq, found := s.nextOwn(ctx, v, pos, head, &budget{reads: pageReads, frames: pageBudget})
	return found || seq < head
}

func (s *Service) listStart(ctx context.Context, req *headgatev1.ListEventsRequest, v *view) (uint64, error) {
	start := &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}
	switch {
	case req.GetAfterCursor() != "" && req.GetFromTime() != nil:
		return 0, invalid("from_time", "it cannot be combined with after_cursor")
	case req.GetAfterCursor() != "":
		start.Position = &headgatev1.Start_AfterCursor{AfterCursor: req.GetAfterCursor()}
	case req.GetFromTime() != nil:
		p, err := s.locateTime(ctx, req.GetFromTime(), "from_time", headgatev1.OnLostCursor_ON_LOST_CURSOR_FAIL, v)
		return p.pos, err
	}
	p, err := s.locate(ctx, start, headgatev1.OnLostCursor_ON_LOST_CURSOR_FAIL, v)
	return p.pos, err
}

// fill reads until the page is full, the log is at its end or the budget is spent.
func (s *Service) fill(ctx context.Context, v view, p *page, fromEarliest bool) error {
	looked := 0
	for reads := 0; !p.full && reads < pageReads && looked < pageBudget; reads++ {
		chunk, err := s.readPage(ctx, p.pos, &v)
		if fromEarliest && isTrimmed(err) { // the oldest record moved in between
			p.pos = s.log.State().Earliest - 1
			continue
		}
		fromEarliest = false
		if err != nil {
			return err
		}
		if chunk.Through == p.pos {
			return nil
		}
		looked += len(chunk.Frames)
		if err := p.take(chunk, v); err != nil {
			return err
		}
	}
	return nil
}

// take puts what matches of the chunk on the page and moves its position.
func (p *page) take(chunk eventlog.Chunk, v view) error {
	for i := range chunk.Frames {
		f := &chunk.Frames[i]
		if !v.Match(f.Kind, &f.Keys) {
			p.pos = f.Seq
			continue
		}
		if err := p.put(f); err != nil || p.full {
			return err
		}
	}
	p.pos = chunk.Through
	return nil
}

// put puts one record on the page, if it has room for it.
func (p *page) put(f *eventlog.Frame) error {
	switch f.Kind {
	case eventlog.KindGap:
		gap, err := gapOf(f)
		if err != nil {
			return err
		}
		p.resp.Signal, p.full = &headgatev1.ListEventsResponse_Gap{Gap: gap}, true
	case eventlog.KindErased:
		p.resp.Signal, p.full = &headgatev1.ListEventsResponse_Erased{Erased: erasedOf(f)}, true
	default:
		if p.bytes += len(f.Bytes()); p.bytes > maxPageBytes && len(p.resp.Events) > 0 {
			p.full = true
			return nil
		}
		e, err := eventOf(f)
		if err != nil {
			return err
		}
		p.resp.Events = append(p.resp.Events, e)
		p.full = len(p.resp.Events) == p.limit
	}
	p.pos = f.Seq
	return nil
}

func eventOf(f *eventlog.Frame) (*headgatev1.Event, error) {
	e := new(headgatev1.Event)
	if err := proto.Unmarshal(f.Event(), e); err != nil {
		return nil, &eventlog.DamageError{From: f.Seq, To: f.Seq, Cause: "an event record is unreadable"}
	}
	return e, nil
}

// listByID returns all events with that id of the CRM's on one page. When they have no room on it, next_cursor stands after the last one.
func (s *Service) listByID(ctx context.Context, id string, v view, p *page) (*headgatev1.ListEventsResponse, error) {
	p.limit = maxPage
	head := s.log.Head() // before the search: next_cursor must not pass over what comes after it
	seqs, err := s.log.Find(ctx, id, v.Wants)
	if err != nil {
		return nil, err
	}
	for i, seq := range seqs {
		if i == maxPage { // whoever sends decides how many events have an id
			p.full = true
			break
		}
		f, err := s.log.Get(ctx, seq)
		if isTrimmed(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if f.Kind != eventlog.KindEvent || !v.Match(f.Kind, &f.Keys) {
			p.pos = seq
			continue
		}
		if err := p.put(&f); err != nil {
			return nil, err
		}
		if p.full {
			break
		}
	}
	if p.resp.HasMore = p.full; !p.full {
		p.pos = head
	}
	p.resp.NextCursor = s.log.Position(p.pos)
	return p.resp, nil
}

// GetEvent implements headgate.v1.EventService.
func (s *Service) GetEvent(ctx context.Context, req *headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) {
	if err := s.log.CatchUp(ctx); err != nil {
		return nil, s.statusOf(err)
	}
	resp, err := s.getEvent(ctx, req)
	return resp, s.statusOf(err)
}

func (s *Service) getEvent(ctx context.Context, req *headgatev1.GetEventRequest) (*headgatev1.GetEventResponse, error) {
	v, err := s.viewOf(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	f, err := s.readable(ctx, &v, req.GetCursor())
	if err != nil {
		return nil, err
	}
	if k := &f.Keys; req.GetIncludeRawBody() && !v.grant.AllowsRaw(k.Source, k.Context, k.Entity, k.Action) {
		return nil, fault.New(codes.PermissionDenied, fault.RawBodyForbidden, "this reader may not read the CRM's request bodies: its configuration must say raw_body: true")
	}
	resp := &headgatev1.GetEventResponse{}
	if resp.Event, err = eventOf(&f); err != nil {
		return nil, err
	}
	if req.GetIncludeRawBody() {
		resp.RawBody, err = s.log.Raw(ctx, f.Seq)
	}
	return resp, err
}

// readable returns the event at the cursor. What may not be read is not there, for this caller.
func (s *Service) readable(ctx context.Context, v *view, cursor string) (eventlog.Frame, error) {
	seq, err := s.log.LocateRecord(cursor)
	if err != nil {
		return eventlog.Frame{}, err
	}
	f, err := s.log.Get(ctx, seq)
	last, _ := s.log.Trimmed(v.Wants)
	if isTrimmed(err) && seq > last || err == nil && (f.Kind != eventlog.KindEvent || !v.Match(f.Kind, &f.Keys)) {
		err = eventlog.ErrNotFound
	}
	return f, err
}

// DescribeLog implements headgate.v1.EventService.
func (s *Service) DescribeLog(ctx context.Context, _ *headgatev1.DescribeLogRequest) (*headgatev1.DescribeLogResponse, error) {
	if err := s.log.CatchUp(ctx); err != nil {
		return nil, s.statusOf(err)
	}
	v, err := s.viewOf(ctx, nil, nil)
	if err != nil {
		return nil, s.statusOf(err)
	}
	st := s.log.State()
	resp := &headgatev1.DescribeLogResponse{
		Epoch:           s.log.Epoch(),
		EarliestCursor:  s.log.Position(st.Earliest - 1),
		LatestCursor:    s.log.Position(st.Head),
		KnownEventTypes: filter.KnownEventTypes(),
		Operator:        s.opt.Caller(ctx).Operator,
	}
	if v.grant.Everything() { // else it is another's event, perhaps
		resp.EarliestTime, resp.LatestTime = timestamp(st.EarliestAt), timestamp(st.HeadAt)
	}
	for _, t := range s.log.Tenants() {
		if t.Source != "" && t.Context != "" && v.Wants(t.Source, t.Context) {
			resp.Tenants = append(resp.Tenants, &headgatev1.DescribeLogResponse_Tenant{Source: t.Source, Context: t.Context})
		}
	}
	slices.SortFunc(resp.Tenants, func(a, b *headgatev1.DescribeLogResponse_Tenant) int {
		return slices.Compare([]string{a.Source, a.Context}, []string{b.Source, b.Context})
	})
	return resp, nil
}

func isTrimmed(err error) bool { return errors.Is(err, eventlog.ErrTrimmed) }
