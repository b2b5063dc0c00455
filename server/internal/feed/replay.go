package feed

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// restFactor is how many times as long as it read from the disk a stream rests while others wait for what comes now. With a third of it, one in a hundred of
// those waits half as long again.
const restFactor = 9

// turns bound how many read from the disk at once. Those who have one wait for it in a line of few: each reader has a place there for its streams, and one for
// its pages, however many there are.
type turns struct {
	disk   chan struct{} // has one for each that reads now
	mu     sync.Mutex
	places map[placeOf]chan struct{} // has one for each of those that waits or reads
}

type placeOf struct {
	reader string
	pages  bool
}

func newTurns() *turns {
	return &turns{disk: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), places: make(map[placeOf]chan struct{})}
}

// place is that of the reader. Readers are as many as the configuration has.
func (t *turns) place(of placeOf) chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.places[of] == nil {
		t.places[of] = make(chan struct{}, max(1, cap(t.disk)/2))
	}
	return t.places[of]
}

// inTurn reads what is no longer in memory. It must be read from the disk and built anew, which can keep a processor busy for minutes: so that those who wait for
// what comes now, and those who post it, do not wait for a processor too, few do it at once and each rests in between. It is not read, and false, when one of
// the channels was closed before its turn.
func (s *Service) inTurn(of placeOf, read func(), ends ...<-chan struct{}) bool {
	var end [4]<-chan struct{}
	copy(end[:], ends)
	for _, turn := range [2]chan struct{}{s.turns.place(of), s.turns.disk} {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-end[0]:
			return false
		case <-end[1]:
			return false
		case <-end[2]:
			return false
		case <-end[3]:
			return false
		}
	}
	begin := time.Now()
	read()
	if s.index.anybody() {
		time.Sleep(restFactor * time.Since(begin))
	}
	return true
}

// next reads on. errEnded when something ends the stream before its turn.
func (st *stream) next(ctx context.Context) (chunk eventlog.Chunk, err error) {
	s := st.svc
	read := func() { chunk, err = s.log.Read(ctx, st.read, st.terms.view.Wants) }
	if s.log.InMemory(st.read) {
		read()
	} else if !s.inTurn(placeOf{st.caller.Reader, false}, read, ctx.Done(), s.draining, st.terms.view.grant.Ended(), st.taken) {
		err = errEnded
	}
	return chunk, err
}

// readPage is the log's Read for an answer.
func (s *Service) readPage(ctx context.Context, after uint64, v *view) (eventlog.Chunk, error) {
	if s.log.InMemory(after) {
		return s.log.Read(ctx, after, v.Wants)
	}
	return s.pageInTurn(ctx, func() (eventlog.Chunk, error) { return s.log.Read(ctx, after, v.Wants) })
}

// readStored is the log's ReadStored for an answer.
func (s *Service) readStored(ctx context.Context, after uint64, v *view) (eventlog.Chunk, error) {
	return s.pageInTurn(ctx, func() (eventlog.Chunk, error) { return s.log.ReadStored(ctx, after, v.Wants) })
}

func (s *Service) pageInTurn(ctx context.Context, read func() (eventlog.Chunk, error)) (chunk eventlog.Chunk, err error) {
	if !s.inTurn(placeOf{s.opt.Caller(ctx).Reader, true}, func() { chunk, err = read() }, ctx.Done()) {
		err = ctx.Err()
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
