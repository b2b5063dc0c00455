package feed

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
	"github.com/headgate/headgate/server/internal/filter"
	"github.com/headgate/headgate/server/internal/subscription"
)

// shown puts subscriptions into the words of the API, as far as the view reaches.
func (s *Service) shown(ctx context.Context, list []subscription.Status, v *view) []*headgatev1.GetSubscriptionResponse {
	since := s.uncovered(ctx, list, v)
	shown := make([]*headgatev1.GetSubscriptionResponse, len(list))
	for i := range list {
		shown[i] = s.shownOne(&list[i], since[i], v)
	}
	return shown
}

func (s *Service) shownOne(st *subscription.Status, since []time.Time, v *view) *headgatev1.GetSubscriptionResponse {
	sub := &headgatev1.Subscription{
		Name: st.Name.Name, ShardCount: uint32(len(st.Shards)), CreatedAt: timestamp(st.CreatedAt), StandingBy: uint32(st.Waiting), Endangered: s.endangered(st, since, v),
	}
	resp := &headgatev1.GetSubscriptionResponse{Subscription: sub}
	var oldest, saved time.Time
	for i := range st.Shards {
		sh := &st.Shards[i]
		resp.Shards = append(resp.Shards, &headgatev1.SubscriptionShard{
			Index: uint32(i), Cursor: sh.Cursor, SavedAt: timestamp(sh.SavedAt), Lag: s.age(since[i]), Member: sh.Member, ClientName: sh.ClientName, Lease: sh.Lease,
		})
		if sh.Member != "" {
			sub.Served++
		}
		if sh.SavedAt.After(saved) {
			saved = sh.SavedAt
		}
		if !since[i].IsZero() && (oldest.IsZero() || since[i].Before(oldest)) {
			oldest = since[i]
		}
	}
	sub.SavedAt, sub.Lag = timestamp(saved), s.age(oldest)
	for i := range st.Skips {
		resp.Skips = append(resp.Skips, skipOf(&st.Skips[i]))
	}
	return resp
}

func skipOf(s *subscription.Skip) *headgatev1.Skip {
	return &headgatev1.Skip{Cursor: s.Cursor, Shard: uint32(s.Shard), Reason: s.Reason, SkippedBy: s.By, SkippedAt: timestamp(s.At)}
}

func (s *Service) age(since time.Time) *durationpb.Duration {
	if since.IsZero() {
		return nil
	}
	return durationpb.New(max(0, s.opt.Now().Sub(since)))
}

// uncovered returns for each shard when the oldest event was received that its position does not cover, that the view allows and that the filter of the last
// stream lets through; zero when there is none. All together take no more work than a page may; what is not found within it is not known, and where all may
// be read counts from the next record, of whichever shard.
func (s *Service) uncovered(ctx context.Context, list []subscription.Status, v *view) [][]time.Time {
	since := make([][]time.Time, len(list))
	budget := budget{reads: pageReads, frames: pageBudget}
	for i := range list {
		since[i] = s.uncoveredOf(ctx, &list[i], v, &budget)
	}
	return since
}

// budget is the work that is left for one call.
type budget struct{ reads, frames int }

func (s *Service) uncoveredOf(ctx context.Context, st *subscription.Status, v *view, left *budget) []time.Time {
	since, missing := make([]time.Time, len(st.Shards)), 0
	log, pos := s.log.State(), uint64(nowhere)
	for _, sh := range st.Shards {
		if sh.Seq < log.Head {
			missing++
		}
		pos = min(pos, sh.Seq)
	}
	seen := v.of(st)
	for pos = max(pos, log.Earliest-1); missing > 0; {
		if left.reads == 0 || left.frames <= 0 {
			if v.grant.Everything() {
				s.following(ctx, st, since)
			}
			break
		}
		chunk, err := s.readPage(ctx, pos, &seen)
		if err != nil || chunk.Through == pos {
			break
		}
		left.reads--
		left.frames -= len(chunk.Frames)
		for i := range chunk.Frames {
			f := &chunk.Frames[i]
			sh := f.Keys.Shard % uint64(len(since))
			if f.Kind == eventlog.KindEvent && since[sh].IsZero() && f.Seq > st.Shards[sh].Seq && seen.Match(f.Kind, &f.Keys) {
				since[sh] = f.ReceivedAt
				missing--
			}
		}
		pos = chunk.Through
	}
	return since
}

// of returns the view of what the subscription reads, as far as v reaches.
func (v *view) of(st *subscription.Status) view {
	seen := *v
	seen.predicate, _ = st.Filter.(*filter.Predicate) // nil when nobody has subscribed since the start: then every event counts
	if seen.predicate == nil {
		seen.predicate = new(filter.Predicate)
	}
	return seen
}

// following fills in, where nothing was found, when the record after the position was received.
func (s *Service) following(ctx context.Context, st *subscription.Status, since []time.Time) {
	log := s.log.State()
	received := make(map[uint64]time.Time) // shards stand side by side, mostly
	for i, sh := range st.Shards {
		next := max(sh.Seq+1, log.Earliest)
		if !since[i].IsZero() || next > log.Head {
			continue
		}
		at, known := received[next]
		if !known {
			if f, err := s.log.Get(ctx, next); err == nil { // one that is gone or unreadable leaves the lag unknown
				at = f.ReceivedAt
			}
			received[next] = at
		}
		since[i] = at
	}
}

// endangered says whether the retention has reached what a position does not cover, or will soon: nine tenths of the time that events are kept, or of the
// time since the last one was received that was removed, are over. It goes by what the caller may know, as the lag does.
func (s *Service) endangered(st *subscription.Status, since []time.Time, v *view) bool {
	now, seen := s.opt.Now(), v.of(st)
	lost, _ := s.log.Trimmed(seen.Wants)
	wants := v.Wants
	if v.grant.Everything() {
		wants = nil
	}
	_, reach := s.log.Trimmed(wants)
	for i := range st.Shards {
		if st.Shards[i].Seq < lost {
			return true
		}
		if since[i].IsZero() {
			continue
		}
		if s.opt.Retention > 0 && now.Sub(since[i]) > s.opt.Retention/10*9 {
			return true
		}
		if !reach.IsZero() && now.Sub(since[i]) > now.Sub(reach)/10*9 {
			return true
		}
	}
	return false
}
