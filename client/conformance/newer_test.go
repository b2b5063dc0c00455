package conformance

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// unknown adds a message field that this version of the contract does not have.
func unknown[M proto.Message](m M) M {
	m.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 1000, protowire.BytesType), []byte("of a newer gateway")))
	return m
}

// newer: a gateway of a newer version sends a kind of message, a payload and a reason for a gap that the client does not know. It passes over the message and
// counts its cursor, and delivers the others.
func newer(k *kit) {
	event := scripted.Batch(2, 2)
	event.GetEvents()[0].Payload = nil
	unknown(event.GetEvents()[0])
	gap := scripted.Gap(3, &headgatev1.Gap{Reason: 99})
	kind := unknown(&headgatev1.SubscribeResponse{Cursor: scripted.Cursor(4)})
	gateway := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{
		scripted.SendAndFail(scripted.RetryAfter(codes.Unavailable, "DRAINING", time.Millisecond),
			scripted.Started(0, 15*time.Second), scripted.Batch(1, 1), event, gap, kind),
		scripted.Send(scripted.Started(4, 15*time.Second), unknown(scripted.Batch(5, 5)), scripted.CaughtUp(5)),
	}}
	address, err := gateway.Start("127.0.0.1:0")
	if err != nil {
		k.Fatal(err)
	}
	k.Cleanup(gateway.Stop)
	a := k.run(&front{grpc: address}, request{Start: earliest})
	k.want([]string{scripted.Cursor(1), scripted.Cursor(2)}, a.events(2, false))
	if l := a.next("gap"); l.Cursor != scripted.Cursor(3) {
		k.Errorf("the gap of a newer reason came as %v", l)
	}
	a.next("retry")
	k.want([]string{scripted.Cursor(5)}, a.events(1, false))
	a.next("end")
	a.gone("its subscription ended")
	if got := gateway.Requests()[1].GetStart().GetAfterCursor(); got != scripted.Cursor(4) {
		k.Errorf("it resumed after %q, want the cursor of the message that it does not know, %s", got, scripted.Cursor(4))
	}
}
