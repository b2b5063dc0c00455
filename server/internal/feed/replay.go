package feed

import (
	"context"
	"errors"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// restFactor is how many times as long as it read from the disk a stream rests.
const restFactor = 3

// next reads on. What is no longer in memory must be read from the disk and built anew, which can keep a processor busy for minutes: so that those who wait for
// what comes now do not wait for a processor too, few streams do it at once and each rests in between. errEnded when something ends the stream before its turn.
func (st *stream) next(ctx context.Context) (eventlog.Chunk, error) {
	s := st.svc
	if s.log.InMemory(st.read) {
		return s.log.Read(ctx, st.read, st.terms.view.Wants)
	}
	select {
	case s.replays <- struct{}{}:
	case <-ctx.Done():
		return eventlog.Chunk{}, errEnded
	case <-s.draining:
		return eventlog.Chunk{}, errEnded
	case <-st.terms.view.grant.Ended():
		return eventlog.Chunk{}, errEnded
	case <-st.taken:
		return eventlog.Chunk{}, errEnded
	}
	defer func() { <-s.replays }()
	begin := time.Now()
	chunk, err := s.log.Read(ctx, st.read, st.terms.view.Wants)
	if s.index.anybody() {
		time.Sleep(restFactor * time.Since(begin))
	}
	return chunk, err
}

// lost is asked when a read fails. Whoever stood still for longer than the retention goes on where on_lost_cursor says, and says so.
func (st *stream) lost(err error) error {
	if !errors.Is(err, eventlog.ErrTrimmed) {
		return err
	}
	if st.place.earliest { // the oldest record moved before the first read; nothing that was asked for is lost
		st.read = st.svc.log.State().Earliest - 1
		st.pos.Store(st.read)
		return nil
	}
	place, err := st.svc.relocate(err, "", st.terms.onLost, &st.terms.view) // the messages before carried the lost place's cursor
	if err != nil {
		return err
	}
	place.gap.FromTime = timestamp(st.at)
	st.place, st.read = place, place.pos
	st.pos.Store(place.pos)
	return st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Gap{Gap: place.gap}})
}
