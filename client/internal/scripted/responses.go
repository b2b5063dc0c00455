package scripted

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// Cursor is the nth cursor of the scripted log: 22 characters, as the contract says.
func Cursor(n int) string { return fmt.Sprintf("%s%06d", strings.Repeat("c", 16), n) }

// Event is the event at the nth place of the scripted log: the creation of relation n.
func Event(n int) *headgatev1.Event {
	number := func(n int32) *int32 { return &n }
	contact := "contact"
	return &headgatev1.Event{
		Cursor: Cursor(n), EventId: fmt.Sprintf("event-%d", n), Entity: "relation", EventType: "relation.created", Action: "created",
		Context: "Cust26759", Source: "dev", PrimaryKey: number(int32(n)), ChangedByAssociateId: number(5),
		ReceivedAt: timestamppb.New(time.Date(2026, 1, 2, 3, 4, n%60, 0, time.UTC)),
		Payload: &headgatev1.Event_Relation{Relation: &headgatev1.RelationEvent{
			SourceTable: number(5), SourceRecord: number(1), SourceEntity: &contact,
			DestinationTable: number(5), DestinationRecord: number(2), DestinationEntity: &contact,
		}},
	}
}

// Batch is a response with the events from first to last.
func Batch(first, last int) *headgatev1.SubscribeResponse {
	r := &headgatev1.SubscribeResponse{Cursor: Cursor(last)}
	for n := first; n <= last; n++ {
		r.Events = append(r.Events, Event(n))
	}
	return r
}

// Started is the first response of a stream that begins after the nth place.
func Started(n int, heartbeat time.Duration) *headgatev1.SubscribeResponse {
	return &headgatev1.SubscribeResponse{Cursor: Cursor(n), Signal: &headgatev1.SubscribeResponse_Started{
		Started: &headgatev1.Started{HeartbeatInterval: durationpb.New(heartbeat)},
	}}
}

// StartedWithout is the first response of a subscription's stream: it has no cursor yet.
func StartedWithout(heartbeat time.Duration) *headgatev1.SubscribeResponse {
	r := Started(0, heartbeat)
	r.Cursor = ""
	return r
}

// Assigned gives a subscription's stream one shard of count, saved at the nth place, under a lease.
func Assigned(n int, index, count uint32, lease string) *headgatev1.SubscribeResponse {
	return &headgatev1.SubscribeResponse{Cursor: Cursor(n), Signal: &headgatev1.SubscribeResponse_Assigned{
		Assigned: &headgatev1.Assigned{Shard: &headgatev1.Shard{Index: index, Count: count}, Lease: lease},
	}}
}

// Standby has a subscription's stream wait.
func Standby() *headgatev1.SubscribeResponse {
	return &headgatev1.SubscribeResponse{Signal: &headgatev1.SubscribeResponse_Standby{Standby: &headgatev1.Standby{}}}
}

// Checkpoint is a checkpoint at the nth place.
func Checkpoint(n int) *headgatev1.SubscribeResponse {
	return &headgatev1.SubscribeResponse{Cursor: Cursor(n), Signal: &headgatev1.SubscribeResponse_Checkpoint{
		Checkpoint: &headgatev1.Checkpoint{CaughtUp: true},
	}}
}

// Gap is a gap at the nth place.
func Gap(n int, gap *headgatev1.Gap) *headgatev1.SubscribeResponse {
	return &headgatev1.SubscribeResponse{Cursor: Cursor(n), Signal: &headgatev1.SubscribeResponse_Gap{Gap: gap}}
}

// Closing is the end of a stream at the nth place. No wait is asked for when retryAfter is 0.
func Closing(n int, reason headgatev1.Closing_Reason, retryAfter time.Duration) *headgatev1.SubscribeResponse {
	closing := &headgatev1.Closing{Reason: reason}
	if retryAfter > 0 {
		closing.RetryAfter = durationpb.New(retryAfter)
	}
	return &headgatev1.SubscribeResponse{Cursor: Cursor(n), Signal: &headgatev1.SubscribeResponse_Closing{Closing: closing}}
}

// CaughtUp ends the iteration of whoever asked to stop there.
func CaughtUp(n int) *headgatev1.SubscribeResponse {
	return Closing(n, headgatev1.Closing_REASON_CAUGHT_UP, 0)
}

// Refusal is an error as a gateway gives it. metadata are keys and values in turn.
func Refusal(code codes.Code, reason, message string, metadata ...string) error {
	info := &errdetails.ErrorInfo{Domain: "headgate", Reason: reason, Metadata: map[string]string{}}
	for i := 0; i+1 < len(metadata); i += 2 {
		info.Metadata[metadata[i]] = metadata[i+1]
	}
	st, err := status.New(code, message).WithDetails(info)
	if err != nil {
		return err
	}
	return st.Err()
}

// RetryAfter is an error that says when to try again.
func RetryAfter(code codes.Code, reason string, wait time.Duration) error {
	st, err := status.New(code, "later").WithDetails(
		&errdetails.ErrorInfo{Domain: "headgate", Reason: reason},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)})
	if err != nil {
		return err
	}
	return st.Err()
}
