package client

import (
	"context"
	"iter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// Subscription says what to read and from where on.
type Subscription struct {
	// Filter says which events; nil means everything that the caller may read.
	Filter *headgatev1.Filter

	// Start is where the first stream begins: Earliest, Latest, After or FromTime. Required, unless Store has a cursor.
	Start *headgatev1.Start

	// OnLostCursor says what the gateway does when the position is no longer in its log, at the start as on every later
	// connection. Default: fail with CURSOR_EXPIRED or CURSOR_FOREIGN, which ends the iteration. The other values begin
	// elsewhere after a Gap that says so.
	OnLostCursor headgatev1.OnLostCursor

	// Store keeps the position over restarts. Its cursor, if it has one, wins over Start. A cursor is saved when the loop comes back for
	// the next message, that is, after the message before was handled, and never earlier. The message in whose handling the loop is left, by
	// break, return or panic, is not saved and comes again. The saving is not part of the handling: when the process dies
	// between the two, the message comes again as well.
	//
	// To take effect exactly once, leave Store nil, store Message.Cursor in the transaction of the effects and begin with After.
	Store Store

	// Heartbeat is how long a stream may be silent before the gateway sends a checkpoint: 1 s to 5 min. 0 leaves it to the gateway, which takes
	// 15 s. After two silent heartbeats the stream is taken for dead.
	Heartbeat time.Duration

	// Shard reads only one part of the events, when replicas of a service share them.
	Shard *headgatev1.Shard

	// ClientName says who reads, for the gateway's operator.
	ClientName string

	// StopWhenCaughtUp ends the iteration, without an error, once everything that was stored when the stream began has been handled.
	StopWhenCaughtUp bool

	// OnRetry, if set, is called before each new connection with what ended the last one and how long the wait will be. It runs within the
	// iteration, never beside the loop's body.
	OnRetry func(err error, wait time.Duration)
}

// Message is one event, or one signal. Exactly one of its fields is set.
type Message struct {
	// Event is a change in the CRM. The getters of a nil event answer with nothing, so msg.Event.GetRelation() is safe on
	// every message.
	Event *headgatev1.Event
	// Gap says that something may be missing at this place: reconcile its window with the CRM.
	Gap *headgatev1.Gap
	// Erased stands in the place of an event that was removed on request.
	Erased *headgatev1.Erased
	// Checkpoint says that everything up to here that matches has been delivered.
	Checkpoint *headgatev1.Checkpoint
	// Started is the first message of each connection: the stream's terms.
	Started *headgatev1.Started

	cursor string
}

// Cursor is where to resume once this message has been handled. Store it then, for signals as for events.
func (m Message) Cursor() string { return m.cursor }

// Subscribe reads the events of the subscription, first the stored ones and then live, for as long as the loop goes on.
//
// It connects again, with growing pauses, when the connection breaks, when the gateway stops or is full, and when a stream is silent. It
// does so only when the loop comes back for the next message, and goes on after the last one that was delivered.
//
// The iteration ends with an error, yielded beside a zero Message, when the gateway refuses (an *Error), when the store fails,
// or when ctx ends (its error). It ends without one when the loop is left and when StopWhenCaughtUp is reached. Nothing runs
// on afterwards. Ranging over the result once more begins anew.
//
// Kinds of messages that this package does not know are passed over, as the contract asks; their cursor counts.
func (c *Client) Subscribe(ctx context.Context, s Subscription) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		r := reader{events: c.events, sub: s, yield: yield}
		if err := r.run(ctx); err != nil {
			yield(Message{}, err)
		}
	}
}

// Earliest begins with the oldest event that the log holds.
func Earliest() *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_EARLIEST}}
}

// Latest begins with what comes from now on.
func Latest() *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_At{At: headgatev1.Start_EDGE_LATEST}}
}

// After begins just after the cursor of a message.
func After(cursor string) *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_AfterCursor{AfterCursor: cursor}}
}

// FromTime begins with the first event that the gateway received at t or later.
func FromTime(t time.Time) *headgatev1.Start {
	return &headgatev1.Start{Position: &headgatev1.Start_FromTime{FromTime: timestamppb.New(t)}}
}
