package feed

import (
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
	"github.com/headgate/headgate/server/internal/eventlog"
)

// send gathers what matches of the chunk, sends it where a message is full, and moves on over the chunk.
func (st *stream) send(chunk eventlog.Chunk) error {
	through := min(chunk.Through, st.stopAt)
	sight := sight{view: &st.terms.view}
	for i := range chunk.Frames {
		f := &chunk.Frames[i]
		if f.Seq > through {
			break
		}
		if !sight.match(f) || slices.Contains(st.skips, f.Seq) {
			continue
		}
		if f.Kind == eventlog.KindEvent && st.batch.add(f) {
			continue
		}
		if err := st.flush(); err != nil {
			return err
		}
		if f.Kind == eventlog.KindEvent {
			st.batch.add(f)
			continue
		}
		if err := st.sendRecord(f); err != nil {
			return err
		}
	}
	st.read = through
	if len(st.batch.run) == 0 {
		st.pos.Store(through)
	}
	if at := st.terms.view.passed(&chunk, through); !at.IsZero() {
		st.at = at
	}
	return nil
}

// errEnded stops what is under way when something ends the stream, or what was read is to be read again; the loop then finds out what it was.
var errEnded = errors.New("something ended the stream or what was read")

// flush sends the gathered batch, unless the stream has lost the right to it.
func (st *stream) flush() error {
	n := len(st.batch.run)
	if n == 0 {
		return nil
	}
	// A stalled reader comes here long after it was read for.
	if st.terms.view.ended() || st.isTaken() || st.reread() {
		return errEnded
	}
	last := st.batch.run[n-1].Seq
	st.told = last // even when the sending fails: it may have arrived
	m, bytes, span := st.batch.message(), st.batch.bytes, st.trace()
	if st.woken {
		st.woken = false
		st.svc.metrics.delivery.Observe(max(0, st.svc.opt.Now().Sub(st.batch.run[0].ReceivedAt)).Seconds())
	}
	st.batch.reset() // so that a stalled reader does not keep the frames
	err := st.transmit(m)
	endTrace(span, err)
	if err != nil {
		return err
	}
	st.pos.Store(last)
	st.sent.Add(uint64(n))
	st.svc.sent.Add(uint64(n))
	st.sentTo.events.Add(float64(n))
	st.sentTo.bytes.Add(float64(bytes))
	st.spoke()
	return nil
}

// spoke is called after each message.
func (st *stream) spoke() {
	st.lastSend = time.Now()
	if st.silent {
		st.silent = false
		st.timer.Reset(st.untilDue())
	}
	st.sentTo.messages.Inc()
}

// sendRecord sends a gap or an erased record.
func (st *stream) sendRecord(f *eventlog.Frame) error {
	if st.terms.view.ended() || st.isTaken() {
		return errEnded
	}
	st.told = f.Seq
	st.pos.Store(f.Seq)
	if f.Kind == eventlog.KindErased {
		return st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Erased{Erased: erasedOf(f)}})
	}
	gap, err := gapOf(f)
	if err != nil {
		return err
	}
	return st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Gap{Gap: gap}})
}

func erasedOf(f *eventlog.Frame) *headgatev1.Erased {
	return &headgatev1.Erased{Source: f.Keys.Source, Context: f.Keys.Context, Entity: f.Keys.Entity}
}

func gapOf(f *eventlog.Frame) (*headgatev1.Gap, error) {
	gap := new(headgatev1.Gap)
	if err := proto.Unmarshal(f.Bytes(), gap); err != nil {
		return nil, &eventlog.DamageError{From: f.Seq, To: f.Seq, Cause: "a gap record is unreadable"}
	}
	return gap, nil
}

func (st *stream) checkpoint(caughtUp bool) error {
	return st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Checkpoint{Checkpoint: &headgatev1.Checkpoint{
		Through:  timestamp(st.at.Truncate(time.Second)),
		CaughtUp: caughtUp,
	}}})
}

func (st *stream) close(reason headgatev1.Closing_Reason, retry *durationpb.Duration) error {
	st.closing = reason
	return st.signal(&headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Closing{Closing: &headgatev1.Closing{Reason: reason, RetryAfter: retry}}})
}

// signal sends a message that is no batch of events, with a cursor of the position.
func (st *stream) signal(m *headgatev1.SubscribeResponse) error { return st.signalFrom("", m) }

// signalFrom is signal with another cursor for the position, unless it is empty.
func (st *stream) signalFrom(cursor string, m *headgatev1.SubscribeResponse) error {
	if st.idle {
		return st.say(m)
	}
	if m.Cursor = cursor; cursor == "" {
		m.Cursor = st.svc.log.Position(st.pos.Load())
	}
	return st.say(m)
}

// say sends a message as it is.
func (st *stream) say(m *headgatev1.SubscribeResponse) error {
	if err := st.transmit(m); err != nil {
		return err
	}
	st.spoke()
	return nil
}

// transmit returns when the transport has taken the message, which can be long after: a client takes what it likes when it likes.
func (st *stream) transmit(m any) error {
	st.sending.Store(uptime())
	defer st.sending.Store(0)
	return st.out.SendMsg(m)
}
