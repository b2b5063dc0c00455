package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// Subscription says what to read and from where on.
type Subscription struct {
	// Name is the subscription's name at the gateway, which then keeps the position: the normal way. Replicas that say the same name share the events, each
	// event to one of them. Excludes Store. Without a name the position is the caller's to keep.
	Name string

	// Shards is how many parts a named subscription has, 1 to 128; default 1. It is fixed when the subscription is made, and every replica must say the same.
	// All events of one record go to one shard. Subscribe serves one shard at a time, Consume as many as there are.
	Shards int

	// Member is which replica this is, as the gateway spreads shards evenly over members. Default: a name of this Client's own.
	Member string

	// Filter says which events; nil means everything that the caller may read. Every replica of a named subscription must say the same: an event goes to the
	// one that has its shard, and when that one's filter leaves it out nobody gets it. subscriptions.md says how to change it.
	Filter *headgatev1.Filter

	// Start is where the first stream begins: Earliest, Latest, After or FromTime. Required, unless Store has a cursor. With a Name it is where a new
	// subscription begins, and nil says that there must be one.
	Start *headgatev1.Start

	// OnLostCursor says what the gateway does when the position is no longer in its log, at the start as on every later
	// connection. Default: fail with CURSOR_EXPIRED or CURSOR_FOREIGN, which ends the iteration. The other values begin
	// elsewhere after a Gap that says so.
	OnLostCursor headgatev1.OnLostCursor

	// Store keeps the position over restarts, for a reader that has a disk and no replicas. Its cursor, if it has one, wins over Start. A cursor is saved when
	// the loop comes back for the next message, that is, after the message before was handled, and never earlier. The message in whose handling the loop is left, by
	// break, return or panic, is not saved and comes again. The saving is not part of the handling: when the process dies
	// between the two, the message comes again as well.
	//
	// To take effect exactly once, leave Store nil, store Message.Cursor in the transaction of the effects and begin with After.
	Store Store

	// Heartbeat is how long a stream may be silent before the gateway sends a checkpoint: 1 s to 5 min. 0 leaves it to the gateway, which takes
	// 15 s. After two silent heartbeats the stream is taken for dead.
	Heartbeat time.Duration

	// Shard reads only one part of the events, when replicas of a service share them and know their numbers. With a Name its count stands for Shards.
	Shard *headgatev1.Shard

	// ClientName says who reads, for the gateway's operator.
	ClientName string

	// StopWhenCaughtUp ends the iteration, without an error, once everything that was stored when the stream began has been handled.
	StopWhenCaughtUp bool

	// OnRetry, if set, is called before each new connection with what ended the last one and how long the wait will be. It runs within the
	// iteration, never beside the loop's body; Consume calls it for each of its streams, so perhaps several at once. Default: a warning to slog.Default, unless
	// the gateway ended the stream in order, as when it restarts.
	OnRetry func(err error, wait time.Duration)

	// OnFailure, if set, is told by Consume that the handling of m failed, and how long the wait will be before it is tried again. Perhaps several at once, as
	// OnRetry. Default: a warning to slog.Default.
	OnFailure func(m Message, err error, wait time.Duration)
}

// check finds what cannot be meant.
func (s *Subscription) check() error {
	switch {
	case s.Name != "" && s.Store != nil:
		return errors.New("subscription: Name and Store exclude each other: with a name the gateway keeps the position")
	case s.Name == "" && (s.Shards != 0 || s.Member != ""):
		return errors.New("subscription: Shards and Member need a Name")
	case s.Shards < 0:
		return fmt.Errorf("subscription: Shards is %d: want 1 to 128, or 0 for one", s.Shards)
	}
	return nil
}

// membership asks to be served as a member of the named subscription.
func (s *Subscription) membership(req *headgatev1.SubscribeRequest, member string) {
	req.Subscription, req.Member = s.Name, s.Member
	if s.Member == "" {
		req.Member = member
	}
	if s.Shard == nil {
		req.SubscriptionShards = uint32(max(1, s.Shards)) // always said: to read one shard of several, taking it for all, would be silent loss
	}
	saved := &headgatev1.Saved{}
	switch p := s.Start.GetPosition().(type) {
	case *headgatev1.Start_At:
		saved.Otherwise = &headgatev1.Saved_At{At: p.At}
	case *headgatev1.Start_AfterCursor:
		saved.Otherwise = &headgatev1.Saved_AfterCursor{AfterCursor: p.AfterCursor}
	case *headgatev1.Start_FromTime:
		saved.Otherwise = &headgatev1.Saved_FromTime{FromTime: p.FromTime}
	case *headgatev1.Start_Saved:
		saved = p.Saved
	}
	req.Start = &headgatev1.Start{Position: &headgatev1.Start_Saved{Saved: saved}}
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
	// Assigned says which shard of a named subscription the stream is served from here on, and under which lease.
	Assigned *headgatev1.Assigned
	// Standby says that all shards of a named subscription are served to others.
	Standby *headgatev1.Standby

	cursor string
}

// Cursor is where to resume once this message has been handled. Store it then, for signals as for events; with a named subscription the gateway does. It is
// empty before a named subscription's stream is assigned a shard.
func (m Message) Cursor() string { return m.cursor }

// Subscribe reads the events of the subscription, first the stored ones and then live, for as long as the loop goes on.
//
// It connects again, with growing pauses, when the connection breaks, when the gateway stops or is full, and when a stream is silent. It
// does so only when the loop comes back for the next message, and goes on after the last one that was delivered.
//
// With a Name the stream is served one shard of the subscription, or waits until there is one. What was handled is saved at the gateway beside the
// loop, a save at a time, under a lease, and at the latest before the shard goes to another. Leaving the loop gives the shard back at once, which takes up to
// two seconds when the gateway does not answer. When the lease is lost nothing more is delivered under it, and the next stream begins.
//
// When a handling fails, leave the loop by break or return: the message in hand is not saved and comes again, to the next Subscribe of whichever replica. Going on
// counts as handled. Where the loop's body takes long, or can fail, Consume is better: it tries again, and tells the body that the lease is lost.
//
// The iteration ends with an error, yielded beside a zero Message, when the gateway refuses (an *Error), when the store fails,
// or when ctx ends (its error). It ends without one when the loop is left and when StopWhenCaughtUp is reached. Nothing runs
// on afterwards. Ranging over the result once more begins anew.
//
// Kinds of messages that this package does not know are passed over, as the contract asks; their cursor counts.
func (c *Client) Subscribe(ctx context.Context, s Subscription) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		r := reader{client: c, sub: s, yield: yield}
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
