package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/headgate/headgate/client"
	"github.com/headgate/headgate/client/internal/scripted"
	headgatev1 "github.com/headgate/headgate/gen/go/headgate/v1"
)

// exampleGateway stands in for headgated.
func exampleGateway(script func(*headgatev1.SubscribeRequest, scripted.Stream) error) (address string, stop func()) {
	gateway := &scripted.Gateway{Subscribe: []func(*headgatev1.SubscribeRequest, scripted.Stream) error{script}}
	address, err := gateway.Start("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	return address, gateway.Stop
}

func Example() {
	address, stop := exampleGateway(scripted.Send(scripted.StartedWithout(heartbeat), scripted.Assigned(0, 0, 1, "a"), scripted.Batch(1, 2), scripted.CaughtUp(2)))
	defer stop()

	c, err := client.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	err = c.Consume(context.Background(), client.Subscription{
		Name: "billing", Start: client.Earliest(), StopWhenCaughtUp: true,
		Filter: &headgatev1.Filter{Entities: []string{client.EntityRelation}},
	}, func(_ context.Context, m client.Message) error {
		relation := m.Event.GetRelation()
		fmt.Println(m.Event.GetEventType(), m.Event.GetPrimaryKey(),
			relation.GetSourceEntity(), relation.GetSourceRecord(), "->", relation.GetDestinationEntity(), relation.GetDestinationRecord())
		return nil // it is handled, and does not come again
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// relation.created 1 contact 1 -> contact 2
	// relation.created 2 contact 1 -> contact 2
}

// Without a name the loop says itself where it begins.
func ExampleClient_Subscribe() {
	address, stop := exampleGateway(replay(2))
	defer stop()

	c, err := client.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for msg, err := range c.Subscribe(context.Background(), client.Subscription{Start: client.Earliest(), StopWhenCaughtUp: true}) {
		if err != nil {
			log.Fatal(err)
		}
		if msg.Event != nil {
			fmt.Println(msg.Event.GetEventType(), msg.Event.GetPrimaryKey())
		}
	}
	// Output:
	// relation.created 1
	// relation.created 2
}

// A file keeps the position: the second run goes on where the first one stopped.
func ExampleFileStore() {
	address, stop := exampleGateway(replay(3))
	defer stop()
	dir, err := os.MkdirTemp("", "headgate")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	c, err := client.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	subscription := client.Subscription{Start: client.Earliest(), Store: client.FileStore(filepath.Join(dir, "billing.cursor"))}
	for run := 1; run <= 2; run++ {
		for msg, err := range c.Subscribe(context.Background(), subscription) {
			if err != nil {
				log.Fatal(err)
			}
			if msg.Event.GetPrimaryKey() == 3 && run == 1 {
				break // not handled, so it comes again
			}
			if msg.Event != nil {
				fmt.Println("run", run, "event", msg.Event.GetPrimaryKey())
			}
		}
	}
	// Output:
	// run 1 event 1
	// run 1 event 2
	// run 2 event 3
}

// To take effect exactly once, the cursor is stored in the transaction of the effects, and no Store is set.
func ExampleMessage_Cursor() {
	address, stop := exampleGateway(replay(7))
	defer stop()
	c, err := client.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }()

	database := struct { // of the application
		position string
		links    int
	}{position: scripted.Cursor(5)}
	for msg, err := range c.Subscribe(context.Background(), client.Subscription{Start: client.After(database.position)}) {
		if err != nil {
			log.Fatal(err)
		}
		// begin
		if msg.Event.GetRelation() != nil {
			database.links++
		}
		database.position = msg.Cursor() // of signals too
		// commit
	}
	fmt.Println(database.links, "links,", database.position == scripted.Cursor(7))
	// Output: 2 links, true
}

// A lost position is never replaced quietly: the application decides.
func ExampleError() {
	address, stop := exampleGateway(scripted.SendAndFail(scripted.Refusal(codes.OutOfRange, client.ReasonCursorExpired,
		"the events after the cursor are no longer kept", "earliest_cursor", scripted.Cursor(40))))
	defer stop()
	c, err := client.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for _, err := range c.Subscribe(context.Background(), client.Subscription{Start: client.After(scripted.Cursor(1))}) {
		if refusal, ok := errors.AsType[*client.Error](err); ok && refusal.Reason == client.ReasonCursorExpired {
			fmt.Println("reconcile with the CRM, then begin after", refusal.Metadata["earliest_cursor"])
		}
	}
	// Output: reconcile with the CRM, then begin after cccccccccccccccc000040
}

// A gap says what to reconcile with the CRM.
func ExampleMessage() {
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	address, stop := exampleGateway(scripted.Send(scripted.Started(0, heartbeat), scripted.Gap(1, &headgatev1.Gap{
		Reason: headgatev1.Gap_REASON_QUARANTINED, Source: "acme", Contexts: []string{"Cust26759"},
		FromTime: timestamppb.New(day), ToTime: timestamppb.New(day.Add(time.Minute)),
	}), scripted.CaughtUp(1)))
	defer stop()
	c, err := client.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	for msg, err := range c.Subscribe(context.Background(), client.Subscription{Start: client.Earliest()}) {
		switch {
		case err != nil:
			log.Fatal(err)
		case msg.Event != nil:
			fmt.Println("apply", msg.Event.GetEventType())
		case msg.Gap != nil:
			fmt.Println("reconcile", msg.Gap.GetContexts(), "from", msg.Gap.GetFromTime().AsTime(), "to", msg.Gap.GetToTime().AsTime())
		}
	}
	// Output: reconcile [Cust26759] from 2026-01-02 00:00:00 +0000 UTC to 2026-01-02 00:01:00 +0000 UTC
}

// The handling of an event as a part of its trace.
func ExampleMessage_trace() {
	tracer := noop.NewTracerProvider().Tracer("links") // yours
	handle := func(ctx context.Context, msg *client.Message) {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": msg.Event.GetTraceparent()})
		ctx, span := tracer.Start(ctx, "handle "+msg.Event.GetEventType(), trace.WithSpanKind(trace.SpanKindConsumer))
		defer span.End()
		fmt.Println("in the trace", trace.SpanContextFromContext(ctx).TraceID())
	}
	handle(context.Background(), &client.Message{Event: &headgatev1.Event{
		EventType: "relation.created", Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}})
	// Output: in the trace 0af7651916cd43dd8448eb211c80319c
}
